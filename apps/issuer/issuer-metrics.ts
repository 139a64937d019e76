import type { Counter } from '@opentelemetry/api';
import { deadLetterCauses } from '#coupon/dead-letter.ts';
import type { DeadLetterCause } from '#coupon/dead-letter.ts';
import type { Decision } from '#coupon/decide.ts';
import type { Telemetry } from '#platform/telemetry/telemetry.ts';

/** What the issuer tells `/metrics`. */
export class IssuerMetrics {
  private readonly decided: Counter;
  private readonly deadLetters: Counter;

  /** `topic` is that of the requests. */
  constructor(
    private readonly telemetry: Telemetry,
    private readonly topic: string,
  ) {
    const { meter } = telemetry;
    this.decided = meter.createCounter('firstcome_issuances_decided_total', {
      description: 'Requests decided, by status and reason; one delivered again is not counted.',
    });
    this.deadLetters = meter.createCounter('firstcome_dead_letters_total', {
      description: 'Records set aside, by reason; one delivered again is not counted.',
    });
    // From the start, for the first one to be an increase.
    deadLetterCauses.forEach((reason) => this.deadLetters.add(0, { reason }));
  }

  deadLetterKept(cause: DeadLetterCause): void {
    this.deadLetters.add(1, { reason: cause });
  }

  /** `startedAt` is of `performance.now`. */
  chunkDecided(decisions: Decision[], startedAt: number): void {
    this.telemetry.operations.processed(this.topic, startedAt);
    this.telemetry.operations.batch('decide', decisions.length);
    const fresh = decisions.filter((decision) => decision.isNew);
    const byOutcome = Map.groupBy(fresh, ({ status, reason }) => `${status} ${reason ?? ''}`);
    for (const ofOutcome of byOutcome.values()) {
      const { status, reason } = ofOutcome[0]!;
      this.decided.add(ofOutcome.length, { status, ...(reason === undefined ? {} : { reason }) });
    }
  }
}
