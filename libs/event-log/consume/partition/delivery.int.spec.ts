import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { TestTopics, testKafka } from '../../../../test/harness/stores/test-topics.ts';
import type { CompleteOptions } from '../batch-transport-options.ts';
import { transportDefaults } from '../batch-transport-options.ts';
import { GroupConsumer } from '../group/group-consumer.ts';
import { Delivery } from './delivery.ts';

const topics = new TestTopics();
const closing = new AbortController();
const consumers: GroupConsumer[] = [];
const soon = { timeout: 30_000, interval: 50 };

beforeAll(() => topics.open());
afterEach(async () => {
  closing.abort();
  await Promise.all(consumers.map((consumer) => consumer.leave()));
});
afterAll(() => topics.close());

function join(topic: string, onDelivery: (delivery: Delivery) => Promise<void>): GroupConsumer {
  const options: CompleteOptions = {
    ...transportDefaults,
    kafka: testKafka(),
    groupId: `${topic}.group`,
    onCrash: (error) => {
      throw error;
    },
  };
  const consumer = new GroupConsumer(options, closing.signal);
  consumers.push(consumer);
  consumer.start({
    topics: [topic],
    onJoin: () => {},
    onCommit: () => {},
    onBatch: (payload) =>
      onDelivery(new Delivery(payload, consumer.membership, closing.signal, options.logger)),
  });
  return consumer;
}

test('one that outlives its join commits nothing: the offset of who has the partition now does not move back', async () => {
  const topic = await topics.create(2);
  const partitions = [0, 1];
  await Promise.all(partitions.map((p) => topics.append(topic, p, ['0', '1', '2', '3'])));
  const early = new Map<number, Delivery>();
  const first = join(topic, async (delivery) => {
    if (!early.has(delivery.partition)) {
      early.set(delivery.partition, delivery);
    }
  });
  await vi.waitFor(() => expect(early.size).toBe(2), soon);

  const second = join(topic, (delivery) => delivery.resolve('3'));
  await vi.waitFor(() => {
    expect(first.membership.partitionCount).toBe(1);
    expect(second.membership.partitionCount).toBe(1);
  }, soon);
  const taken = second.membership.partitions()[0]!.partition;
  const committed = async (): Promise<string | undefined> =>
    (await topics.committed(`${topic}.group`, topic)).get(taken);
  await expect.poll(committed).toBe('4');

  const late = early.get(taken)!;
  expect(late.isStale()).toBe(true);
  await late.resolve('1');
  expect(await committed()).toBe('4');
});
