import { vi } from 'vitest';
import { EventPublisher } from '#event-log/publish/event-publisher.ts';
import { IssuanceLog } from '#event-log/publish/issuance-log.ts';
import { createKafka } from '#event-log/kafka-client.ts';
import { createTopics, issuerGroup, topicNames } from '#event-log/topics.ts';
import { testConfig, uniqueName } from './test-config.ts';

/** Topics of its own in the Kafka of the tests, which are deleted at the end. */
export class TestLog {
  readonly prefix = `${uniqueName()}.`;
  readonly config = testConfig({
    KAFKA_TOPIC_PREFIX: this.prefix,
    KAFKA_PARTITIONS: '2',
    KAFKA_REPLICATION_FACTOR: '1',
    KAFKA_MIN_INSYNC_REPLICAS: '1',
  });
  readonly kafka = createKafka(this.config, 'test');
  readonly topics = topicNames(this.prefix);
  readonly publisher = new EventPublisher(this.kafka, { publishTimeoutMs: 10_000 });
  readonly log = new IssuanceLog(this.publisher, this.topics);
  private readonly admin = this.kafka.admin();

  async start(): Promise<void> {
    await createTopics(this.kafka, this.config);
    this.publisher.start();
    await this.admin.connect();
    // A broker may be named the leader of a new partition a moment before it knows.
    await vi.waitFor(() => this.admin.fetchTopicOffsets(this.topics.requested), {
      timeout: 10_000,
    });
  }

  /** Any value, as JSON, among the requests. */
  append(value: unknown, partition = 0): Promise<void> {
    return this.publisher.publish(this.topics.requested, [{ partition, key: 'test', value }]);
  }

  /** As if the issuers had decided all that is in the log. */
  async commitAll(): Promise<void> {
    const topic = this.topics.requested;
    const ends = await this.admin.fetchTopicOffsets(topic);
    // Not admin.setOffsets: it waits 5 s for records that do not come.
    const groupId = issuerGroup(this.prefix);
    const consumer = this.kafka.consumer({ groupId, maxWaitTimeInMs: 100 });
    const joined = new Promise((resolve) => consumer.on(consumer.events.GROUP_JOIN, resolve));
    await consumer.connect();
    await consumer.subscribe({ topics: [topic] });
    await consumer.run({ autoCommit: false, eachMessage: async () => {} });
    await joined;
    await consumer.commitOffsets(
      ends.map(({ partition, high }) => ({ topic, partition, offset: high })),
    );
    await consumer.disconnect();
  }

  async close(): Promise<void> {
    await this.publisher.close();
    await this.admin.deleteTopics({ topics: Object.values(this.topics) });
    await this.admin.deleteGroups([issuerGroup(this.prefix)]).catch(() => {});
    await this.admin.disconnect();
  }
}
