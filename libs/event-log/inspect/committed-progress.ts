import type { PartitionLag } from './consumer-lag.ts';

interface Stand {
  committed: number | null;
  /** By the monotonic clock, which nobody sets. */
  since: number;
}

/**
 * For how long the committed offset of each partition has stood while there was something behind it, as far
 * as the looks at it tell. It needs nothing of whoever should move it.
 */
export class CommittedProgress {
  private readonly stands = new Map<number, Stand>();
  private lookedAt = performance.now();

  note(lags: readonly PartitionLag[]): void {
    const now = performance.now();
    this.lookedAt = now;
    for (const { partition, committed, lag } of lags) {
      const known = this.stands.get(partition);
      const hasMoved = known === undefined || known.committed !== committed;
      // An unknown lag is no proof that there is nothing to do.
      if (hasMoved || lag === 0) {
        this.stands.set(partition, { committed, since: now });
      }
    }
  }

  /** 0 for a partition that moved, or had nothing to do, when it was last looked at; null for an unknown one. */
  secondsOf(partition: number): number | null {
    const stand = this.stands.get(partition);
    return stand === undefined ? null : (this.lookedAt - stand.since) / 1_000;
  }
}
