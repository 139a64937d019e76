import type { Failure } from '#platform/failures/failure.ts';
import { inAMoment, Problem } from '../http/problem/problem.ts';

export function unknownCoupon(couponId: number): Problem {
  return new Problem('COUPON_NOT_FOUND', { detail: `There is no coupon ${couponId}.` });
}

/** The gate is not open for business; a unit may be held already under this id. */
export function recovering(failure?: Failure, issuanceId?: string): Problem {
  const details = {
    detail: 'The stock is being recovered. Send the same request again.',
    retryAfterSeconds: inAMoment(),
    ...(issuanceId === undefined ? {} : { issuance_id: issuanceId }),
  };
  return new Problem('RECOVERING', details, failure);
}
