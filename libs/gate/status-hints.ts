import { z } from 'zod';
import type { DecidedIssuance } from '#coupon/issuance.ts';
import { refusalReasons } from '#coupon/issuance.ts';
import { decidedStatuses } from '#coupon/issuance-states.ts';
import { sayDecided } from './decided-channel.ts';
import type { GateConnection } from './gate-connection.ts';
import { decidedWatermarkKey, statusHintsKey } from './keys.ts';

/** What was decided about one issuance, kept for a while so that a poll spares MySQL. */
export type StatusHint = Omit<DecidedIssuance, 'issuanceId'>;

const hintSchema: z.ZodType<StatusHint> = z.object({
  couponId: z.number(),
  userId: z.string(),
  status: z.enum(decidedStatuses),
  reason: z.enum(refusalReasons).optional(),
  decidedAt: z.number(),
});

/**
 * Hints may be missing or late and never contradict MySQL, which is the truth. They share keys with
 * their neighbours in time: a key of its own for each cost Redis and the issuer several times as much.
 */
export class StatusHints {
  constructor(
    private readonly connection: GateConnection,
    private readonly keyPrefix: string,
    private readonly ttlSeconds: number,
  ) {}

  /** Writes them, and says so to whoever waits for one: in one trip, in this order. */
  async write(hints: ReadonlyMap<string, StatusHint>): Promise<void> {
    if (hints.size === 0) {
      return;
    }
    const byKey = Map.groupBy(hints, ([issuanceId]) => statusHintsKey(this.keyPrefix, issuanceId));
    // A key and its life in one step: a crash in between would leave it for ever.
    const writing = [...byKey].map(([key, ofKey]) =>
      this.connection.redis
        .multi()
        .hset(key, ...ofKey.flatMap(([id, hint]) => [id, JSON.stringify(hint)]))
        .expire(key, this.ttlSeconds)
        .exec(),
    );
    // Not in these steps: a user without the right to say it must not lose the hints.
    await Promise.all([
      ...writing,
      sayDecided(this.connection.redis, this.keyPrefix, hints.keys()),
    ]);
  }

  async read(issuanceId: string): Promise<StatusHint | undefined> {
    const key = statusHintsKey(this.keyPrefix, issuanceId);
    const text = await this.connection.redis.hget(key, issuanceId);
    return text === null ? undefined : hintSchema.parse(JSON.parse(text));
  }

  /** The hints there are of these. */
  async readAll(issuanceIds: readonly string[]): Promise<Map<string, StatusHint>> {
    const found = new Map<string, StatusHint>();
    const byKey = Map.groupBy(issuanceIds, (id) => statusHintsKey(this.keyPrefix, id));
    await Promise.all(
      [...byKey].map(async ([key, ids]) => {
        const texts = await this.connection.redis.hmget(key, ...ids);
        texts.forEach((text, i) => {
          if (text !== null) {
            found.set(ids[i]!, hintSchema.parse(JSON.parse(text)));
          }
        });
      }),
    );
    return found;
  }

  /**
   * The watermark: every request reserved before this time (milliseconds) that was ever acknowledged
   * is decided and in MySQL. `undefined` while nobody has worked it out.
   */
  async readWatermark(): Promise<number | undefined> {
    const text = await this.connection.redis.get(decidedWatermarkKey(this.keyPrefix));
    return text === null ? undefined : Number(text);
  }

  async writeWatermark(milliseconds: number): Promise<void> {
    await this.connection.redis.set(decidedWatermarkKey(this.keyPrefix), milliseconds);
  }
}
