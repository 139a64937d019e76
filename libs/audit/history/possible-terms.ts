import type { CouponState } from '#coupon/coupon.ts';
import type { Changed } from './coupon-history.ts';

/** What of a coupon's terms may have been so at a moment. */
export interface PossibleTerms {
  /** Infinity where the journal does not say how the coupon began. */
  totalMax: number;
  totalMin: number;
  states: ReadonlySet<CouponState>;
}

const anyState: ReadonlySet<CouponState> = new Set(['open', 'paused', 'closed']);

/**
 * Follows the changes of a coupon in time. While one is under way, the terms before it and those after
 * it may count, at one gate this and at the next moment that; once it has returned, only those after
 * it, and those of changes that were made beside it.
 */
export class TermsInTime {
  private readonly totals = new Choice<number>();
  private readonly states = new Choice<CouponState>();

  begin(change: Changed): void {
    this.totals.begin(change, change.total);
    this.states.begin(change, change.state);
  }

  end(change: Changed): void {
    this.totals.end(change, change.total);
    this.states.end(change, change.state);
  }

  now(): PossibleTerms {
    const totals = this.totals.now();
    return {
      totalMax: totals === undefined ? Infinity : Math.max(...totals),
      totalMin: totals === undefined ? 0 : Math.min(...totals),
      states: this.states.now() ?? anyState,
    };
  }
}

/** The values that one of the terms may have. */
class Choice<Value> {
  /** `undefined`: nobody has said. */
  private settled: Set<Value> | undefined;
  /** Of each change under way: its value, and those that were settled beside it. */
  private readonly underWay = new Map<Changed, { value: Value; beside: Set<Value> }>();

  begin(change: Changed, value: Value | undefined): void {
    if (value !== undefined) {
      this.underWay.set(change, { value, beside: new Set() });
    }
  }

  end(change: Changed, value: Value | undefined): void {
    if (value !== undefined) {
      this.settled = new Set([value, ...this.underWay.get(change)!.beside]);
      this.underWay.delete(change);
      this.underWay.forEach(({ beside }) => beside.add(value));
    }
  }

  now(): Set<Value> | undefined {
    return (
      this.settled &&
      new Set([...this.settled, ...[...this.underWay.values()].map(({ value }) => value)])
    );
  }
}
