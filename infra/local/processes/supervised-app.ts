import { relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { App, AppProcess } from './apps.ts';
import { BackOff } from './back-off.ts';
import { OwnProcess } from './own-process.ts';
import type { Ending } from './own-process.ts';
import { rootDir } from './paths.ts';
import type { Instance } from './paths.ts';
import { lowerPriority } from './priority.ts';
import { messageOf } from '#platform/error-message.ts';
import { exitCodes } from '#platform/exit-codes.ts';
import { ReadableError } from '../terminal/readable-error.ts';

const readyDeadlineMs = 60_000;

export interface Supervision {
  instance: Instance;
  say: (text: string) => void;
  /** Called when the process refuses its configuration; it is not started again. */
  onBadConfig: (error: ReadableError) => void;
}

/** Keeps one process of ours running: starts it again when it dies, less and less eagerly. */
export class SupervisedApp {
  readonly process: App;
  private readonly backOff = new BackOff();
  /** Aborted when the present process is ended on purpose: its end is no death then. */
  private life = new AbortController();
  private stopped = false;

  constructor(
    readonly app: AppProcess,
    private readonly supervision: Supervision,
  ) {
    this.process = new OwnProcess(app, supervision.instance);
  }

  async start(): Promise<void> {
    if (this.stopped) return;
    const life = new AbortController();
    this.life = life;
    const startedAtMs = Date.now();
    await this.process.start();
    if (life.signal.aborted) {
      await this.process.stop();
      return;
    }
    if (this.app.kind === 'issuer') {
      // Somebody waits for the api; the issuer may be a moment behind. Side by side on two CPUs, the
      // api took a fifth more requests for it, and the issuer was not further behind.
      lowerPriority(this.process.pid);
    }
    const died = (ending: Ending) => this.died(ending, Date.now() - startedAtMs, life.signal);
    void this.process.exit().then(died);
  }

  /** Waits until the process says that it is ready. Throws why it is not after a minute. */
  ready(abort: AbortSignal): Promise<void> {
    return this.process.untilReady(readyDeadlineMs, abort);
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
    await this.process.stop();
  }

  private async died({ code, signal }: Ending, uptimeMs: number, life: AbortSignal): Promise<void> {
    if (life.aborted) {
      return;
    }
    const { say, onBadConfig } = this.supervision;
    const { name } = this.app;
    if (code === exitCodes.configuration) {
      const message = `${name} refuses its configuration:\n${this.process.output.trimEnd()}`;
      onBadConfig(new ReadableError(message, exitCodes.configuration));
      return;
    }
    const how = signal === null ? `exit code ${code}` : signal;
    const waitMs = this.backOff.nextWaitMs(uptimeMs);
    const log = relative(rootDir, this.process.logFile);
    say(`${name} died (${how}), starts again in ${waitMs / 1_000} s; log: ${log}`);
    try {
      await sleep(waitMs, undefined, { signal: life });
      await this.start();
    } catch (error) {
      if (!life.aborted) {
        say(`${name} could not be started again: ${messageOf(error)}`);
      }
    }
  }
}
