import { BrokerClock } from './broker-clock.ts';
import type { PartitionLag } from './consumer-lag.ts';
import type { Place, RecordTimes } from './record-times.ts';

/** What a round of fetches costs is bounded, however many partitions lag; the others wait their turn. */
const readsMax = 32;

interface First {
  offset: number;
  /** Of the record there, or of one before it; null where none is any more. */
  appendedAt: number | null;
}

/** For how long the first record of each partition that is not decided has been in the log. */
export class LagTimes {
  private readonly clock = new BrokerClock();
  /** Of partitions with a lag, the one read longest ago first. */
  private readonly firsts = new Map<number, First>();
  private ends: { at: number; high: ReadonlyMap<number, number> } | undefined;

  constructor(private readonly times: Pick<RecordTimes, 'read'>) {}

  /**
   * Takes in what was asked at `askedAt`, by `Date.now`, and reads the records it leads to. Rejects when
   * a broker does not answer; nothing is known then.
   */
  async note(lags: readonly PartitionLag[], askedAt: number): Promise<void> {
    const probe = this.newcomer(lags);
    const toRead = this.firstsToRead(lags);
    try {
      const places = probe === undefined ? toRead : [...toRead, probe];
      const appended = places.length === 0 ? [] : await this.times.read(places);
      const seenAt = Date.now();
      places.forEach((place, i) => this.learn(place, appended[i] ?? null, seenAt));
      toRead.forEach(({ partition, offset }, i) => {
        this.firsts.delete(partition);
        this.firsts.set(partition, { offset, appendedAt: appended[i] ?? null });
      });
      this.ends = { at: askedAt, high: highsOf(lags) };
    } catch (error) {
      this.firsts.clear();
      this.ends = undefined;
      throw error;
    }
  }

  /** 0 without a lag; null when it is unknown. By the clock of the broker. */
  secondsOf({ partition, lag }: PartitionLag): number | null {
    if (lag === 0) {
      return 0;
    }
    const appendedAt = lag === null ? null : (this.firsts.get(partition)?.appendedAt ?? null);
    return appendedAt === null ? null : Math.max(0, this.clock.now() - appendedAt) / 1_000;
  }

  private firstsToRead(lags: readonly PartitionLag[]): Place[] {
    const wanted = new Map<number, Place>();
    for (const lag of lags) {
      if (lag.lag !== null && lag.lag > 0) {
        wanted.set(lag.partition, { partition: lag.partition, offset: firstOf(lag) });
      }
    }
    for (const partition of this.firsts.keys()) {
      if (!wanted.has(partition)) {
        this.firsts.delete(partition);
      }
    }
    const unread = [...wanted.values()].filter(({ partition }) => !this.firsts.has(partition));
    const moved = [...this.firsts].flatMap(([partition, { offset }]) => {
      const place = wanted.get(partition)!;
      return place.offset === offset ? [] : [place];
    });
    return [...unread, ...moved].slice(0, readsMax);
  }

  /** One that came since the last time tells the clock of the broker from both sides. */
  private newcomer(lags: readonly PartitionLag[]): Place | undefined {
    for (const { partition, high } of lags) {
      const before = this.ends?.high.get(partition);
      if (before !== undefined && high !== null && high > before) {
        return { partition, offset: before };
      }
    }
    return undefined;
  }

  private learn({ partition, offset }: Place, appendedAt: number | null, seenAt: number): void {
    if (appendedAt === null) {
      return;
    }
    const end = this.ends?.high.get(partition);
    const wasAbsent = this.ends !== undefined && end !== undefined && offset >= end;
    this.clock.note({ appendedAt, seenAt, ...(wasAbsent && { absentAt: this.ends!.at }) });
  }
}

function firstOf({ committed, logStart }: PartitionLag): number {
  return Math.max(committed ?? 0, logStart ?? 0);
}

function highsOf(lags: readonly PartitionLag[]): ReadonlyMap<number, number> {
  return new Map(lags.flatMap(({ partition, high }) => (high === null ? [] : [[partition, high]])));
}
