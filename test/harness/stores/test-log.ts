import { IssuerProgress } from '#event-log/inspect/issuer-progress.ts';
import { LogAdmin } from '#event-log/inspect/log-admin.ts';
import { EventPublisher } from '#event-log/publish/event-publisher.ts';
import { IssuanceLog } from '#event-log/publish/issuance-log.ts';
import { createKafka } from '#event-log/kafka-client.ts';
import { createTopics, issuerGroup, topicNames } from '#event-log/topics.ts';
import { testConfig } from '../test-config.ts';
import { TestTopics } from './test-topics.ts';

/** The topics of firstcome in the Kafka of the tests, under a prefix of their own, deleted at the end. */
export class TestLog {
  private readonly made = new TestTopics();
  readonly prefix = this.made.prefix;
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
  private readonly admin = new LogAdmin(this.kafka);
  readonly issuers = new IssuerProgress(this.admin, this.prefix);

  async start(): Promise<void> {
    await this.made.open();
    await createTopics(this.kafka, this.config);
    this.publisher.start();
    await this.made.untilLed(this.topics.requested, this.config.KAFKA_PARTITIONS);
  }

  /** Any value, as JSON, among the requests. */
  append(value: unknown, partition = 0): Promise<void> {
    return this.publisher.publish(this.topics.requested, [{ partition, key: 'test', value }]);
  }

  /** As if the issuers had decided all that is in the log. */
  async commitAll(): Promise<void> {
    const topic = this.topics.requested;
    const ends = await this.made.ends(topic);
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
    await Promise.all([this.publisher.close(), this.admin.close()]);
    await this.made.close();
  }
}
