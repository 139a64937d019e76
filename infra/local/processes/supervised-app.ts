import { relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { App, AppProcess } from './apps.ts';
import { BackOff } from './back-off.ts';
import { OwnProcess } from './own-process.ts';
import type { Ending } from './own-process.ts';
import { rootDir } from './paths.ts';
import type { Instance } from './paths.ts';
import { lowerPriority } from './priority.ts';
import { messageOf } from '#platform/text/error-message.ts';
import { exitCodes } from '#platform/command/exit-codes.ts';
import { ReadableError } from '../terminal/readable-error.ts';

/** Enough for a machine that has ten times as much to do as it can. */
const readyDeadlineMs = 180_000;

export interface Supervision {
  instance: Instance;
  say: (text: string) => void;
  /** Called when starting it again would be in vain, so that it is not. */
  onGivenUp: (error: ReadableError) => void;
}

/** Keeps one process of ours running: starts it again when it dies, less and less eagerly. */
export class SupervisedApp {
  readonly process: App;
  private readonly backOff = new BackOff();
  /** Aborted when the present process is ended on purpose: its end is no death then. */
  private life = new AbortController();
  private stopped = false;
  private starts = 0;

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
    this.starts += 1;
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

  /** Waits until the process says that it is ready. Throws why it is not after three minutes. */
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

  private async died(ending: Ending, uptimeMs: number, life: AbortSignal): Promise<void> {
    if (life.aborted) {
      return;
    }
    const { say, onGivenUp } = this.supervision;
    const { name } = this.app;
    const vain = this.whyInVain(ending);
    if (vain !== undefined) {
      onGivenUp(vain);
      return;
    }
    const waitMs = this.backOff.nextWaitMs(uptimeMs);
    const log = relative(rootDir, this.process.logFile);
    say(`${name} ${this.describe(ending)}, starts again in ${waitMs / 1_000} s; log: ${log}`);
    try {
      await sleep(waitMs, undefined, { signal: life });
      await this.start();
      // One that dies again meanwhile says so itself.
      await this.process.ready(readyDeadlineMs, this.life.signal);
      say(`${name} is back.`);
    } catch (error) {
      if (!this.life.signal.aborted && this.process.isRunning) {
        say(`${name} is not back yet: ${messageOf(error)}`);
      }
    }
  }

  private whyInVain({ code }: Ending): ReadableError | undefined {
    const { name } = this.app;
    if (code === exitCodes.configuration) {
      const message = `${name} refuses its configuration:\n${this.process.output.trimEnd()}`;
      return new ReadableError(message, exitCodes.configuration);
    }
    const port = this.takenPort();
    // Later on, whoever took it in between may go away again.
    return this.starts === 1 && port !== undefined
      ? new ReadableError(
          `${name} cannot start: another program took port ${port} meanwhile. Run the same command again.`,
        )
      : undefined;
  }

  private describe({ code, signal }: Ending): string {
    if (code === 0) {
      return 'has ended (exit code 0, as when SIGTERM tells it to)';
    }
    const port = this.takenPort();
    const why = port === undefined ? '' : `: another program has its port ${port}`;
    return `died (${signal ?? `exit code ${code}`})${why}`;
  }

  /** The port that it could not have, if that is why it ended. */
  private takenPort(): string | undefined {
    return /EADDRINUSE[^"\n]*?:(\d+)/.exec(this.process.output)?.[1];
  }
}
