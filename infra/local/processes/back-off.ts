import { backOffMs } from '#platform/work/waiting.ts';

const waits = { firstMs: 500, maxMs: 10_000 };
const healthyAfterMs = 30_000;

/**
 * How long to wait before a process that died is started again: 0.5 s, doubled with each death in
 * a row up to 10 s, and from the start again once a process stayed up for 30 s.
 */
export class BackOff {
  private deathsInARow = 0;

  /** The wait after a process that had been up for `uptimeMs` died. */
  nextWaitMs(uptimeMs: number): number {
    if (uptimeMs >= healthyAfterMs) {
      this.deathsInARow = 0;
    }
    this.deathsInARow += 1;
    return backOffMs(waits, this.deathsInARow);
  }
}
