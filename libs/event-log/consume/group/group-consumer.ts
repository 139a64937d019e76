import type { Consumer, ConsumerCrashEvent, EachBatchPayload, TopicPartition } from 'kafkajs';
import { messageOf } from '#platform/text/error-message.ts';
import { type BackOff, backOffMs, pauseFor, within } from '#platform/work/waiting.ts';
import { isCoordinatorAway } from '../../inspect/coordinator-error.ts';
import { connectTo, createBatchConsumer, runBatches } from './batch-consumer.ts';
import type { CompleteOptions, TransportState } from '../batch-transport-options.ts';
import { watchPulse } from './consumer-pulse.ts';
import { GroupMembership } from './group-membership.ts';

export interface GroupWork {
  topics: string[];
  /** Called after each join, before anything is fetched. */
  onJoin: (memberId: string, partitions: TopicPartition[]) => void;
  /** Called when the offset of a partition has moved. */
  onCommit: (at: TopicPartition) => void;
  /** Must not reject: an error in kafkajs' hands makes it rejoin the group for ever, or die. */
  onBatch: (payload: EachBatchPayload) => Promise<void>;
}

const connectBackOff: BackOff = { firstMs: 500, maxMs: 10_000 };
const connectTimeoutMs = 20_000;

/**
 * Keeps a consumer of kafkajs in its group: connects in the background for as long as it takes, and
 * puts a new one in the place of one that kafkajs has given up without need. What does not pass by
 * itself is reported by `onCrash`, and is the end.
 */
export class GroupConsumer {
  readonly membership = new GroupMembership();
  private consumer: Consumer | undefined;
  private starting: Promise<void> | undefined;
  private crash: Error | undefined;
  private lastError: string | undefined;

  constructor(
    private readonly options: CompleteOptions,
    private readonly closing: AbortSignal,
  ) {}

  start(work: GroupWork): void {
    this.starting = this.joinGroup(work);
  }

  /** The consumer of kafkajs that is in use, once connected. */
  get current(): Consumer | undefined {
    return this.consumer;
  }

  /** Why it is not in its group; `undefined` while it is. */
  whyIdle(): TransportState | undefined {
    if (this.crash !== undefined) {
      return { status: 'crashed', description: `the consumer crashed: ${this.crash.message}` };
    }
    if (this.closing.aborted) {
      return { status: 'closed', description: 'the consumer is closed' };
    }
    if (!this.membership.joined) {
      const why = this.lastError === undefined ? '' : `: ${this.lastError}`;
      return { status: 'connecting', description: `waiting to join the consumer group${why}` };
    }
    return undefined;
  }

  pause(at: TopicPartition): void {
    this.switchFetching('pause', at);
  }

  resume(at: TopicPartition): void {
    this.switchFetching('resume', at);
  }

  /** Has kafkajs commit this offset, and go on from it, before it fetches the next time. */
  seek(at: TopicPartition, offset: string): void {
    this.consumer?.seek({ ...at, offset });
  }

  /** Resolves when no attempt to join is under way. */
  async settled(): Promise<void> {
    await this.starting;
  }

  /** Waits for the handlers, commits what they resolved, and disconnects. */
  async leave(): Promise<void> {
    await this.consumer?.disconnect();
  }

  private async joinGroup(work: GroupWork): Promise<void> {
    for (let failures = 1; !this.closing.aborted; failures += 1) {
      const consumer = this.createConsumer(work);
      try {
        await within(connectTimeoutMs, () => connectTo(consumer, work.topics));
        this.consumer = consumer;
        break;
      } catch (error) {
        this.lastError = messageOf(error);
        this.options.logger('warn', 'not connected to Kafka', { error: this.lastError, failures });
        void consumer.disconnect().catch(() => {});
        await pauseFor(backOffMs(connectBackOff, failures), this.closing);
      }
    }
    if (!this.closing.aborted && this.consumer !== undefined) {
      watchPulse(this.consumer, (error) => this.die(error));
      await runBatches(this.consumer, this.options.partitionsConsumedConcurrently, work.onBatch);
    }
  }

  private createConsumer(work: GroupWork): Consumer {
    const consumer = createBatchConsumer(this.options, this.closing);
    const { events } = consumer;
    consumer.on(events.GROUP_JOIN, ({ payload: { memberId, memberAssignment } }) => {
      this.membership.join(memberAssignment);
      this.options.logger('info', 'joined the consumer group', { partitions: memberAssignment });
      work.onJoin(memberId, this.membership.partitions());
    });
    consumer.on(events.COMMIT_OFFSETS, ({ payload: { topics } }) => {
      for (const { topic, partitions } of topics) {
        partitions.forEach(({ partition }) => work.onCommit({ topic, partition }));
      }
    });
    consumer.on(events.REBALANCING, () => this.membership.rebalance());
    // TRAP: kafkajs fetches again also when it could not join (a request timed out), as the member it
    // was; without this every batch would be given up as stale for as long as the group keeps it.
    consumer.on(events.FETCH_START, () => this.membership.fetch());
    consumer.on(events.CRASH, (event) => this.onConsumerCrash(event, work));
    return consumer;
  }

  private onConsumerCrash(event: ConsumerCrashEvent, work: GroupWork): void {
    const { error, restart } = event.payload;
    const isNews = this.membership.joined || !restart;
    this.membership.leave();
    this.lastError = error.message;
    if (this.closing.aborted) {
      return;
    }
    const goesOn = restart || isCoordinatorAway(error);
    if (isNews) {
      const level = goesOn ? 'warn' : 'error';
      const fields = { error: error.message, restart: goesOn };
      this.options.logger(level, 'the consumer crashed', fields);
    }
    if (!goesOn) {
      this.die(error);
    } else if (!restart) {
      // kafkajs has given this consumer up: it needs a new one.
      this.start(work);
    }
  }

  private die(error: Error): void {
    this.crash = error;
    this.options.onCrash(error);
  }

  /** A consumer that does not run fetches nothing, and is told again when it joins. */
  private switchFetching(which: 'pause' | 'resume', { topic, partition }: TopicPartition): void {
    try {
      this.consumer?.[which]([{ topic, partitions: [partition] }]);
    } catch (error) {
      const fields = { error: messageOf(error) };
      this.options.logger('debug', `${which} came between two consumers`, fields);
    }
  }
}
