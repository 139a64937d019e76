import type { Coupon } from '#coupon/coupon.ts';
import type { CouponLedger } from '#ledger/coupons/coupon-ledger.ts';
import { LiveCoupons } from '#ledger/coupons/live-coupons.ts';
import type { Logger } from '#platform/logging/logging.ts';
import { inSlices } from '#platform/work/slices.ts';
import { Gate } from '#gate/gate.ts';
import type { GateInspection } from '#gate/gate-replies.ts';
import { hasForeignTerms } from './foreign-terms.ts';
import { GatesAtRest, isAtRest } from './gates-at-rest.ts';

export interface SurveyedCoupon {
  coupon: Coupon;
  gate: GateInspection;
  /** It has ended, nothing of it is pending, and its gate is open: nothing happens there. */
  isAtRest: boolean;
}

export interface Survey {
  /** By the gate's clock, before anything was read: a coupon that is not in here is younger. */
  takenAt: number;
  coupons: SurveyedCoupon[];
}

/** The duties of a keeper look at the same gates at the same pace. */
const recentMs = 400;
const sliceSize = 200;
const namedMax = 10;
/** Of ended coupons that wait for their recovery: it looks for itself. */
const recentShutLooksMax = 200;

/**
 * Every live coupon as MySQL has it beside its gate as Redis has it. Gates at rest are looked at now
 * and then only: see `GatesAtRest` for why what is said of them holds.
 */
export class GateSurvey {
  private readonly coupons: LiveCoupons;
  private readonly atRest = new GatesAtRest();
  private latest: { begunAt: number; survey: Promise<Survey> } | undefined;
  private taking: Promise<unknown> = Promise.resolve();

  constructor(
    coupons: CouponLedger,
    private readonly gate: Gate,
    private readonly logger: Logger,
  ) {
    this.coupons = new LiveCoupons(coupons);
  }

  /**
   * A survey that was begun less than 0.4 s ago. Rejects when either store is away. TRAP: a gate may
   * have opened or shut since. A duty that acts on one looks again (`take`), or has the gate check.
   */
  recent(): Promise<Survey> {
    const begunAt = performance.now();
    if (this.latest === undefined || begunAt - this.latest.begunAt > recentMs) {
      this.latest = { begunAt, survey: this.inTurn(recentShutLooksMax) };
    }
    return this.latest.survey;
  }

  /** As things are now. Rejects when either store is away. */
  take(): Promise<Survey> {
    return this.inTurn(Infinity);
  }

  /** One after the other: what is known of gates at rest is of the survey before. */
  private inTurn(shutLooksMax: number): Promise<Survey> {
    const survey = this.taking.then(() => this.look(shutLooksMax));
    this.taking = survey.catch(() => {});
    return survey;
  }

  private async look(shutLooksMax: number): Promise<Survey> {
    // In this order: of a coupon that MySQL says has ended, nothing younger than this is reserved.
    const takenAt = await this.gate.now();
    const history = await this.gate.history();
    const live = await this.coupons.read();
    const { known, toLookAt } = this.atRest.divide(live, { takenAt, history, shutLooksMax });
    const gates = new Map(known);
    // In slices, for the gate to admit in between.
    for (const slice of inSlices(toLookAt, sliceSize)) {
      // A gate behind the epoch of MySQL was put back, and is not open.
      slice.forEach(({ id, epoch }) => this.gate.learnEpoch(id, epoch));
      const inspections = await Promise.all(slice.map((coupon) => this.inspect(coupon)));
      slice.forEach(({ id }, i) => gates.set(id, inspections[i]!));
    }
    this.tell(this.atRest.learn(toLookAt, gates, takenAt));
    const coupons = live.map((coupon) => {
      const gate = gates.get(coupon.id)!;
      return { coupon, gate, isAtRest: isAtRest(coupon, gate) };
    });
    return { takenAt, coupons };
  }

  /** One that does not go by what MySQL says counts as shut: a recovery opens it anew. */
  private async inspect(coupon: Coupon): Promise<GateInspection> {
    const gate = await this.gate.inspect(coupon.id);
    return hasForeignTerms(coupon, gate) ? { ...gate, gate: 'fenced' } : gate;
  }

  private tell(shut: readonly number[]): void {
    if (shut.length > 0) {
      const couponIds = shut.slice(0, namedMax);
      this.logger.warn(
        { coupon_ids: couponIds, gates: shut.length },
        'gates are shut that were open',
      );
    }
  }
}
