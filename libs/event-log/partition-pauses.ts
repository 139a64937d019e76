import { type BackOff, backOffMs } from './back-off.js';
import type { TopicPartition } from './group-membership.js';
import type { Log } from './kafka-client.js';

export interface StoppedPartition extends TopicPartition {
  /** The first offset that was not processed. */
  offset: string;
  /** Why, in the words of the handler. */
  reason: string;
}

/** Pauses a partition in kafkajs and returns what resumes it. */
type Pause = () => () => void;

interface Retry extends TopicPartition {
  failures: number;
  reason: string;
  timer: NodeJS.Timeout;
}

const retryBackOff: BackOff = { firstMs: 500, maxMs: 10_000 };

/** The partitions that are paused, for a while or until the process restarts. */
export class PartitionPauses {
  private readonly stops = new Map<string, StoppedPartition>();
  private readonly retries = new Map<string, Retry>();
  private closed = false;

  constructor(private readonly log: Log) {}

  /** The partition works: its next failure waits the shortest time again. */
  succeeded(at: TopicPartition): void {
    clearTimeout(this.retries.get(keyOf(at))?.timer);
    this.retries.delete(keyOf(at));
  }

  /** Pauses the partition and resumes it after a wait that doubles with every failure in a row. */
  retryLater(at: TopicPartition, reason: string, pause: Pause): void {
    if (this.closed) {
      return;
    }
    const previous = this.retries.get(keyOf(at));
    clearTimeout(previous?.timer);
    const failures = (previous?.failures ?? 0) + 1;
    const waitMs = backOffMs(retryBackOff, failures);
    const timer = setTimeout(pause(), waitMs);
    this.retries.set(keyOf(at), { ...at, failures, reason, timer });
    this.log('warn', 'a partition is paused and will be retried', {
      ...at,
      reason,
      failures,
      waitMs,
    });
  }

  stop(stopped: StoppedPartition, pause: Pause): void {
    this.succeeded(stopped);
    this.stops.set(keyOf(stopped), stopped);
    pause();
    this.log('error', 'a partition is stopped until the process restarts', { ...stopped });
  }

  /** Pauses a stopped partition again, since a restarted consumer forgets; true if it is one. */
  keepStopped(at: TopicPartition, pause: Pause): boolean {
    const isStopped = this.stops.has(keyOf(at));
    if (isStopped) {
      pause();
    }
    return isStopped;
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
}

function keyOf({ topic, partition }: TopicPartition): string {
  return `${topic}/${partition}`;
}

function nameOf({ topic, partition }: TopicPartition): string {
  return `partition ${partition} of ${topic}`;
}
