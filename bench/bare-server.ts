import { join } from 'node:path';
import { logFile } from '../infra/local/processes/paths.ts';
import type { Instance } from '../infra/local/processes/paths.ts';
import { choosePort } from '../infra/local/servers/ports.ts';
import {
  isSameProcess,
  processStartTime,
  spawnDetached,
  terminate,
} from '../infra/local/processes/process.ts';
import { ReadableError } from '../infra/local/terminal/readable-error.ts';
import { removeRunFile, writeRunFile } from '../infra/local/processes/run-files.ts';
import { waitForOk } from '../infra/local/processes/supervised-app.ts';

const portPreferred = 18090;

/** One process of bare-fastify.ts. Its run file lets the next start stop one that was left behind. */
export class BareServer {
  readonly url: string;
  private readonly instance: Instance;
  private readonly name: string;
  private readonly pid: number;
  private readonly startedAt: string;

  private constructor(
    instance: Instance,
    name: string,
    process: { pid: number; startedAt: string; port: number },
  ) {
    this.url = `http://127.0.0.1:${process.port}`;
    this.instance = instance;
    this.name = name;
    this.pid = process.pid;
    this.startedAt = process.startedAt;
  }

  static async start(
    instance: Instance,
    name: string,
    env: Record<string, string>,
    abort: AbortSignal,
  ): Promise<BareServer> {
    const port = await choosePort(portPreferred, new Set());
    const args = [...process.execArgv, join(import.meta.dirname, 'bare-fastify.ts')];
    const log = logFile(instance, name);
    const { pid } = await spawnDetached(process.execPath, args, log, {
      ...process.env,
      ...env,
      BENCH_PORT: String(port),
    });
    const startedAt = processStartTime(pid) ?? '';
    const command = [process.execPath, ...args];
    const source = process.execPath;
    writeRunFile(instance, { name, kind: 'app', pid, startedAt, port, command, source });
    const server = new BareServer(instance, name, { pid, startedAt, port });
    await waitForOk(`${server.url}/ready`, `${name} is not ready`, log, abort).catch(
      async (error: unknown) => {
        await server.stop();
        throw error;
      },
    );
    return server;
  }

  /** Throws when the process has died: nobody starts it again. */
  assertRunning(): void {
    if (!isSameProcess(this.pid, this.startedAt)) {
      throw new ReadableError(`${this.name} died; log: ${logFile(this.instance, this.name)}`);
    }
  }

  async stop(): Promise<void> {
    await terminate(this.pid, this.startedAt);
    removeRunFile(this.instance, this.name);
  }
}
