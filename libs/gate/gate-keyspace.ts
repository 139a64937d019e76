import type { GateConnection } from './gate-connection.ts';
import { anyGateKey, couponIdOf } from './keys.ts';

const keysPerStep = 1_000;

/** Which coupons have keys in Redis, whatever MySQL says: found step by step, round and round. */
export class GateKeyspace {
  private cursor = '0';

  constructor(
    private readonly connection: GateConnection,
    private readonly keyPrefix: string,
  ) {}

  /** Goes on where it was; a round finds every gate that is there throughout. */
  async step(): Promise<number[]> {
    const pattern = anyGateKey(this.keyPrefix);
    const { redis } = this.connection;
    const [next, keys] = await redis.scan(this.cursor, 'MATCH', pattern, 'COUNT', keysPerStep);
    this.cursor = next;
    return [...new Set(keys.flatMap((key) => couponIdOf(key) ?? []))];
  }
}
