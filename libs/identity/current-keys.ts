import type { CryptoKey, FlattenedJWSInput, JWSHeaderParameters, JWTVerifyGetKey } from 'jose';
import { createLocalJWKSet, errors } from 'jose';
import type { KeySet } from '#platform/config/key-set.ts';
import { messageOf } from '#platform/text/error-message.ts';
import type { KeySetSource } from './key-set-source.ts';

/** Nobody can be checked yet: the first key set was not to be had so far. */
export class KeysUnknownError extends Error {
  override readonly name = 'KeysUnknownError';
}

export interface KeySetPace {
  /** How often the set is read when all is well. */
  refreshMs: number;
  /** Least time between two reads, whatever tokens come. */
  coolDownMs: number;
}

/** While there is none at all, nobody is served. */
const firstRetryMs = 1_000;
const retryMs = 5_000;

type Find = (header?: JWSHeaderParameters, token?: FlattenedJWSInput) => Promise<CryptoKey>;

/**
 * The keys that tokens are checked with: the last good set, however old, until there is a newer one. A
 * token with a key that is not in it has the set read again, but not more often than `coolDownMs`: a
 * flood of them is answered from what is known.
 */
export class CurrentKeys {
  /** Another one whenever the keys are others. */
  version = 0;
  readonly reads = { good: 0, failed: 0 };
  private set: { text: string; find: Find; readAt: number } | undefined;
  private reading: Promise<void> | undefined;
  private beganAt = -Infinity;
  private failure: Error | undefined;

  constructor(
    private readonly source: KeySetSource,
    private readonly pace: KeySetPace,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** For `jwtVerify`: throws `KeysUnknownError`, or what `jose` throws where no key matches. */
  readonly find: JWTVerifyGetKey<CryptoKey> = async (header, token) => {
    const before = this.known();
    try {
      return await before.find(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey) || !(await this.readForUnknownKey())) {
        throw error;
      }
      return this.known().find(header, token);
    }
  };

  /** Why nobody can be checked, in words. */
  problem(): string | undefined {
    return this.set === undefined
      ? `the key set was never read: ${this.failure ? messageOf(this.failure) : 'not asked yet'}`
      : undefined;
  }

  /** Why the set in use is not the latest, in words. */
  staleness(): string | undefined {
    return this.set !== undefined && this.failure !== undefined
      ? `the key set is in use as it was, reading it again failed: ${messageOf(this.failure)}`
      : undefined;
  }

  /** Since the set in use was read; nothing before the first. */
  get ageMs(): number | undefined {
    return this.set && this.now() - this.set.readAt;
  }

  /** Reads the set when it is time to; rejects while the last read has failed. */
  async refreshIfDue(): Promise<void> {
    if (this.now() >= this.beganAt + this.intervalMs()) {
      await this.read();
    }
    if (this.failure !== undefined) {
      throw this.failure;
    }
  }

  private intervalMs(): number {
    if (this.failure === undefined) {
      return this.pace.refreshMs;
    }
    return this.set === undefined ? firstRetryMs : Math.min(retryMs, this.pace.refreshMs);
  }

  /** Whether the set was read since the token came. */
  private async readForUnknownKey(): Promise<boolean> {
    if (this.reading === undefined && this.now() < this.beganAt + this.pace.coolDownMs) {
      return false;
    }
    await this.read();
    return this.failure === undefined;
  }

  private read(): Promise<void> {
    this.reading ??= this.readOnce().finally(() => (this.reading = undefined));
    return this.reading;
  }

  private async readOnce(): Promise<void> {
    this.beganAt = this.now();
    try {
      this.take(await this.source());
      this.failure = undefined;
      this.reads.good += 1;
    } catch (error) {
      this.failure = toPlainError(error);
      this.reads.failed += 1;
    }
  }

  private take(set: KeySet): void {
    const text = JSON.stringify(set);
    if (text !== this.set?.text) {
      this.version += 1;
      this.set = { text, find: createLocalJWKSet(set), readAt: this.now() };
    }
    this.set.readAt = this.now();
  }

  private known(): { find: Find } {
    if (this.set === undefined) {
      throw new KeysUnknownError(this.problem());
    }
    return this.set;
  }
}

/** What `fetch` says is in its cause. */
function toPlainError(error: unknown): Error {
  const { cause } = error as { cause?: unknown };
  return cause instanceof Error ? cause : (error as Error);
}
