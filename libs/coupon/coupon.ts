/** What a coupon manager has decided; whether it also sells now depends on its times. */
export type CouponState = 'open' | 'paused' | 'closed';

/** A coupon as MySQL keeps it. Times are milliseconds since 1970; a missing one is no limit. */
export interface Coupon {
  id: number;
  name: string;
  total: number;
  issued: number;
  /** The Kafka partition of all its requests, chosen once: adding partitions never reorders it. */
  kafkaPartition: number;
  /** Counts the changes to total, state and times; a store never goes back to a lower one. */
  version: number;
  state: CouponState;
  opensAt: number | null;
  closesAt: number | null;
  /** From then on what was issued of it cannot be redeemed, by the clock of MySQL. No gate knows it. */
  validUntil: number | null;
  /** The newest epoch in which the gate may admit. */
  epoch: number;
  /** Requests of an older epoch are void: their marker has passed. */
  appliedEpoch: number;
  /** When its gate was given up: it has ended for good until it is unarchived. `null`: it is live. */
  archivedAt: number | null;
}

export const couponIdMax = 2_147_483_647;
export const couponTotalMax = 2_147_483_647;

export type SellingState = 'OPEN' | 'NOT_OPEN' | 'PAUSED' | 'CLOSED' | 'SOLD_OUT';

/** What somebody new would meet; the same order of checks as `reserve.lua`. `now` in milliseconds. */
export function sellingState(
  coupon: Pick<Coupon, 'state' | 'opensAt' | 'closesAt'>,
  left: number,
  now: number,
): SellingState {
  if (coupon.state === 'closed' || (coupon.closesAt !== null && now >= coupon.closesAt)) {
    return 'CLOSED';
  }
  if (coupon.opensAt !== null && now < coupon.opensAt) {
    return 'NOT_OPEN';
  }
  if (coupon.state === 'paused') {
    return 'PAUSED';
  }
  return left > 0 ? 'OPEN' : 'SOLD_OUT';
}
