import type { Kafka } from 'kafkajs';
import { RenewedConnection } from './renewed-connection.ts';

/** A place in the log. */
export interface Place {
  partition: number;
  offset: number;
}

interface Broker {
  fetch(request: object): Promise<{ responses: { partitions: FetchedPartition[] }[] }>;
}

interface FetchedPartition {
  messages: { offset: string; timestamp: string }[];
}

/** What of the inside of kafkajs is used here; it is pinned to the version this is written for. */
interface Cluster {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  addTargetTopic(topic: string): Promise<void>;
  refreshMetadataIfNecessary(): Promise<void>;
  findLeaderForPartitions(topic: string, partitions: number[]): Record<string, number[]>;
  findBroker(which: { nodeId: string }): Promise<Broker>;
}

const timeoutMs = 3_000;
/** Brokers answer with the batch that a record is in, whole, however little is asked for. */
const bytesMax = 1;
/** They have it already. */
const waitMs = 1;

/**
 * When records of a topic were appended, by the clock of the broker. Reads them by plain fetches, without a
 * consumer group: neither the issuers nor their group notice. Connects when first asked, and anew after
 * any failure.
 */
export class RecordTimes {
  private readonly connection = new RenewedConnection(() => this.connect());

  constructor(
    private readonly kafka: Kafka,
    private readonly topic: string,
  ) {}

  /**
   * For each place, in milliseconds since 1970; null where no record is any more. Rejects when a broker
   * does not answer.
   */
  async read(places: readonly Place[]): Promise<(number | null)[]> {
    // Also a leader that has moved is found by connecting anew.
    return this.connection.use(timeoutMs, async (cluster) => {
      await cluster.refreshMetadataIfNecessary();
      return Promise.all(places.map((place) => this.readOne(cluster, place)));
    });
  }

  /** Never rejects. */
  close(): Promise<void> {
    return this.connection.close();
  }

  private async readOne(cluster: Cluster, { partition, offset }: Place): Promise<number | null> {
    const [nodeId] = Object.keys(cluster.findLeaderForPartitions(this.topic, [partition]));
    const broker = await cluster.findBroker({ nodeId: nodeId! });
    const { responses } = await broker.fetch({
      replicaId: -1,
      isolationLevel: 0,
      maxWaitTime: waitMs,
      minBytes: 1,
      maxBytes: bytesMax,
      topics: [
        {
          topic: this.topic,
          partitions: [{ partition, fetchOffset: String(offset), maxBytes: bytesMax }],
        },
      ],
    });
    const messages = responses
      .flatMap(({ partitions }) => partitions)
      .flatMap((one) => one.messages);
    const record = messages.find((message) => Number(message.offset) >= offset);
    return record === undefined ? null : Number(record.timestamp);
  }

  private async connect(): Promise<Cluster> {
    const create = Object.getOwnPropertySymbols(this.kafka).find(
      ({ description }) => description === 'private:Kafka:createCluster',
    )!;
    const cluster = (Reflect.get(this.kafka, create) as (options: object) => Cluster)({
      allowAutoTopicCreation: false,
    });
    await cluster.connect();
    await cluster.addTargetTopic(this.topic);
    return cluster;
  }
}
