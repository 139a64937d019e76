import { Injectable } from '@nestjs/common';
import type { DecidedChunk, Decision } from '#coupon/decide.ts';
import type { IssuanceRequest } from '#coupon/issuance-request.ts';
import { IssuanceLog } from '#event-log/publish/issuance-log.ts';
import { IssuanceLedger } from '#ledger/issuance-ledger.ts';
import { Failures } from '#platform/failures/failures.ts';
import { multiStep, scriptStep, transactionStep } from '#platform/telemetry/steps.ts';
import { Traces } from '#platform/telemetry/tracing.ts';
import { faultPoint } from '#platform/process/fault-point.ts';
import { redisFailure } from '#gate/checks/redis-failure.ts';
import { Gate } from '#gate/gate.ts';
import type { StatusHint } from '#gate/status-hints.ts';
import { StatusHints } from '#gate/status-hints.ts';
import { IssuerMetrics } from './issuer-metrics.ts';

const deciding = transactionStep('decide');
const releasing = scriptStep('release');
const hinting = multiStep('write_hints');

/** Decides a chunk of requests: what happens between reading them and committing their offset. */
@Injectable()
export class DecideIssuances {
  constructor(
    private readonly ledger: IssuanceLedger,
    private readonly gate: Gate,
    private readonly log: IssuanceLog,
    private readonly hints: StatusHints,
    private readonly metrics: IssuerMetrics,
    private readonly failures: Failures,
    private readonly traces: Traces = Traces.off,
  ) {}

  /** May be run any number of times for the same requests; rejects when a store is away. */
  async decide(partition: number, requests: IssuanceRequest[]): Promise<DecidedChunk> {
    const startedAt = performance.now();
    // 1. Decide and record, in one transaction. A crash before the commit leaves nothing; after it,
    //    the requests are delivered again and come back with the decision they got.
    const chunk = await this.traces.during(deciding, requests, () =>
      this.ledger.decideChunk(requests),
    );
    const { decisions, conflicting } = chunk;
    faultPoint('issuer.committed');

    // 2. Give refused units back, before the offset moves: a crash after the offset would keep them.
    const refused = decisions.filter((decision) => decision.status === 'REFUSED');
    await this.release([...refused.map(({ request }) => request), ...conflicting]);
    faultPoint('issuer.released');

    // 3. Tell the log. A crash after it tells it twice: readers de-duplicate by issuance id.
    await this.log.publishDecided(partition, decisions);
    faultPoint('issuer.told');

    this.metrics.chunkDecided(decisions, startedAt);
    return chunk;
  }

  /** Spares MySQL the polls. Never rejects: a missing hint costs a query, not an answer. */
  async writeHints(decisions: Decision[]): Promise<void> {
    const hints = new Map(decisions.map(toHint));
    const requests = decisions.map(({ request }) => request);
    await this.traces
      .during(hinting, requests, () => this.hints.write(hints))
      .catch((error: unknown) => {
        this.failures.note('HINT_LOST', redisFailure(error), () => ({ hints: hints.size }));
      });
  }

  /** The gate releases only what that user still holds under that id in that epoch. */
  private async release(requests: IssuanceRequest[]): Promise<void> {
    const byGate = Map.groupBy(requests, ({ couponId, epoch }) => `${couponId}:${epoch}`);
    for (const ofGate of byGate.values()) {
      const { couponId, epoch } = ofGate[0]!;
      await this.traces.during(releasing, ofGate, () => this.gate.release(couponId, epoch, ofGate));
    }
  }
}

function toHint({ request, status, reason, decidedAt }: Decision): [string, StatusHint] {
  const { issuanceId, couponId, userId } = request;
  return [issuanceId, { couponId, userId, status, reason, decidedAt }];
}
