import type { GateConnection } from './gate-connection.js';
import { z } from 'zod';
import { decidedWatermarkKey, statusHintKey } from './keys.js';

const hintSchema = z.object({
  coupon_id: z.number(),
  user_id: z.string(),
  status: z.enum(['ISSUED', 'REFUSED']),
  reason: z.enum(['DUPLICATE', 'SOLD_OUT', 'VOID', 'UNKNOWN_COUPON']).optional(),
  decided_at: z.number(),
});

/** What was decided about one issuance, kept for a while so that a poll spares MySQL. */
export type StatusHint = z.output<typeof hintSchema>;

/** Hints may be missing or late and never contradict MySQL, which is the truth. */
export class StatusHints {
  constructor(
    private readonly connection: GateConnection,
    private readonly keyPrefix: string,
    private readonly ttlSeconds: number,
  ) {}

  async write(hints: ReadonlyMap<string, StatusHint>): Promise<void> {
    const pipeline = this.connection.redis.pipeline();
    for (const [issuanceId, hint] of hints) {
      const key = statusHintKey(this.keyPrefix, issuanceId);
      pipeline.set(key, JSON.stringify(hint), 'EX', this.ttlSeconds);
    }
    await pipeline.exec();
  }

  async read(issuanceId: string): Promise<StatusHint | undefined> {
    const text = await this.connection.redis.get(statusHintKey(this.keyPrefix, issuanceId));
    return text === null ? undefined : hintSchema.parse(JSON.parse(text));
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
