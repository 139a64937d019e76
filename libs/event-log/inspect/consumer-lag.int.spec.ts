import { afterAll, beforeAll, expect, it } from 'vitest';
import { KafkaBatchTransport } from '../consume/batch-transport.ts';
import { hasComeTo, readConsumerLag } from './consumer-lag.ts';
import { LogAdmin } from './log-admin.ts';
import { TestTopics, testKafka } from '../../../test/harness/stores/test-topics.ts';
import type { BatchContext } from '../consume/batch-context.ts';

const topics = new TestTopics();
const admin = new LogAdmin(testKafka());

beforeAll(() => topics.open());
afterAll(() => Promise.all([topics.close(), admin.close()]));

async function commitUpTo(topic: string, groupId: string, lastOffset: string): Promise<void> {
  const done = Promise.withResolvers<void>();
  const transport = new KafkaBatchTransport({ kafka: testKafka(), groupId, onCrash: () => {} });
  const handler = async (_batch: unknown, context: BatchContext): Promise<void> => {
    await context.resolve(lastOffset);
    done.resolve();
  };
  transport.addHandler(topic, handler as never, true);
  transport.listen(() => {});
  await done.promise;
  await transport.close();
}

it('a group that has committed nothing lags by all that is kept, and its offset is null', async () => {
  const topic = await topics.create(2);
  await topics.append(topic, 1, ['a', 'b', 'c']);
  expect(await readConsumerLag(admin, `${topic}.nobody`, topic)).toEqual([
    { partition: 0, committed: null, logStart: 0, high: 0, lag: 0 },
    { partition: 1, committed: null, logStart: 0, high: 3, lag: 3 },
  ]);
});

it('lag is what is behind the committed offset', async () => {
  const topic = await topics.create(1);
  await topics.append(topic, 0, ['a', 'b', 'c', 'd']);
  await commitUpTo(topic, `${topic}.group`, '2');
  expect(await readConsumerLag(admin, `${topic}.group`, topic)).toEqual([
    { partition: 0, committed: 3, logStart: 0, high: 4, lag: 1 },
  ]);
});

it('what retention has removed is not counted', async () => {
  const topic = await topics.create(1);
  await topics.append(topic, 0, ['a', 'b', 'c', 'd']);
  await commitUpTo(topic, `${topic}.group`, '0');
  await topics.deleteBefore(topic, 0, '3');
  expect(await readConsumerLag(admin, `${topic}.group`, topic)).toEqual([
    { partition: 0, committed: 1, logStart: 3, high: 4, lag: 1 },
  ]);
});

it('the lag of a group that is ahead of the log is unknown, not 0', async () => {
  const topic = await topics.create(1);
  await topics.append(topic, 0, ['a']);
  await topics.commit(topic, `${topic}.group`, '5');
  expect(await readConsumerLag(admin, `${topic}.group`, topic)).toEqual([
    { partition: 0, committed: 5, logStart: 0, high: 1, lag: null },
  ]);
});

it('a group has come to where it has committed, if the log has that place', () => {
  const lag = { partition: 0, committed: 5, logStart: 0, high: 9, lag: 4 };
  expect(hasComeTo(lag, 5)).toBe(true);
  expect(hasComeTo(lag, 6)).toBe(false);
  expect(hasComeTo({ ...lag, logStart: 9, lag: 0 }, 9)).toBe(false);
  expect(hasComeTo({ ...lag, high: 2, lag: null }, 2)).toBe(false);
  expect(hasComeTo({ ...lag, committed: null }, 1)).toBe(false);
  expect(hasComeTo({ ...lag, committed: null, high: 0, lag: 0 }, 0)).toBe(true);
});
