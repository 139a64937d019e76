import type { Config } from '#platform/config/config.ts';
import { recordBytesMax } from './record-size.ts';

export type TopicConfig = Pick<
  Config,
  | 'KAFKA_TOPIC_PREFIX'
  | 'KAFKA_PARTITIONS'
  | 'KAFKA_REPLICATION_FACTOR'
  | 'KAFKA_MIN_INSYNC_REPLICAS'
  | 'KAFKA_RETENTION_HOURS'
>;

/** What our topics need of a setting, whoever made them. docs/guarantees.md has the same table. */
export interface TopicDemand {
  /** As Kafka names it. */
  setting: string;
  /** What our topics are created with. */
  value: (config: TopicConfig) => string;
  /** Whether the value of a topic that is there will do. */
  suits: (value: string, config: TopicConfig) => boolean;
  /** On which topics another value breaks a promise; on the others it is worth a warning. */
  promiseOf: 'requests' | 'all' | 'none';
  /** What happens with another value. */
  why: string;
}

const msPerHour = 3_600_000;
/** Kafka's default: 1 MiB and what stands around a batch. */
const batchBytesMax = 1_048_588;

export const topicDemands: readonly TopicDemand[] = [
  {
    setting: 'cleanup.policy',
    value: () => 'delete',
    suits: (value) => value === 'delete',
    promiseOf: 'requests',
    why: 'compaction keeps the last request of each coupon and deletes the others, decided or not',
  },
  {
    setting: 'retention.ms',
    value: (config) => String(retentionMs(config)),
    suits: (value, config) => Number(value) === -1 || Number(value) >= retentionMs(config),
    promiseOf: 'requests',
    why: 'requests that wait longer than this for an issuer are deleted undecided',
  },
  {
    setting: 'retention.bytes',
    value: () => '-1',
    suits: (value) => value === '-1',
    promiseOf: 'requests',
    why: 'a rush while no issuer runs deletes the oldest requests undecided',
  },
  {
    setting: 'unclean.leader.election.enable',
    value: () => 'false',
    suits: (value) => value === 'false',
    promiseOf: 'requests',
    why: 'a replica that is behind may become the leader, and what it does not have is gone',
  },
  {
    setting: 'min.insync.replicas',
    value: (config) => String(config.KAFKA_MIN_INSYNC_REPLICAS),
    suits: (value, config) => Number(value) >= config.KAFKA_MIN_INSYNC_REPLICAS,
    promiseOf: 'requests',
    why: 'a request counts as written on fewer brokers than KAFKA_MIN_INSYNC_REPLICAS says',
  },
  {
    setting: 'message.timestamp.type',
    value: () => 'LogAppendTime',
    suits: (value) => value === 'LogAppendTime',
    promiseOf: 'requests',
    why: 'the clock of a writer decides when its records are deleted, and whether they are taken at all',
  },
  {
    setting: 'max.message.bytes',
    value: () => String(batchBytesMax),
    suits: (value) => Number(value) > recordBytesMax,
    promiseOf: 'all',
    why: 'a batch of ours may be larger; it is refused each time, and its partition comes no further',
  },
  {
    setting: 'compression.type',
    value: () => 'producer',
    suits: (value) => value === 'producer' || value === 'uncompressed',
    promiseOf: 'none',
    why: 'brokers compress each batch anew, and issuers take it apart: time for nothing',
  },
];

function retentionMs({ KAFKA_RETENTION_HOURS }: TopicConfig): number {
  return KAFKA_RETENTION_HOURS * msPerHour;
}
