import { randomUUID } from 'node:crypto';
import type { Admin, Consumer, EachBatchPayload, Kafka } from 'kafkajs';
import { messageOf } from '#platform/text/error-message.ts';
import { pauseFor, within } from '#platform/work/waiting.ts';
import { type ConsumedRecord, toConsumedRecord } from '../consumed-record.ts';
import { type FetchFailure, fetchFailureOf } from '../fetch-failure.ts';

export interface LogReaderOptions {
  /** How long nothing may be read before giving up. */
  idleTimeoutMs?: number;
}

/** The log could not be read to its end; what was read so far has been handed on. */
export class LogReadError extends Error {
  override readonly name = 'LogReadError';
}

type OnRecord = (record: ConsumedRecord, partition: number) => void | Promise<void>;

/** Where a partition stands: offsets from `next` up to, not including, `end` are still to be read. */
interface Progress {
  next: bigint;
  end: bigint;
}

const defaultIdleTimeoutMs = 20_000;
const fetchWaitMs = 200;
const checkEveryMs = 100;
const heartbeatCheckMs = 1_000;
/** How often the start of the log is read again while nothing comes. */
const retentionCheckMs = 1_000;
const disconnectTimeoutMs = 5_000;

/**
 * Hands every record of a topic to `onRecord`, from the first one kept to the last one written
 * before the call; later ones may be among them. Each record once, in order within its partition,
 * one at a time. Commits nothing; its throw-away consumer group, `TOPIC.reader-…`, is deleted afterwards.
 *
 * Rejects with the error of `onRecord`, or with LogReadError when the brokers cannot be reached or
 * nothing is read for `idleTimeoutMs`.
 */
export async function readTopic(
  kafka: Kafka,
  topic: string,
  onRecord: OnRecord,
  options: LogReaderOptions = {},
): Promise<void> {
  await new TopicReader(kafka, topic, onRecord, options).read();
}

class TopicReader {
  private readonly groupId: string;
  private readonly idleTimeoutMs: number;
  private readonly progress = new Map<number, Progress>();
  private readonly ended = new AbortController();
  private lastProgressAt = performance.now();
  /** Boxed, since `onRecord` may throw anything, undefined included. */
  private refusal: { error: unknown } | undefined;
  private crash: Error | undefined;
  /** Partitions added after the first look hold only records written after the call. */
  private isFirstLook = true;

  constructor(
    private readonly kafka: Kafka,
    private readonly topic: string,
    private readonly onRecord: OnRecord,
    options: LogReaderOptions,
  ) {
    this.groupId = `${topic}.reader-${randomUUID()}`;
    this.idleTimeoutMs = options.idleTimeoutMs ?? defaultIdleTimeoutMs;
  }

  async read(): Promise<void> {
    const admin = this.kafka.admin();
    try {
      await within(this.idleTimeoutMs, async () => {
        await admin.connect();
        await this.readBounds(admin);
      });
      if (!this.isFinished()) {
        await this.consume(admin);
      }
    } catch (error) {
      throw new LogReadError(`${this.topic} cannot be read: ${messageOf(error)}`, { cause: error });
    } finally {
      await within(disconnectTimeoutMs, () => admin.disconnect()).catch(() => {});
    }
    if (this.refusal !== undefined) {
      throw this.refusal.error;
    }
  }

  private async consume(admin: Admin): Promise<void> {
    const consumer = this.createConsumer();
    try {
      await within(this.idleTimeoutMs, async () => {
        await consumer.connect();
        await consumer.subscribe({ topics: [this.topic], fromBeginning: true });
        await consumer.run({ autoCommit: false, eachBatch: (payload) => this.onBatch(payload) });
      });
      await this.untilFinished(admin);
    } finally {
      this.ended.abort();
      await within(disconnectTimeoutMs, () => consumer.disconnect()).catch(() => {});
      // The brokers forget an empty group by themselves, but only after days.
      await within(disconnectTimeoutMs, async () => {
        await admin.deleteGroups([this.groupId]);
      }).catch(() => {});
    }
  }

  private createConsumer(): Consumer {
    const consumer = this.kafka.consumer({
      groupId: this.groupId,
      maxWaitTimeInMs: fetchWaitMs,
      allowAutoTopicCreation: false,
    });
    // Also told of batches without a record for us, such as what is left of aborted transactions.
    consumer.on(consumer.events.END_BATCH_PROCESS, ({ payload }) => {
      this.advance(payload.partition, BigInt(payload.lastOffset) + 1n);
    });
    consumer.on(consumer.events.CRASH, ({ payload }) => {
      if (!payload.restart) {
        this.crash = payload.error;
        this.ended.abort();
      }
    });
    return consumer;
  }

  private async onBatch(payload: EachBatchPayload): Promise<void> {
    const { batch } = payload;
    const failure = fetchFailureOf(batch.messages[0]);
    if (failure !== undefined) {
      this.onUnreadable(batch.partition, failure);
      return;
    }
    const timer = setInterval(() => void payload.heartbeat().catch(() => {}), heartbeatCheckMs);
    try {
      for (const message of batch.messages) {
        if (this.ended.signal.aborted) {
          return;
        }
        // A consumer that rejoins starts from the beginning, having committed nothing.
        if (BigInt(message.offset) >= (this.progress.get(batch.partition)?.next ?? 0n)) {
          await this.onRecord(toConsumedRecord(message), batch.partition);
          this.advance(batch.partition, BigInt(message.offset) + 1n);
        }
      }
    } catch (error) {
      this.refusal = { error };
      this.ended.abort();
    } finally {
      clearInterval(timer);
    }
  }

  private onUnreadable(partition: number, { reason, batch }: FetchFailure): void {
    const error = new LogReadError(`partition ${partition} of ${this.topic}: ${reason}`);
    if (batch === undefined) {
      // kafkajs asks the broker again, a few times, and then says so.
      throw error;
    }
    this.refusal = { error };
    this.ended.abort();
  }

  private async untilFinished(admin: Admin): Promise<void> {
    let checkedAt = performance.now();
    while (!this.isFinished() && !this.ended.signal.aborted) {
      await pauseFor(checkEveryMs, this.ended.signal);
      if (performance.now() - this.lastProgressAt > this.idleTimeoutMs) {
        throw new Error(`nothing was read for ${this.idleTimeoutMs} ms; ${this.describeRest()}`);
      }
      if (performance.now() - Math.max(this.lastProgressAt, checkedAt) > retentionCheckMs) {
        // Retention may remove what we wait for; when it cannot be asked, the limit above decides.
        await within(this.idleTimeoutMs, () => this.readBounds(admin)).catch(() => {});
        checkedAt = performance.now();
      }
    }
    if (this.crash !== undefined) {
      throw this.crash;
    }
  }

  /** The first time: what is to be read. Later: skips what retention has removed meanwhile. */
  private async readBounds(admin: Admin): Promise<void> {
    for (const { partition, low, high } of await admin.fetchTopicOffsets(this.topic)) {
      const known = this.progress.get(partition);
      if (known !== undefined) {
        this.advance(partition, BigInt(low));
      } else if (this.isFirstLook) {
        this.progress.set(partition, { next: BigInt(low), end: BigInt(high) });
      }
    }
    this.isFirstLook = false;
  }

  private advance(partition: number, next: bigint): void {
    const known = this.progress.get(partition);
    if (known !== undefined && next > known.next) {
      known.next = next;
      this.lastProgressAt = performance.now();
    }
  }

  private isFinished(): boolean {
    return [...this.progress.values()].every(({ next, end }) => next >= end);
  }

  private describeRest(): string {
    return [...this.progress]
      .filter(([, { next, end }]) => next < end)
      .map(([partition, { next, end }]) => `partition ${partition} stands at ${next} of ${end}`)
      .join(', ');
  }
}
