import type { Logger } from '#platform/logging.js';
import { Gate } from '#reservation/gate.js';
import type { GateSurvey } from './gate-survey.js';

/**
 * Applies changes of campaigns that are in MySQL and not yet at the gate: whoever made them died in
 * between, or a recovery opened the gate with an older version.
 */
export class CampaignSync {
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
          'applied a change of a campaign to its gate',
        );
      }
    }
  }
}
