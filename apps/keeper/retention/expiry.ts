import type { LogAdmin } from '#event-log/inspect/log-admin.ts';
import { holdsOlderThan } from '#event-log/inspect/oldest-records.ts';
import type { ExpiredRows, Expiring } from '#ledger/expired-rows.ts';
import type { Logger } from '#platform/logging/logging.ts';
import { pauseFor } from '#platform/work/waiting.ts';

const rowsPerBatch = 500;
const batchesPerRun = 20;
/** Between two batches: others want to write, too. */
const restMs = 50;
const dayMs = 86_400_000;

/** How long each kind lives, in days; 0: for ever. */
export type Lives = Record<Expiring, number>;

/**
 * Deletes refusals, settled dead letters and changes of coupons that have lived as long as they are to,
 * some at a time. A record of the log that comes again must find what was decided about it: so no
 * refusal or dead letter goes while the log holds a record as old.
 */
export class Expiry {
  private held = false;

  constructor(
    private readonly rows: ExpiredRows,
    private readonly log: LogAdmin,
    private readonly topic: string,
    private readonly lives: Lives,
    private readonly logger: Logger,
  ) {}

  async run(signal: AbortSignal): Promise<void> {
    await this.expire('coupon_change', signal);
    await this.expire('dead_letter', signal);
    await this.expire('refusal', signal);
  }

  private async expire(kind: Expiring, signal: AbortSignal): Promise<void> {
    if (this.lives[kind] === 0) {
      return;
    }
    const before = await this.rows.timeBefore(Math.round(this.lives[kind] * dayMs));
    if (kind !== 'coupon_change' && (await this.isInLog(before))) {
      return;
    }
    let deleted = 0;
    for (let batch = 0; batch < batchesPerRun && !signal.aborted; batch += 1) {
      const count = await this.rows.delete(kind, before, rowsPerBatch);
      deleted += count;
      if (count < rowsPerBatch) {
        break;
      }
      await pauseFor(restMs, signal);
    }
    if (deleted > 0) {
      this.logger.info({ table: kind, deleted }, 'deleted rows that have lived long enough');
    }
  }

  /** A day more, for the clocks of brokers and MySQL, and for what is appended late. */
  private async isInLog(time: number): Promise<boolean> {
    const isHeld = await holdsOlderThan(this.log, this.topic, time + dayMs);
    if (isHeld && !this.held) {
      this.logger.warn(
        { topic: this.topic },
        'refusals and settled dead letters are kept for longer than was set: the log still holds ' +
          'records as old. Keep them for longer than Kafka keeps records',
      );
    }
    this.held = isHeld;
    return isHeld;
  }
}
