import type { Admin } from 'kafkajs';
import { ConfigResourceTypes } from '../kafkajs.ts';
import type { CheckResult } from '#platform/checks/check.ts';
import type { TopicConfig } from '../topic-demands.ts';
import type { TopicFacts } from './topic-facts.ts';
import { readSettings, readTopics } from './topic-facts.ts';

const offsetsTopic = '__consumer_offsets';
const minutesPerHour = 60;

/** What is so of all brokers, and of the topic in which they keep how far the issuers have come. */
export async function checkBrokers(admin: Admin, config: TopicConfig): Promise<CheckResult[]> {
  const { brokers } = await admin.describeCluster();
  const names = brokers.map(({ nodeId }) => String(nodeId));
  const settings = await readSettings(admin, ConfigResourceTypes.BROKER, names);
  const [offsets] = await readTopics(admin, [offsetsTopic]);
  return [
    judgeVersion(valuesOf(settings, 'inter.broker.protocol.version')),
    judgeCount(names.length, config),
    judgeAutoCreation(settings),
    judgeOffsetRetention(settings, config),
    ...(offsets === undefined ? [] : [judgeOffsetReplicas(offsets, config)]),
  ];
}

/**
 * By the version in which brokers talk to each other, the only one that a client can ask for: brokers
 * of before 4.0 name it (`3.7-IV4`), later ones have no such setting.
 */
export function judgeVersion(protocols: readonly string[]): CheckResult {
  const name = 'kafka.version';
  const [oldest] = protocols
    .map((protocol) => protocol.split(/[.-]/).map(Number))
    .sort(
      ([major = 0, minor = 0], [other = 0, otherMinor = 0]) => major - other || minor - otherMinor,
    );
  if (oldest === undefined) {
    return { name, verdict: 'ok', message: 'the brokers are of Kafka 4.0 or newer' };
  }
  const [major = 0, minor = 0] = oldest;
  const message = `a broker speaks the protocol of Kafka ${major}.${minor}`;
  return major > 2 || (major === 2 && minor >= 1)
    ? {
        name,
        verdict: 'warning',
        message,
        why: 'nothing here is tested below 4.0',
        remedy: 'Kafka 4',
      }
    : {
        name,
        verdict: 'promise_void',
        message,
        why: 'batches that are compressed with zstd need 2.1, and headers and checksums 0.11',
        remedy: 'Kafka 4',
      };
}

function judgeCount(count: number, config: TopicConfig): CheckResult {
  const name = 'kafka.brokers';
  const needed = config.KAFKA_REPLICATION_FACTOR;
  return count >= needed
    ? { name, verdict: 'ok', message: `${count} brokers are up` }
    : {
        name,
        verdict: 'warning',
        message: `${count} brokers are up, and KAFKA_REPLICATION_FACTOR is ${needed}`,
        why: 'with fewer than KAFKA_MIN_INSYNC_REPLICAS nothing is taken (503 UNCONFIRMED)',
        remedy: 'start the brokers that are away',
      };
}

function judgeAutoCreation(settings: Map<string, Map<string, string>>): CheckResult {
  const name = 'kafka.broker.auto-create-topics';
  const is = valuesOf(settings, 'auto.create.topics.enable').includes('true');
  return is
    ? {
        name,
        verdict: 'warning',
        message: 'auto.create.topics.enable is true',
        why: 'whoever asks for a topic of ours that is missing makes one with the defaults of the brokers',
        remedy: 'auto.create.topics.enable=false in server.properties',
      }
    : { name, verdict: 'ok', message: 'topics are made by command only' };
}

/** A group without an offset is stopped, not lost (PositionGuard); but somebody must then come. */
function judgeOffsetRetention(
  settings: Map<string, Map<string, string>>,
  config: TopicConfig,
): CheckResult {
  const name = 'kafka.broker.offsets-retention';
  const needed = config.KAFKA_RETENTION_HOURS * minutesPerHour;
  const minutes = valuesOf(settings, 'offsets.retention.minutes').map(Number);
  const shortest = Math.min(...minutes);
  return shortest >= needed
    ? { name, verdict: 'ok', message: 'offsets are kept as long as records' }
    : {
        name,
        verdict: 'warning',
        message: `offsets.retention.minutes is ${shortest}, records are kept for ${needed}`,
        why: 'issuers that are away for longer stop, and wait for somebody to say where to go on',
        remedy: `offsets.retention.minutes=${needed} in server.properties`,
      };
}

function judgeOffsetReplicas({ partitions }: TopicFacts, config: TopicConfig): CheckResult {
  const name = 'kafka.offsets-topic.replicas';
  const needed = config.KAFKA_REPLICATION_FACTOR;
  const fewest = Math.min(...partitions.map(({ replicas }) => replicas));
  return fewest >= needed
    ? { name, verdict: 'ok', message: `${offsetsTopic} has ${fewest} replicas` }
    : {
        name,
        verdict: 'warning',
        message: `a partition of ${offsetsTopic} has ${fewest} replicas, and KAFKA_REPLICATION_FACTOR is ${needed}`,
        why: 'without that broker no issuer decides anything; without its disk they stop',
        remedy: 'kafka-reassign-partitions.sh --bootstrap-server HOST:9092 --execute',
      };
}

function valuesOf(settings: Map<string, Map<string, string>>, setting: string): string[] {
  return [...settings.values()].flatMap((ofBroker) => ofBroker.get(setting) ?? []);
}
