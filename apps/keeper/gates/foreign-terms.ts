import type { Coupon } from '#coupon/coupon.ts';
import { timeAtGate } from '#gate/gate.ts';
import type { CouponTerms } from '#gate/gate-replies.ts';

/**
 * Whether another hand has written what an open gate goes by: at one version there is one state, one
 * pair of times and one partition. Only a total may be lower than MySQL says: where one is lowered, the
 * gate goes first.
 */
export function hasForeignTerms(coupon: Coupon, gate: CouponTerms): boolean {
  return (
    gate.version === coupon.version &&
    (gate.total > coupon.total ||
      gate.state !== coupon.state ||
      timeAtGate(gate.opensAt) !== timeAtGate(coupon.opensAt) ||
      timeAtGate(gate.closesAt) !== timeAtGate(coupon.closesAt) ||
      gate.kafkaPartition !== coupon.kafkaPartition)
  );
}
