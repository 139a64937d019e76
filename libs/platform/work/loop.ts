import type { Logger } from '../logging/logging.ts';
import { pauseFor } from './waiting.ts';

/** A process that has just started is still connecting to its stores: that is no failure yet. */
const settlingMs = 5_000;

/**
 * Does a duty again and again, `intervalMs` after it was done last, until stopped. A failure is logged
 * when it begins and when it is over, not each time, and the duty is tried again. What fails in the first
 * seconds is told if it lasts.
 */
export class Loop {
  private readonly stopping = new AbortController();
  private running: Promise<void> | undefined;
  private failure: string | undefined;
  private readonly settledAt = performance.now() + settlingMs;

  constructor(
    private readonly name: string,
    private readonly intervalMs: number,
    private readonly duty: (signal: AbortSignal) => Promise<void>,
    private readonly logger: Logger,
  ) {}

  start(): void {
    this.running ??= this.run();
  }

  /** Resolves when the duty in hand is done. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  private async run(): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      try {
        await this.duty(signal);
        this.note(undefined);
      } catch (error) {
        this.note(error as Error);
      }
      await pauseFor(this.intervalMs, signal);
    }
  }

  private note(error: Error | undefined): void {
    if (error !== undefined && performance.now() < this.settledAt) {
      return;
    }
    if (error !== undefined && error.message !== this.failure && !this.stopping.signal.aborted) {
      this.logger.warn({ err: error }, `${this.name} failed; it is tried again`);
    } else if (error === undefined && this.failure !== undefined) {
      this.logger.info(`${this.name} works again`);
    }
    this.failure = error?.message;
  }
}
