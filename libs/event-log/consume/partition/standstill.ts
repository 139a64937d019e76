import type { TopicPartition } from 'kafkajs';

export interface StandingPartition extends TopicPartition {
  /** Since it last came further, or since it got something to do. */
  seconds: number;
  /** What it waits for, in words. */
  reason: string;
}

const atWork = 'its handler is at work';
const uncommitted = 'its offset is not committed';

interface Waiting extends TopicPartition {
  /** By the monotonic clock, which nobody sets. */
  since: number;
  reason: string;
}

/**
 * How long each partition has had something to do without coming further, whatever the reason: it is tried
 * again and again, it is stopped or held, or its handler does not return.
 */
export class Standstill {
  private readonly waiting = new Map<string, Waiting>();

  /** There is something to do, and this is what it waits for. */
  waitsFor(at: TopicPartition, reason: string): void {
    const since = this.waiting.get(keyOf(at))?.since ?? performance.now();
    this.waiting.set(keyOf(at), { topic: at.topic, partition: at.partition, since, reason });
  }

  handling(at: TopicPartition): void {
    this.waitsFor(at, atWork);
  }

  /** The handler has returned. What it has done and not committed may come again. */
  handled(at: TopicPartition, isCommitted: boolean): void {
    if (isCommitted) {
      this.waiting.delete(keyOf(at));
    } else {
      this.waitsFor(at, uncommitted);
    }
  }

  /** The partition came further. */
  committed(at: TopicPartition): void {
    const waiting = this.waiting.get(keyOf(at));
    if (waiting?.reason === uncommitted) {
      this.waiting.delete(keyOf(at));
    } else if (waiting !== undefined) {
      waiting.since = performance.now();
    }
  }

  /** What it waited for has come, if it was this. */
  ended(at: TopicPartition, reason: string): void {
    if (this.waiting.get(keyOf(at))?.reason === reason) {
      this.waiting.delete(keyOf(at));
    }
  }

  /** What becomes of other partitions is the business of another process. */
  keepOnly(partitions: readonly TopicPartition[]): void {
    const kept = new Set(partitions.map(keyOf));
    for (const key of this.waiting.keys()) {
      if (!kept.has(key)) {
        this.waiting.delete(key);
      }
    }
  }

  list(): StandingPartition[] {
    const now = performance.now();
    return [...this.waiting.values()].map(({ topic, partition, since, reason }) => ({
      topic,
      partition,
      seconds: (now - since) / 1_000,
      reason,
    }));
  }
}

function keyOf({ topic, partition }: TopicPartition): string {
  return `${topic}/${partition}`;
}
