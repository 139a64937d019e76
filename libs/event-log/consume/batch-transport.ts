import { type CustomTransportStrategy, Server } from '@nestjs/microservices';
import type { Consumer, ConsumerCrashEvent, EachBatchPayload } from 'kafkajs';
import { messageOf } from '#platform/error-message.ts';
import { type BackOff, backOffMs, pauseFor, within } from '#platform/waiting.ts';
import { connectTo, createBatchConsumer, fetchSwitchOf, runBatches } from './batch-consumer.ts';
import { BatchContext, PartitionStoppedError } from './batch-context.ts';
import type {
  BatchTransportOptions,
  CompleteOptions,
  TransportState,
} from './batch-transport-options.ts';
import { transportDefaults } from './batch-transport-options.ts';
import type { RecordBatch } from '../consumed-record.ts';
import { LogAdmin } from '../inspect/log-admin.ts';
import { isCoordinatorAway } from '../inspect/coordinator-error.ts';
import { Delivery } from './delivery.ts';
import { GroupMembership } from './group-membership.ts';
import { type Log, quiet } from '../kafka-client.ts';
import { assertHandlers, settled } from './nest-handlers.ts';
import { PartitionPauses, type StoppedPartition } from './partition-pauses.ts';
import { PositionGuard } from './position-guard.ts';

const connectBackOff: BackOff = { firstMs: 500, maxMs: 10_000 };
const connectTimeoutMs = 20_000;
/**
 * Feeds Nest handlers (`@EventPattern(topic)`) whole batches of one partition, in the order of the
 * log and at least once. An offset is committed only after the handler resolved it.
 *
 * 1. A handler gets a RecordBatch and a BatchContext, resolves offsets chunk by chunk as their work
 *    is done, and returns. Different partitions may be in its hands at once, one partition never.
 * 2. Throws it, or returns with records left: trouble around it. The partition is paused for
 *    0.5 s … 10 s and goes on with the first record that was not resolved; the wait starts anew
 *    after progress. The other partitions go on.
 * 3. Throws it PartitionStoppedError: the partition stays paused until the process restarts.
 * 4. A crash at any point: what was not committed comes again.
 * 5. The log was cut short of what the group has still to read, or its topic created anew: the
 *    partition stays paused, as in 3 (see PositionGuard). Nothing is skipped without a word.
 *
 * kafkajs fetches for all partitions of a broker only when all batches of the last fetch are done,
 * so a slow handler delays other partitions; a failing one does not.
 */
export class KafkaBatchTransport extends Server implements CustomTransportStrategy {
  /** Errors of handlers come to us; Nest need not report them as lost. */
  override readonly propagatesEventHandlerErrors = true;

  private readonly options: CompleteOptions;
  private readonly log: Log;
  private readonly closing = new AbortController();
  private readonly membership = new GroupMembership();
  private readonly pauses: PartitionPauses;
  private readonly guard: PositionGuard;
  private consumer: Consumer | undefined;
  private starting: Promise<void> | undefined;
  private closed: Promise<void> | undefined;
  private crash: Error | undefined;
  private lastError: string | undefined;

  constructor(options: BatchTransportOptions) {
    super();
    this.options = { ...transportDefaults, ...options };
    this.log = options.log ?? quiet;
    this.pauses = new PartitionPauses(
      fetchSwitchOf(() => this.consumer, this.log),
      this.log,
    );
    this.guard = new PositionGuard({
      admin: new LogAdmin(options.kafka),
      groupId: options.groupId,
      membership: this.membership,
      pauses: this.pauses,
      wasRead: this.options.wasRead,
      seek: (at, offset) => this.consumer?.seek({ ...at, offset }),
      closing: this.closing.signal,
      log: this.log,
    });
  }

  /**
   * Called by Nest when all handlers are known. Does not wait for the brokers: it connects in the
   * background and keeps trying for ever. Throws when a topic has no handler or two.
   */
  listen(callback: (error?: unknown) => void): void {
    assertHandlers(this.messageHandlers);
    this.starting = this.startConsuming();
    callback();
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

  state(): TransportState {
    if (this.crash !== undefined) {
      return { status: 'crashed', description: `the consumer crashed: ${this.crash.message}` };
    }
    if (this.closing.signal.aborted) {
      return { status: 'closed', description: 'the consumer is closed' };
    }
    if (!this.membership.joined) {
      const why = this.lastError === undefined ? '' : `: ${this.lastError}`;
      return { status: 'connecting', description: `waiting to join the consumer group${why}` };
    }
    const trouble = this.pauses.describe((paused) => this.membership.owns(paused));
    const count = this.membership.partitionCount;
    const consuming = `consuming ${count} partition${count === 1 ? '' : 's'}`;
    const held = this.guard.problem === undefined ? [] : [this.guard.problem];
    return { status: 'consuming', description: [consuming, ...held, ...trouble].join('; ') };
  }

  /** The partitions of this consumer that wait for a restart, and why. */
  stoppedPartitions(): StoppedPartition[] {
    return this.pauses.stopped().filter((paused) => this.membership.owns(paused));
  }

  /** Not offered: `state()` says what there is to know. */
  override on(): never {
    throw new Error('KafkaBatchTransport has no events.');
  }

  /** The kafkajs consumer, once connected. */
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the signature is Nest's
  override unwrap<T>(): T {
    return this.consumer as T;
  }

  private async startConsuming(): Promise<void> {
    const { signal } = this.closing;
    const topics = [...this.messageHandlers.keys()].map((p) => this.options.topicPrefix + p);
    for (let failures = 1; !signal.aborted; failures += 1) {
      const consumer = this.createConsumer();
      try {
        await within(connectTimeoutMs, () => connectTo(consumer, topics));
        this.consumer = consumer;
        break;
      } catch (error) {
        this.lastError = messageOf(error);
        this.log('warn', 'not connected to Kafka', { error: this.lastError, failures });
        void consumer.disconnect().catch(() => {});
        await pauseFor(backOffMs(connectBackOff, failures), signal);
      }
    }
    if (!signal.aborted && this.consumer !== undefined) {
      await runBatches(this.consumer, this.options, (payload) => this.onBatch(payload));
    }
  }

  private async drain(): Promise<void> {
    this.closing.abort();
    this.pauses.close();
    try {
      await within(this.options.drainTimeoutMs, async () => {
        await this.starting;
        await Promise.all([this.consumer?.disconnect(), this.guard.close()]);
      });
    } catch (error) {
      this.log('warn', 'the consumer did not close in order', { error: messageOf(error) });
    }
  }

  private createConsumer(): Consumer {
    const consumer = createBatchConsumer(this.options, this.closing.signal);
    consumer.on(consumer.events.GROUP_JOIN, ({ payload: { memberId, memberAssignment } }) => {
      this.membership.join(memberAssignment);
      this.log('info', 'joined the consumer group', { partitions: memberAssignment });
      this.guard.joined(memberId, this.membership.partitions());
    });
    consumer.on(consumer.events.REBALANCING, () => this.membership.rebalance());
    consumer.on(consumer.events.CRASH, (event) => this.onConsumerCrash(event));
    return consumer;
  }

  private onConsumerCrash({ payload: { error, restart } }: ConsumerCrashEvent): void {
    const isNews = this.membership.joined || !restart;
    this.membership.leave();
    this.lastError = error.message;
    if (this.closing.signal.aborted) {
      return;
    }
    const goesOn = restart || isCoordinatorAway(error);
    if (isNews) {
      const level = goesOn ? 'warn' : 'error';
      this.log(level, 'the consumer crashed', { error: error.message, restart: goesOn });
    }
    if (!goesOn) {
      this.crash = error;
      this.options.onCrash(error);
    } else if (!restart) {
      // kafkajs has given this consumer up: it needs a new one.
      this.starting = this.startConsuming();
    }
  }

  /** Never rejects: an error in kafkajs' hands makes it rejoin the group for ever, or die. */
  private async onBatch(payload: EachBatchPayload): Promise<void> {
    const { topic, partition } = payload.batch;
    if (this.pauses.isPaused({ topic, partition })) {
      return;
    }
    const delivery = new Delivery(payload, this.membership, this.closing.signal, this.log);
    const stopHeartbeats = delivery.keepAlive();
    try {
      if (delivery.isStale()) {
        return;
      }
      await this.handle(delivery.recordBatch(), new BatchContext(delivery));
      if (!delivery.isStale() && !delivery.isComplete()) {
        throw new Error(`the handler left records unresolved from ${delivery.nextOffset()} on`);
      }
      this.pauses.succeeded({ topic, partition });
    } catch (error) {
      this.pauseAfter(error, delivery);
    } finally {
      stopHeartbeats();
    }
  }

  private pauseAfter(error: unknown, delivery: Delivery): void {
    const at = { topic: delivery.topic, partition: delivery.partition };
    if (error instanceof PartitionStoppedError) {
      this.pauses.stop({ ...at, offset: delivery.nextOffset(), reason: error.message });
    } else {
      if (delivery.hasProgressed()) {
        this.pauses.succeeded(at);
      }
      this.pauses.retryLater(at, messageOf(error));
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
}
