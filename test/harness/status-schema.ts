import { z } from 'zod';

const number = z.number().nullable();
const text = z.string().nullable();
const alert = z.strictObject({ name: z.string(), severity: text, summary: text, since: text });

/** The whole of `--json`, as docs/operations.md promises it. */
export const statusSchema = z.strictObject({
  verdict: z.enum(['HEALTHY', 'ATTENTION', 'BEHIND', 'BROKEN']),
  says: z.string(),
  taken_at: z.iso.datetime(),
  problems: z.array(
    z.strictObject({
      severity: z.enum(['BROKEN', 'BEHIND', 'ATTENTION']),
      kind: z.string(),
      says: z.string(),
      remedy: z.string(),
      coupon_id: number,
    }),
  ),
  coupons_on_sale: number,
  admitted_per_s: number,
  issued_per_s: number,
  logged_per_s: number,
  decided_per_s: number,
  lag: number,
  lag_seconds: number,
  drain_seconds: number,
  pending: number,
  oldest_pending_seconds: number,
  dead_letters_open: number,
  coupons: z.array(
    z.strictObject({
      coupon_id: z.number(),
      name: text,
      state: text,
      gate: text,
      total: number,
      left: number,
      held: number,
      issued: number,
      under_way: number,
      pending: number,
      oldest_pending_seconds: number,
      admitted_per_s: number,
      issued_per_s: number,
      sell_out_seconds: number,
      breach: text,
    }),
  ),
  other_coupons: z.strictObject({ coupons: z.number(), total: z.number(), issued: z.number() }),
  partitions: z.array(
    z.strictObject({
      partition: z.number(),
      lag: number,
      lag_seconds: number,
      logged_per_s: number,
      decided_per_s: number,
      drain_seconds: number,
      member: text,
    }),
  ),
  stores: z.array(
    z.strictObject({
      store: z.string(),
      away: z.boolean(),
      role: text,
      memory_used_bytes: number,
      memory_limit_bytes: number,
      says: z.string(),
    }),
  ),
  alerts: z.strictObject({
    asked: z.boolean(),
    firing: z.array(alert).nullable(),
    problem: text,
  }),
});
