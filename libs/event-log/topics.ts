import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '#platform/text/error-message.ts';
import type { Admin, ITopicConfig, Kafka } from 'kafkajs';
import { type TopicConfig, topicDemands } from './topic-demands.ts';

/** The names of our topics, prefix included. */
export interface Topics {
  requested: string;
  decided: string;
  deadLetter: string;
}

const leaderWaitMs = 15_000;
const leaderPollMs = 100;

export function topicNames(prefix: string): Topics {
  return {
    requested: `${prefix}coupon.issuance.requested`,
    decided: `${prefix}coupon.issuance.decided`,
    deadLetter: `${prefix}coupon.issuance.dead-letter`,
  };
}

/** The consumer group of all issuers. */
export function issuerGroup(prefix: string): string {
  return `${prefix}firstcome-issuer`;
}

/**
 * Creates those of our topics that are missing and waits until every partition has a leader. An
 * existing topic is left as it is, whatever its settings. Safe to run twice, or in several
 * processes at once. Throws when the brokers cannot be reached or refuse, and when the settings ask
 * for more in-sync replicas than there are replicas.
 */
export async function createTopics(kafka: Kafka, config: TopicConfig): Promise<void> {
  assertReplication(config);
  const topics = topicNames(config.KAFKA_TOPIC_PREFIX);
  const admin = kafka.admin();
  await admin.connect();
  try {
    const existing = new Set(await admin.listTopics());
    const missing = Object.values(topics).filter((topic) => !existing.has(topic));
    if (missing.length > 0) {
      await admin.createTopics({
        topics: missing.map((topic) => topicDefinition(topic, config)),
        waitForLeaders: false,
      });
    }
    await waitForLeaders(admin, Object.values(topics));
  } finally {
    await admin.disconnect();
  }
}

function assertReplication(config: TopicConfig): void {
  if (config.KAFKA_MIN_INSYNC_REPLICAS > config.KAFKA_REPLICATION_FACTOR) {
    // Kafka would quietly take the lower of the two, and promise less than was asked for.
    throw new Error(
      `KAFKA_MIN_INSYNC_REPLICAS (${config.KAFKA_MIN_INSYNC_REPLICAS}) is more than ` +
        `KAFKA_REPLICATION_FACTOR (${config.KAFKA_REPLICATION_FACTOR}).`,
    );
  }
}

/** Everything that a promise needs is said here, whatever the defaults of the brokers are. */
function topicDefinition(topic: string, config: TopicConfig): ITopicConfig {
  return {
    topic,
    numPartitions: config.KAFKA_PARTITIONS,
    replicationFactor: config.KAFKA_REPLICATION_FACTOR,
    configEntries: topicDemands.map(({ setting, value }) => ({
      name: setting,
      value: value(config),
    })),
  };
}

async function waitForLeaders(admin: Admin, topics: string[]): Promise<void> {
  const deadline = performance.now() + leaderWaitMs;
  for (;;) {
    const problem = await missingLeader(admin, topics);
    if (problem === undefined) {
      return;
    }
    if (performance.now() >= deadline) {
      throw new Error(`Kafka topics are not usable after ${leaderWaitMs} ms: ${problem}`);
    }
    await sleep(leaderPollMs);
  }
}

/** What is still in the way of using these topics, in words; nothing when they are ready. */
async function missingLeader(admin: Admin, topics: string[]): Promise<string | undefined> {
  try {
    const metadata = await admin.fetchTopicMetadata({ topics });
    for (const name of topics) {
      const partitions = metadata.topics.find((topic) => topic.name === name)?.partitions ?? [];
      if (partitions.length === 0) {
        return `${name} is not known yet`;
      }
      const leaderless = partitions.find((partition) => partition.leader < 0);
      if (leaderless !== undefined) {
        return `partition ${leaderless.partitionId} of ${name} has no leader`;
      }
    }
    return undefined;
  } catch (error) {
    // A topic created a moment ago is unknown to some brokers until their metadata catches up.
    return messageOf(error);
  }
}
