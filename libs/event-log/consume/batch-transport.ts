import { strict as assert } from 'node:assert';
import { type CustomTransportStrategy, Server } from '@nestjs/microservices';
import type { EachBatchPayload } from 'kafkajs';
import { messageOf } from '#platform/text/error-message.ts';
import { within } from '#platform/work/waiting.ts';
import type { RecordBatch, TopicPartition } from '../consumed-record.ts';
import { type FetchFailure, fetchFailureOf } from '../fetch-failure.ts';
import { BatchContext, PartitionStoppedError } from './batch-context.ts';
import type {
  BatchTransportOptions,
  CompleteOptions,
  TransportState,
} from './batch-transport-options.ts';
import { transportDefaults } from './batch-transport-options.ts';
import { Delivery } from './partition/delivery.ts';
import { GroupConsumer } from './group/group-consumer.ts';
import { assertHandlers, settled } from './nest-handlers.ts';
import { PartitionPauses, type StoppedPartition } from './partition/partition-pauses.ts';
import type { StandingPartition } from './partition/standstill.ts';
import { PositionGuard } from './partition/position-guard.ts';
import { howToSkip } from './partition/log-position.ts';

/** How often a batch that is not understood is read before its partition stops. */
const unreadableReadsMax = 3;

/**
 * Feeds Nest handlers (`@EventPattern(topic)`) whole batches of one partition, in the order of the log
 * and at least once. A handler gets a RecordBatch and a BatchContext, resolves offsets chunk by chunk
 * as their work is done, and returns. Several partitions may be in its hands at once, but of each
 * partition only one batch.
 *
 * The transport is always in one of these modes (GroupConsumer keeps them):
 *
 * - CONNECTING: from `listen` on. Tries the brokers every 0.5 s to 10 s, for ever, and reads nothing; a
 *   handler still at work from before is told to stop, and commits nothing.
 *   → CONSUMING once it has joined the group.
 * - CONSUMING: every partition that the join gave it is in a mode of its own, see below.
 *   → REBALANCING when another member comes, leaves or dies.
 *   → CONNECTING when the consumer of kafkajs crashes over something that passes. It starts again by
 *   itself; where it does not, because the group has no coordinator yet, another one takes its place.
 *   → CRASHED when it crashes over anything else, or gives no sign of life (consumer-pulse.ts).
 * - REBALANCING (`state` still says consuming): handlers are told to stop after the chunk in their
 *   hands, and that chunk is still committed.
 *   → CONSUMING with the partitions of the next join. What was delivered before it commits nothing any
 *   more, since another member may have the partition.
 *   → CONNECTING or CRASHED as above.
 * - DRAINING (`state` says closed): from `close` on, in whatever mode it was. Handlers are told to
 *   stop as above, their chunks are committed, the group is left. A consumer that crashes now is not
 *   started again.
 *   → CLOSED when that is done, or after `drainTimeoutMs`, whichever comes first. There is no way back.
 * - CRASHED: `onCrash` was called. Only another process goes on from here, so this one should exit.
 *
 * While it is CONSUMING, each of its partitions is in one of these (PartitionPauses keeps them):
 *
 * - HELD after a join: not fetched until PositionGuard has compared the offset of the group with the
 *   log. → FETCHED, or STOPPED where going on would skip records that nobody has processed.
 * - FETCHED: its batches go to the handler, one after another.
 *   → RETRIED when the handler throws, or returns with records left although nobody told it to stop.
 *   → STOPPED when the handler throws PartitionStoppedError.
 *   → RETRIED when the broker refuses the partition, or the next batch is not understood; → STOPPED when it
 *   is not understood the third time in a row.
 *   → HELD when the log has lost the next offset meanwhile.
 * - RETRIED: paused for 0.5 s; twice as long after every failure in a row, up to 10 s; 0.5 s again
 *   after progress. → FETCHED from the first record that was not resolved.
 * - STOPPED: paused until the process restarts, whatever joins come in between.
 *
 * One partition that is HELD, RETRIED or STOPPED does not keep the others from being FETCHED. A slow
 * handler does: kafkajs fetches from a broker again only when all batches of the last fetch are done.
 *
 * What it means when the process dies, besides that others get its partitions once its session is over:
 *
 * - CONNECTING, CRASHED, CLOSED: nothing. No handler had anything in its hands that could be committed.
 * - CONSUMING, REBALANCING, DRAINING: whatever a handler had in its hands and not yet committed comes
 *   again, to this member or another. Some of it may have been done: handlers must bear repeats.
 * - HELD: the partition is looked at again. Either its first offset is committed by now, or it is not.
 * - RETRIED: forgotten, so the next process tries at once.
 * - STOPPED: forgotten, so the next process stops there again if the reason still holds.
 *
 * Nothing is committed but what a handler has resolved, and where a partition begins that nobody has
 * read.
 */
export class KafkaBatchTransport extends Server implements CustomTransportStrategy {
  /** Errors of handlers come to us; Nest need not report them as lost. */
  override readonly propagatesEventHandlerErrors = true;

  private readonly options: CompleteOptions;
  private readonly closing = new AbortController();
  private readonly consumer: GroupConsumer;
  private readonly pauses: PartitionPauses;
  private readonly guard: PositionGuard;
  private closed: Promise<void> | undefined;

  constructor(options: BatchTransportOptions) {
    super();
    this.options = { ...transportDefaults, ...options };
    assert(this.options.maxBytesPerPartition <= this.options.maxBytes, 'a batch fits into a fetch');
    const { signal } = this.closing;
    this.consumer = new GroupConsumer(this.options, signal);
    this.pauses = new PartitionPauses(this.consumer, this.options.logger);
    this.guard = new PositionGuard(this.options, this.consumer, this.pauses, signal);
  }

  /**
   * Called by Nest when all handlers are known. Does not wait for the brokers: it connects in the
   * background and keeps trying for ever. Throws when a topic has no handler or two.
   */
  listen(callback: (error?: unknown) => void): void {
    assertHandlers(this.messageHandlers);
    this.consumer.start({
      topics: [...this.messageHandlers.keys()].map((name) => this.options.topicPrefix + name),
      onJoin: (memberId, partitions) => {
        this.pauses.joined(partitions);
        this.guard.joined(memberId, partitions);
      },
      onCommit: (at) => this.pauses.standstill.committed(at),
      onBatch: (payload) => this.onBatch(payload),
    });
    callback();
  }

  private async onBatch(payload: EachBatchPayload): Promise<void> {
    const { topic, partition } = payload.batch;
    if (this.pauses.isPaused({ topic, partition })) {
      return;
    }
    const failure = fetchFailureOf(payload.batch.messages[0]);
    if (failure !== undefined) {
      this.onUnreadable({ topic, partition }, failure);
      return;
    }
    const { membership } = this.consumer;
    const { signal } = this.closing;
    const delivery = new Delivery(payload, membership, signal, this.options.logger);
    const stopHeartbeats = delivery.keepAlive();
    this.pauses.standstill.handling({ topic, partition });
    try {
      if (delivery.isStale()) {
        return;
      }
      await this.handle(delivery.recordBatch(), new BatchContext(delivery, this.options.groupId));
      if (!delivery.isStale() && !delivery.isComplete()) {
        throw new Error(`the handler left records unresolved from ${delivery.nextOffset()} on`);
      }
      this.pauses.succeeded({ topic, partition });
      this.pauses.standstill.handled({ topic, partition }, delivery.isCommitted());
    } catch (error) {
      this.pauseAfter(error, delivery);
    } finally {
      stopHeartbeats();
    }
  }

  private async handle(batch: RecordBatch, context: BatchContext): Promise<void> {
    const pattern = batch.topic.slice(this.options.topicPrefix.length);
    const handler = this.getHandlerByPattern(pattern);
    if (handler === null) {
      throw new Error(`no handler for ${batch.topic}`);
    }
    await new Promise<void>((resolve, reject) => {
      // Our own promise: what the hooks return is not part of their contract.
      this.runWithProcessingHooks(context, async (runEndHook) => {
        await settled(() => handler(batch, context))
          .then(resolve, reject)
          .finally(runEndHook);
      });
    });
  }

  /** It may have been this broker, or the way from it: only what is never readable stops. */
  private onUnreadable(at: TopicPartition, { reason, batch }: FetchFailure): void {
    if (batch !== undefined && this.pauses.failuresOf(at) + 1 >= unreadableReadsMax) {
      const how = howToSkip(this.options.groupId, at.topic, at.partition, batch.nextOffset);
      this.pauses.stop({ ...at, offset: batch.firstOffset, reason: `${reason}. ${how}` });
    } else {
      this.pauses.retryLater(at, reason);
    }
  }

  private pauseAfter(error: unknown, delivery: Delivery): void {
    const at = { topic: delivery.topic, partition: delivery.partition };
    if (error instanceof PartitionStoppedError) {
      this.pauses.stop({ ...at, offset: delivery.nextOffset(), reason: error.message });
      return;
    }
    if (delivery.hasProgressed()) {
      this.pauses.succeeded(at);
    }
    this.pauses.retryLater(at, messageOf(error));
  }

  /**
   * Lets every handler finish the chunk in its hands (see `BatchContext.isStale`), commits what was
   * resolved and leaves the group. Gives up after `drainTimeoutMs`; what was not committed comes
   * again. Never rejects.
   */
  close(): Promise<void> {
    this.closed ??= this.drain();
    return this.closed;
  }

  private async drain(): Promise<void> {
    this.closing.abort();
    this.pauses.close();
    try {
      await within(this.options.drainTimeoutMs, async () => {
        await this.consumer.settled();
        await Promise.all([this.consumer.leave(), this.guard.close()]);
      });
    } catch (error) {
      const fields = { error: messageOf(error) };
      this.options.logger('warn', 'the consumer did not close in order', fields);
    }
  }

  state(): TransportState {
    const idle = this.consumer.whyIdle();
    if (idle !== undefined) {
      return idle;
    }
    const { membership } = this.consumer;
    const count = membership.partitionCount;
    const consuming = `consuming ${count} partition${count === 1 ? '' : 's'}`;
    const held = this.guard.problem === undefined ? [] : [this.guard.problem];
    const trouble = this.pauses.describe((paused) => membership.owns(paused));
    return { status: 'consuming', description: [consuming, ...held, ...trouble].join('; ') };
  }

  /** The partitions of this consumer. */
  partitions(): TopicPartition[] {
    return this.consumer.membership.partitions();
  }

  /** Those of them that have something to do and do not come further. */
  standing(): StandingPartition[] {
    return this.pauses.standstill.list();
  }

  /** The partitions of this consumer that wait for a restart, and why. */
  stoppedPartitions(): StoppedPartition[] {
    return this.pauses.stopped().filter((paused) => this.consumer.membership.owns(paused));
  }

  /** Not offered: `state()` says what there is to know. */
  override on(): never {
    throw new Error('KafkaBatchTransport has no events.');
  }

  /** The kafkajs consumer, once connected. */
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the signature is Nest's
  override unwrap<T>(): T {
    return this.consumer.current as T;
  }
}
