import { ok } from 'node:assert/strict';
import { Injectable } from '@nestjs/common';
import { batchSizeMax } from '#coupon/batch-size.ts';
import { reservedAtOf } from '#coupon/issuance.ts';
import type { AssignRequest, Reservation } from '#coupon/issuance-request.ts';
import { PublishUnconfirmedError } from '#event-log/publish/event-publisher.ts';
import { IssuanceLog } from '#event-log/publish/issuance-log.ts';
import type { Failure } from '#platform/failures/failure.ts';
import { faultPoint } from '#platform/process/fault-point.ts';
import { inSlices } from '#platform/work/slices.ts';
import { scriptStep } from '#platform/telemetry/steps.ts';
import { Traces } from '#platform/telemetry/tracing.ts';
import { redisFailure } from '#gate/checks/redis-failure.ts';
import { Gate } from '#gate/gate.ts';
import type { GateRefusal, ReserveOutcome, ReserveResult } from '#gate/gate-replies.ts';
import { GroupCommit, NotSentError } from './group-commit.ts';

export type AssignOutcome =
  | { kind: 'accepted'; issuanceId: string; replayed: boolean }
  | { kind: Exclude<GateRefusal, 'not_open'> }
  /** `now` is the time of the gate, which another clock may not agree with. */
  | { kind: 'not_open'; opensAt: number; now: number }
  /** The gate is not open for business: it is fenced, out of reach, or was closed meanwhile. */
  | { kind: 'recovering'; issuanceId?: string; failure: Failure }
  /** The gate cannot write just now, whatever is asked: nothing was done about this one. */
  | { kind: 'unavailable'; failure: Failure }
  /** More is asked than can be done: nothing was done about this one. */
  | { kind: 'overloaded'; failure: Failure }
  /** There is no gate of this coupon at all. */
  | { kind: 'absent' }
  /** Reserved, but not known to be in the log: the relay or a repeat will finish it. */
  | { kind: 'unconfirmed'; issuanceId: string; failure: Failure };

/** `settling` is shared by all that were reserved in the same call of the gate. */
interface Reserved {
  kind: 'reserved';
  issuanceId: string;
  replayed: boolean;
  settling: Promise<Settlement>;
}

/** What became of reservations after the gate had made them. */
type Settlement = 'accepted' | { kind: 'unconfirmed' | 'recovering'; failure: Failure };

/** What an api takes on before it sends callers away; see the settings ASSIGN_*. */
export class AssignLimits {
  constructor(
    readonly inFlightMax: number,
    readonly waitMaxMs: number,
  ) {}
}

/** 32 at a time keep gate and log at work while the rest of a turn is read: see ADR 0008. */
const reservedAtOnce = 32;
ok(reservedAtOnce <= batchSizeMax);
const reserving = scriptStep('reserve');
const confirming = scriptStep('confirm');
/** About half a megabyte: brokers take one by default. */
const recordsPerProduceMax = 2_000;

/**
 * The way of one request through the gate and the log, in four steps. MySQL is not on it. Requests
 * that arrive together share each trip (see `GroupCommit`), and those reserved together stay together.
 */
@Injectable()
export class AssignCoupon {
  private readonly reserving: GroupCommit<number, AssignRequest, Reserved | AssignOutcome>;
  private readonly publishing: GroupCommit<number, Reservation[], undefined>;
  private inFlight = 0;

  constructor(
    private readonly gate: Gate,
    private readonly log: IssuanceLog,
    private readonly limits: AssignLimits,
    private readonly traces: Traces = Traces.off,
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
      return { kind: 'overloaded', failure: { cause: 'assigns_in_flight' } };
    }
    this.inFlight += 1;
    try {
      const admission = await this.reserving.add(request.couponId, request).catch(notReserved);
      return admission.kind === 'reserved' ? await this.answer(admission) : admission;
    } finally {
      this.inFlight -= 1;
    }
  }

  /** Step 1, for all that go to the gate of a coupon together. */
  private async reserve(
    couponId: number,
    batch: AssignRequest[],
  ): Promise<(Reserved | AssignOutcome)[]> {
    // 1. Reserve. A crash from here to step 4 leaves the unit held and the client without an answer:
    //    the relay publishes and confirms it, and a repeat gets the same id.
    const result = await this.traces.during(reserving, batch, () =>
      this.gate.reserve(
        couponId,
        batch.map((request) => request.userId),
        batch.map((request) => request.traceparent),
      ),
    );
    if (result.gate !== 'open') {
      const outcome: AssignOutcome =
        result.gate === 'absent'
          ? { kind: 'absent' }
          : { kind: 'recovering', failure: { cause: 'gate_shut' } };
      return batch.map(() => outcome);
    }
    faultPoint('api.reserved');
    result.outcomes.forEach((outcome, i) => {
      if (outcome.kind === 'reserved') {
        batch[i]!.onReserved?.(outcome.issuanceId);
      }
    });
    const settling = this.settle(unsettledOf(batch, result));
    return result.outcomes.map((outcome) => toAdmission(outcome, settling, result));
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
    } catch (error) {
      return { kind: 'unconfirmed', failure: publishFailure(error) };
    }
    faultPoint('api.published');
    try {
      // 3. Confirm. Only an epoch that still holds now is one whose requests precede the next marker.
      const isConfirmed = await this.traces.during(confirming, reservations, () =>
        this.gate.confirm(first.couponId, first.epoch, reservations),
      );
      faultPoint('api.confirmed');
      return isConfirmed ? 'accepted' : { kind: 'recovering', failure: { cause: 'gate_fenced' } };
    } catch (error) {
      return { kind: 'unconfirmed', failure: redisFailure(error) };
    }
  }

  /** Step 4, for each. */
  private async answer({ issuanceId, replayed, settling }: Reserved): Promise<AssignOutcome> {
    const settlement = await settling;
    // 4. Answer: it is in the replicated log and not void, so MySQL will have it.
    return settlement === 'accepted'
      ? { kind: 'accepted', issuanceId, replayed }
      : { ...settlement, issuanceId };
  }

  /** A produce has one partition: one whose leader is away holds up no other. */
  private async publish(batches: Reservation[][]): Promise<undefined[]> {
    const produces = inSlices(batches.flat(), recordsPerProduceMax);
    await Promise.all(produces.map((reservations) => this.log.publishRequests(reservations)));
    return batches.map(() => undefined);
  }
}

/** What an assign comes to when the gate Redis did not answer. */
export function notReserved(error: unknown): AssignOutcome {
  if (error instanceof NotSentError) {
    return { kind: 'overloaded', failure: { cause: 'gate_lane', error } };
  }
  const failure = redisFailure(error);
  const isRefused = failure.cause === 'redis_refuses_writes';
  return { kind: isRefused ? 'unavailable' : 'recovering', failure };
}

function publishFailure(error: unknown): Failure {
  if (error instanceof NotSentError) {
    return { cause: 'log_lane', error };
  }
  const isUnconfirmed = error instanceof PublishUnconfirmedError;
  return { cause: isUnconfirmed ? error.failureCause : 'unexpected', error };
}

type OpenResult = Extract<ReserveResult, { gate: 'open' }>;

/** While one is pending nothing has been promised: it goes the whole way again. */
function unsettledOf(batch: AssignRequest[], result: OpenResult): Reservation[] {
  const { epoch, kafkaPartition } = result;
  return batch.flatMap((request, i) => {
    const outcome = result.outcomes[i]!;
    if (outcome.kind !== 'reserved' && !(outcome.kind === 'replayed' && outcome.pending)) {
      return [];
    }
    const { issuanceId } = outcome;
    const reservedAt = reservedAtOf(issuanceId)!;
    return [{ ...request, issuanceId, epoch, reservedAt, kafkaPartition }];
  });
}

function toAdmission(
  outcome: ReserveOutcome,
  settling: Promise<Settlement>,
  { opensAt, now }: OpenResult,
): Reserved | AssignOutcome {
  switch (outcome.kind) {
    case 'reserved':
      return { kind: 'reserved', issuanceId: outcome.issuanceId, replayed: false, settling };
    case 'replayed':
      return outcome.pending
        ? { kind: 'reserved', issuanceId: outcome.issuanceId, replayed: true, settling }
        : { kind: 'accepted', issuanceId: outcome.issuanceId, replayed: true };
    case 'not_open':
      return { kind: 'not_open', opensAt: opensAt!, now };
    default:
      return { kind: outcome.kind };
  }
}
