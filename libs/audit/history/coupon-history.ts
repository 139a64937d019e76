import type { CouponState } from '#coupon/coupon.ts';

/** From call to return, by one monotonic clock; it took effect at some moment between. */
interface Interval {
  /** Where the journal has it. */
  line: number;
  calledAt: number;
  /** Infinity: it may still take effect. */
  returnedAt: number;
}

/** What a client was told, as far as it says anything about the coupon. */
export type Told =
  /** This id is the user's. */
  | { kind: 'accepted'; issuanceId: string }
  /** The user holds none, the coupon is open, and no unit is left. */
  | { kind: 'sold_out' }
  /** The user holds none, and the coupon is paused. */
  | { kind: 'paused' }
  /** The user holds none; why, times of the coupon say, which no journal has. */
  | { kind: 'not_now' }
  /** Nothing came, or nothing that settles it: a unit may have been taken, for good or for a time. */
  | { kind: 'unknown'; issuanceId?: string };

export interface Asked extends Interval {
  userId: string;
  told: Told;
}

/** A change that a manager made. One that never returned may count at any time, or never. */
export interface Changed extends Interval {
  total?: number | undefined;
  state?: CouponState | undefined;
}

/** Everything that happened to one coupon, in any order. */
export interface CouponHistory {
  couponId: number;
  asked: Asked[];
  changed: Changed[];
}
