export type InvariantId = 'I1' | 'I2' | 'I3' | 'I4' | 'I5' | 'I6';

/** What each invariant promises, as it is printed. */
export const invariants: Readonly<Record<InvariantId, string>> = {
  I1: 'no coupon is issued more often than its total, and its count is right',
  I2: 'nobody has two of one coupon',
  I3: 'every acknowledged answer is issued: same id, same coupon, same user',
  I4: 'at every gate, left + held = total',
  I5: 'at rest, the gate and MySQL hold the same issuances',
  I6: 'everything in the log is issued, refused with a reason, or kept as a dead letter',
};

/** The result of checking one invariant. */
export interface Finding {
  invariant: InvariantId;
  /** In words, with ids to look at; at most a few of many. Empty: it holds. */
  violations: string[];
  /** How many things were looked at. */
  checked: number;
  /** Why it could not be checked, in words. It then counts as neither held nor violated. */
  skipped?: string;
}

const examplesMax = 5;

/** Collects violations: all are counted, the first few are told. */
export class ViolationList {
  private readonly examples: string[] = [];
  private count = 0;

  add(violation: string): void {
    this.count += 1;
    if (this.examples.length < examplesMax) {
      this.examples.push(violation);
    }
  }

  toFinding(invariant: InvariantId, checked: number): Finding {
    const more = this.count - this.examples.length;
    return {
      invariant,
      checked,
      violations: more > 0 ? [...this.examples, `… and ${more} more`] : this.examples,
    };
  }
}
