import { batchSizeMax } from '#coupon/batch-size.ts';
import { IssuanceLog } from '#event-log/publish/issuance-log.ts';
import { CouponLedger } from '#ledger/coupon-ledger.ts';
import { inLanes } from '#platform/lanes.ts';
import type { Logger } from '#platform/logging.ts';
import { Gate } from '#gate/gate.ts';

const relayLanes = 16;

/**
 * Finishes what an api began and did not finish: reservations that stayed unconfirmed are published
 * and confirmed again. Several relays may work on the same ones: duplicates in the log are absorbed.
 */
export class Relay {
  /** The last list that was read: the relay goes on while MySQL is away. */
  private couponIds: number[] = [];

  constructor(
    private readonly ledger: CouponLedger,
    private readonly gate: Gate,
    private readonly log: IssuanceLog,
    private readonly relayAfterMs: number,
    private readonly logger: Logger,
  ) {}

  async run(): Promise<void> {
    this.couponIds = await this.ledger.list().then(
      (coupons) => coupons.map((coupon) => coupon.id),
      () => this.couponIds,
    );
    await inLanes(this.couponIds, relayLanes, (couponId) => this.relayCoupon(couponId));
  }

  private async relayCoupon(couponId: number): Promise<void> {
    for (;;) {
      const pending = await this.gate.listPending(couponId, this.relayAfterMs, batchSizeMax);
      if (pending.length === 0) {
        return;
      }
      await this.log.publishRequests(pending);
      // False when a recovery came between: the gate that opens next knows nothing of them.
      const confirmed = await this.gate.confirm(couponId, pending[0]!.epoch, pending);
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
