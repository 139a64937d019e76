import type { Decision } from '#coupon/decide.js';
import type { DeadLetter } from '#coupon/dead-letter.js';
import type { EpochMarker, IssuanceDecided } from '#coupon/events.js';
import { eventVersion, toIssuanceRequested } from '#coupon/events.js';
import type { Reservation } from '#coupon/reservation.js';
import type { EventPublisher } from './event-publisher.js';
import { toDeadLetterRecord } from './dead-letter-record.js';
import type { Topics } from './topics.js';

export interface CouponEpoch {
  couponId: number;
  kafkaPartition: number;
  epoch: number;
}

/**
 * What firstcome writes to the log. Every method resolves once all of it is in the replicated log,
 * and otherwise rejects with `PublishUnconfirmedError`: it may be there, or come later, or twice.
 */
export class IssuanceLog {
  constructor(
    private readonly publisher: EventPublisher,
    private readonly topics: Topics,
  ) {}

  async publishRequests(reservations: Reservation[]): Promise<void> {
    await this.publisher.publish(
      this.topics.requested,
      reservations.map((reservation) => ({
        partition: reservation.kafkaPartition,
        key: String(reservation.couponId),
        value: toIssuanceRequested(reservation),
      })),
    );
  }

  /** One marker a partition: what follows it there and is of an older epoch is void. */
  async publishMarkers(coupons: CouponEpoch[]): Promise<void> {
    const byPartition = Map.groupBy(coupons, (coupon) => coupon.kafkaPartition);
    await this.publisher.publish(
      this.topics.requested,
      [...byPartition].map(([partition, ofPartition]) => ({
        partition,
        key: 'epoch.marker',
        value: {
          v: eventVersion,
          type: 'epoch.marker',
          epochs: ofPartition.map(({ couponId, epoch }) => ({ coupon_id: couponId, epoch })),
        } satisfies EpochMarker,
      })),
    );
  }

  /** `partition` is that of the requests: what was decided stands in the order of the log. */
  async publishDecided(partition: number, decisions: Decision[]): Promise<void> {
    await this.publisher.publish(
      this.topics.decided,
      decisions.map(({ request, status, reason, decidedAt }) => ({
        partition,
        key: String(request.coupon_id),
        value: {
          v: eventVersion,
          type: 'issuance.decided',
          issuance_id: request.issuance_id,
          coupon_id: request.coupon_id,
          user_id: request.user_id,
          status,
          ...(reason === undefined ? {} : { reason }),
          decided_at: decidedAt,
        } satisfies IssuanceDecided,
      })),
    );
  }

  /** A copy for readers of that topic; the letter itself is kept in the ledger. */
  async publishDeadLetter(letter: DeadLetter): Promise<void> {
    await this.publisher.publish(this.topics.deadLetter, [toDeadLetterRecord(letter)]);
  }
}
