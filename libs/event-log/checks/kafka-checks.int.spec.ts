import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { CheckResult } from '#platform/checks/check.ts';
import { testConfig } from '../../../test/harness/test-config.ts';
import { TestTopics, testKafka } from '../../../test/harness/stores/test-topics.ts';
import { createTopics, topicNames } from '../topics.ts';
import type { TopicConfig } from '../topic-demands.ts';
import { kafkaChecks } from './kafka-checks.ts';

const topics = new TestTopics();

beforeAll(() => topics.open());
afterAll(() => topics.close());

function ownConfig(more: Record<string, string> = {}): TopicConfig {
  return testConfig({
    KAFKA_TOPIC_PREFIX: `${topics.prefix}${randomUUID().slice(0, 8)}.`,
    KAFKA_PARTITIONS: '2',
    KAFKA_REPLICATION_FACTOR: '1',
    KAFKA_MIN_INSYNC_REPLICAS: '1',
    ...more,
  });
}

async function check(
  config: TopicConfig,
  which?: string,
  highestPartition?: () => Promise<number | undefined>,
): Promise<CheckResult[]> {
  const results = await kafkaChecks(testKafka(), config, highestPartition)();
  return results.filter(({ name }) => which === undefined || name === which);
}

it('finds topics that we made as our promises need them', async () => {
  const config = ownConfig();
  await createTopics(testKafka(), config);
  const results = await check(config);
  expect(results.filter(({ verdict }) => verdict !== 'ok')).toEqual([]);
  expect(results.map(({ name }) => name)).toContain('kafka.topic.cleanup-policy');
});

it.for([
  ['cleanup.policy', 'compact'],
  ['cleanup.policy', 'compact,delete'],
  ['retention.ms', '3600000'],
  ['retention.bytes', '1048576'],
  ['unclean.leader.election.enable', 'true'],
  ['message.timestamp.type', 'CreateTime'],
  ['max.message.bytes', '100000'],
] as const)(
  'says that a promise is void where %s of the requests is %s',
  async ([setting, value]) => {
    const config = ownConfig();
    const { requested } = topicNames(config.KAFKA_TOPIC_PREFIX);
    await topics.create(2, { [setting]: value }, requested);
    await createTopics(testKafka(), config);
    const [result, ...more] = await check(config, `kafka.topic.${setting.replaceAll('.', '-')}`);
    expect(more).toEqual([]);
    expect(result).toMatchObject({ verdict: 'promise_void', why: expect.any(String) });
    expect(result!.message).toContain(`${setting} of ${requested} is ${value}`);
    expect(result!.remedy).toContain(`--entity-name ${requested} --add-config ${setting}=`);
  },
);

it('sees what a topic inherits, as well as what it was given', async () => {
  const config = ownConfig({ KAFKA_MIN_INSYNC_REPLICAS: '2', KAFKA_REPLICATION_FACTOR: '3' });
  await Promise.all(
    Object.values(topicNames(config.KAFKA_TOPIC_PREFIX)).map((name) => topics.create(2, {}, name)),
  );
  const verdicts = async (name: string): Promise<string[]> =>
    (await check(config, name)).map(({ verdict }) => verdict);
  const oneVoid = ['promise_void', 'warning', 'warning'];
  expect(await verdicts('kafka.topic.min-insync-replicas')).toEqual(oneVoid);
  expect(await verdicts('kafka.topic.replicas')).toEqual(oneVoid);
  expect(await verdicts('kafka.topic.message-timestamp-type')).toEqual(oneVoid);
});

it('names a topic that is missing, and one with fewer partitions than there are of requests', async () => {
  const config = ownConfig();
  const { requested, decided, deadLetter } = topicNames(config.KAFKA_TOPIC_PREFIX);
  await topics.create(3, {}, requested);
  await topics.create(1, {}, decided);
  expect(await check(config, 'kafka.topic.exists')).toMatchObject([
    { verdict: 'promise_void', message: `${deadLetter} is not there`, remedy: 'firstcome migrate' },
  ]);
  expect(await check(config, 'kafka.topic.partitions')).toMatchObject([
    { verdict: 'warning', message: `${decided} has 1 partitions, ${requested} has 3` },
  ]);
  expect(await topics.exists(deadLetter)).toBe(false);
});

it('says that a promise is void where a coupon is on a partition that is gone', async () => {
  const config = ownConfig();
  await createTopics(testKafka(), config);
  const inUse = async (highest: () => Promise<number>): Promise<unknown> =>
    (await check(config, 'kafka.topic.partitions-in-use', highest)).map(({ verdict }) => verdict);
  expect(await inUse(async () => 1)).toEqual(['ok']);
  expect(await inUse(async () => 2)).toEqual(['promise_void']);
  expect(await inUse(() => Promise.reject(new Error('MySQL is away')))).toEqual([]);
});

it('knows nothing, and says so, where no broker answers', async () => {
  const results = await kafkaChecks(testKafka('127.0.0.1:1'), ownConfig())();
  expect(results.map(({ verdict }) => verdict)).toEqual(['away', 'away']);
});
