import type { IssuerProgress } from '#event-log/inspect/issuer-progress.ts';
import { StatusHints } from '#gate/status-hints.ts';
import type { GateSurvey, Survey } from './gate-survey.ts';

/**
 * Works out the time before which everything acknowledged is decided, for the api to tell "not there"
 * from "not there yet":
 *
 * 1. At the gate: V, the oldest reservation still pending, or now when there is none. Whatever was
 *    reserved before V and is not pending has been confirmed, so it is in the log, or it never will
 *    be acknowledged. A gate that is shut may have lost what was pending, and may get it back: it
 *    counts as when it was last seen open.
 * 2. In the log: where each partition ends, read after 1.
 * 3. When the issuers have committed up to those ends, V holds.
 */
export class DecidedWatermark {
  /** For each coupon, what was V of its gate when it was last open. */
  private lastOpen: ReadonlyMap<number, number> = new Map();

  constructor(
    private readonly survey: GateSurvey,
    private readonly issuers: IssuerProgress,
    private readonly hints: StatusHints,
  ) {}

  async run(signal: AbortSignal): Promise<void> {
    const watermark = this.oldestUnsettled(await this.survey.recent());
    if (watermark === undefined) {
      return;
    }
    const ends = await this.issuers.ends();
    if (await this.issuers.untilDecided(ends, signal)) {
      await this.hints.writeWatermark(watermark);
    }
  }

  /** `undefined` while a gate is shut that this keeper has never seen open: it must be recovered. */
  private oldestUnsettled({ takenAt, coupons }: Survey): number | undefined {
    const lastOpen = new Map<number, number>();
    let oldest = takenAt;
    for (const { coupon, gate } of coupons) {
      const unsettled =
        gate.gate === 'open' ? (gate.oldestPendingAt ?? takenAt) : this.lastOpen.get(coupon.id);
      if (unsettled !== undefined) {
        lastOpen.set(coupon.id, unsettled);
        oldest = Math.min(oldest, unsettled);
      }
    }
    this.lastOpen = lastOpen;
    return lastOpen.size === coupons.length ? oldest : undefined;
  }
}
