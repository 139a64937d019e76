import { z } from 'zod';
import type { RecordedIssuance } from '#coupon/issuance.ts';
import { issuanceIdSchema, refusalReasons } from '#coupon/issuance.ts';
import { issuanceStatuses } from '#coupon/issuance-states.ts';
import { wholeNumberIn } from '#platform/text/decimals.ts';
import { toIsoTime } from '#platform/text/iso-time.ts';
import { issuanceIdExample } from '../http/examples.ts';
import { acceptedAt } from '../issuance/issuance.http.ts';
import type { Forecast } from '../waiting/pace.ts';

/** The shapes of the status of an issuance, as clients see them. */

/** Longest that somebody waits in one request. */
export const waitMostS = 30;

export const statusParametersSchema = z.object({
  issuance_id: issuanceIdSchema.meta({ example: issuanceIdExample }),
});

const waitMessage = `must be a whole number of seconds from 0 to ${waitMostS}, given once`;

export const statusQuerySchema = z.strictObject({
  wait: z
    .preprocess(
      (text) => wholeNumberIn(String(text)),
      z.number(waitMessage).int().min(0, waitMessage).max(waitMostS, waitMessage),
    )
    .optional()
    .describe('Seconds to wait for a decision; answered as soon as there is one.'),
});

export const issuanceStatusSchema = z
  .object({
    issuance_id: issuanceIdSchema,
    status: z
      .enum(issuanceStatuses)
      .describe(
        'ACCEPTED: still under way, ask again. Then ISSUED or REFUSED; what was issued is REDEEMED once, or EXPIRED.',
      ),
    coupon_id: z.int().optional().describe('Absent while ACCEPTED.'),
    user_id: z.string().optional().describe('Absent while ACCEPTED.'),
    accepted_at: z.iso.datetime(),
    decided_at: z.iso.datetime().optional(),
    reason: z.enum(refusalReasons).optional(),
    redeemed_at: z.iso.datetime().optional().describe('Of one that is REDEEMED.'),
    valid_until: z.iso.datetime().optional().describe('Of one that is EXPIRED: since when.'),
    poll_after_ms: z
      .int()
      .min(0)
      .optional()
      .describe('While ACCEPTED: when to ask again, in milliseconds from now.'),
    estimated_wait_ms: z
      .int()
      .min(0)
      .nullable()
      .optional()
      .describe('While ACCEPTED: until it is decided, as things are; null: nobody can tell.'),
  })
  .meta({ id: 'IssuanceStatus' });

export type IssuanceStatusAnswer = z.output<typeof issuanceStatusSchema>;

/** `decided` is missing while the issuance is under way. */
export function toStatusAnswer(
  issuanceId: string,
  decided: Omit<RecordedIssuance, 'issuanceId'> | undefined,
): IssuanceStatusAnswer {
  return {
    issuance_id: issuanceId,
    status: decided?.status ?? 'ACCEPTED',
    coupon_id: decided?.couponId,
    user_id: decided?.userId,
    accepted_at: acceptedAt(issuanceId),
    decided_at: decided && toIsoTime(decided.decidedAt),
    reason: decided?.reason,
    redeemed_at: toIsoTime(decided?.redeemedAt ?? null) ?? undefined,
    valid_until: decided?.status === 'EXPIRED' ? toIsoTime(decided.validUntil!) : undefined,
  };
}

export function withForecast(
  answer: IssuanceStatusAnswer,
  { pollAfterMs, estimatedWaitMs }: Forecast,
): IssuanceStatusAnswer {
  return { ...answer, poll_after_ms: pollAfterMs, estimated_wait_ms: estimatedWaitMs };
}

/** Weak while it is under way: when to ask again is another each time, and no change of the issuance. */
export function tagOfStatus(answer: IssuanceStatusAnswer): string {
  const since = answer.redeemed_at ?? answer.valid_until ?? answer.decided_at;
  return since === undefined ? `W/"${answer.status}"` : `"${answer.status}-${Date.parse(since)}"`;
}
