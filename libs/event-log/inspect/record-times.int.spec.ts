import { afterAll, beforeAll, expect, test } from 'vitest';
import { TestTopics, testKafka } from '../../../test/harness/stores/test-topics.ts';
import { RecordTimes } from './record-times.ts';

const topics = new TestTopics();
const byBroker = { 'message.timestamp.type': 'LogAppendTime' };

beforeAll(() => topics.open());
afterAll(() => topics.close());

test('the time of a record is that at which the broker appended it; null where there is none', async () => {
  const topic = await topics.create(2, byBroker);
  const times = new RecordTimes(testKafka(), topic);
  const before = Date.now();
  await topics.append(topic, 1, ['a', 'b', 'c']);
  const between = Date.now();
  await topics.append(topic, 1, ['d']);
  const after = Date.now();
  const [second, fourth, none, empty] = await times.read([
    { partition: 1, offset: 1 },
    { partition: 1, offset: 3 },
    { partition: 1, offset: 4 },
    { partition: 0, offset: 0 },
  ]);
  expect([none, empty]).toEqual([null, null]);
  expect(second).toBeGreaterThanOrEqual(before);
  expect(second).toBeLessThanOrEqual(between);
  expect(fourth).toBeGreaterThanOrEqual(second!);
  expect(fourth).toBeLessThanOrEqual(after);
  await times.close();
});

test('reading leaves no consumer group, and a full batch is read quickly', async () => {
  const topic = await topics.create(1, byBroker);
  await topics.append(
    topic,
    0,
    Array.from({ length: 2_000 }, (_, i) => `${i}`.padEnd(250, '.')),
  );
  const groups = await topics.groups();
  const times = new RecordTimes(testKafka(), topic);
  expect(await times.read([{ partition: 0, offset: 1_999 }])).toEqual([expect.any(Number)]);
  expect(groups).toEqual(expect.arrayContaining(await topics.groups()));
  await times.close();
});

test('brokers that are away are an error, and the next call connects anew', async () => {
  const away = new RecordTimes(testKafka('127.0.0.1:1'), 'any');
  await expect(away.read([{ partition: 0, offset: 0 }])).rejects.toThrow(/ECONNREFUSED|within/);
  await away.close();
  const name = `${topics.prefix}made-later`;
  const times = new RecordTimes(testKafka(), name);
  await expect(times.read([{ partition: 0, offset: 0 }])).rejects.toThrow();
  await topics.create(1, byBroker, name);
  await topics.append(name, 0, ['a']);
  await expect
    .poll(() => times.read([{ partition: 0, offset: 0 }]).catch(() => null), { timeout: 10_000 })
    .toEqual([expect.any(Number)]);
  await times.close();
});
