import type { RecordedIssuance } from '#coupon/issuance.ts';
import { toIsoTime } from '#platform/text/iso-time.ts';
import { inAMoment, Problem } from '../http/problem/problem.ts';

/** Why what is decided is not redeemed for this request. */
export function redeemProblem(issuance: RecordedIssuance): Problem {
  const { issuanceId } = issuance;
  switch (issuance.status) {
    case 'REDEEMED':
      return new Problem('ALREADY_REDEEMED', {
        detail: `Issuance ${issuanceId} was redeemed before, and not for this reference.`,
        issuance_id: issuanceId,
        redeemed_at: toIsoTime(issuance.redeemedAt!),
      });
    case 'EXPIRED':
      return new Problem('EXPIRED', {
        detail: `Issuance ${issuanceId} is not valid any more, and was not redeemed.`,
        issuance_id: issuanceId,
        valid_until: toIsoTime(issuance.validUntil!),
      });
    case 'REFUSED':
      return new Problem('REFUSED', {
        detail: `Issuance ${issuanceId} was refused: nobody has a unit under this id.`,
        issuance_id: issuanceId,
        reason: issuance.reason!,
      });
    case 'ISSUED':
      // It was over when it was to be redeemed, and is valid again.
      return new Problem('UNAVAILABLE', {
        detail: `The coupon of issuance ${issuanceId} is being changed. Send the same request again.`,
        issuance_id: issuanceId,
        retryAfterSeconds: inAMoment(),
      });
  }
}

export function notIssuedYet(issuanceId: string, retryAfterSeconds: number): Problem {
  return new Problem('NOT_ISSUED_YET', {
    detail: `Issuance ${issuanceId} is under way. Send the same request again.`,
    issuance_id: issuanceId,
    retryAfterSeconds,
  });
}
