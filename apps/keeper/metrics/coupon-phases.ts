import type { SurveyedCoupon } from '../gates/gate-survey.ts';
import { hasEnded } from '../gates/gates-at-rest.ts';

export type Phase = 'running' | 'ended' | 'ended_shut';
export type CouponPhases = Record<Phase, SurveyedCoupon[]>;

/** `ended_shut` has ended, and its gate waits for a recovery. */
export function inPhases(coupons: SurveyedCoupon[]): CouponPhases {
  const phases: CouponPhases = { running: [], ended: [], ended_shut: [] };
  for (const row of coupons) {
    phases[phaseOf(row)].push(row);
  }
  return phases;
}

/** Those that opened last, then those that open next; the same as long as none opens or ends. */
export function withOwnSeries(
  running: SurveyedCoupon[],
  max: number,
): { own: SurveyedCoupon[]; rest: SurveyedCoupon[] } {
  if (running.length <= max) {
    return { own: running, rest: [] };
  }
  const ranked = running.toSorted(
    (a, b) => untilOpen(a) - untilOpen(b) || b.coupon.id - a.coupon.id,
  );
  return { own: ranked.slice(0, max), rest: ranked.slice(max) };
}

/** Less for one that opened later; one that is still to open comes after all of them. */
function untilOpen({ coupon, gate }: SurveyedCoupon): number {
  const opensAt = coupon.opensAt ?? 0;
  return opensAt <= gate.now ? -opensAt : opensAt;
}

function phaseOf({ coupon, gate, isAtRest }: SurveyedCoupon): Phase {
  if (isAtRest) {
    return 'ended';
  }
  return gate.gate !== 'open' && hasEnded(coupon, gate.now) ? 'ended_shut' : 'running';
}
