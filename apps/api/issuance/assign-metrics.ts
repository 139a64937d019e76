import type { AssignOutcome } from '#admission/assign-coupon.ts';
import type { Telemetry } from '#platform/telemetry/telemetry.ts';

/** Tells `/metrics` what became of assigns: one status may have several causes. */
export class AssignMetrics {
  /** Counted here and read when asked for: a counter of OpenTelemetry costs a microsecond each time. */
  private readonly counts = new Map<string, number>();

  constructor({ meter }: Telemetry) {
    meter
      .createObservableCounter('firstcome_assigns_total', {
        description: 'Assigns by outcome: accepted, replayed, sold_out, unconfirmed, recovering …',
      })
      .addCallback((result) =>
        this.counts.forEach((count, outcome) => result.observe(count, { outcome })),
      );
  }

  record(outcome: AssignOutcome): void {
    const isReplay = outcome.kind === 'accepted' && outcome.replayed;
    const name = isReplay ? 'replayed' : outcome.kind;
    this.counts.set(name, (this.counts.get(name) ?? 0) + 1);
  }
}
