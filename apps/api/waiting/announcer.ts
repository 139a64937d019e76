import type { RecordedIssuance } from '#coupon/issuance.ts';
import type { DecidedChannel } from '#gate/decided-channel.ts';
import type { Logger } from '#platform/logging/logging.ts';
import { Loop } from '#platform/work/loop.ts';
import type { DecidedLookups } from './decided-lookups.ts';
import { lookupSizeMax } from './decided-lookups.ts';
import type { Pace } from './pace.ts';
import type { Waiters } from './waiters.ts';
import type { FoundBy, WaitingMetrics } from './waiting-metrics.ts';

const lookEveryMs = 1_000;

/**
 * Tells waiters what was decided. The channel says of what to read; nobody is told what was only said.
 * Beside it there is a look, shared by all: each second at the 500 that were looked for longest ago, and
 * at all of them while the channel is not heard, or after it was not. So a decision that was not heard
 * of (the issuer died before it said so, Redis was away) is told some seconds later.
 *
 * All of it is one read after another, of 500 at most: a store that is slow is not asked more often.
 */
export class Announcer {
  /** Said to be decided, or to be looked for, and not read yet. */
  private readonly due = new Map<string, FoundBy>();
  private reading: Promise<void> | undefined;
  /** Something may be decided that was not heard of. */
  private isBehind = false;
  private readonly looking: Loop;

  constructor(
    private readonly channel: Pick<DecidedChannel, 'isHeard' | 'listen'>,
    private readonly waiters: Waiters,
    private readonly lookups: DecidedLookups,
    private readonly pace: Pace,
    private readonly metrics: WaitingMetrics,
    logger: Logger,
  ) {
    this.looking = new Loop(
      'look for decisions',
      lookEveryMs,
      () => (this.waiters.isEmpty ? Promise.resolve() : this.look()),
      logger,
    );
  }

  start(): void {
    this.channel.listen({
      decided: (issuanceIds) => this.heard(issuanceIds),
      resumed: () => (this.isBehind = true),
    });
    this.looking.start();
  }

  async stop(): Promise<void> {
    await this.looking.stop();
    await this.reading?.catch(() => undefined);
  }

  private heard(issuanceIds: string[]): void {
    this.pace.heard(issuanceIds);
    if (this.waiters.isEmpty) {
      return;
    }
    for (const id of issuanceIds) {
      if (this.waiters.has(id)) {
        this.due.set(id, 'channel');
      }
    }
    if (this.due.size > 0) {
      // The look comes back to it, and says what is wrong.
      this.read().catch(() => (this.isBehind = true));
    }
  }

  private async look(): Promise<void> {
    const isWhole = this.channel.isHeard && !this.isBehind;
    this.isBehind = false;
    for (const id of this.waiters.nextToLookFor(isWhole ? lookupSizeMax : Infinity)) {
      if (!this.due.has(id)) {
        this.due.set(id, 'look');
      }
    }
    try {
      await this.read();
    } catch (error) {
      this.isBehind = true;
      throw error;
    }
  }

  /** Reads all that is due. When it fails nothing is due any more. */
  private read(): Promise<void> {
    this.reading ??= this.readDue().finally(() => (this.reading = undefined));
    return this.reading;
  }

  private async readDue(): Promise<void> {
    try {
      while (this.due.size > 0) {
        const slice = new Map([...this.due].slice(0, lookupSizeMax));
        slice.forEach((_, id) => this.due.delete(id));
        for (const decided of await this.lookups.hinted([...slice.keys()])) {
          this.tell(decided, slice);
        }
        for (const decided of await this.lookups.findAll([...slice.keys()])) {
          this.tell(decided, slice);
        }
      }
    } finally {
      this.due.clear();
    }
  }

  /** Whom it tells need not be looked for in MySQL any more. */
  private tell(decided: RecordedIssuance, slice: Map<string, FoundBy>): void {
    const told = this.waiters.tell(decided);
    this.metrics.told(told, decided.decidedAt, slice.get(decided.issuanceId)!);
    slice.delete(decided.issuanceId);
  }
}
