import { strict as assert } from 'node:assert';
import { z } from 'zod';
import type { RecordedIssuance } from '#coupon/issuance.ts';
import { issuanceIdSchema, userIdSchema } from '#coupon/issuance.ts';
import { issuanceStatuses } from '#coupon/issuance-states.ts';
import { wholeNumberIn } from '#platform/text/decimals.ts';
import { toIsoTime } from '#platform/text/iso-time.ts';
import { userIdMeta } from '../http/examples.ts';
import { acceptedAt } from '../issuance/issuance.http.ts';
import type { WalletPage } from './wallet.ts';

/** The shapes of the wallet, as clients see them. */

export const walletParametersSchema = z.object({ user_id: userIdSchema.meta(userIdMeta) });

export const walletPageMax = 100;

export const walletQuerySchema = z.strictObject({
  limit: z
    .preprocess(
      (text) => wholeNumberIn(String(text)),
      z
        .number('must be a whole number, given once')
        .int()
        .min(1, 'must be at least 1')
        .max(walletPageMax, `must be at most ${walletPageMax}`),
    )
    .default(walletPageMax),
  after: issuanceIdSchema.optional().describe('`next` of the page before.'),
});

export const walletSchema = z
  .object({
    user_id: z.string(),
    coupons: z.array(
      z.object({
        issuance_id: issuanceIdSchema,
        coupon_id: z.int(),
        status: z
          .enum(issuanceStatuses)
          .exclude(['REFUSED'])
          .describe('ACCEPTED: answered with 200, and not decided yet. The others as of a status.'),
        accepted_at: z.iso.datetime(),
        issued_at: z.iso.datetime().optional().describe('Absent while ACCEPTED.'),
        redeemed_at: z.iso.datetime().optional().describe('Of one that is REDEEMED.'),
        valid_until: z.iso.datetime().optional().describe('Of one of which there is an end.'),
      }),
    ),
    next: issuanceIdSchema.nullable().describe('Pass as `after` for the next page; null: no more.'),
    complete: z
      .boolean()
      .describe('false: units that were accepted just now may be missing; ask again in a moment.'),
  })
  .meta({ id: 'Wallet' });

export type WalletAnswer = z.output<typeof walletSchema>;

export function toWallet(userId: string, { units, next, isComplete }: WalletPage): WalletAnswer {
  return {
    user_id: userId,
    coupons: units.map(({ issuanceId, couponId, issued }) => ({
      issuance_id: issuanceId,
      coupon_id: couponId,
      status: statusOf(issued),
      accepted_at: acceptedAt(issuanceId),
      issued_at: timeOf(issued?.decidedAt),
      redeemed_at: timeOf(issued?.redeemedAt),
      valid_until: timeOf(issued?.validUntil),
    })),
    next,
    complete: isComplete,
  };
}

function statusOf(issued: RecordedIssuance | undefined) {
  const status = issued?.status ?? 'ACCEPTED';
  assert(status !== 'REFUSED', 'nobody has what was refused');
  return status;
}

function timeOf(milliseconds: number | undefined): string | undefined {
  return milliseconds === undefined ? undefined : toIsoTime(milliseconds);
}
