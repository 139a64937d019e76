import { strict as assert } from 'node:assert';
import type { Decision } from '#coupon/decide.ts';
import type { DeadLetter } from '#coupon/dead-letter.ts';
import { toEpochMarked, toIssuanceRequested, toIssuancesDecided } from '#coupon/events.ts';
import type { Reservation } from '#coupon/issuance-request.ts';
import { inSlices } from '#platform/work/slices.ts';
import type { OperationMetrics } from '#platform/telemetry/operation-metrics.ts';
import type { Step } from '#platform/telemetry/tracing.ts';
import { Traces } from '#platform/telemetry/tracing.ts';
import { sendStep } from '#platform/telemetry/steps.ts';
import { toDeadLetterRecord } from './dead-letter-record.ts';
import type { EventPublisher, LogRecord } from './event-publisher.ts';
import { recordBytesMax } from '../record-size.ts';
import type { Topics } from '../topics.ts';

export interface CouponEpoch {
  couponId: number;
  kafkaPartition: number;
  epoch: number;
}

/** The issuer applies a marker in one go. */
const markerSizeMax = 500;
/** A coupon in a marker: two numbers with their names. */
const markedCouponBytesMax = 64;
/** A broker takes what is sent to a partition at once as a whole, and no more than a full record. */
const markersAtOnce = 8;
assert(
  markersAtOnce * markerSizeMax * markedCouponBytesMax < recordBytesMax,
  'brokers take so many full markers at once',
);

/**
 * What firstcome writes to the log. Every method resolves once all of it is in the replicated log,
 * and otherwise rejects with `PublishUnconfirmedError`: it may be there, or come later, or twice.
 */
export class IssuanceLog {
  private readonly deciding: Step;

  constructor(
    private readonly publisher: EventPublisher,
    private readonly topics: Topics,
    private readonly metrics?: OperationMetrics,
    private readonly traces: Traces = Traces.off,
  ) {
    this.deciding = sendStep(topics.decided);
  }

  /** All of one partition. */
  async publishRequests(reservations: Reservation[]): Promise<void> {
    this.metrics?.batch('publish', reservations.length);
    const requesting = sendStep(this.topics.requested, reservations[0]?.kafkaPartition);
    await this.traces.during(requesting, reservations, (carried) =>
      this.publisher.publish(this.topics.requested, carried.map(toRequestRecord)),
    );
  }

  /**
   * Marks, in the partition of each coupon, where its new epoch begins: what follows there and is of
   * an older epoch is void. Coupons of one partition share a marker, at most 500 of them; at most eight
   * markers are sent at once, in the order of the coupons. Writing one again changes nothing.
   */
  async publishMarkers(coupons: CouponEpoch[]): Promise<void> {
    const byPartition = Map.groupBy(coupons, (coupon) => coupon.kafkaPartition);
    for (const [partition, ofPartition] of byPartition) {
      const markers = inSlices(ofPartition, markerSizeMax).map((slice) => ({
        partition,
        key: 'epoch.marker',
        value: toEpochMarked({ epochs: slice }),
      }));
      for (const some of inSlices(markers, markersAtOnce)) {
        await this.publisher.publish(this.topics.requested, some);
      }
    }
  }

  /**
   * One record for each coupon. `partition` is that of the requests: what was decided about a coupon
   * stands in the order of the log, also where this topic has fewer partitions.
   */
  async publishDecided(partition: number, decisions: Decision[]): Promise<void> {
    const byCoupon = Map.groupBy(decisions, ({ request }) => request.couponId);
    const requests = decisions.map(({ request }) => request);
    await this.traces.during(this.deciding, requests, () =>
      this.publisher.publish(
        this.topics.decided,
        [...byCoupon].map(([couponId, ofCoupon]) => ({
          partition,
          mayGoElsewhere: true,
          key: String(couponId),
          value: toIssuancesDecided(couponId, ofCoupon),
        })),
      ),
    );
  }

  /** A copy for readers of that topic; the letter itself is kept in the ledger. */
  async publishDeadLetter(letter: DeadLetter): Promise<void> {
    await this.publisher.publish(this.topics.deadLetter, [toDeadLetterRecord(letter)]);
  }
}

/** The trace context stands in the header that the W3C names, for whoever reads the topic. */
function toRequestRecord(reservation: Reservation): LogRecord {
  const { kafkaPartition: partition, couponId, traceparent } = reservation;
  const value = toIssuanceRequested(reservation);
  const record = { partition, key: String(couponId), value };
  return traceparent === undefined ? record : { ...record, headers: { traceparent } };
}
