import { FirstcomeProblem, FirstcomeTimeout } from './errors.ts';
import type { Problem } from './generated/types.gen.ts';
import type { Outcome } from './transport.ts';

export interface Patience {
  /** Ends everything at once; what was under way rejects with its reason. */
  signal?: AbortSignal;
  /** The end: after so many milliseconds it rejects with `FirstcomeTimeout`. */
  withinMs?: number;
}

/** Without a word from the api: a quarter of a second, twice as long each time, at most ten. */
const firstPauseMs = 250;
const pauseMostMs = 10_000;
/** Repeated although nobody said so; everything else the api says by X-Should-Retry. */
const worthRepeating = new Set([408, 425, 429, 500, 502, 503, 504]);

/** A time that runs out, for several requests one after the other. */
export class Deadline {
  private readonly endsAt: number;
  private failures = 0;
  private lastFailure: unknown;

  constructor(
    private readonly patience: Patience,
    private readonly withinMs: number,
    private readonly issuanceId?: string,
  ) {
    this.endsAt = performance.now() + withinMs;
  }

  get leftMs(): number {
    return this.endsAt - performance.now();
  }

  /** Asks until it is answered with a success, as often and as late as the api says. */
  async succeed<Responses, Errors>(
    ask: (signal: AbortSignal) => Promise<Outcome<Responses, Errors>>,
    timeLimitMs: number,
  ): Promise<Responses[keyof Responses]> {
    for (;;) {
      const outcome = await this.askOnce(ask, timeLimitMs);
      if (outcome?.data !== undefined) {
        this.failures = 0;
        return outcome.data;
      }
      if (outcome !== undefined) {
        const { response } = outcome;
        this.lastFailure = new FirstcomeProblem(
          response.status,
          outcome.error as Problem | undefined,
        );
        if (!shouldRetry(response)) {
          throw this.lastFailure;
        }
      }
      await this.pause(hintMs(outcome?.response) ?? this.backOffMs());
    }
  }

  /** Waits as long as told and a little longer, so that many who were told the same do not meet. */
  async pause(toldMs: number): Promise<void> {
    const ms = toldMs + Math.random() * Math.min(toldMs / 2, 1_000);
    if (ms >= this.leftMs) {
      throw new FirstcomeTimeout(this.withinMs, this.issuanceId, this.lastFailure);
    }
    await delay(ms, this.patience.signal);
  }

  /** Nothing when no answer came. */
  private async askOnce<T>(
    ask: (signal: AbortSignal) => Promise<T>,
    timeLimitMs: number,
  ): Promise<T | undefined> {
    const { signal } = this.patience;
    signal?.throwIfAborted();
    const limit = AbortSignal.timeout(Math.max(1, Math.ceil(Math.min(timeLimitMs, this.leftMs))));
    try {
      return await ask(signal === undefined ? limit : AbortSignal.any([signal, limit]));
    } catch (error) {
      signal?.throwIfAborted();
      this.lastFailure = error;
      return undefined;
    }
  }

  private backOffMs(): number {
    this.failures += 1;
    return Math.min(pauseMostMs, firstPauseMs * 2 ** (this.failures - 1));
  }
}

function shouldRetry({ headers, status }: Response): boolean {
  const told = headers.get('x-should-retry');
  return told === null ? worthRepeating.has(status) : told === 'true';
}

/** What the api said about when to ask again. */
function hintMs(response: Response | undefined): number | undefined {
  const inMs = Number(response?.headers.get('retry-after-ms') ?? Number.NaN);
  const inSeconds = Number(response?.headers.get('retry-after') ?? Number.NaN) * 1_000;
  return [inMs, inSeconds].find((ms) => ms >= 0);
}

function delay(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const give = (): void => {
      clearTimeout(timer);
      reject(signal!.reason as Error);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', give);
      resolve();
    }, ms);
    signal?.addEventListener('abort', give, { once: true });
  });
}
