import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Config } from '#platform/config/config.ts';
import { testConfig } from '../../test/harness/test-config.ts';
import { TestTopics, testKafka } from '../../test/harness/stores/test-topics.ts';
import { createTopics, issuerGroup, topicNames } from './topics.ts';

const topics = new TestTopics();

beforeAll(() => topics.open());
afterAll(() => topics.close());

it('names carry the prefix', () => {
  expect(topicNames('x.')).toEqual({
    requested: 'x.coupon.issuance.requested',
    decided: 'x.coupon.issuance.decided',
    deadLetter: 'x.coupon.issuance.dead-letter',
  });
  expect(issuerGroup('x.')).toBe('x.firstcome-issuer');
});

function oneBroker(prefix: string): Config {
  return testConfig({
    KAFKA_TOPIC_PREFIX: prefix,
    KAFKA_PARTITIONS: '3',
    KAFKA_REPLICATION_FACTOR: '1',
    KAFKA_MIN_INSYNC_REPLICAS: '1',
  });
}

it('creates the missing topics with their settings; again, and in parallel, is harmless', async () => {
  const config = oneBroker(`${topics.prefix}create.`);
  const names = topicNames(config.KAFKA_TOPIC_PREFIX);
  await topics.create(1, {}, names.decided);
  await Promise.all([1, 2, 3, 4].map(() => createTopics(testKafka(), config)));
  await createTopics(testKafka(), config);

  expect(await topics.partitionCount(names.requested)).toBe(3);
  expect(await topics.partitionCount(names.deadLetter)).toBe(3);
  expect(await topics.partitionCount(names.decided)).toBe(1);
  for (const name of [names.requested, names.deadLetter]) {
    expect(await topics.settings(name)).toMatchObject({
      'min.insync.replicas': '1',
      'retention.ms': String(168 * 3_600_000),
      'retention.bytes': '-1',
      'message.timestamp.type': 'LogAppendTime',
      'cleanup.policy': 'delete',
      'unclean.leader.election.enable': 'false',
      'compression.type': 'producer',
      'max.message.bytes': '1048588',
    });
  }
});

it('refuses to ask for more in-sync replicas than there are replicas', async () => {
  const config = { ...oneBroker(`${topics.prefix}never.`), KAFKA_MIN_INSYNC_REPLICAS: 2 };
  await expect(createTopics(testKafka(), config)).rejects.toThrow('KAFKA_MIN_INSYNC_REPLICAS (2)');
  expect(await topics.exists(topicNames(config.KAFKA_TOPIC_PREFIX).requested)).toBe(false);
});
