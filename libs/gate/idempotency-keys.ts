import { createHash } from 'node:crypto';
import type { GateConnection } from './gate-connection.ts';
import { readScript } from './gate-scripts.ts';
import { idempotencyKeys } from './keys.ts';

/**
 * Each shard has two generations of so many keys. A hash of 128 fields, one of them its birth, is the
 * largest that Redis keeps in one piece: 31 bytes a key, and three times that with more of them.
 */
const keysOfGeneration = 127;
/** With two generations of each: a million keys, 32 MB. */
const shardDigits = 3;

type Remember = (
  keys: 2,
  young: string,
  old: string,
  digest: string,
  use: string,
  lifeSeconds: number,
  most: number,
) => Promise<string>;

/**
 * For which coupon each user has used each idempotency key: for so many seconds at least, as long as
 * there are no more than half a million in that time; of more than that, the last half million at least.
 */
export class IdempotencyKeys {
  private readonly remember: Remember;

  constructor(
    connection: GateConnection,
    private readonly keyPrefix: string,
    private readonly lifeSeconds: number,
  ) {
    const { redis } = connection;
    redis.defineCommand('remember_key', { lua: readScript('remember_key') });
    this.remember = (Reflect.get(redis, 'remember_key') as Remember).bind(redis);
  }

  /** The coupon that this user has used the key for first: this one, unless it is remembered for another. */
  async use(userId: string, key: string, couponId: number): Promise<number> {
    // No user id has a control character in it.
    const digest = createHash('sha256').update(`${userId}\0${key}`).digest();
    const shard = digest.toString('hex', 30).slice(0, shardDigits);
    const { young, old } = idempotencyKeys(this.keyPrefix, shard);
    const use = await this.remember(
      2,
      young,
      old,
      digest.toString('base64url', 0, 16),
      String(couponId),
      this.lifeSeconds,
      keysOfGeneration,
    );
    return Number(use);
  }
}
