import type { Coupon } from '#coupon/coupon.ts';
import type { CouponTerms } from '#gate/gate-replies.ts';

/** Where the gate goes by something else than MySQL says, a line each. */
export function compareTerms(coupon: Coupon, terms: CouponTerms): string[] {
  const names: Record<keyof CouponTerms, string> = {
    version: 'version',
    total: 'total',
    state: 'state',
    opensAt: 'opens_at',
    closesAt: 'closes_at',
    kafkaPartition: 'kafka_partition',
  };
  return Object.entries(names).flatMap(([key, name]) => {
    const [inLedger, atGate] = [coupon, terms].map((one) => one[key as keyof CouponTerms]);
    return inLedger === atGate
      ? []
      : `${name}: MySQL has ${inLedger ?? 'none'}, the gate ${atGate ?? 'none'}`;
  });
}
