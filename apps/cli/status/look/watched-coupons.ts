import type { Coupon } from '#coupon/coupon.ts';
import { sellingState } from '#coupon/coupon.ts';

/** On sale first, then paused, then those that are still to open, and what has ended last; the youngest first. */
const ranks = { OPEN: 0, SOLD_OUT: 0, PAUSED: 1, NOT_OPEN: 2, CLOSED: 3 };

export function inOrderOfInterest(coupons: readonly Coupon[], now: number): Coupon[] {
  const rankOf = (coupon: Coupon): number => ranks[sellingState(coupon, 1, now)];
  return coupons.toSorted((a, b) => rankOf(a) - rankOf(b) || b.id - a.id);
}

export function hasEnded(coupon: Coupon, now: number): boolean {
  return sellingState(coupon, 1, now) === 'CLOSED';
}
