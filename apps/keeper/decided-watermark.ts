import { setTimeout as delay } from 'node:timers/promises';
import type { LogAdmin } from '#event-log/inspect/consumer-lag.ts';
import { hasComeTo, latestOffsets, readConsumerLag } from '#event-log/inspect/consumer-lag.ts';
import { StatusHints } from '#gate/status-hints.ts';
import type { GateSurvey, Survey } from './gate-survey.ts';

const lagPollMs = 250;

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
    private readonly admin: LogAdmin,
    private readonly groupId: string,
    private readonly topic: string,
    private readonly hints: StatusHints,
  ) {}

  async run(signal: AbortSignal): Promise<void> {
    const watermark = oldestUnsettled(await this.survey.recent());
    const ends = await latestOffsets(this.admin, this.topic);
    while (!(await this.isDecidedUpTo(ends))) {
      signal.throwIfAborted();
      await delay(lagPollMs);
    }
    await this.hints.writeWatermark(watermark);
  }

  private async isDecidedUpTo(ends: ReadonlyMap<number, number>): Promise<boolean> {
    const lags = await readConsumerLag(this.admin, this.groupId, this.topic);
    return lags.every((lag) => hasComeTo(lag, ends.get(lag.partition) ?? 0));
  }
}

function oldestUnsettled({ takenAt, coupons }: Survey): number {
  return Math.min(takenAt, ...coupons.map(({ gate }) => gate.oldestPendingAt ?? takenAt));
}
