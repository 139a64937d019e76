import { Injectable } from '@nestjs/common';
import type { Reservation } from '#coupon/reservation.js';
import { IssuanceLog } from '#event-log/issuance-log.js';
import { faultPoint } from '#platform/fault-point.js';
import { Gate } from '#reservation/gate.js';
import type { ReserveOutcome } from '#reservation/gate-replies.js';
import { GroupCommit, NotSentError } from './group-commit.js';

export interface AssignRequest {
  couponId: number;
  userId: string;
  /** W3C trace context of the caller, handed on through the log. */
  traceparent?: string | undefined;
}

export type AssignOutcome =
  | { kind: 'accepted'; issuanceId: string; replayed: boolean }
  | { kind: 'sold_out' | 'closed' | 'paused' }
  | { kind: 'not_open'; opensAt: number }
  /** The gate is not open for business: it is fenced, out of reach, or was closed meanwhile. */
  | { kind: 'recovering'; issuanceId?: string }
  /** More is asked than can be done: nothing was done about this one. */
  | { kind: 'overloaded' }
  /** There is no gate of this coupon at all. */
  | { kind: 'absent' }
  /** Reserved, but not known to be in the log: the relay or a repeat will finish it. */
  | { kind: 'unconfirmed'; issuanceId: string };

type Admission =
  | { kind: 'reserved'; reservation: Reservation; replayed: boolean }
  | { kind: 'settled'; outcome: AssignOutcome };

/** What an api takes on before it sends callers away; see the settings ASSIGN_*. */
export class AssignLimits {
  constructor(
    readonly inFlightMax: number,
    readonly waitMaxMs: number,
  ) {}
}

/** `unpack` in Lua fails near 9 000 values, and a larger batch only holds up the others. */
const batchSizeMax = 500;

/**
 * The way of one request through the gate and the log. MySQL is not on it. Requests that arrive
 * together share each trip (see `GroupCommit`).
 */
@Injectable()
export class AssignCoupon {
  private readonly reserving: GroupCommit<number, string, Admission>;
  private readonly publishing: GroupCommit<number, Reservation, undefined>;
  private readonly confirming: GroupCommit<string, Reservation, boolean>;
  private inFlight = 0;

  constructor(
    private readonly gate: Gate,
    private readonly log: IssuanceLog,
    private readonly limits: AssignLimits,
  ) {
    const trips = { batchSizeMax, inFlightMax: 2, waitMaxMs: limits.waitMaxMs };
    this.reserving = new GroupCommit((couponId, users) => this.reserve(couponId, users), trips);
    this.publishing = new GroupCommit((_, batch) => this.publish(batch), trips);
    this.confirming = new GroupCommit((_, batch) => this.confirm(batch), trips);
  }

  /**
   * Never rejects because of Redis or Kafka; what they failed to do is an outcome. Answers within
   * three waits (`waitMaxMs`) and the time limits of two gate commands and one publish.
   */
  async assign(request: AssignRequest): Promise<AssignOutcome> {
    if (this.inFlight >= this.limits.inFlightMax) {
      return { kind: 'overloaded' };
    }
    this.inFlight += 1;
    try {
      return await this.take(request);
    } finally {
      this.inFlight -= 1;
    }
  }

  private async take(request: AssignRequest): Promise<AssignOutcome> {
    // 1. Reserve. A crash from here to step 4 leaves the unit held and the client without an answer:
    //    the relay publishes and confirms it, and a repeat gets the same id.
    const admission = await this.reserving
      .add(request.couponId, request.userId)
      .catch((error: unknown): Admission =>
        settled({ kind: error instanceof NotSentError ? 'overloaded' : 'recovering' }),
      );
    if (admission.kind === 'settled') {
      return admission.outcome;
    }
    faultPoint('api.reserved');
    const { replayed } = admission;
    const reservation = withTrace(admission.reservation, request.traceparent);
    const { issuanceId, couponId, epoch } = reservation;

    // 2. Publish. A time-out means "unknown": the stock is never given back because of one.
    try {
      await this.publishing.add(reservation.kafkaPartition, reservation);
    } catch {
      return { kind: 'unconfirmed', issuanceId };
    }

    faultPoint('api.published');
    // 3. Confirm. Only an epoch that still holds now is one whose requests precede the next marker.
    const confirmed = await this.confirming
      .add(`${couponId}:${epoch}`, reservation)
      .catch(() => undefined);
    if (confirmed === undefined) {
      return { kind: 'unconfirmed', issuanceId };
    }

    faultPoint('api.confirmed');
    // 4. Answer: it is in the replicated log and not void, so MySQL will have it.
    return confirmed
      ? { kind: 'accepted', issuanceId, replayed }
      : { kind: 'recovering', issuanceId };
  }

  private async reserve(couponId: number, userIds: string[]): Promise<Admission[]> {
    const result = await this.gate.reserve(couponId, userIds);
    if (result.gate !== 'open') {
      const kind = result.gate === 'absent' ? 'absent' : 'recovering';
      return userIds.map(() => settled({ kind }));
    }
    const { epoch, kafkaPartition, opensAt, outcomes } = result;
    return outcomes.map((outcome, i) => {
      const held = { couponId, userId: userIds[i]!, epoch, kafkaPartition };
      return toAdmission(outcome, held, opensAt ?? 0);
    });
  }

  /** A batch has one partition: one whose leader is away holds up no other. */
  private async publish(batch: Reservation[]): Promise<undefined[]> {
    await this.log.publishRequests(batch);
    return batch.map(() => undefined);
  }

  private async confirm(batch: Reservation[]): Promise<boolean[]> {
    const { couponId, epoch } = batch[0]!;
    const ids = batch.map((reservation) => reservation.issuanceId);
    const confirmed = await this.gate.confirm(couponId, epoch, ids);
    return batch.map(() => confirmed);
  }
}

function toAdmission(
  outcome: ReserveOutcome,
  held: Omit<Reservation, 'issuanceId'>,
  opensAt: number,
): Admission {
  switch (outcome.kind) {
    case 'reserved':
      return {
        kind: 'reserved',
        reservation: { ...held, issuanceId: outcome.issuanceId },
        replayed: false,
      };
    case 'replayed':
      // While it is pending nothing has been promised: it goes the whole way again.
      return outcome.pending
        ? {
            kind: 'reserved',
            reservation: { ...held, issuanceId: outcome.issuanceId },
            replayed: true,
          }
        : settled({ kind: 'accepted', issuanceId: outcome.issuanceId, replayed: true });
    case 'not_open':
      return settled({ kind: 'not_open', opensAt });
    default:
      return settled({ kind: outcome.kind });
  }
}

function settled(outcome: AssignOutcome): Admission {
  return { kind: 'settled', outcome };
}

function withTrace(reservation: Reservation, traceparent: string | undefined): Reservation {
  return traceparent === undefined ? reservation : { ...reservation, traceparent };
}
