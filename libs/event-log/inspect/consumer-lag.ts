import type { Admin, Kafka } from 'kafkajs';
import { type BackOff, backOffMs, pauseFor, within } from '#platform/waiting.ts';
import { isCoordinatorAway } from './coordinator-error.ts';

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

const retryBackOff: BackOff = { firstMs: 100, maxMs: 1_000 };

/**
 * Asks the brokers about offsets. Connects when first asked, and anew after any failure, so that it
 * outlives brokers that come and go. Every method rejects when the brokers do not answer.
 */
export class LogAdmin {
  private connecting: Promise<Admin> | undefined;

  constructor(
    private readonly kafka: Kafka,
    private readonly answerTimeoutMs = 10_000,
  ) {}

  /**
   * Asks one question, for at most `answerTimeoutMs`; again while the coordinator of a group is not
   * there yet. A connection that failed is not used again.
   */
  async ask<Answer>(question: (admin: Admin) => Promise<Answer>): Promise<Answer> {
    const connection = (this.connecting ??= this.connect());
    const expired = new AbortController();
    try {
      return await within(this.answerTimeoutMs, async () =>
        askUntilTold(await connection, question, expired.signal),
      );
    } catch (error) {
      expired.abort();
      if (this.connecting === connection) {
        this.connecting = undefined;
      }
      void disconnect(connection);
      throw error;
    }
  }

  /** Never rejects; a later question connects again. */
  async close(): Promise<void> {
    const connection = this.connecting;
    this.connecting = undefined;
    await disconnect(connection);
  }

  private async connect(): Promise<Admin> {
    const admin = this.kafka.admin();
    await admin.connect();
    return admin;
  }
}

async function askUntilTold<Answer>(
  admin: Admin,
  question: (admin: Admin) => Promise<Answer>,
  expired: AbortSignal,
): Promise<Answer> {
  for (let failures = 1; ; failures += 1) {
    try {
      return await question(admin);
    } catch (error) {
      if (expired.aborted || !isCoordinatorAway(error)) {
        throw error;
      }
      await pauseFor(backOffMs(retryBackOff, failures), expired);
    }
  }
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

/** How many partitions a topic has. Rejects like readConsumerLag. */
export function partitionCount(admin: LogAdmin, topic: string): Promise<number> {
  return admin.ask(async (kafkaAdmin) => {
    const { topics } = await kafkaAdmin.fetchTopicMetadata({ topics: [topic] });
    return topics[0]?.partitions.length ?? 0;
  });
}

/** The end of every partition: the offset its next record will get. Rejects like readConsumerLag. */
export function latestOffsets(admin: LogAdmin, topic: string): Promise<Map<number, number>> {
  return admin.ask(async (kafkaAdmin) => {
    const ends = await kafkaAdmin.fetchTopicOffsets(topic);
    return new Map(ends.map(({ partition, high }) => [partition, Number(high)]));
  });
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

async function disconnect(connection: Promise<Admin> | undefined): Promise<void> {
  try {
    await (await connection)?.disconnect();
  } catch {
    // It never connected, or is gone already.
  }
}
