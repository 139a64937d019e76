import { RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';
import type { GateConnection } from '#gate/gate-connection.ts';
import type { Count } from './local-counter.ts';
import { LocalCounter } from './local-counter.ts';

/** While Redis is away one request in so long finds out whether it is back; the others do not wait. */
const tryEveryMs = 1_000;

export interface CounterOptions {
  connection: GateConnection;
  keyPrefix: string;
  limit: number;
  windowS: number;
  /** Redis cannot count: from here on this process counts by itself. */
  onAway: (error: unknown) => void;
}

/** Counts requests for all apis together, in Redis; while that is away, for this one alone. */
export class SharedCounter {
  private readonly shared: RateLimiterRedis;
  private readonly local: LocalCounter;
  private tryAt: number | undefined;

  constructor(private readonly options: CounterOptions) {
    const { connection, keyPrefix, limit, windowS } = options;
    this.shared = new RateLimiterRedis({
      storeClient: connection.redis,
      keyPrefix,
      points: limit,
      duration: windowS,
      // Who is over it is refused without a trip.
      inMemoryBlockOnConsumed: limit + 1,
    });
    this.local = new LocalCounter(windowS * 1_000);
  }

  get isAway(): boolean {
    return this.tryAt !== undefined;
  }

  /** Counts one request. Never rejects. */
  async count(key: string): Promise<Count> {
    const now = performance.now();
    if (this.tryAt !== undefined) {
      if (now < this.tryAt) {
        return this.local.count(key);
      }
      this.tryAt = now + tryEveryMs;
    }
    try {
      const { consumedPoints, msBeforeNext } = await this.shared.consume(key);
      this.tryAt = undefined;
      return { used: consumedPoints, endsInMs: msBeforeNext };
    } catch (rejected) {
      if (rejected instanceof RateLimiterRes) {
        return { used: this.options.limit + 1, endsInMs: rejected.msBeforeNext };
      }
      this.tryAt = performance.now() + tryEveryMs;
      this.options.onAway(rejected);
      return this.local.count(key);
    }
  }
}
