/** What clients saw of the service since a moment: how long none was accepted, and who serves. */
export class ServiceWatch {
  private lastAcceptedAt = performance.now();
  private gapMaxMs = 0;
  private readonly conclusive = new Map<string, number>();
  /** The first id since `beginProof` that was told to somebody who had been told none. */
  firstIssuanceId: string | undefined;

  /** The first yes to somebody; repeats do not count, for they need less than a first one. */
  accepted(issuanceId: string): void {
    this.closeGap();
    this.lastAcceptedAt = performance.now();
    this.firstIssuanceId ??= issuanceId;
  }

  /** A yes or a no, by this api or for this coupon. */
  concluded(...names: string[]): void {
    names.forEach((name) => this.conclusive.set(name, this.conclusions(name) + 1));
  }

  conclusions(name: string): number {
    return this.conclusive.get(name) ?? 0;
  }

  /** Gaps are measured anew, from the last 200 before now on. */
  beginGaps(): void {
    this.gapMaxMs = 0;
  }

  /** From now on everybody has to prove anew that he serves. */
  beginProof(): void {
    this.conclusive.clear();
    this.firstIssuanceId = undefined;
  }

  /** The longest time without a 200 since `beginGaps`, with the one that lasts. */
  get longestGapMs(): number {
    this.closeGap();
    return Math.round(this.gapMaxMs);
  }

  private closeGap(): void {
    this.gapMaxMs = Math.max(this.gapMaxMs, performance.now() - this.lastAcceptedAt);
  }
}
