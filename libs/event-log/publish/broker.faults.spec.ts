import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { OwnServer } from '../../../test/harness/servers/own-server.ts';
import { KafkaBatchTransport } from '../consume/batch-transport.ts';
import { LogAdmin, latestOffsets } from '../inspect/log-admin.ts';
import { EventPublisher, PublishUnconfirmedError } from './event-publisher.ts';
import { TestTopics, testKafka } from '../../../test/harness/stores/test-topics.ts';
import { readTopic } from '../inspect/log-reader.ts';
import type { BatchContext } from '../consume/batch-context.ts';
import type { RecordBatch } from '../consumed-record.ts';

const publishTimeoutMs = 2_000;
const recovery = { timeout: 90_000, interval: 100 };

const broker = new OwnServer('kafka');
const topics = new TestTopics();
const publishers: EventPublisher[] = [];
const transports: KafkaBatchTransport[] = [];

beforeAll(() => topics.open());
beforeEach((context) => broker.require(context));
afterEach(async () => {
  broker.thaw();
  await broker.start();
  await Promise.all([...publishers.splice(0), ...transports.splice(0)].map((each) => each.close()));
});
afterAll(() => topics.close());

async function startPublisher(): Promise<EventPublisher> {
  const publisher = new EventPublisher(testKafka(), { publishTimeoutMs });
  publisher.start();
  publishers.push(publisher);
  await vi.waitFor(() => expect(publisher.state().status).toBe('connected'), recovery);
  return publisher;
}

function startConsumer(topic: string, onCrash: (error: Error) => void) {
  const seen: string[] = [];
  const transport = new KafkaBatchTransport({
    kafka: testKafka(),
    groupId: `${topic}.group`,
    onCrash,
  });
  const handler = async ({ records }: RecordBatch, context: BatchContext): Promise<void> => {
    for (const { value, offset } of records) {
      seen.push(JSON.parse(String(value)) as string);
      await context.resolve(offset);
    }
  };
  transport.addHandler(topic, handler as never, true);
  transport.listen(() => {});
  transports.push(transport);
  return { transport, seen };
}

async function readValues(topic: string): Promise<string[]> {
  const values: string[] = [];
  await readTopic(testKafka(), topic, ({ value }) => {
    values.push(JSON.parse(String(value)) as string);
  });
  return values;
}

function publish(publisher: EventPublisher, topic: string, value: string): Promise<void> {
  return publisher.publish(topic, [{ partition: 0, key: 'k', value }]);
}

/** Publishes it until it is confirmed, as the relay does. */
async function publishSurely(publisher: EventPublisher, topic: string, value: string) {
  await vi.waitFor(() => publish(publisher, topic, value), recovery);
}

describe('a broker that is frozen', () => {
  it('publish rejects in time, what it left behind comes at most once, and it recovers', async () => {
    const topic = await topics.create(1);
    const publisher = await startPublisher();
    await publishSurely(publisher, topic, 'before');
    await broker.freeze();
    const startedAt = performance.now();
    const lost = await Promise.allSettled(
      ['a', 'b', 'c'].map((value) => publish(publisher, topic, value)),
    );
    // Sooner than kafkajs gives up a request by itself.
    expect(performance.now() - startedAt).toBeLessThan(7_500);
    for (const result of lost) {
      expect(result).toMatchObject({ reason: expect.any(PublishUnconfirmedError) as unknown });
    }
    await vi.waitFor(() => expect(publisher.state().status).toBe('connecting'), recovery);
    broker.thaw();
    await vi.waitFor(() => expect(publisher.state().status).toBe('connected'), recovery);
    await publishSurely(publisher, topic, 'after');
    const values = await readValues(topic);
    const left = values.filter((value) => ['a', 'b', 'c'].includes(value));
    expect(new Set(left).size).toBe(left.length);
    expect(values).toEqual(expect.arrayContaining(['before', 'after']));
  });

  it('loses no confirmed record, frozen again and again under load', async () => {
    const topic = await topics.create(1);
    const publisher = await startPublisher();
    const confirmed: string[] = [];
    let unconfirmed = 0;
    let next = 0;
    const over = new AbortController();
    const worker = async (): Promise<void> => {
      while (!over.signal.aborted) {
        const value = String((next += 1));
        await publish(publisher, topic, value).then(
          () => confirmed.push(value),
          () => (unconfirmed += 1),
        );
      }
    };
    const workers = Array.from({ length: 8 }, worker);
    for (let round = 1; round <= 2; round += 1) {
      const target = confirmed.length + 100;
      await vi.waitFor(() => expect(confirmed.length).toBeGreaterThan(target), recovery);
      await broker.freeze();
      const rejected = unconfirmed + workers.length;
      await vi.waitFor(() => expect(unconfirmed).toBeGreaterThanOrEqual(rejected), recovery);
      broker.thaw();
    }
    const target = confirmed.length + 100;
    await vi.waitFor(() => expect(confirmed.length).toBeGreaterThan(target), recovery);
    over.abort();
    await Promise.all(workers);
    const written = new Set(await readValues(topic));
    expect(confirmed.filter((value) => !written.has(value))).toEqual([]);
  });

  it('a consumer goes on after it, and skips nothing', async () => {
    const topic = await topics.create(1);
    const onCrash = vi.fn();
    const publisher = await startPublisher();
    const { seen } = startConsumer(topic, onCrash);
    await publishSurely(publisher, topic, 'before');
    await vi.waitFor(() => expect(seen).toContain('before'), recovery);
    await broker.freeze();
    // Longer than a session lasts: the group has forgotten the member when the broker wakes.
    await new Promise((resolve) => setTimeout(resolve, 14_000));
    broker.thaw();
    await publishSurely(publisher, topic, 'after');
    await vi.waitFor(() => expect(seen).toContain('after'), recovery);
    expect(onCrash).not.toHaveBeenCalled();
  });

  it('readTopic gives up with an error', async () => {
    const topic = await topics.create(1);
    await broker.freeze();
    const reading = readTopic(testKafka(), topic, () => {}, { idleTimeoutMs: 1_000 });
    await expect(reading).rejects.toThrow(topic);
  });
});

describe('a broker that is killed and started again', () => {
  it.each(['SIGKILL', 'SIGTERM'] as const)(
    'publisher, consumer and admin go on by themselves after %s',
    async (signal) => {
      const topic = await topics.create(1);
      const onCrash = vi.fn();
      const admin = new LogAdmin(testKafka());
      const publisher = await startPublisher();
      const { seen, transport } = startConsumer(topic, onCrash);
      await publishSurely(publisher, topic, 'before');
      await vi.waitFor(() => expect(seen).toContain('before'), recovery);
      const before = (await latestOffsets(admin, topic)).get(0)!;
      expect(before).toBeGreaterThan(0);

      await broker.stop(signal);
      await vi.waitFor(() => expect(publisher.state().status).toBe('connecting'), recovery);
      await expect(publish(publisher, topic, 'away')).rejects.toBeInstanceOf(
        PublishUnconfirmedError,
      );
      await expect(latestOffsets(admin, topic)).rejects.toThrow();
      await vi.waitFor(() => expect(transport.state().status).toBe('connecting'), recovery);

      await broker.start();
      await publishSurely(publisher, topic, 'after');
      await vi.waitFor(() => expect(seen).toContain('after'), recovery);
      await vi.waitFor(
        async () => expect((await latestOffsets(admin, topic)).get(0)).toBeGreaterThan(before),
        recovery,
      );
      expect(onCrash).not.toHaveBeenCalled();
      await admin.close();
    },
  );
});
