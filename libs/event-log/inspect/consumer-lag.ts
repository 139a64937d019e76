import type { LogAdmin } from './log-admin.ts';

/** How far a group is behind in one partition. Unknown is null, never 0. */
export interface PartitionLag {
  partition: number;
  /** The offset of the next record the group will read; null when it has committed none. */
  committed: number | null;
  /** The first offset that retention has left. */
  logStart: number | null;
  /** The offset the next record written will get. */
  high: number | null;
  /** Records not read yet: high − max(committed, logStart). */
  lag: number | null;
}

/** Over all partitions; null when one is unknown. */
export function sumOf(lags: readonly PartitionLag[]): number | null {
  return lags.some(({ lag }) => lag === null) ? null : lags.reduce((sum, { lag }) => sum + lag!, 0);
}

/** The lag of a group in every partition of a topic. Rejects when the brokers do not answer. */
export function readConsumerLag(
  admin: LogAdmin,
  groupId: string,
  topic: string,
): Promise<PartitionLag[]> {
  return admin.ask(async (kafkaAdmin) => {
    // Committed offsets first: the end of the log only grows, so the difference is never negative.
    const committed = await kafkaAdmin.fetchOffsets({ groupId, topics: [topic] });
    const committedByPartition = new Map(
      committed
        .flatMap((entry) => entry.partitions)
        .map(({ partition, offset }) => [partition, toOffset(offset)]),
    );
    const ends = await kafkaAdmin.fetchTopicOffsets(topic);
    return ends
      .map(({ partition, low, high }) =>
        partitionLag(
          partition,
          committedByPartition.get(partition) ?? null,
          toOffset(low),
          toOffset(high),
        ),
      )
      .sort((a, b) => a.partition - b.partition);
  });
}

/**
 * True when a group has processed everything before `end`. One whose offset the log does not have is
 * stopped there, and has not: what retention has deleted, or a topic created anew, is not processed.
 */
export function hasComeTo({ committed, lag }: PartitionLag, end: number): boolean {
  return committed === null ? end === 0 : lag !== null && committed >= end;
}

function partitionLag(
  partition: number,
  committed: number | null,
  logStart: number | null,
  high: number | null,
): PartitionLag {
  const known = high !== null && logStart !== null;
  const lag = known ? high - Math.max(committed ?? logStart, logStart) : null;
  // A group ahead of the log has read records that are gone: how far behind it is, nobody knows.
  return { partition, committed, logStart, high, lag: lag !== null && lag < 0 ? null : lag };
}

/** Kafka says −1 for "none". Offsets are exact as numbers up to 2^53, which no log reaches. */
function toOffset(offset: string | undefined): number | null {
  return offset === undefined || offset.startsWith('-') ? null : Number(offset);
}
