import type { PartitionLag } from '../../inspect/consumer-lag.ts';

/** Where a group stands in a partition, and what the partition still holds. */
export interface LogPosition extends PartitionLag {
  /** The offset to be read next, where the consumer has come further than it has committed. */
  next?: number;
  /** Somebody remembers that records of this partition were processed. */
  wasRead: boolean;
}

/**
 * Why going on from here could skip records that nobody has processed, in words; `undefined` when it
 * cannot. Reading records again is no reason: delivery is at least once.
 */
export function positionProblem(position: LogPosition): string | undefined {
  const { committed, next, logStart, high, wasRead } = position;
  if (logStart === null || high === null) {
    throw new Error(`nobody knows where partition ${position.partition} begins and ends`);
  }
  if (committed === null && wasRead) {
    return (
      'the group has no offset, although records of this partition were processed before: the ' +
      'topic was created anew, or the offset has expired'
    );
  }
  if (committed === null && logStart > 0) {
    return `the group has no offset, and the log begins at ${logStart}: what stood before is gone unread`;
  }
  const offsets = [committed ?? 0, next ?? committed ?? 0];
  const behind = Math.min(...offsets);
  if (behind < logStart) {
    const lost = logStart - behind;
    return `the log begins at ${logStart}, the next offset is ${behind}: ${lost} records were deleted unread`;
  }
  const ahead = Math.max(...offsets);
  if (ahead > high) {
    return (
      `the log ends at ${high}, the next offset is ${ahead}: the topic was created anew, or the ` +
      'log has lost records'
    );
  }
  return undefined;
}

/** What an operator does about it. */
export function howToGoOn(groupId: string, topic: string, partition: number): string {
  return (
    'To go on from what is left, stop all consumers of the group and run kafka-consumer-groups ' +
    `--group ${groupId} --topic ${topic}:${partition} --reset-offsets --to-earliest --execute`
  );
}

/** What an operator does about a batch that nobody can read any more. */
export function howToSkip(
  groupId: string,
  topic: string,
  partition: number,
  nextOffset: string | undefined,
): string {
  const to = nextOffset ?? 'THE FIRST OFFSET BEHIND IT (see kafka-dump-log)';
  return (
    'Where a newer issuer can read it, or another replica has it whole, start that. To give up what is in ' +
    'it, stop all consumers of the group and run kafka-consumer-groups ' +
    `--group ${groupId} --topic ${topic}:${partition} --reset-offsets --to-offset ${to} --execute`
  );
}
