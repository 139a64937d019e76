import { strict as assert } from 'node:assert';
import type { EachBatchPayload } from 'kafkajs';
import type { LogFunction } from '#platform/logging/logging.ts';
import { messageOf } from '#platform/text/error-message.ts';
import { heartbeatEveryMs } from '../group/batch-consumer.ts';
import type { GroupMembership } from '../group/group-membership.ts';
import { type RecordBatch, toConsumedRecord } from '../../consumed-record.ts';

/** kafkajs sends at most one heartbeat in its own interval, however often it is asked. */
const heartbeatCheckMs = 1_000;
assert(heartbeatCheckMs < heartbeatEveryMs, 'a handler at work misses no heartbeat');

/** A member with one of these must join again before it may commit or fetch. */
const membershipErrors = new Set([
  'REBALANCE_IN_PROGRESS',
  'ILLEGAL_GENERATION',
  'UNKNOWN_MEMBER_ID',
  'NOT_COORDINATOR_FOR_GROUP',
  'FENCED_INSTANCE_ID',
]);

/** One batch in the hands of a handler: what is resolved, and whether to go on. */
export class Delivery {
  readonly topic: string;
  readonly partition: number;
  private readonly generation: number;
  private readonly lastOffset: bigint;
  private next: bigint;
  private committed = 0n;
  private progressed = false;
  private interrupted = false;

  constructor(
    private readonly payload: EachBatchPayload,
    private readonly membership: GroupMembership,
    private readonly closing: AbortSignal,
    private readonly logger: LogFunction,
  ) {
    const { topic, partition, messages } = payload.batch;
    this.topic = topic;
    this.partition = partition;
    this.generation = membership.generation;
    this.next = BigInt(messages[0]?.offset ?? 0);
    this.lastOffset = BigInt(messages.at(-1)?.offset ?? -1);
  }

  recordBatch(): RecordBatch {
    const { topic, partition, messages, highWatermark } = this.payload.batch;
    return { topic, partition, records: messages.map(toConsumedRecord), highWatermark };
  }

  /** See BatchContext.resolve. */
  async resolve(offset: string): Promise<void> {
    const resolved = BigInt(offset);
    if (resolved < this.next) {
      return;
    }
    this.next = resolved + 1n;
    this.progressed = true;
    if (!this.isOurs()) {
      // The partition may be another consumer's by now: a commit here could move its offset back.
      return;
    }
    this.payload.resolveOffset(offset);
    try {
      await this.payload.commitOffsetsIfNecessary();
      this.committed = this.next;
    } catch (error) {
      this.interrupted = true;
      this.logger('warn', 'an offset was not committed; the records may come again', {
        topic: this.topic,
        partition: this.partition,
        offset,
        error: messageOf(error),
      });
    }
  }

  /** See BatchContext.isStale. */
  isStale(): boolean {
    return (
      this.interrupted || this.closing.aborted || this.membership.isRebalancing || !this.isOurs()
    );
  }

  /** The first offset that is not resolved. */
  nextOffset(): string {
    return String(this.next);
  }

  hasProgressed(): boolean {
    return this.progressed;
  }

  isComplete(): boolean {
    return this.next > this.lastOffset;
  }

  /** Nothing of it comes again. */
  isCommitted(): boolean {
    return this.committed > this.lastOffset;
  }

  /** Keeps the group from taking a working member for dead; returns what ends it. */
  keepAlive(): () => void {
    const timer = setInterval(() => {
      this.payload.heartbeat().catch((error: unknown) => this.onHeartbeatFailure(error));
    }, heartbeatCheckMs);
    return () => clearInterval(timer);
  }

  private isOurs(): boolean {
    return this.generation === this.membership.generation && this.membership.owns(this);
  }

  /** kafkajs meets the same error after the handler and joins again; we only hurry the handler. */
  private onHeartbeatFailure(error: unknown): void {
    const type = (error as { type?: string }).type;
    if (type !== undefined && membershipErrors.has(type)) {
      this.interrupted = true;
    }
    this.logger('debug', 'a heartbeat failed', { error: messageOf(error) });
  }
}
