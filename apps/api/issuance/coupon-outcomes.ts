import type { AssignOutcome } from '#admission/assign-coupon.ts';
import type { Telemetry } from '#platform/telemetry/telemetry.ts';

type Kind = AssignOutcome['kind'];

/** What takes of a coupon's error budget: whoever asked was not told what became of it. */
const failures: ReadonlySet<Kind> = new Set<Kind>([
  'overloaded',
  'recovering',
  'unavailable',
  'unconfirmed',
]);
/** Told of any number that somebody sends, whether there is such a coupon or not. */
const ofNobody: ReadonlySet<Kind> = new Set<Kind>(['absent', 'overloaded', 'unavailable']);

const idleMs = 10 * 60_000;
const other = 'other';

interface Counts {
  good: number;
  failed: number;
  /** What was seen when somebody last looked, and since when it is the same. */
  seen: number;
  seenAt: number;
}

/**
 * Tells `/metrics` how many assigns of each coupon failed, and how many did not: both from the first
 * one on, since a rate is blind for what a counter begins with. A coupon that nobody asked for in ten
 * minutes gives its place up; those that find none are summed under "other".
 */
export class CouponOutcomes {
  private readonly coupons = new Map<number, Counts>();
  private readonly others: Counts = { good: 0, failed: 0, seen: 0, seenAt: 0 };

  constructor(
    { observed }: Pick<Telemetry, 'observed'>,
    private readonly couponsMax: number,
    private readonly now: () => number = () => performance.now(),
  ) {
    observed.counter(
      'firstcome_coupon_assigns_total',
      'Assigns by coupon: good, or failed (5xx).',
      (observe) => {
        this.forgetIdle();
        for (const [coupon_id, { good, failed }] of [
          ...this.coupons,
          [other, this.others] as const,
        ]) {
          observe(good, { coupon_id, result: 'good' });
          observe(failed, { coupon_id, result: 'failed' });
        }
      },
    );
  }

  record(couponId: number, kind: Kind): void {
    const counts = this.coupons.get(couponId) ?? this.placeFor(couponId, kind);
    if (failures.has(kind)) {
      counts.failed += 1;
    } else {
      counts.good += 1;
    }
  }

  private placeFor(couponId: number, kind: Kind): Counts {
    if (ofNobody.has(kind) || this.coupons.size >= this.couponsMax) {
      return this.others;
    }
    const counts = { good: 0, failed: 0, seen: 0, seenAt: this.now() };
    this.coupons.set(couponId, counts);
    return counts;
  }

  private forgetIdle(): void {
    const now = this.now();
    for (const [couponId, counts] of this.coupons) {
      const total = counts.good + counts.failed;
      if (total !== counts.seen) {
        counts.seen = total;
        counts.seenAt = now;
      } else if (now - counts.seenAt > idleMs) {
        this.coupons.delete(couponId);
      }
    }
  }
}
