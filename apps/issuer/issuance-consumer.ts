import { Controller, UseFilters } from '@nestjs/common';
import { Ctx, EventPattern, Payload } from '@nestjs/microservices';
import { batchSizeMax } from '#coupon/batch-size.ts';
import { idConflictReason } from '#coupon/dead-letter.ts';
import type { Decision } from '#coupon/decide.ts';
import type { RequestRecord } from '#coupon/events.ts';
import { eventVersion, parseRequestRecord } from '#coupon/events.ts';
import type { IssuanceRequest } from '#coupon/issuance-request.ts';
import { wellFormedTraceparent } from '#coupon/trace-context.ts';
import type { ConsumedRecord, RecordBatch } from '#event-log/consumed-record.ts';
import {
  BatchContext,
  PartitionStoppedError,
  PassErrorsOn,
} from '#event-log/consume/batch-context.ts';
import { topicNames } from '#event-log/topics.ts';
import { processStep } from '#platform/telemetry/steps.ts';
import { Traces } from '#platform/telemetry/tracing.ts';
import { IssuanceLedger } from '#ledger/issuance-ledger.ts';
import { DeadLetters } from './dead-letters.ts';
import { DecideIssuances } from './decide-issuances.ts';

/** A stretch of the log that is handled as one: requests decided together, or a single other record. */
type Step =
  | RequestStep
  | (Exclude<RequestRecord, { kind: 'request' }> & { record: ConsumedRecord; lastOffset: string });

interface RequestStep {
  kind: 'requests';
  requests: IssuanceRequest[];
  /** What each of the requests was read from. */
  records: ConsumedRecord[];
  lastOffset: string;
}

/** Reads the requests of a partition strictly in order and has each decided exactly once in effect. */
@Controller()
@UseFilters(PassErrorsOn)
export class IssuanceConsumer {
  constructor(
    private readonly decideIssuances: DecideIssuances,
    private readonly ledger: IssuanceLedger,
    private readonly deadLetters: DeadLetters,
    private readonly traces: Traces = Traces.off,
  ) {}

  /** Rejects when a store is away; the transport then waits and delivers from the last resolved on. */
  @EventPattern<string>(topicNames('').requested)
  async consume(@Payload() batch: RecordBatch, @Ctx() context: BatchContext): Promise<void> {
    for (const step of toSteps(batch.records)) {
      if (context.isStale()) {
        return;
      }
      await this.process(step, batch, context);
    }
  }

  /** With spans for those of its requests that are sampled. */
  private process(step: Step, batch: RecordBatch, context: BatchContext): Promise<void> {
    if (step.kind !== 'requests') {
      return this.work(step, batch, context);
    }
    const processing = processStep(batch.topic, batch.partition, context.group);
    return this.traces.during(processing, step.requests, (requests) =>
      this.work({ ...step, requests }, batch, context),
    );
  }

  private async work(step: Step, batch: RecordBatch, context: BatchContext): Promise<void> {
    const decisions = await this.handle(step, batch);
    // A crash before this delivers the step again: each of its effects is safe to repeat.
    await context.resolve(step.lastOffset);
    await this.decideIssuances.writeHints(decisions);
  }

  private async handle(step: Step, batch: RecordBatch): Promise<Decision[]> {
    switch (step.kind) {
      case 'requests':
        return this.decide(step, batch);
      case 'marker':
        await this.ledger.applyMarker(step.marker);
        return [];
      case 'garbage':
        await this.deadLetters.setAside(batch, step.record, step);
        return [];
      case 'unknown_version':
        throw new PartitionStoppedError(
          `Partition ${batch.partition}, offset ${step.lastOffset}: the record is of version ` +
            `${step.version}, this issuer reads version ${eventVersion}. Deploy an issuer that ` +
            'reads it; nothing behind it is decided until then.',
        );
    }
  }

  private async decide({ requests, records }: RequestStep, batch: RecordBatch) {
    const { decisions, conflicting } = await this.decideIssuances.decide(batch.partition, requests);
    for (const request of conflicting) {
      const record = records[requests.indexOf(request)]!;
      const why = { cause: 'id_conflict', reason: idConflictReason } as const;
      await this.deadLetters.setAside(batch, record, why);
    }
    return decisions;
  }
}

/** Cuts a batch into chunks of requests, split wherever anything else stands in the log. */
export function toSteps(records: readonly ConsumedRecord[]): Step[] {
  const steps: Step[] = [];
  for (const record of records) {
    const lastOffset = record.offset;
    const parsed = parseRequestRecord(record.value);
    const open = steps.at(-1);
    if (parsed.kind !== 'request') {
      steps.push({ ...parsed, record, lastOffset });
    } else if (open?.kind === 'requests' && open.requests.length < batchSizeMax) {
      open.requests.push(withContext(parsed.request, record));
      open.records.push(record);
      open.lastOffset = lastOffset;
    } else {
      steps.push({
        kind: 'requests',
        requests: [withContext(parsed.request, record)],
        records: [record],
        lastOffset,
      });
    }
  }
  return steps;
}

/** The trace context of a record: of its header, or of its value where an older firstcome wrote it. */
function withContext(request: IssuanceRequest, { headers }: ConsumedRecord): IssuanceRequest {
  const header = headers['traceparent'];
  if (header === undefined && request.traceparent === undefined) {
    return request;
  }
  const ofHeader = Buffer.isBuffer(header) ? wellFormedTraceparent(header.toString()) : undefined;
  return { ...request, traceparent: ofHeader ?? wellFormedTraceparent(request.traceparent) };
}
