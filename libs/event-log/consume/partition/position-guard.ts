import type { TopicPartition } from 'kafkajs';
import { messageOf } from '#platform/text/error-message.ts';
import { type BackOff, backOffMs, pauseFor } from '#platform/work/waiting.ts';
import { readConsumerLag } from '../../inspect/consumer-lag.ts';
import { LogAdmin } from '../../inspect/log-admin.ts';
import { onOffsetOutOfRange } from '../../kafkajs-mends/offset-reset.ts';
import type { CompleteOptions } from '../batch-transport-options.ts';
import type { GroupConsumer } from '../group/group-consumer.ts';
import { howToGoOn, type LogPosition, positionProblem } from './log-position.ts';
import type { PartitionPauses } from './partition-pauses.ts';

const retryBackOff: BackOff = { firstMs: 500, maxMs: 10_000 };
/** How soon to look whether an offset was committed; kafkajs does it with its next fetch. */
const committedCheckMs = 100;

/**
 * Lets kafkajs fetch a partition only once it is known that nothing is skipped by going on from the
 * group's offset, and stops the partition where something would be:
 *
 * 1. After each join all partitions are held, then compared with the log and let go one by one.
 * 2. One that nobody has read has its first offset committed before anything is fetched. From then
 *    on a partition without an offset is one whose offset was lost.
 * 3. An offset that a fetch finds out of range (the log was cut short meanwhile) is compared again.
 */
export class PositionGuard {
  private readonly admin: LogAdmin;
  private stopListening = (): void => {};
  private failure: string | undefined;

  constructor(
    private readonly options: CompleteOptions,
    private readonly consumer: GroupConsumer,
    private readonly pauses: PartitionPauses,
    private readonly closing: AbortSignal,
  ) {
    this.admin = new LogAdmin(options.kafka);
  }

  /** To be called when kafkajs has joined its group, before it fetches anything. */
  joined(memberId: string, partitions: TopicPartition[]): void {
    this.stopListening();
    this.stopListening = onOffsetOutOfRange(memberId, (at, offset) => {
      void this.check([at], Number(offset));
    });
    void this.check(partitions);
  }

  /** Why partitions are still held, in words. */
  get problem(): string | undefined {
    return this.failure;
  }

  async close(): Promise<void> {
    this.stopListening();
    await this.admin.close();
  }

  private async check(partitions: TopicPartition[], next?: number): Promise<void> {
    const { membership } = this.consumer;
    const { generation } = membership;
    const isOver = (): boolean => this.closing.aborted || membership.generation !== generation;
    partitions.forEach((at) => this.pauses.hold(at));
    let held = partitions;
    let failures = 0;
    while (held.length > 0 && !isOver()) {
      try {
        const positions = await Promise.all(held.map((at) => this.read(at, next)));
        if (!isOver()) {
          held = held.filter((at, i) => !this.settle(at, positions[i]!));
          failures = 0;
          this.failure = undefined;
        }
      } catch (error) {
        failures += 1;
        const fields = { error: messageOf(error) };
        this.failure = `cannot compare its offsets with the log: ${fields.error}`;
        this.options.logger('warn', 'offsets were not compared with the log', fields);
      }
      if (held.length > 0) {
        await pauseFor(
          failures > 0 ? backOffMs(retryBackOff, failures) : committedCheckMs,
          this.closing,
        );
      }
    }
  }

  private async read(at: TopicPartition, next?: number): Promise<LogPosition> {
    const { groupId, wasRead } = this.options;
    const lags = await readConsumerLag(this.admin, groupId, at.topic);
    const lag = lags.find(({ partition }) => partition === at.partition);
    if (lag === undefined) {
      throw new Error(`partition ${at.partition} of ${at.topic} is not there`);
    }
    const isUnread = lag.committed === null && !(await wasRead(at));
    return { ...lag, wasRead: !isUnread, ...(next === undefined ? {} : { next }) };
  }

  /** False when the partition must be looked at again. */
  private settle(at: TopicPartition, position: LogPosition): boolean {
    const problem = positionProblem(position);
    if (problem !== undefined) {
      const offset = String(position.next ?? position.committed ?? 0);
      const reason = `${problem}. ${howToGoOn(this.options.groupId, at.topic, at.partition)}`;
      this.pauses.stop({ ...at, offset, reason });
    } else if (position.committed === null) {
      this.consumer.seek(at, String(position.logStart));
      return false;
    }
    this.pauses.release(at);
    return true;
  }
}
