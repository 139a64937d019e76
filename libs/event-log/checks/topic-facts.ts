import type { Admin, ConfigResourceTypes as ConfigResourceType } from 'kafkajs';
import { ConfigResourceTypes } from '../kafkajs.ts';

/** What there is of a topic, as the brokers say. */
export interface TopicFacts {
  name: string;
  /** By the names that Kafka gives them; also what a topic inherits. */
  settings: ReadonlyMap<string, string>;
  partitions: PartitionFacts[];
}

export interface PartitionFacts {
  partition: number;
  replicas: number;
  inSync: number;
  hasLeader: boolean;
}

/** Those of these topics that exist, in the order of the names. */
export async function readTopics(admin: Admin, names: string[]): Promise<TopicFacts[]> {
  // Who asks for a topic that is not there gets an error for all that are.
  const existing = new Set(await admin.listTopics());
  const topics = names.filter((name) => existing.has(name));
  if (topics.length === 0) {
    return [];
  }
  const [{ topics: described }, settings] = await Promise.all([
    admin.fetchTopicMetadata({ topics }),
    readSettings(admin, ConfigResourceTypes.TOPIC, topics),
  ]);
  const inOrder = described.toSorted((a, b) => names.indexOf(a.name) - names.indexOf(b.name));
  return inOrder.map(({ name, partitions }) => ({
    name,
    settings: settings.get(name) ?? new Map(),
    partitions: partitions.map(({ partitionId, replicas, isr, leader }) => ({
      partition: partitionId,
      replicas: replicas.length,
      inSync: isr.length,
      hasLeader: leader >= 0,
    })),
  }));
}

/** The settings of topics, or of brokers, by name of the topic or broker. */
export async function readSettings(
  admin: Admin,
  type: ConfigResourceType,
  names: string[],
): Promise<Map<string, Map<string, string>>> {
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: names.map((name) => ({ type, name })),
  });
  return new Map(
    resources.map(({ resourceName, configEntries }) => [
      resourceName,
      new Map(configEntries.map(({ configName, configValue }) => [configName, configValue])),
    ]),
  );
}
