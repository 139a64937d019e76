import type { Coupon } from '#coupon/coupon.js';
import { CouponLedger } from '#ledger/coupon-ledger.js';
import { Gate } from '#reservation/gate.js';
import type { GateInspection } from '#reservation/gate-replies.js';

export interface SurveyedCoupon {
  coupon: Coupon;
  gate: GateInspection;
}

export interface Survey {
  /** By the gate's clock, before anything was read: a coupon that is not in here is younger. */
  takenAt: number;
  coupons: SurveyedCoupon[];
}

/** Every campaign as MySQL has it beside its gate as Redis has it. */
export class GateSurvey {
  constructor(
    private readonly ledger: CouponLedger,
    private readonly gate: Gate,
  ) {}

  /** Rejects when either store is away. */
  async take(): Promise<Survey> {
    const takenAt = await this.gate.now();
    const coupons = await this.ledger.list();
    const gates = await Promise.all(coupons.map((coupon) => this.gate.inspect(coupon.id)));
    return { takenAt, coupons: coupons.map((coupon, i) => ({ coupon, gate: gates[i]! })) };
  }
}
