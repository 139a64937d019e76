import type { Coupon } from '#coupon/coupon.ts';
import { CouponLedger } from '#ledger/coupon-ledger.ts';
import { inSlices } from '#platform/slices.ts';
import { Gate } from '#gate/gate.ts';
import type { GateInspection } from '#gate/gate-replies.ts';

export interface SurveyedCoupon {
  coupon: Coupon;
  gate: GateInspection;
}

export interface Survey {
  /** By the gate's clock, before anything was read: a coupon that is not in here is younger. */
  takenAt: number;
  coupons: SurveyedCoupon[];
}

/** The duties of a keeper look at the same gates at the same pace. */
const recentMs = 400;
const sliceSize = 200;

/** Every coupon as MySQL has it beside its gate as Redis has it. */
export class GateSurvey {
  private latest: { begunAt: number; survey: Promise<Survey> } | undefined;

  constructor(
    private readonly coupons: CouponLedger,
    private readonly gate: Gate,
  ) {}

  /**
   * A survey that was begun less than 0.4 s ago. Rejects when either store is away. TRAP: a gate may
   * have opened or shut since. A duty that acts on one looks again (`take`), or has the gate check.
   */
  recent(): Promise<Survey> {
    const begunAt = performance.now();
    if (this.latest === undefined || begunAt - this.latest.begunAt > recentMs) {
      this.latest = { begunAt, survey: this.take() };
    }
    return this.latest.survey;
  }

  /** As things are now. Rejects when either store is away. */
  async take(): Promise<Survey> {
    const takenAt = await this.gate.now();
    const coupons: SurveyedCoupon[] = [];
    // In slices, for the gate to admit in between.
    for (const slice of inSlices(await this.coupons.list(), sliceSize)) {
      // A gate behind the epoch of MySQL was put back, and is not open.
      slice.forEach(({ id, epoch }) => this.gate.learnEpoch(id, epoch));
      const gates = await Promise.all(slice.map((coupon) => this.gate.inspect(coupon.id)));
      coupons.push(...slice.map((coupon, i) => ({ coupon, gate: gates[i]! })));
    }
    return { takenAt, coupons };
  }
}
