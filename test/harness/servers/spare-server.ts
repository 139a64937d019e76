import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findProgram } from '../../../infra/local/servers/install.ts';
import { testInstance } from '../../../infra/local/processes/paths.ts';
import { openLog, processStartTime, tail } from '../../../infra/local/processes/process.ts';
import { removeRunFile, writeRunFile } from '../../../infra/local/processes/run-files.ts';
import { waitUntil } from '../../../infra/local/processes/waiting.ts';
import { silent } from '../../../infra/local/terminal/progress.ts';
import type { Place, ServerKind } from '../../../infra/local/servers/server-kind.ts';
import { freePort } from '../../../infra/local/servers/free-port.ts';

const startDeadlineMs = 90_000;

/** What a test adds to the way a server is started. */
type MoreArguments = (place: Place) => string[];

/**
 * A server that one test file has to itself, on free ports and in a directory of its own, to be broken
 * in ways that those shared by all tests could not bear.
 */
export class SpareServer {
  private child: ChildProcess | undefined;

  private constructor(
    private readonly kind: ServerKind,
    readonly directory: string,
    private readonly place: Place,
    private readonly moreArguments: MoreArguments,
  ) {}

  /** Why this machine cannot run one, in words; `undefined` when it can. */
  static async problem(kind: ServerKind): Promise<string | undefined> {
    const found = await Promise.all(kind.programs().map((program) => findProgram(program)));
    const missing = kind.programs().filter((_, i) => found[i] === undefined);
    return missing.length === 0
      ? undefined
      : `this machine has no ${missing.flatMap(({ binaries }) => binaries[0]).join(', ')}`;
  }

  static async start(kind: ServerKind): Promise<SpareServer> {
    const server = await SpareServer.create(kind);
    await server.start();
    return server;
  }

  /** Not started yet. */
  static async create(
    kind: ServerKind,
    moreArguments: MoreArguments = () => [],
  ): Promise<SpareServer> {
    const directory = mkdtempSync(join(tmpdir(), 'firstcome-server-'));
    const dataDir = join(directory, 'data');
    mkdirSync(dataDir);
    const port = await freePort();
    const controllerPort = await freePort();
    const ports = {
      'gate-redis': port,
      'jobs-redis': port,
      kafka: port,
      'kafka-controller': controllerPort,
      mysql: port,
    };
    const place = { dataDir, runDir: directory, logFile: join(directory, 'log'), ports, port };
    return new SpareServer(kind, directory, place, moreArguments);
  }

  get port(): number {
    return this.place.port;
  }

  /** Of a Kafka node. */
  get controllerPort(): number {
    return this.place.ports['kafka-controller'];
  }

  get url(): string {
    return this.kind.url(this.port);
  }

  get dataDir(): string {
    return this.place.dataDir;
  }

  /** Of one that runs. */
  get pid(): number {
    return this.child!.pid!;
  }

  get isRunning(): boolean {
    return isAlive(this.child);
  }

  /** Returns once it answers; on the port and with the data it had. Does nothing while it runs. */
  async start(): Promise<void> {
    if (this.isRunning) {
      return;
    }
    await this.kind.prepare(this.place, silent);
    const { command, args } = await this.kind.launch(this.place);
    const log = openLog(this.place.logFile);
    const child = spawn(command, [...args, ...this.moreArguments(this.place)], {
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    this.child = child;
    this.noteRun(command, child);
    await waitUntil(() => this.answers(child), {
      deadlineMs: startDeadlineMs,
      failure: () => `a spare server does not answer: ${tail(this.place.logFile)}`,
    });
  }

  /** `SIGKILL` as a crash would. Its data stays. Does nothing when it does not run. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const { child } = this;
    if (isAlive(child)) {
      child.kill(signal);
      await once(child, 'exit');
    }
    removeRunFile(testInstance, this.name);
  }

  /** Stops it and removes all that it wrote. */
  async remove(): Promise<void> {
    await this.stop('SIGKILL');
    rmSync(this.directory, { recursive: true, force: true });
  }

  private get name(): string {
    return `spare-${this.port}`;
  }

  /** A run that is interrupted ends this process at once; npm test stops then what is noted here. */
  private noteRun(command: string, { pid }: ChildProcess): void {
    if (pid !== undefined) {
      writeRunFile(testInstance, {
        name: this.name,
        kind: 'spare',
        pid,
        startedAt: processStartTime(pid) ?? '',
        port: this.port,
        command: [command],
        source: command,
      });
    }
  }

  private answers(child: ChildProcess): Promise<true | undefined> {
    if (!isAlive(child)) {
      throw new Error(`a spare server ended right away: ${tail(this.place.logFile)}`);
    }
    return this.kind.ping(this.url).then(
      () => true,
      () => undefined,
    );
  }
}

function isAlive(child: ChildProcess | undefined): child is ChildProcess {
  return child !== undefined && child.exitCode === null && child.signalCode === null;
}
