import type { Counter } from '@opentelemetry/api';
import type { AssignOutcome } from '#admission/assign-coupon.js';
import type { Telemetry } from '#platform/telemetry.js';

/** Tells `/metrics` what became of assigns: one status may have several causes. */
export class AssignMetrics {
  private readonly outcomes: Counter;

  constructor({ meter }: Telemetry) {
    this.outcomes = meter.createCounter('firstcome_assigns_total', {
      description: 'Assigns by outcome: accepted, replayed, sold_out, unconfirmed, recovering …',
    });
  }

  record(outcome: AssignOutcome): void {
    const isReplay = outcome.kind === 'accepted' && outcome.replayed;
    this.outcomes.add(1, { outcome: isReplay ? 'replayed' : outcome.kind });
  }
}
