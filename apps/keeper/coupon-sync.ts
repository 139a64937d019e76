import type { Logger } from '#platform/logging.ts';
import { Gate } from '#gate/gate.ts';
import type { GateSurvey } from './gate-survey.ts';

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

  async run(): Promise<void> {
    const { coupons } = await this.survey.recent();
    for (const { coupon, gate } of coupons) {
      if (gate.gate === 'open' && gate.version < coupon.version) {
        const outcome = await this.gate.applyCoupon(coupon);
        this.logger.info(
          { coupon_id: coupon.id, version: coupon.version, outcome: outcome.kind },
          'applied a change of a coupon to its gate',
        );
      }
    }
  }
}
