import type { IssuerProgress } from '#event-log/inspect/issuer-progress.ts';
import { StatusHints } from '#gate/status-hints.ts';
import type { GateSurvey, Survey } from './gate-survey.ts';

/**
 * Works out the time before which everything acknowledged is decided, for the api to tell "not there"
 * from "not there yet":
 *
 * 1. At the gate: V, the oldest reservation still pending, or now when there is none. Whatever was
 *    reserved before V and is not pending has been confirmed, so it is in the log, or it never will
 *    be acknowledged.
 * 2. In the log: where each partition ends, read after 1.
 * 3. When the issuers have committed up to those ends, V holds.
 */
export class DecidedWatermark {
  constructor(
    private readonly survey: GateSurvey,
    private readonly issuers: IssuerProgress,
    private readonly hints: StatusHints,
  ) {}

  async run(signal: AbortSignal): Promise<void> {
    const watermark = oldestUnsettled(await this.survey.recent());
    const ends = await this.issuers.ends();
    if (await this.issuers.untilDecided(ends, signal)) {
      await this.hints.writeWatermark(watermark);
    }
  }
}

function oldestUnsettled({ takenAt, coupons }: Survey): number {
  return coupons.reduce(
    (oldest, { gate }) => Math.min(oldest, gate.oldestPendingAt ?? takenAt),
    takenAt,
  );
}
