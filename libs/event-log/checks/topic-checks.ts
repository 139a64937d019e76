import type { CheckResult } from '#platform/checks/check.ts';
import type { TopicConfig, TopicDemand } from '../topic-demands.ts';
import { topicDemands } from '../topic-demands.ts';
import { topicNames } from '../topics.ts';
import type { TopicFacts } from './topic-facts.ts';

/** What is right and wrong about our topics, a line for each thing and topic that is wrong. */
export function judgeTopics(
  topics: readonly TopicFacts[],
  config: TopicConfig,
  highestPartition?: number,
): CheckResult[] {
  const names = topicNames(config.KAFKA_TOPIC_PREFIX);
  const isRequests = ({ name }: TopicFacts): boolean => name === names.requested;
  return [
    ...existence(topics, Object.values(names)),
    ...topicDemands.flatMap((demand) => judgeSetting(demand, topics, config, isRequests)),
    ...replication(topics, config, isRequests),
    ...partitions(topics, names),
    ...partitionsInUse(topics.find(isRequests), highestPartition),
  ];
}

function existence(topics: readonly TopicFacts[], names: string[]): CheckResult[] {
  const name = 'kafka.topic.exists';
  const missing = names.filter((topic) => !topics.some((each) => each.name === topic));
  return missing.length === 0
    ? [{ name, verdict: 'ok', message: `${names.join(', ')} are there` }]
    : missing.map((topic) => ({
        name,
        verdict: 'promise_void',
        message: `${topic} is not there`,
        why: 'nothing is taken, or nothing is decided; and what was in it is gone',
        remedy: 'firstcome migrate',
      }));
}

function judgeSetting(
  demand: TopicDemand,
  topics: readonly TopicFacts[],
  config: TopicConfig,
  isRequests: (topic: TopicFacts) => boolean,
): CheckResult[] {
  const { setting, promiseOf, why } = demand;
  const name = `kafka.topic.${setting.replaceAll('.', '-')}`;
  const needed = demand.value(config);
  const wrong = topics.flatMap((topic): CheckResult[] => {
    const value = topic.settings.get(setting);
    if (value === undefined || demand.suits(value, config)) {
      return [];
    }
    const isVoid = promiseOf === 'all' || (promiseOf === 'requests' && isRequests(topic));
    return [
      {
        name,
        verdict: isVoid ? 'promise_void' : 'warning',
        message: `${setting} of ${topic.name} is ${value}, and should be ${needed}`,
        why,
        remedy: `kafka-configs.sh --bootstrap-server HOST:9092 --alter --entity-type topics --entity-name ${topic.name} --add-config ${setting}=${needed}`,
      },
    ];
  });
  return wrong.length > 0 ? wrong : [{ name, verdict: 'ok', message: `${setting} is as needed` }];
}

function replication(
  topics: readonly TopicFacts[],
  config: TopicConfig,
  isRequests: (topic: TopicFacts) => boolean,
): CheckResult[] {
  const factor = config.KAFKA_REPLICATION_FACTOR;
  const fewCopies = topics.flatMap((topic): CheckResult[] => {
    const fewest = Math.min(...topic.partitions.map(({ replicas }) => replicas));
    return fewest >= factor
      ? []
      : [
          {
            name: 'kafka.topic.replicas',
            verdict: isRequests(topic) ? 'promise_void' : 'warning',
            message: `a partition of ${topic.name} has ${fewest} replicas, and KAFKA_REPLICATION_FACTOR is ${factor}`,
            why: 'fewer lost disks than the settings say lose what was acknowledged',
            remedy: 'kafka-reassign-partitions.sh --bootstrap-server HOST:9092 --execute',
          },
        ];
  });
  const behind = topics.flatMap(({ name, partitions: all }) =>
    all
      .filter(({ hasLeader, inSync, replicas }) => !hasLeader || inSync < replicas)
      .map(({ partition, hasLeader, inSync, replicas }) => {
        const leader = hasLeader ? '' : ', no leader';
        return `partition ${partition} of ${name}: ${inSync} of ${replicas} in sync${leader}`;
      }),
  );
  const inSync: CheckResult =
    behind.length === 0
      ? { name: 'kafka.topic.in-sync', verdict: 'ok', message: 'all replicas are in sync' }
      : {
          name: 'kafka.topic.in-sync',
          verdict: 'warning',
          message: behind.join('; '),
          why: 'with fewer in sync than min.insync.replicas nothing is taken (503 UNCONFIRMED)',
          remedy: 'start the brokers that are away',
        };
  const enough: CheckResult = {
    name: 'kafka.topic.replicas',
    verdict: 'ok',
    message: `each partition has ${factor} replicas or more`,
  };
  return [...(fewCopies.length > 0 ? fewCopies : [enough]), inSync];
}

/** Decisions and dead letters go to another partition where theirs is not there. */
function partitions(
  topics: readonly TopicFacts[],
  names: { requested: string; decided: string; deadLetter: string },
): CheckResult[] {
  const name = 'kafka.topic.partitions';
  const countOf = (topic: string): number | undefined =>
    topics.find((each) => each.name === topic)?.partitions.length;
  const requested = countOf(names.requested) ?? 0;
  const fewer = [names.decided, names.deadLetter].filter(
    (topic) => (countOf(topic) ?? requested) < requested,
  );
  return fewer.length === 0
    ? [{ name, verdict: 'ok', message: `${names.requested} has ${requested}, the others no fewer` }]
    : fewer.map((topic) => ({
        name,
        verdict: 'warning',
        message: `${topic} has ${countOf(topic)} partitions, ${names.requested} has ${requested}`,
        why: 'what is written about several partitions shares one; the order of each coupon stays',
        remedy: `kafka-topics.sh --bootstrap-server HOST:9092 --alter --topic ${topic} --partitions ${requested}`,
      }));
}

/** A request goes to the partition of its coupon and to no other: it stands before or behind a marker. */
function partitionsInUse(
  requests: TopicFacts | undefined,
  highestPartition: number | undefined,
): CheckResult[] {
  const name = 'kafka.topic.partitions-in-use';
  if (requests === undefined || highestPartition === undefined) {
    return [];
  }
  const count = requests.partitions.length;
  return highestPartition < count
    ? [{ name, verdict: 'ok', message: 'the partition of every coupon is there' }]
    : [
        {
          name,
          verdict: 'promise_void',
          message: `a coupon is on partition ${highestPartition}, and ${requests.name} has ${count}`,
          why: 'nobody gets one of it any more, and what its partition held is gone',
          remedy: `kafka-topics.sh --bootstrap-server HOST:9092 --alter --topic ${requests.name} --partitions ${highestPartition + 1}`,
        },
      ];
}
