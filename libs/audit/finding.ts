export type InvariantId = 'I1' | 'I2' | 'I3' | 'I4' | 'I5' | 'I6' | 'I7' | 'I8';

/** What each invariant promises, as it is printed. */
export const invariants: Readonly<Record<InvariantId, string>> = {
  I1: 'no coupon is issued more often than its total, and its count is right',
  I2: 'nobody has two of one coupon',
  I3: 'every acknowledged answer is issued: same id, same coupon, same user',
  I4: 'at every gate, left + held = total',
  I5: 'at rest, the gate and MySQL hold the same issuances',
  I6: 'everything in the log is issued, refused with a reason, or kept as a dead letter',
  I7: 'what clients were told is possible: one id each, for ever, and every refusal for a reason',
  I8: 'what is redeemed was issued, is redeemed once, and was valid then',
};

/** The result of checking one invariant. */
export interface Finding {
  invariant: InvariantId;
  /** In words, with ids to look at; at most a few of many. Empty: it holds. */
  violations: string[];
  /** How many things were looked at. */
  checked: number;
  /** The first few coupons that are concerned, where a violation is one of a coupon. */
  couponIds?: number[];
  /** Why it could not be checked, in words. It then counts as neither held nor violated. */
  skipped?: string;
}

/** Collects violations: all are counted, the first few are told. */
export class ViolationList {
  private readonly examples: string[] = [];
  private readonly couponIds = new Set<number>();
  private count = 0;

  constructor(private readonly examplesMax = 5) {}

  add(violation: string, couponId?: number): void {
    this.count += 1;
    if (this.examples.length < this.examplesMax) {
      this.examples.push(violation);
    }
    if (couponId !== undefined && this.couponIds.size < this.examplesMax) {
      this.couponIds.add(couponId);
    }
  }

  /** The first few, and how many more there are. */
  describe(): string[] {
    const more = this.count - this.examples.length;
    return more > 0 ? [...this.examples, `… and ${more} more`] : this.examples;
  }

  toFinding(invariant: InvariantId, checked: number): Finding {
    const finding = { invariant, checked, violations: this.describe() };
    return this.couponIds.size > 0 ? { ...finding, couponIds: [...this.couponIds] } : finding;
  }
}
