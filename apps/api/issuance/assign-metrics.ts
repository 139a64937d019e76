import type { AssignOutcome } from '#admission/assign-coupon.ts';
import type { Telemetry } from '#platform/telemetry/telemetry.ts';
import { CouponOutcomes } from './coupon-outcomes.ts';

/** Each is there from the start, for the first one to be an increase. */
const outcomes = [
  'accepted',
  'replayed',
  'sold_out',
  'not_open',
  'closed',
  'paused',
  'absent',
  'overloaded',
  'unavailable',
  'unconfirmed',
  'recovering',
] as const satisfies Outcome[];

type Outcome = AssignOutcome['kind'] | 'replayed';

/** Tells `/metrics` what became of assigns: one status may have several causes. */
export class AssignMetrics {
  /** Counted here and read when asked for: a counter of OpenTelemetry costs a microsecond each time. */
  private readonly counts = new Map<Outcome, number>(outcomes.map((outcome) => [outcome, 0]));

  private readonly ofCoupons: CouponOutcomes;

  constructor(telemetry: Telemetry, couponsMax: number) {
    this.ofCoupons = new CouponOutcomes(telemetry, couponsMax);
    telemetry.observed.counter(
      'firstcome_assigns_total',
      'Assigns by outcome: accepted, replayed, sold_out, unconfirmed, recovering …',
      (observe) => this.counts.forEach((count, outcome) => observe(count, { outcome })),
    );
  }

  record(couponId: number, outcome: AssignOutcome): void {
    this.ofCoupons.record(couponId, outcome.kind);
    const isReplay = outcome.kind === 'accepted' && outcome.replayed;
    const name = isReplay ? 'replayed' : outcome.kind;
    this.counts.set(name, (this.counts.get(name) ?? 0) + 1);
  }
}
