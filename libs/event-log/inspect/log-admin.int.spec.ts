import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { TestTopics, testKafka } from '../../../test/harness/stores/test-topics.ts';
import { LogAdmin, latestOffsets } from './log-admin.ts';

const topics = new TestTopics();
const admin = new LogAdmin(testKafka());

beforeAll(() => topics.open());
afterAll(() => Promise.all([topics.close(), admin.close()]));

it('asks again while the coordinator of a group is not there yet, and no longer than it may', async () => {
  const away = Object.assign(new Error('loading'), { type: 'NOT_COORDINATOR_FOR_GROUP' });
  let asked = 0;
  const told = await admin.ask((kafkaAdmin) => {
    asked += 1;
    return asked < 3 ? Promise.reject(away) : kafkaAdmin.describeCluster();
  });
  expect(told.brokers).toHaveLength(1);
  const impatient = new LogAdmin(testKafka(), 1_000);
  await expect(impatient.ask(() => Promise.reject(away))).rejects.toThrow('within 1000 ms');
  await impatient.close();
});

it('latestOffsets is where each partition ends', async () => {
  const topic = await topics.create(2);
  await topics.append(topic, 1, ['a', 'b']);
  expect(await latestOffsets(admin, topic)).toEqual(
    new Map([
      [0, 0],
      [1, 2],
    ]),
  );
});

it('brokers that do not answer are an error, and the same LogAdmin works when they do', async () => {
  const away = new LogAdmin(testKafka('127.0.0.1:1'));
  await expect(latestOffsets(away, 'any')).rejects.toThrow(/ECONNREFUSED/);
  await away.close();

  const topic = `${topics.prefix}comes-later`;
  await expect(latestOffsets(admin, topic)).rejects.toThrow();
  await topics.create(1, {}, topic);
  await vi.waitFor(async () => expect((await latestOffsets(admin, topic)).size).toBe(1), 10_000);
});
