import { randomUUID } from 'node:crypto';
import type { Admin, Kafka } from 'kafkajs';
import { ConfigResourceTypes } from '#event-log/kafkajs.ts';
import { expect, vi } from 'vitest';
import { createKafka } from '#event-log/kafka-client.ts';
import { testConfig, uniqueName } from '../test-config.ts';

/** A client of its own for every consumer: see createKafka. */
export function testKafka(brokers?: string): Kafka {
  return createKafka(testConfig(brokers ? { KAFKA_BROKERS: brokers } : {}), 'test');
}

/** Topics and groups whose names start with a prefix, made for one test file and removed after it. */
export class TestTopics {
  readonly prefix = `${uniqueName()}.`;
  private readonly admin = testKafka().admin();
  private readonly producer = testKafka().producer({
    createPartitioner: () => (args) => args.message.partition ?? 0,
    allowAutoTopicCreation: false,
  });

  async open(): Promise<void> {
    await Promise.all([this.admin.connect(), this.producer.connect()]);
  }

  async create(
    partitions: number,
    settings: Record<string, string> = {},
    topic = `${this.prefix}${randomUUID().slice(0, 8)}`,
  ): Promise<string> {
    const configEntries = Object.entries(settings).map(([name, value]) => ({ name, value }));
    const make = (): Promise<unknown> =>
      this.admin.createTopics({
        topics: [{ topic, numPartitions: partitions, configEntries }],
        // kafkajs asks once or twice; a broker with other things to do takes longer.
        waitForLeaders: false,
      });
    // One that stood still is not trusted again at once.
    await vi.waitFor(make, { timeout: 15_000, interval: 200 });
    await this.untilLed(topic, partitions);
    return topic;
  }

  /** Metadata names the leader of a new partition before that leader knows of it. */
  async untilLed(topic: string, partitions: number): Promise<void> {
    await vi.waitFor(async () => expect(await this.ends(topic)).toHaveLength(partitions), {
      timeout: 15_000,
    });
  }

  /** Where each partition ends now. */
  ends(topic: string): ReturnType<Admin['fetchTopicOffsets']> {
    return this.admin.fetchTopicOffsets(topic);
  }

  /** Deletes a topic, and makes one of the same name. */
  async recreate(topic: string, partitions: number): Promise<void> {
    await this.admin.deleteTopics({ topics: [topic] });
    await vi.waitFor(async () => expect(await this.exists(topic)).toBe(false), { timeout: 15_000 });
    await vi.waitFor(() => this.create(partitions, {}, topic), { timeout: 15_000 });
  }

  /** One record per value. */
  async append(topic: string, partition: number, values: string[]): Promise<void> {
    const messages = values.map((value) => ({ partition, key: value, value }));
    await this.producer.send({ topic, messages });
  }

  /** Writes records in a transaction and takes them back: their offsets stay in use. */
  async appendAborted(topic: string, partition: number, values: string[]): Promise<void> {
    const producer = testKafka().producer({
      createPartitioner: () => () => partition,
      transactionalId: `${topic}.aborted`,
      maxInFlightRequests: 1,
    });
    await producer.connect();
    const transaction = await producer.transaction();
    await transaction.send({ topic, messages: values.map((value) => ({ key: value, value })) });
    await transaction.abort();
    await producer.disconnect();
  }

  async addPartitions(topic: string, count: number): Promise<void> {
    await this.admin.createPartitions({ topicPartitions: [{ topic, count }] });
  }

  async partitionCount(topic: string): Promise<number> {
    const { topics } = await this.admin.fetchTopicMetadata({ topics: [topic] });
    return topics[0]?.partitions.length ?? 0;
  }

  async exists(topic: string): Promise<boolean> {
    return (await this.admin.listTopics()).includes(topic);
  }

  /** Changes settings of a topic that is there. */
  async configure(topic: string, settings: Record<string, string>): Promise<void> {
    const configEntries = Object.entries(settings).map(([name, value]) => ({ name, value }));
    const type = ConfigResourceTypes.TOPIC;
    await this.admin.alterConfigs({
      validateOnly: false,
      resources: [{ type, name: topic, configEntries }],
    });
  }

  async settings(topic: string): Promise<Record<string, string>> {
    const { resources } = await this.admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: ConfigResourceTypes.TOPIC, name: topic }],
    });
    const entries = resources[0]?.configEntries ?? [];
    return Object.fromEntries(
      entries.map(({ configName, configValue }) => [configName, configValue]),
    );
  }

  /** Says for a group without members that it has read up to, not including, this offset. */
  async commit(topic: string, groupId: string, offset: string): Promise<void> {
    await this.admin.setOffsets({ groupId, topic, partitions: [{ partition: 0, offset }] });
  }

  async committed(groupId: string, topic: string): Promise<Map<number, string>> {
    const [entry] = await this.admin.fetchOffsets({ groupId, topics: [topic] });
    return new Map(entry?.partitions.map(({ partition, offset }) => [partition, offset]));
  }

  async members(groupId: string): Promise<number> {
    const { groups } = await this.admin.describeGroups([groupId]);
    return groups[0]?.members.length ?? 0;
  }

  async groups(): Promise<string[]> {
    const { groups } = await this.admin.listGroups();
    return groups.map(({ groupId }) => groupId).filter((name) => name.startsWith(this.prefix));
  }

  /** Moves the start of a partition's log to this offset, as retention would. */
  async deleteBefore(topic: string, partition: number, offset: string): Promise<void> {
    // kafkajs finds the leader only of topics it was asked about before.
    await this.admin.fetchTopicOffsets(topic);
    await this.admin.deleteTopicRecords({ topic, partitions: [{ partition, offset }] });
  }

  async close(): Promise<void> {
    const topics = (await this.admin.listTopics()).filter((name) => name.startsWith(this.prefix));
    await this.admin.deleteTopics({ topics });
    const groups = await this.groups();
    if (groups.length > 0) {
      await this.admin.deleteGroups(groups);
    }
    await Promise.all([this.admin.disconnect(), this.producer.disconnect()]);
  }
}
