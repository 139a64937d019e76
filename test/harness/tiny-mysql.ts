import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmdirSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createConnection } from 'mysql2/promise';
import { mysql } from '../../infra/local/servers/mysql.ts';
import { processStartTime, spawnDetached, terminate } from '../../infra/local/processes/process.ts';
import { silent } from '../../infra/local/terminal/progress.ts';
import type { Place } from '../../infra/local/servers/server-kind.ts';
import { eventually } from '../../infra/local/processes/waiting.ts';
import { freePort } from '../../infra/local/servers/free-port.ts';

const roomyBytes = 1024 ** 3;

/** All tables share the space that is left, and get it in small pieces. */
const oneFile = ['--innodb-file-per-table=OFF', '--innodb-autoextend-increment=1'];

/** A MySQL of one test, with its data on a file system in memory whose size the test sets. */
export class TinyMysql {
  private process: { pid: number; startedAt: string } | undefined;

  private constructor(
    private readonly mountPoint: string,
    private readonly place: Place,
  ) {}

  /** Why this machine cannot have one; `undefined` when it can. Tries it. */
  static obstacle(): string | undefined {
    if (process.getuid?.() !== 0) {
      return 'only root may mount a file system';
    }
    const directory = mkdtempSync(join(tmpdir(), 'firstcome-mount-'));
    try {
      mount(directory, roomyBytes);
      execFileSync('umount', [directory]);
      return undefined;
    } catch (error) {
      return `no tmpfs can be mounted here: ${(error as Error).message.split('\n').at(-1)}`;
    } finally {
      rmdirSync(directory);
    }
  }

  static async start(): Promise<TinyMysql> {
    const mountPoint = mkdtempSync(join(tmpdir(), 'firstcome-mysql-'));
    mount(mountPoint, roomyBytes);
    const runDir = join(mountPoint, 'run');
    mkdirSync(runDir);
    const port = await freePort();
    const place = {
      dataDir: join(mountPoint, 'data'),
      runDir,
      logFile: join(mountPoint, 'mysql.log'),
      port,
    } as Place;
    const server = new TinyMysql(mountPoint, place);
    await server.launch().catch(async (error: unknown) => {
      await server.stop();
      throw error;
    });
    return server;
  }

  get url(): string {
    return mysql.url(this.place.port);
  }

  /** Leaves no byte for anything more: neither outside of the files of MySQL nor inside. */
  async fillDisk(): Promise<void> {
    const connection = await createConnection({ uri: new URL('/', this.url).toString() });
    try {
      await connection.query('CREATE DATABASE ballast');
      await connection.query('CREATE TABLE ballast.filler (bytes VARBINARY(8000) NOT NULL)');
      const { bsize, blocks, bfree } = statfsSync(this.mountPoint);
      this.resize((blocks - bfree) * bsize);
      for (let isFull = false; !isFull;) {
        isFull = await connection
          .query('INSERT INTO ballast.filler VALUES (REPEAT("x", 8000))')
          .then(
            () => false,
            () => true,
          );
      }
    } finally {
      connection.destroy();
    }
  }

  makeRoom(): void {
    this.resize(roomyBytes);
  }

  get isRunning(): boolean {
    const { pid, startedAt } = this.process!;
    return processStartTime(pid) === startedAt;
  }

  async stop(): Promise<void> {
    if (this.process !== undefined) {
      await terminate(this.process.pid, this.process.startedAt, { signal: 'SIGKILL' });
    }
    execFileSync('umount', ['-l', this.mountPoint]);
    rmdirSync(this.mountPoint);
  }

  private async launch(): Promise<void> {
    await mysql.prepare(this.place, silent);
    const { command, args } = await mysql.launch(this.place);
    const { pid } = await spawnDetached(command, [...args, ...oneFile], this.place.logFile);
    this.process = { pid, startedAt: processStartTime(pid) ?? '' };
    await eventually(() =>
      mysql.ping(this.url).then(
        () => true,
        () => false,
      ),
    );
  }

  private resize(bytes: number): void {
    execFileSync('mount', ['-o', `remount,size=${bytes}`, this.mountPoint]);
  }
}

function mount(directory: string, bytes: number): void {
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', directory], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
}
