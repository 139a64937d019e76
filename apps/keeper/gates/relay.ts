import { batchSizeMax } from '#coupon/batch-size.ts';
import { IssuanceLog } from '#event-log/publish/issuance-log.ts';
import { eachApart } from '#platform/work/each-apart.ts';
import type { Logger } from '#platform/logging/logging.ts';
import { scriptStep } from '#platform/telemetry/steps.ts';
import { Traces } from '#platform/telemetry/tracing.ts';
import { Gate } from '#gate/gate.ts';
import type { GateSurvey, Survey } from './gate-survey.ts';

const relayLanes = 16;
const confirming = scriptStep('confirm');

/**
 * Finishes what an api began and did not finish: reservations that stayed unconfirmed are published
 * and confirmed again. Several relays may work on the same ones: duplicates in the log are absorbed.
 */
export class Relay {
  /** Where something may come to be pending, as was read last: the relay goes on while MySQL is away. */
  private lastRunning: number[] = [];

  constructor(
    private readonly survey: GateSurvey,
    private readonly gate: Gate,
    private readonly log: IssuanceLog,
    private readonly relayAfterMs: number,
    private readonly logger: Logger,
    private readonly traces: Traces = Traces.off,
  ) {}

  /** Rejects when some could not be relayed, with their names; the others are. */
  async run(): Promise<void> {
    await eachApart(
      await this.overdue(),
      relayLanes,
      (couponId) => `coupon ${couponId}`,
      (couponId) => this.relayCoupon(couponId),
    );
  }

  /** The coupons that have something to relay; while that cannot be known, all that may have. */
  private async overdue(): Promise<number[]> {
    let survey: Survey;
    try {
      survey = await this.survey.recent();
    } catch {
      return this.lastRunning;
    }
    const running = survey.coupons.filter(({ isAtRest }) => !isAtRest);
    this.lastRunning = running.map(({ coupon }) => coupon.id);
    return running
      .filter(({ gate }) => gate.gate === 'open' && this.isOverdue(gate))
      .map(({ coupon }) => coupon.id);
  }

  private isOverdue({ oldestPendingAt, now }: { oldestPendingAt: number | null; now: number }) {
    return oldestPendingAt !== null && now - oldestPendingAt >= this.relayAfterMs;
  }

  private async relayCoupon(couponId: number): Promise<void> {
    for (;;) {
      const pending = await this.gate.listPending(couponId, this.relayAfterMs, batchSizeMax);
      if (pending.length === 0) {
        return;
      }
      await this.log.publishRequests(pending);
      // False when a recovery came between: the gate that opens next knows nothing of them.
      const confirmed = await this.traces.during(confirming, pending, () =>
        this.gate.confirm(couponId, pending[0]!.epoch, pending),
      );
      this.logger.info(
        { coupon_id: couponId, count: pending.length, confirmed },
        'relayed reservations that were left unconfirmed',
      );
      if (!confirmed || pending.length < batchSizeMax) {
        return;
      }
    }
  }
}
