import type { Coupon, SellingState } from '#coupon/coupon.ts';
import { sellingState } from '#coupon/coupon.ts';

/** What somebody loses as long as the gate is shut, the worst first. */
const ranks: Record<SellingState, number> = {
  OPEN: 0,
  NOT_OPEN: 1,
  PAUSED: 2,
  SOLD_OUT: 3,
  CLOSED: 4,
};

/** Of the last so many units issued, of whatever coupon, each coupon's share is its demand. */
export const demandSample = 10_000;

/** How much a gate is needed. */
export interface Need {
  rank: number;
  /** How many of the units that were issued last are of this coupon. */
  demand: number;
  opensAt: number;
  couponId: number;
}

/** `now` by the clock of the gate; `latest` says of which coupons the units were that were issued last. */
export function needOf(coupon: Coupon, now: number, latest: ReadonlyMap<number, number>): Need {
  return {
    rank: ranks[sellingState(coupon, coupon.total - coupon.issued, now)],
    demand: latest.get(coupon.id) ?? 0,
    opensAt: coupon.opensAt ?? 0,
    couponId: coupon.id,
  };
}

/** Nobody new is admitted by its gate: it is shut to those only who ask for what they hold. */
export function isOver({ rank }: Need): boolean {
  return rank >= ranks.SOLD_OUT;
}

/**
 * What can be sold now first, by demand; then what opens soonest; then what is paused, sold out, and
 * over. Of equals the one that was created last: a rush is mostly for what is new.
 */
export function byNeed(a: Need, b: Need): number {
  const isYetToOpen = a.rank === ranks.NOT_OPEN;
  return (
    a.rank - b.rank ||
    (isYetToOpen ? a.opensAt - b.opensAt : 0) ||
    b.demand - a.demand ||
    b.couponId - a.couponId
  );
}
