import type { Counter, Histogram } from '@opentelemetry/api';
import type { DeadLetterCause } from '#coupon/dead-letter.ts';
import type { Decision } from '#coupon/decide.ts';
import type { Telemetry } from '#platform/telemetry/telemetry.ts';

/** What the issuer tells `/metrics`. */
export class IssuerMetrics {
  private readonly decided: Counter;
  private readonly chunkDuration: Histogram;
  private readonly deadLetters: Counter;

  constructor({ meter }: Telemetry) {
    this.decided = meter.createCounter('firstcome_issuances_decided_total', {
      description: 'Requests decided, by status and reason; one delivered again is not counted.',
    });
    this.chunkDuration = meter.createHistogram('firstcome_chunk_decide_duration_seconds', {
      description: 'From reading a chunk of requests to all its effects but the offset.',
      advice: { explicitBucketBoundaries: [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5] },
    });
    this.deadLetters = meter.createCounter('firstcome_dead_letters_total', {
      description: 'Records set aside, by reason; one delivered again is not counted.',
    });
  }

  deadLetterKept(cause: DeadLetterCause): void {
    this.deadLetters.add(1, { reason: cause });
  }

  chunkDecided(decisions: Decision[], seconds: number): void {
    this.chunkDuration.record(seconds);
    const fresh = decisions.filter((decision) => decision.isNew);
    const byOutcome = Map.groupBy(fresh, ({ status, reason }) => `${status} ${reason ?? ''}`);
    for (const ofOutcome of byOutcome.values()) {
      const { status, reason } = ofOutcome[0]!;
      this.decided.add(ofOutcome.length, { status, ...(reason === undefined ? {} : { reason }) });
    }
  }
}
