import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { EventPublisher, PublishUnconfirmedError } from './event-publisher.ts';
import { TestTopics, testKafka } from '../../../test/harness/stores/test-topics.ts';
import { readTopic } from '../inspect/log-reader.ts';
import type { ConsumedRecord } from '../consumed-record.ts';

const topics = new TestTopics();
const open: EventPublisher[] = [];
/** More than a busy machine needs, and what it takes to find out that something never comes. */
const [patientMs, shortMs] = [20_000, 2_000];
const inTimeMs = 10_000;

beforeAll(() => topics.open());
afterEach(() => Promise.all(open.splice(0).map((publisher) => publisher.close())));
afterAll(() => topics.close());

function startPublisher(publishTimeoutMs: number, brokers?: string): EventPublisher {
  const publisher = new EventPublisher(testKafka(brokers), { publishTimeoutMs });
  publisher.start();
  open.push(publisher);
  return publisher;
}

function record(partition: number, value: unknown) {
  return { partition, key: 'k', value };
}

async function readAll(topic: string) {
  const records: (ConsumedRecord & { partition: number })[] = [];
  await readTopic(testKafka(), topic, (each, partition) => {
    records.push({ ...each, partition });
  });
  return records;
}

/** How a publish ended, and after how many milliseconds. */
async function outcome(publishing: Promise<void>) {
  const startedAt = performance.now();
  const error: unknown = await publishing.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return { error, tookMs: performance.now() - startedAt };
}

it('every record is in the log when publish resolves: partition, key, JSON value and headers', async () => {
  const topic = await topics.create(3);
  const publisher = startPublisher(patientMs);
  await publisher.publish(topic, [
    { partition: 2, key: '7', value: { n: 1, text: '🎟' }, headers: { traceparent: '00-x' } },
    { partition: 0, key: '8', value: ['two'] },
    { partition: 2, key: '7', value: null },
  ]);
  const records = await readAll(topic);
  const inTwo = records.filter(({ partition }) => partition === 2);
  expect(inTwo.map(({ value }) => String(value))).toEqual(['{"n":1,"text":"🎟"}', 'null']);
  expect(String(inTwo[0]?.key)).toBe('7');
  expect(String(inTwo[0]?.headers['traceparent'])).toBe('00-x');
  expect(records.filter(({ partition }) => partition === 0)).toHaveLength(1);
});

it('many publishes at once all arrive, each in the order of its own records', async () => {
  const topic = await topics.create(2);
  const publisher = startPublisher(patientMs);
  const publish = (call: number) =>
    publisher.publish(
      topic,
      Array.from({ length: 20 }, (_, n) => record(call % 2, { call, n })),
    );
  await Promise.all(Array.from({ length: 100 }, (_, call) => publish(call)));
  const values = (await readAll(topic)).map(
    ({ value }) => JSON.parse(String(value)) as { call: number; n: number },
  );
  expect(values).toHaveLength(2_000);
  for (let call = 0; call < 100; call += 1) {
    const ofCall = values.filter((value) => value.call === call).map(({ n }) => n);
    expect(ofCall).toEqual(Array.from({ length: 20 }, (_, n) => n));
  }
});

it('a publish that comes before the connection waits for it', async () => {
  const topic = await topics.create(1);
  const publisher = startPublisher(patientMs);
  expect(publisher.state()).toEqual({ status: 'connecting', lastError: undefined });
  await publisher.publish(topic, [record(0, 'early')]);
  expect(publisher.state().status).toBe('connected');
});

it('a partition that does not exist is an error, not a silent success', async () => {
  const topic = await topics.create(1);
  const publisher = startPublisher(shortMs);
  await vi.waitFor(() => expect(publisher.state().status).toBe('connected'), 15_000);
  const { error, tookMs } = await outcome(publisher.publish(topic, [record(9, 'lost?')]));
  expect(error).toBeInstanceOf(PublishUnconfirmedError);
  expect((error as Error).message).toContain('partition 9');
  expect(tookMs).toBeLessThan(inTimeMs);
});

it('a partition added a moment ago is found in time', async () => {
  const topic = await topics.create(1);
  const publisher = startPublisher(patientMs);
  await publisher.publish(topic, [record(0, 'before')]);
  await topics.addPartitions(topic, 2);
  await publisher.publish(topic, [record(1, 'after')]);
});

it('a topic that does not exist is not created, and rejects in time', async () => {
  const topic = `${topics.prefix}missing`;
  const { error, tookMs } = await outcome(startPublisher(shortMs).publish(topic, [record(0, 'x')]));
  expect(error).toBeInstanceOf(PublishUnconfirmedError);
  expect(tookMs).toBeLessThan(inTimeMs);
});

it('what the brokers refuse for good rejects at once', async () => {
  const topic = await topics.create(1);
  const publisher = startPublisher(patientMs);
  await publisher.publish(topic, [record(0, 'small')]);
  const { error, tookMs } = await outcome(
    publisher.publish(topic, [record(0, 'x'.repeat(2_000_000))]),
  );
  expect(error).toBeInstanceOf(PublishUnconfirmedError);
  expect((error as Error).message).toContain('refuse');
  expect(tookMs).toBeLessThan(patientMs / 2);
});

it('a value JSON cannot express is an error of the caller', async () => {
  await expect(startPublisher(patientMs).publish('t', [record(0, undefined)])).rejects.toThrow(
    TypeError,
  );
});

it('without a broker it says so, rejects in time and closes quickly', async () => {
  const publisher = startPublisher(shortMs, '127.0.0.1:1');
  const { error, tookMs } = await outcome(publisher.publish('t', [record(0, 'x')]));
  expect(error).toBeInstanceOf(PublishUnconfirmedError);
  expect(tookMs).toBeLessThan(inTimeMs);
  await vi.waitFor(() => expect(publisher.state().lastError).toContain('ECONNREFUSED'), 10_000);
  expect(publisher.state().status).toBe('connecting');
  const closing = await outcome(publisher.close());
  expect(closing.tookMs).toBeLessThan(inTimeMs);
});

it('close waits for what is being published; later publishes are rejected', async () => {
  const topic = await topics.create(1);
  const publisher = startPublisher(patientMs);
  const publishing = publisher.publish(topic, [record(0, 'last')]);
  await publisher.close();
  await expect(publishing).resolves.toBeUndefined();
  expect(publisher.state().status).toBe('closed');
  await expect(publisher.publish(topic, [record(0, 'late')])).rejects.toBeInstanceOf(
    PublishUnconfirmedError,
  );
});
