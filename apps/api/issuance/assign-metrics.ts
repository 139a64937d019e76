import type { AssignOutcome } from '#admission/assign-coupon.ts';
import type { Telemetry } from '#platform/telemetry/telemetry.ts';
import { CouponOutcomes } from './coupon-outcomes.ts';

/** How many coupons have series of their own. */
const couponsMax = 100;

/** Tells `/metrics` what became of assigns: one status may have several causes. */
export class AssignMetrics {
  /** Counted here and read when asked for: a counter of OpenTelemetry costs a microsecond each time. */
  private readonly counts = new Map<string, number>();

  private readonly ofCoupons: CouponOutcomes;

  constructor(telemetry: Telemetry) {
    this.ofCoupons = new CouponOutcomes(telemetry, couponsMax);
    telemetry.meter
      .createObservableCounter('firstcome_assigns_total', {
        description: 'Assigns by outcome: accepted, replayed, sold_out, unconfirmed, recovering …',
      })
      .addCallback((result) =>
        this.counts.forEach((count, outcome) => result.observe(count, { outcome })),
      );
  }

  record(couponId: number, outcome: AssignOutcome): void {
    this.ofCoupons.record(couponId, outcome.kind);
    const isReplay = outcome.kind === 'accepted' && outcome.replayed;
    const name = isReplay ? 'replayed' : outcome.kind;
    this.counts.set(name, (this.counts.get(name) ?? 0) + 1);
  }
}
