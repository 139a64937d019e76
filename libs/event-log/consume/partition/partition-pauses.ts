import type { TopicPartition } from 'kafkajs';
import type { LogFunction } from '#platform/logging/logging.ts';
import { type BackOff, backOffMs } from '#platform/work/waiting.ts';
import type { GroupConsumer } from '../group/group-consumer.ts';
import { Standstill } from './standstill.ts';

export interface StoppedPartition extends TopicPartition {
  /** The first offset that was not processed. */
  offset: string;
  /** Why, in words. */
  reason: string;
}

interface Retry extends TopicPartition {
  failures: number;
  reason: string;
  /** None when the wait is over and the next try is on its way. */
  timer: NodeJS.Timeout | undefined;
}

const retryBackOff: BackOff = { firstMs: 500, maxMs: 10_000 };
const comparing = 'its offset is being compared with the log';

/**
 * The partitions that are paused: HELD until they have been looked at, RETRIED after a while, or STOPPED
 * until the process restarts (see KafkaBatchTransport). One is fetched again when none of these is left.
 */
export class PartitionPauses {
  readonly standstill = new Standstill();
  private readonly held = new Set<string>();
  private readonly stops = new Map<string, StoppedPartition>();
  private readonly retries = new Map<string, Retry>();
  private closed = false;

  constructor(
    private readonly consumer: GroupConsumer,
    private readonly logger: LogFunction,
  ) {}

  /** These are ours now, and no others. */
  joined(partitions: readonly TopicPartition[]): void {
    this.standstill.keepOnly(partitions);
    for (const at of partitions) {
      const stopped = this.stops.get(keyOf(at));
      if (stopped !== undefined) {
        this.standstill.waitsFor(at, stopped.reason);
      }
    }
  }

  /** Pauses the partition until `release`. */
  hold(at: TopicPartition): void {
    this.held.add(keyOf(at));
    this.standstill.waitsFor(at, comparing);
    this.consumer.pause(at);
  }

  release(at: TopicPartition): void {
    this.held.delete(keyOf(at));
    this.standstill.ended(at, comparing);
    this.resumeIfFree(at);
  }

  /** The partition works: its next failure waits the shortest time again. */
  succeeded(at: TopicPartition): void {
    clearTimeout(this.retries.get(keyOf(at))?.timer);
    this.retries.delete(keyOf(at));
  }

  /** Pauses the partition and resumes it after a wait that doubles with every failure in a row. */
  retryLater(at: TopicPartition, reason: string): void {
    if (this.closed) {
      return;
    }
    const previous = this.retries.get(keyOf(at));
    clearTimeout(previous?.timer);
    const failures = (previous?.failures ?? 0) + 1;
    const waitMs = backOffMs(retryBackOff, failures);
    const retry: Retry = { ...at, failures, reason, timer: undefined };
    retry.timer = setTimeout(() => {
      retry.timer = undefined;
      this.resumeIfFree(at);
    }, waitMs);
    this.retries.set(keyOf(at), retry);
    this.standstill.waitsFor(at, reason);
    this.consumer.pause(at);
    this.logger('warn', 'a partition is paused and will be retried', {
      ...at,
      reason,
      failures,
      waitMs,
    });
  }

  /** How often in a row the partition has failed. */
  failuresOf(at: TopicPartition): number {
    return this.retries.get(keyOf(at))?.failures ?? 0;
  }

  /** Pauses the partition until the process restarts. */
  stop(stopped: StoppedPartition): void {
    this.succeeded(stopped);
    this.stops.set(keyOf(stopped), stopped);
    this.standstill.waitsFor(stopped, stopped.reason);
    this.consumer.pause(stopped);
    this.logger('error', 'a partition is stopped until the process restarts', { ...stopped });
  }

  /** A batch of such a partition was fetched before the pause: it comes again, or must not be read. */
  isPaused(at: TopicPartition): boolean {
    const key = keyOf(at);
    return this.stops.has(key) || this.held.has(key) || this.retries.get(key)?.timer !== undefined;
  }

  stopped(): StoppedPartition[] {
    return [...this.stops.values()];
  }

  /** One phrase for each of the chosen partitions that is paused. */
  describe(chosen: (at: TopicPartition) => boolean): string[] {
    const stops = this.stopped()
      .filter(chosen)
      .map((at) => `${nameOf(at)} is stopped at offset ${at.offset}: ${at.reason}`);
    const retries = [...this.retries.values()]
      .filter(chosen)
      .map((at) => `${nameOf(at)} is retried (failure ${at.failures}): ${at.reason}`);
    return [...stops, ...retries];
  }

  close(): void {
    this.closed = true;
    for (const { timer } of this.retries.values()) {
      clearTimeout(timer);
    }
  }

  private resumeIfFree(at: TopicPartition): void {
    if (!this.isPaused(at)) {
      this.consumer.resume(at);
    }
  }
}

function keyOf({ topic, partition }: TopicPartition): string {
  return `${topic}/${partition}`;
}

function nameOf({ topic, partition }: TopicPartition): string {
  return `partition ${partition} of ${topic}`;
}
