import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmdirSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createConnection } from 'mysql2/promise';
import { mysql } from '../../../infra/local/servers/mysql.ts';
import { SpareServer } from './spare-server.ts';

const roomyBytes = 1024 ** 3;

/** All tables share the space that is left, and get it in small pieces. */
const oneFile = ['--innodb-file-per-table=OFF', '--innodb-autoextend-increment=1'];

/** A MySQL of one test, with its data on a file system in memory whose size the test sets. */
export class TinyMysql {
  private constructor(private readonly server: SpareServer) {}

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
    const server = await SpareServer.create(mysql, () => oneFile);
    mount(server.directory, roomyBytes);
    const tiny = new TinyMysql(server);
    try {
      await server.start();
    } catch (error) {
      await tiny.stop();
      throw error;
    }
    return tiny;
  }

  get url(): string {
    return this.server.url;
  }

  /** Leaves no byte for anything more: neither outside of the files of MySQL nor inside. */
  async fillDisk(): Promise<void> {
    const connection = await createConnection({ uri: new URL('/', this.url).toString() });
    try {
      await connection.query('CREATE DATABASE ballast');
      await connection.query('CREATE TABLE ballast.filler (bytes VARBINARY(8000) NOT NULL)');
      const { bsize, blocks, bfree } = statfsSync(this.server.directory);
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

  async stop(): Promise<void> {
    await this.server.stop('SIGKILL');
    execFileSync('umount', ['-l', this.server.directory]);
    await this.server.remove();
  }

  private resize(bytes: number): void {
    execFileSync('mount', ['-o', `remount,size=${bytes}`, this.server.directory]);
  }
}

function mount(directory: string, bytes: number): void {
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', directory], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
}
