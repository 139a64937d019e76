import type { Telemetry } from '#platform/telemetry/telemetry.ts';
import { Problem } from '../http/problem/problem.ts';

/** Each is there from the start, for the first one to be an increase. */
const outcomes = [
  'redeemed',
  'repeated',
  'already_redeemed',
  'expired',
  'refused',
  'not_issued_yet',
  'issuance_not_found',
  'overloaded',
  'unavailable',
] as const;

/** Tells `/metrics` what became of redemptions. */
export class RedemptionMetrics {
  private readonly counts = new Map<string, number>(outcomes.map((outcome) => [outcome, 0]));

  constructor({ observed }: Telemetry) {
    observed.counter(
      'firstcome_redemptions_total',
      'Redemptions by outcome: redeemed, repeated, already_redeemed, expired …',
      (observe) => this.counts.forEach((count, outcome) => observe(count, { outcome })),
    );
  }

  /** Counts how `redeeming` ends, and is what it is. */
  async counted<T extends { isNew: boolean }>(redeeming: Promise<T>): Promise<T> {
    try {
      const redeemed = await redeeming;
      this.count(redeemed.isNew ? 'redeemed' : 'repeated');
      return redeemed;
    } catch (error) {
      // A lookup meets MySQL away as it is; every problem of ours has a code.
      this.count(error instanceof Problem ? error.code.toLowerCase() : 'unavailable');
      throw error;
    }
  }

  private count(outcome: string): void {
    this.counts.set(outcome, (this.counts.get(outcome) ?? 0) + 1);
  }
}
