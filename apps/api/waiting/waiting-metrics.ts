import type { Histogram } from '@opentelemetry/api';
import type { Telemetry } from '#platform/telemetry/telemetry.ts';
import type { Waiters } from './waiters.ts';

/** How it was found out that an issuance somebody waits for is decided. */
export type FoundBy = 'channel' | 'look';

const toldBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** Who waits, and how long after a decision they are told. */
export class WaitingMetrics {
  private readonly toldAfter: Histogram;

  constructor({ meter, observed }: Telemetry, waiters: Waiters) {
    this.toldAfter = meter.createHistogram('firstcome_waiter_told_seconds', {
      description: 'From a decision, by the clock of MySQL, until who waits for it is told.',
      advice: { explicitBucketBoundaries: toldBuckets },
    });
    observed.gauge('firstcome_waiters', 'Who waits for a decision at this api.', (observe) => {
      observe(waiters.count('answer'), { kind: 'answer' });
      observe(waiters.count('events'), { kind: 'events' });
    });
    observed.counter(
      'firstcome_waiters_turned_away_total',
      'Who was answered at once, since as many wait as may.',
      (observe) => observe(waiters.turnedAway, {}),
    );
  }

  told(waiters: number, decidedAt: number, by: FoundBy): void {
    const seconds = Math.max(0, Date.now() - decidedAt) / 1_000;
    for (let i = 0; i < waiters; i += 1) {
      this.toldAfter.record(seconds, { by });
    }
  }
}
