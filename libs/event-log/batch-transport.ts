import { Server } from '@nestjs/microservices';
import type { CustomTransportStrategy } from '@nestjs/microservices';
import type { Consumer, ConsumerCrashEvent, EachBatchPayload, Kafka } from 'kafkajs';
import { isObservable, lastValueFrom } from 'rxjs';
import { type BackOff, backOffMs, messageOf, pauseFor, within } from './back-off.js';
import { isCoordinatorAway } from './coordinator-error.js';
import { Delivery } from './delivery.js';
import { GroupMembership } from './group-membership.js';
import type { Log } from './kafka-client.js';
import { quiet } from './kafka-client.js';
import { PartitionPauses, type StoppedPartition } from './partition-pauses.js';
import { BatchContext, PartitionStoppedError } from './batch-context.js';
import type { RecordBatch } from './consumed-record.js';

export interface BatchTransportOptions {
  /** A client that nothing else consumes with (see createKafka). */
  kafka: Kafka;
  groupId: string;
  /** Put before every handler's pattern to get its topic: patterns are fixed, prefixes configured. */
  topicPrefix?: string;
  /** The consumer is dead and will not come back; the process should exit with an error. */
  onCrash: (error: Error) => void;
  log?: Log;
  /** How many partitions are worked on at once. */
  partitionsConsumedConcurrently?: number;
  /** Most bytes of one fetch, over all partitions of a broker. */
  maxBytes?: number;
  /** Most bytes of one batch, unless a single record is larger. */
  maxBytesPerPartition?: number;
  /** How long `close` waits for handlers to finish the chunk in their hands. */
  drainTimeoutMs?: number;
}

export interface TransportState {
  status: 'connecting' | 'consuming' | 'crashed' | 'closed';
  /** For people: what it consumes, waits for, or has stopped, and why. */
  description: string;
}

const sessionTimeoutMs = 12_000;
const heartbeatEveryMs = 3_000;
/** The longest a fetch waits for records, and so a resumed partition for the next fetch. */
const fetchWaitMs = 100;
/**
 * A fetch that returned with the first record would cut a rush into chunks of a few dozen rows. This
 * is about 500 requests; fewer wait for `fetchWaitMs`.
 */
const fetchBytesMin = 128 * 1024;
const connectBackOff: BackOff = { firstMs: 500, maxMs: 10_000 };
const connectTimeoutMs = 20_000;
const defaults = {
  topicPrefix: '',
  partitionsConsumedConcurrently: 4,
  maxBytes: 8 * 1024 * 1024,
  maxBytesPerPartition: 1024 * 1024,
  drainTimeoutMs: 8_000,
};

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
 *
 * kafkajs fetches for all partitions of a broker only when all batches of the last fetch are done,
 * so a slow handler delays other partitions; a failing one does not.
 */
export class KafkaBatchTransport extends Server implements CustomTransportStrategy {
  /** Errors of handlers come to us; Nest need not report them as lost. */
  override readonly propagatesEventHandlerErrors = true;

  private readonly options: typeof defaults & BatchTransportOptions;
  private readonly log: Log;
  private readonly closing = new AbortController();
  private readonly membership = new GroupMembership();
  private readonly pauses: PartitionPauses;
  private consumer: Consumer | undefined;
  private starting: Promise<void> | undefined;
  private closed: Promise<void> | undefined;
  private crash: Error | undefined;
  private lastError: string | undefined;

  constructor(options: BatchTransportOptions) {
    super();
    this.options = { ...defaults, ...options };
    this.log = options.log ?? quiet;
    this.pauses = new PartitionPauses(this.log);
  }

  /**
   * Called by Nest when all handlers are known. Does not wait for the brokers: it connects in the
   * background and keeps trying for ever. Throws when a topic has no handler or two.
   */
  listen(callback: (error?: unknown) => void): void {
    this.assertHandlers();
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
    return { status: 'consuming', description: [consuming, ...trouble].join('; ') };
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

  private assertHandlers(): void {
    if (this.messageHandlers.size === 0) {
      throw new Error('No handler: nothing is marked with @EventPattern.');
    }
    for (const [pattern, handler] of this.messageHandlers) {
      if (handler.next !== undefined) {
        throw new Error(`Two handlers for ${pattern}: which one resolves its offsets?`);
      }
    }
  }

  private async startConsuming(): Promise<void> {
    const { signal } = this.closing;
    for (let failures = 1; !signal.aborted; failures += 1) {
      const consumer = this.createConsumer();
      try {
        await within(connectTimeoutMs, () => this.subscribe(consumer));
        this.consumer = consumer;
        break;
      } catch (error) {
        this.lastError = messageOf(error);
        this.log('warn', 'not connected to Kafka', { error: this.lastError, failures });
        void consumer.disconnect().catch(() => {});
        await pauseFor(backOffMs(connectBackOff, failures), signal);
      }
    }
    if (!signal.aborted) {
      await this.run();
    }
  }

  private async drain(): Promise<void> {
    this.closing.abort();
    this.pauses.close();
    try {
      await within(this.options.drainTimeoutMs, async () => {
        await this.starting;
        await this.consumer?.disconnect();
      });
    } catch (error) {
      this.log('warn', 'the consumer did not close in order', { error: messageOf(error) });
    }
  }

  private createConsumer(): Consumer {
    const { kafka, groupId, maxBytes, maxBytesPerPartition } = this.options;
    const consumer = kafka.consumer({
      groupId,
      sessionTimeout: sessionTimeoutMs,
      heartbeatInterval: heartbeatEveryMs,
      minBytes: fetchBytesMin,
      maxWaitTimeInMs: fetchWaitMs,
      maxBytes,
      maxBytesPerPartition,
      allowAutoTopicCreation: false,
      // A crash during `close` would otherwise start a consumer that nobody closes.
      retry: { restartOnFailure: () => Promise.resolve(!this.closing.signal.aborted) },
    });
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
      this.membership.join(payload.memberAssignment);
      this.log('info', 'joined the consumer group', { partitions: payload.memberAssignment });
    });
    consumer.on(consumer.events.REBALANCING, () => this.membership.rebalance());
    consumer.on(consumer.events.CRASH, (event) => this.onConsumerCrash(event));
    return consumer;
  }

  private async subscribe(consumer: Consumer): Promise<void> {
    const { topicPrefix } = this.options;
    const topics = [...this.messageHandlers.keys()].map((pattern) => topicPrefix + pattern);
    await consumer.connect();
    await consumer.subscribe({ topics, fromBeginning: true });
  }

  private async run(): Promise<void> {
    // Does not reject: what goes wrong from here on is a CRASH event.
    await this.consumer?.run({
      eachBatchAutoResolve: false,
      // Every commitOffsetsIfNecessary() commits what was resolved. An explicit commitOffsets()
      // kills the consumer when it comes after a rebalance.
      autoCommitThreshold: 1,
      partitionsConsumedConcurrently: this.options.partitionsConsumedConcurrently,
      eachBatch: (payload) => this.onBatch(payload),
    });
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
    if (this.pauses.keepStopped({ topic, partition }, () => payload.pause())) {
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
      this.pauseAfter(error, delivery, () => payload.pause());
    } finally {
      stopHeartbeats();
    }
  }

  private pauseAfter(error: unknown, delivery: Delivery, pause: () => () => void): void {
    const at = { topic: delivery.topic, partition: delivery.partition };
    if (error instanceof PartitionStoppedError) {
      this.pauses.stop({ ...at, offset: delivery.nextOffset(), reason: error.message }, pause);
    } else {
      if (delivery.hasProgressed()) {
        this.pauses.succeeded(at);
      }
      this.pauses.retryLater(at, messageOf(error), pause);
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
        await settle(() => handler(batch, context))
          .then(resolve, reject)
          .finally(runEndHook);
      });
    });
  }
}

/** Nest answers with a value, a promise, an observable, or a promise of an observable. */
async function settle(handle: () => unknown): Promise<void> {
  const result = await handle();
  if (isObservable(result)) {
    await lastValueFrom(result, { defaultValue: undefined });
  }
}
