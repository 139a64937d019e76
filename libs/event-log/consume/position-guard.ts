import type { TopicPartition } from 'kafkajs';
import { messageOf } from '#platform/error-message.ts';
import { type BackOff, backOffMs, pauseFor } from '#platform/waiting.ts';
import type { LogAdmin } from '../inspect/log-admin.ts';
import { readConsumerLag } from '../inspect/consumer-lag.ts';
import type { GroupMembership } from './group-membership.ts';
import type { Log } from '../kafka-client.ts';
import { howToGoOn, type LogPosition, positionProblem } from './log-position.ts';
import { onOffsetOutOfRange } from '../kafkajs-mends/offset-reset.ts';
import type { PartitionPauses } from './partition-pauses.ts';

export interface PositionGuardParts {
  admin: LogAdmin;
  groupId: string;
  membership: GroupMembership;
  pauses: PartitionPauses;
  /** True when records of a partition were processed before, as far as anybody remembers. */
  wasRead: (at: TopicPartition) => Promise<boolean>;
  /** Has kafkajs commit an offset, and go on from it, before it fetches the next time. */
  seek: (at: TopicPartition, offset: string) => void;
  closing: AbortSignal;
  log: Log;
}

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
  private stopListening = (): void => {};
  private failure: string | undefined;

  constructor(private readonly parts: PositionGuardParts) {}

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
    await this.parts.admin.close();
  }

  private async check(partitions: TopicPartition[], next?: number): Promise<void> {
    const { membership, pauses, closing, log } = this.parts;
    const { generation } = membership;
    const isOver = (): boolean => closing.aborted || membership.generation !== generation;
    partitions.forEach((at) => pauses.hold(at));
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
        this.failure = `cannot compare its offsets with the log: ${messageOf(error)}`;
        log('warn', 'offsets were not compared with the log', { error: messageOf(error) });
      }
      if (held.length > 0) {
        await pauseFor(
          failures > 0 ? backOffMs(retryBackOff, failures) : committedCheckMs,
          closing,
        );
      }
    }
  }

  private async read(at: TopicPartition, next?: number): Promise<LogPosition> {
    const { admin, groupId, wasRead } = this.parts;
    const lags = await readConsumerLag(admin, groupId, at.topic);
    const lag = lags.find(({ partition }) => partition === at.partition);
    if (lag === undefined) {
      throw new Error(`partition ${at.partition} of ${at.topic} is not there`);
    }
    const isUnread = lag.committed === null && !(await wasRead(at));
    return { ...lag, wasRead: !isUnread, ...(next === undefined ? {} : { next }) };
  }

  /** False when the partition must be looked at again. */
  private settle(at: TopicPartition, position: LogPosition): boolean {
    const { pauses, groupId, seek } = this.parts;
    const problem = positionProblem(position);
    if (problem !== undefined) {
      const offset = String(position.next ?? position.committed ?? 0);
      const reason = `${problem}. ${howToGoOn(groupId, at.topic, at.partition)}`;
      pauses.stop({ ...at, offset, reason });
    } else if (position.committed === null) {
      seek(at, String(position.logStart));
      return false;
    }
    pauses.release(at);
    return true;
  }
}
