/** What clients saw of the service since a moment: how long none was accepted, and who serves. */
export class ServiceWatch {
  #lastAcceptedAt = performance.now();
  #longestGapMs = 0;
  readonly #conclusive = new Map<string, number>();
  /** The first id since `beginProof` that was told to somebody who had been told none. */
  firstIssuanceId: string | undefined;

  /** The first yes to somebody; repeats do not count, for they need less than a first one. */
  accepted(issuanceId: string): void {
    this.#closeGap();
    this.#lastAcceptedAt = performance.now();
    this.firstIssuanceId ??= issuanceId;
  }

  /** A yes or a no, by this api or for this campaign. */
  concluded(...names: string[]): void {
    names.forEach((name) => this.#conclusive.set(name, this.conclusions(name) + 1));
  }

  conclusions(name: string): number {
    return this.#conclusive.get(name) ?? 0;
  }

  /** Gaps are measured anew, from the last 200 before now on. */
  beginGaps(): void {
    this.#longestGapMs = 0;
  }

  /** From now on everybody has to prove anew that he serves. */
  beginProof(): void {
    this.#conclusive.clear();
    this.firstIssuanceId = undefined;
  }

  /** The longest time without a 200 since `beginGaps`, with the one that lasts. */
  get longestGapMs(): number {
    this.#closeGap();
    return Math.round(this.#longestGapMs);
  }

  #closeGap(): void {
    this.#longestGapMs = Math.max(this.#longestGapMs, performance.now() - this.#lastAcceptedAt);
  }
}
