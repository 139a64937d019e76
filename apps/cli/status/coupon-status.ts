import type { SellingState } from '#coupon/coupon.ts';
import { sellingState } from '#coupon/coupon.ts';
import type { GateInspection } from '#gate/gate-replies.ts';
import type { Breach } from './conservation.ts';
import { breachOf } from './conservation.ts';
import type { Look } from './look/look.ts';
import { perSecond } from './rates.ts';

/** One coupon: total = left + held, and held = issued + under way. */
export interface CouponStatus {
  couponId: number;
  /** Null while MySQL cannot say. */
  name: string | null;
  state: SellingState | 'RECOVERING' | null;
  gate: GateInspection['gate'] | null;
  total: number | null;
  left: number | null;
  held: number | null;
  issued: number | null;
  /** Held and not in MySQL yet: pending, or in the log. */
  underWay: number | null;
  pending: number | null;
  oldestPendingS: number | null;
  admittedPerS: number | null;
  issuedPerS: number | null;
  sellOutS: number | null;
  breach: Breach | undefined;
}

export function couponStatus(couponId: number, before: Look | undefined, now: Look): CouponStatus {
  const coupon = now.ledger.value?.coupons.find(({ id }) => id === couponId);
  const seen = now.gate.value?.gates.get(couponId);
  const gate = seen?.gate === 'open' ? seen : undefined;
  const earlier = before?.gate.value?.gates.get(couponId);
  const earlierIssued = before?.ledger.value?.coupons.find(({ id }) => id === couponId)?.issued;
  const held = gate?.holders ?? null;
  const issued = coupon?.issued ?? null;
  const sameEpoch = earlier?.gate === 'open' && earlier.epoch === gate?.epoch;
  const admittedPerS = perSecond(before, now, sameEpoch ? earlier.holders : undefined, held);
  const left = gate?.left ?? null;
  const isOnSale =
    coupon === undefined || (seen !== undefined && sellingState(coupon, 1, seen.now) === 'OPEN');
  return {
    couponId,
    name: coupon?.name ?? null,
    state: stateOf(couponId, now),
    gate: seen?.gate ?? null,
    total: coupon?.total ?? gate?.total ?? null,
    left,
    held,
    issued,
    underWay: held === null || issued === null ? null : held - issued,
    pending: gate?.pending ?? null,
    oldestPendingS: gate === undefined ? null : ageOf(gate),
    admittedPerS,
    issuedPerS: perSecond(before, now, earlierIssued, issued),
    sellOutS:
      isOnSale && left !== null && admittedPerS !== null && admittedPerS > 0 && left > 0
        ? left / admittedPerS
        : null,
    breach: breachOf(couponId, before, now),
  };
}

function stateOf(couponId: number, { ledger, gate, takenAt }: Look): CouponStatus['state'] {
  const coupon = ledger.value?.coupons.find(({ id }) => id === couponId);
  const seen = gate.value?.gates.get(couponId);
  if (coupon === undefined) {
    return null;
  }
  const clock = seen?.now ?? takenAt.getTime();
  const state = sellingState(coupon, seen?.left ?? 1, clock);
  return seen !== undefined && seen.gate !== 'open' && state !== 'CLOSED' ? 'RECOVERING' : state;
}

function ageOf({ oldestPendingAt, now }: GateInspection): number {
  return oldestPendingAt === null ? 0 : Math.max(0, now - oldestPendingAt) / 1_000;
}
