import { Injectable } from '@nestjs/common';
import { reservedAtOf } from '#coupon/issuance.ts';
import type { AssignRequest, Reservation } from '#coupon/issuance-request.ts';
import { IssuanceLog } from '#event-log/publish/issuance-log.ts';
import { faultPoint } from '#platform/fault-point.ts';
import { inSlices } from '#platform/slices.ts';
import { Gate } from '#gate/gate.ts';
import type { ReserveOutcome } from '#gate/gate-replies.ts';
import { GroupCommit, NotSentError } from './group-commit.ts';

export type AssignOutcome =
  | { kind: 'accepted'; issuanceId: string; replayed: boolean }
  | { kind: 'sold_out' | 'closed' | 'paused' }
  /** `now` is the time of the gate, which another clock may not agree with. */
  | { kind: 'not_open'; opensAt: number; now: number }
  /** The gate is not open for business: it is fenced, out of reach, or was closed meanwhile. */
  | { kind: 'recovering'; issuanceId?: string }
  /** More is asked than can be done: nothing was done about this one. */
  | { kind: 'overloaded' }
  /** There is no gate of this coupon at all. */
  | { kind: 'absent' }
  /** Reserved, but not known to be in the log: the relay or a repeat will finish it. */
  | { kind: 'unconfirmed'; issuanceId: string };

/** What the gate said to one request. */
type Admission =
  | { kind: 'settled'; outcome: AssignOutcome }
  /** `settling` is shared by all that were reserved in the same call. */
  | { kind: 'reserved'; issuanceId: string; replayed: boolean; settling: Promise<Settlement> };

/** What became of reservations after the gate had made them. */
type Settlement = 'accepted' | 'unconfirmed' | 'recovering';

/** What an api takes on before it sends callers away; see the settings ASSIGN_*. */
export class AssignLimits {
  constructor(
    readonly inFlightMax: number,
    readonly waitMaxMs: number,
  ) {}
}

/** `unpack` in Lua fails near 9 000 values, and a larger batch only holds up the others. */
const batchSizeMax = 500;
/** 32 at a time keep gate and log at work while the rest of a turn is read: see ADR 0008. */
const reservedAtOnce = 32;
/** About half a megabyte: brokers take one by default. */
const recordsPerProduceMax = 2_000;

/**
 * The way of one request through the gate and the log. MySQL is not on it. Requests that arrive
 * together share each trip (see `GroupCommit`), and those reserved together stay together.
 */
@Injectable()
export class AssignCoupon {
  private readonly reserving: GroupCommit<number, AssignRequest, Admission>;
  private readonly publishing: GroupCommit<number, Reservation[], undefined>;
  private inFlight = 0;

  constructor(
    private readonly gate: Gate,
    private readonly log: IssuanceLog,
    private readonly limits: AssignLimits,
  ) {
    const { waitMaxMs } = limits;
    this.reserving = new GroupCommit((couponId, batch) => this.reserve(couponId, batch), {
      batchSizeMax,
      batchSizeEnough: reservedAtOnce,
      inFlightMax: 8,
      waitMaxMs,
    });
    this.publishing = new GroupCommit((_, batches) => this.publish(batches), {
      batchSizeMax,
      inFlightMax: 2,
      waitMaxMs,
    });
  }

  /**
   * Never rejects because of Redis or Kafka; what they failed to do is an outcome. Answers within
   * two waits (`waitMaxMs`) and the time limits of two gate commands and one publish.
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
      .add(request.couponId, request)
      .catch((error: unknown): Admission =>
        settled({ kind: error instanceof NotSentError ? 'overloaded' : 'recovering' }),
      );
    if (admission.kind === 'settled') {
      return admission.outcome;
    }
    const { issuanceId, replayed, settling } = admission;
    const settlement = await settling;
    // 4. Answer: it is in the replicated log and not void, so MySQL will have it.
    return settlement === 'accepted'
      ? { kind: 'accepted', issuanceId, replayed }
      : { kind: settlement, issuanceId };
  }

  private async reserve(couponId: number, batch: AssignRequest[]): Promise<Admission[]> {
    const result = await this.gate.reserve(
      couponId,
      batch.map((request) => request.userId),
    );
    if (result.gate !== 'open') {
      const kind = result.gate === 'absent' ? 'absent' : 'recovering';
      return batch.map(() => settled({ kind }));
    }
    faultPoint('api.reserved');
    const { epoch, kafkaPartition, opensAt, now, outcomes } = result;
    const unsettled = outcomes.flatMap((outcome, i) =>
      isUnsettled(outcome)
        ? [toReservation(batch[i]!, outcome.issuanceId, epoch, kafkaPartition)]
        : [],
    );
    const settling = this.settle(unsettled);
    return outcomes.map((outcome) =>
      toAdmission(outcome, settling, { opensAt: opensAt ?? 0, now }),
    );
  }

  /** Steps 2 and 3, for all that one call of the gate has reserved. Never rejects. */
  private async settle(reservations: Reservation[]): Promise<Settlement> {
    const [first] = reservations;
    if (first === undefined) {
      return 'accepted';
    }
    try {
      // 2. Publish. A time-out means "unknown": the stock is never given back because of one.
      await this.publishing.add(first.kafkaPartition, reservations);
      faultPoint('api.published');
      // 3. Confirm. Only an epoch that still holds now is one whose requests precede the next marker.
      const ids = reservations.map((reservation) => reservation.issuanceId);
      const isConfirmed = await this.gate.confirm(first.couponId, first.epoch, ids);
      faultPoint('api.confirmed');
      return isConfirmed ? 'accepted' : 'recovering';
    } catch {
      return 'unconfirmed';
    }
  }

  /** A produce has one partition: one whose leader is away holds up no other. */
  private async publish(batches: Reservation[][]): Promise<undefined[]> {
    const produces = inSlices(batches.flat(), recordsPerProduceMax);
    await Promise.all(produces.map((reservations) => this.log.publishRequests(reservations)));
    return batches.map(() => undefined);
  }
}

/** While it is pending nothing has been promised: it goes the whole way again. */
function isUnsettled(
  outcome: ReserveOutcome,
): outcome is Extract<ReserveOutcome, { issuanceId: string }> {
  return outcome.kind === 'reserved' || (outcome.kind === 'replayed' && outcome.pending);
}

function toReservation(
  request: AssignRequest,
  issuanceId: string,
  epoch: number,
  kafkaPartition: number,
): Reservation {
  return { ...request, issuanceId, epoch, kafkaPartition, reservedAt: reservedAtOf(issuanceId)! };
}

function toAdmission(
  outcome: ReserveOutcome,
  settling: Promise<Settlement>,
  opening: { opensAt: number; now: number },
): Admission {
  switch (outcome.kind) {
    case 'reserved':
      return { kind: 'reserved', issuanceId: outcome.issuanceId, replayed: false, settling };
    case 'replayed':
      return outcome.pending
        ? { kind: 'reserved', issuanceId: outcome.issuanceId, replayed: true, settling }
        : settled({ kind: 'accepted', issuanceId: outcome.issuanceId, replayed: true });
    case 'not_open':
      return settled({ kind: 'not_open', ...opening });
    default:
      return settled({ kind: outcome.kind });
  }
}

function settled(outcome: AssignOutcome): Admission {
  return { kind: 'settled', outcome };
}
