import { readFileSync, statSync } from 'node:fs';
import { relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AppProcess } from './apps.ts';
import { BackOff } from './back-off.ts';
import { nodeArguments } from './build.ts';
import { logFile, rootDir } from './paths.ts';
import type { Instance } from './paths.ts';
import { lowerPriority } from './priority.ts';
import { processStartTime, spawnDetached, tail, terminate, waitUntil } from './process.ts';
import { reason, ReadableError } from '../terminal/readable-error.ts';
import { removeRunFile, writeRunFile } from './run-files.ts';

/** sysexits.h EX_CONFIG: starting again would end the same way. */
export const exitCodeConfig = 78;

const stopGraceMs = 12_000;
const readyDeadlineMs = 60_000;

/** Keeps one process of ours running: starts it again when it dies, less and less eagerly. */
export class SupervisedApp {
  readonly app: AppProcess;
  private readonly instance: Instance;
  private readonly env: NodeJS.ProcessEnv;
  private readonly say: (text: string) => void;
  private readonly onBadConfig: (error: ReadableError) => void;
  private readonly backOff = new BackOff();
  /** Aborted when the present process is ended on purpose: its end is no death then. */
  private life = new AbortController();
  private stopped = false;
  private process: { pid: number; startedAt: string } | undefined;

  constructor(
    app: AppProcess,
    options: {
      instance: Instance;
      env: NodeJS.ProcessEnv;
      say: (text: string) => void;
      /** Called when the process refuses its configuration; it is not started again. */
      onBadConfig: (error: ReadableError) => void;
    },
  ) {
    this.app = app;
    this.instance = options.instance;
    this.env = { ...options.env, ...app.env };
    this.say = options.say;
    this.onBadConfig = options.onBadConfig;
  }

  async start(): Promise<void> {
    if (this.stopped) return;
    const life = new AbortController();
    this.life = life;
    const log = this.log();
    const logStart = statSync(log, { throwIfNoEntry: false })?.size ?? 0;
    const startedAtMs = Date.now();
    const { kind, debuggerPort } = this.app;
    const args = [...debuggerArguments(debuggerPort), ...nodeArguments(kind)];
    const child = await spawnDetached(process.execPath, args, log, this.env);
    const startedAt = processStartTime(child.pid) ?? '';
    if (life.signal.aborted) {
      await terminate(child.pid, startedAt, { graceMs: stopGraceMs });
      return;
    }
    if (kind === 'issuer') {
      // Somebody waits for the api; the issuer may be a moment behind. Side by side on two CPUs, the
      // api took a fifth more requests for it, and the issuer was not further behind.
      lowerPriority(child.pid);
    }
    this.process = { pid: child.pid, startedAt };
    child.once('exit', (code, signal) => {
      const uptimeMs = Date.now() - startedAtMs;
      void this.died({ code, signal, uptimeMs, logStart, life: life.signal });
    });
    writeRunFile(this.instance, {
      name: this.app.name,
      kind: 'app',
      pid: child.pid,
      startedAt,
      port: this.app.internalPort,
      command: [process.execPath, ...args],
      source: process.execPath,
    });
  }

  /** Waits until the process says that it is ready. Throws why it is not after a minute. */
  async ready(abort: AbortSignal): Promise<void> {
    const url = `http://127.0.0.1:${this.app.internalPort}/health/ready`;
    await waitForOk(url, `${this.app.name} is not ready`, this.log(), abort);
  }

  /** Ends the process for good: SIGTERM, and SIGKILL if it has not finished within 12 s. */
  async stop(): Promise<void> {
    this.stopped = true;
    await this.end();
  }

  /** Ends the process as `stop` does, and starts it anew. */
  async restart(): Promise<void> {
    await this.end();
    await this.start();
  }

  private async end(): Promise<void> {
    this.life.abort();
    if (this.process !== undefined) {
      const { pid, startedAt } = this.process;
      await terminate(pid, startedAt, { graceMs: stopGraceMs });
      removeRunFile(this.instance, this.app.name);
    }
  }

  private async died(death: {
    code: number | null;
    signal: NodeJS.Signals | null;
    uptimeMs: number;
    logStart: number;
    life: AbortSignal;
  }): Promise<void> {
    if (death.life.aborted) {
      return;
    }
    const log = this.log();
    if (death.code === exitCodeConfig) {
      const output = readFileSync(log).subarray(death.logStart).toString().trimEnd();
      const message = `${this.app.name} refuses its configuration:\n${output}`;
      this.onBadConfig(new ReadableError(message, exitCodeConfig));
      return;
    }
    const how = death.signal === null ? `exit code ${death.code}` : death.signal;
    const waitMs = this.backOff.nextWaitMs(death.uptimeMs);
    this.say(
      `${this.app.name} died (${how}), starts again in ${waitMs / 1_000} s; ` +
        `log: ${relative(rootDir, log)}`,
    );
    try {
      await sleep(waitMs, undefined, { signal: death.life });
      await this.start();
    } catch (error) {
      if (!death.life.aborted) {
        this.say(`${this.app.name} could not be started again: ${reason(error)}`);
      }
    }
  }

  private log(): string {
    return logFile(this.instance, this.app.name);
  }
}

function debuggerArguments(port: number | undefined): string[] {
  const letGo = new URL('let-debugger-go.ts', import.meta.url).href;
  return port === undefined ? [] : [`--inspect=127.0.0.1:${port}`, `--import=${letGo}`];
}

/** Asks `url` until it answers 200 with a body that is `good`. Throws `what`, the last answer and the end of `log`. */
export async function waitForOk(
  url: string,
  what: string,
  log: string,
  abort: AbortSignal,
  good: (body: string) => boolean = () => true,
): Promise<void> {
  let lastAnswer = 'no answer';
  const ask = async (): Promise<true | undefined> => {
    abort.throwIfAborted();
    try {
      const response = await fetch(url, { signal: AbortSignal.timeout(3_000) });
      const body = await response.text();
      lastAnswer = `${response.status} ${body.slice(0, 500)}`;
      return response.status === 200 && good(body) ? true : undefined;
    } catch (error) {
      lastAnswer = reason((error as Error).cause ?? error);
      return undefined;
    }
  };
  await waitUntil(ask, {
    deadlineMs: readyDeadlineMs,
    intervalMs: 150,
    failure: () =>
      `${what} after ${readyDeadlineMs / 1_000} s: GET ${url}: ${lastAnswer}\n${tail(log)}`,
  });
}
