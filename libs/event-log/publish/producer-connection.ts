import type { Kafka, Message, PartitionerArgs, Producer, RecordMetadata } from 'kafkajs';
import { pauseFor, within } from '#platform/work/waiting.ts';

/**
 * Short, so that new partitions, and leaders that moved away from a frozen broker, are known before
 * a publish gives up. One small request per process and interval.
 */
const metadataMaxAgeMs = 3_000;

/** A message with the partition it goes to, or to another one where the topic has fewer. */
export interface PlacedMessage extends Message {
  mayGoElsewhere?: boolean;
}

/**
 * One producer with its connections, used until it is suspected and then thrown away: a broker
 * that vanished without a word (power, network) would be waited for as long as a request may take,
 * which is longer than any publish waits.
 */
export class ProducerConnection {
  private readonly producer: Producer;
  private readonly appending = new Set<Promise<unknown>>();
  private readonly lost = new AbortController();

  constructor(kafka: Kafka) {
    this.producer = kafka.producer({
      // A record goes to the partition it names, and no other.
      createPartitioner: () => partitionOf,
      allowAutoTopicCreation: false,
      metadataMaxAge: metadataMaxAgeMs,
      // The publisher tries again itself: only it knows when the caller stopped waiting.
      retry: { retries: 0 },
    });
  }

  /** Rejects when no broker answers within `timeoutMs`. */
  open(timeoutMs: number): Promise<void> {
    // A limit of our own: kafkajs stays with a seed broker that accepts connections and is mute.
    return within(timeoutMs, async () => {
      await this.producer.connect();
      await this.probe();
    });
  }

  /** Resolves when every message is on all in-sync replicas; one attempt. */
  async append(topic: string, messages: PlacedMessage[], timeoutMs: number): Promise<void> {
    const sending = this.producer.send({ topic, messages, acks: -1, timeout: timeoutMs });
    this.track(sending);
    assertAllAppended(topic, messages, await sending);
  }

  /** Says that this connection does not work (any more); `untilLost` rejects with the reason. */
  suspect(reason: string): void {
    this.lost.abort(new Error(reason));
  }

  /** Rejects when the connection is suspected or the brokers stop answering; resolves on `closing`. */
  async untilLost(
    { probeEveryMs, probeTimeoutMs }: { probeEveryMs: number; probeTimeoutMs: number },
    closing: AbortSignal,
  ): Promise<void> {
    const lost = this.lost.signal;
    const either = AbortSignal.any([closing, lost]);
    while (!closing.aborted) {
      await pauseFor(probeEveryMs, either);
      lost.throwIfAborted();
      await within(probeTimeoutMs, () => this.probe());
    }
  }

  /**
   * Disconnects once nothing is under way: a send that fails on a disconnected producer would open
   * its connections again, for good. Never rejects.
   */
  async dispose(): Promise<void> {
    await Promise.allSettled(this.appending);
    await this.producer.disconnect().catch(() => {});
  }

  /** An empty batch appends nothing, but asks a broker for metadata when what we have is old. */
  private async probe(): Promise<void> {
    const probing = this.producer.sendBatch({ topicMessages: [] });
    this.track(probing);
    await probing;
  }

  private track(sending: Promise<unknown>): void {
    this.appending.add(sending);
    const forget = () => this.appending.delete(sending);
    sending.then(forget, forget);
  }
}

function partitionOf({ message, partitionMetadata }: PartitionerArgs): number {
  const { partition, mayGoElsewhere } = message as PlacedMessage;
  if (partition === undefined) {
    throw new TypeError('Every record names its partition.');
  }
  return mayGoElsewhere === true ? partition % partitionMetadata.length : partition;
}

/** kafkajs resolves without sending messages of a partition it does not know. */
function assertAllAppended(
  topic: string,
  messages: PlacedMessage[],
  results: RecordMetadata[],
): void {
  const appended = new Set(results.map(({ partition }) => partition));
  const lacking = messages.find(({ partition, mayGoElsewhere }) =>
    mayGoElsewhere === true ? appended.size === 0 : !appended.has(partition ?? -1),
  );
  if (lacking !== undefined) {
    throw new Error(`partition ${lacking.partition} of ${topic} is not known to the brokers`);
  }
}
