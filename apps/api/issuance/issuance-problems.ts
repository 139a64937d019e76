import type { AssignOutcome } from '#admission/assign-coupon.ts';
import type { RefusalReason } from '#coupon/issuance.ts';
import type { Failure } from '#platform/failures/failure.ts';
import { toIsoTime } from '#platform/text/iso-time.ts';
import { recovering } from '../coupon/coupon-problems.ts';
import { overloaded } from '../http/overload/overloaded.ts';
import { inAMoment, Problem } from '../http/problem/problem.ts';

/** Outcomes that are not a success; an absent gate is that of no coupon. */
export type FailedOutcome = Exclude<AssignOutcome, { kind: 'accepted' | 'absent' }>;

/** The answer for each way an assign can fail. */
export function assignProblem(outcome: FailedOutcome, couponId: number): Problem {
  switch (outcome.kind) {
    case 'sold_out':
      return new Problem('SOLD_OUT', { detail: `No unit of coupon ${couponId} is left.` });
    case 'closed':
      return new Problem('CLOSED', { detail: `Coupon ${couponId} is not issued any more.` });
    case 'paused':
      return new Problem('PAUSED', { detail: `Coupon ${couponId} is paused; it may go on later.` });
    case 'not_open':
      return notOpenProblem(outcome, couponId);
    case 'recovering':
      return recovering(outcome.failure, outcome.issuanceId);
    case 'unavailable':
      return unavailable(outcome.failure);
    case 'overloaded':
      return overloaded(outcome.failure);
    case 'unconfirmed':
      return unconfirmed(outcome.failure, outcome.issuanceId);
  }
}

function unavailable(failure: Failure): Problem {
  const detail = 'Nothing can be reserved at the moment, nor was. Send the same request again.';
  return new Problem('UNAVAILABLE', { detail, retryAfterSeconds: inAMoment() }, failure);
}

function unconfirmed(failure: Failure, issuanceId: string): Problem {
  const detail =
    'A unit is held for this user, but it is not known yet whether the request was recorded. ' +
    'Send the same request again: unless the stock is recovered meanwhile, it gets the same issuance_id.';
  const details = { detail, retryAfterSeconds: inAMoment(), issuance_id: issuanceId };
  return new Problem('UNCONFIRMED', details, failure);
}

function notOpenProblem(
  { opensAt, now }: { opensAt: number; now: number },
  couponId: number,
): Problem {
  return new Problem('NOT_OPEN', {
    detail: `Coupon ${couponId} has not opened yet.`,
    opens_at: toIsoTime(opensAt),
    retryAfterSeconds: Math.max(1, opensAt - now) / 1_000,
  });
}

/**
 * Accepted, and yet refused: another hand has written to a store. A unit that is void is given anew to
 * whoever asks again; for the other reasons the answer would be the same.
 */
export function refusedAfterAll(issuanceId: string, reason: RefusalReason): Problem {
  return new Problem('REFUSED', {
    detail: `The request was recorded, and then refused: ${reason}.`,
    issuance_id: issuanceId,
    reason,
    ...(reason === 'VOID' && { retryAfterSeconds: inAMoment() }),
  });
}

export function unknownIssuance(issuanceId: string): Problem {
  return new Problem('ISSUANCE_NOT_FOUND', {
    detail: `There is no issuance ${issuanceId}, and none is under way.`,
  });
}
