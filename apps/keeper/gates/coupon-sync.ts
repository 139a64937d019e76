import type { Logger } from '#platform/logging/logging.ts';
import { eachApart } from '#platform/work/each-apart.ts';
import { Gate } from '#gate/gate.ts';
import type { GateSurvey, SurveyedCoupon } from './gate-survey.ts';

const syncLanes = 8;

/**
 * Applies changes of coupons that are in MySQL and not yet at the gate: whoever made them died in
 * between, or a recovery opened the gate with an older version.
 */
export class CouponSync {
  constructor(
    private readonly survey: GateSurvey,
    private readonly gate: Gate,
    private readonly logger: Logger,
  ) {}

  /** Rejects when some could not be applied, with their names; the others are. */
  async run(): Promise<void> {
    const { coupons } = await this.survey.recent();
    await eachApart(
      coupons.filter(({ coupon, gate }) => gate.gate === 'open' && gate.version < coupon.version),
      syncLanes,
      ({ coupon }) => `coupon ${coupon.id}`,
      (one) => this.apply(one),
    );
  }

  private async apply({ coupon }: SurveyedCoupon): Promise<void> {
    const outcome = await this.gate.applyCoupon(coupon);
    this.logger.info(
      { coupon_id: coupon.id, version: coupon.version, outcome: outcome.kind },
      'applied a change of a coupon to its gate',
    );
  }
}
