import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { SpareBroker, spareBrokerProblem } from '../../../test/harness/servers/spare-broker.ts';
import type { BatchContext } from './batch-context.ts';
import { KafkaBatchTransport } from './batch-transport.ts';
import type { RecordBatch } from '../consumed-record.ts';
import { EventPublisher } from '../publish/event-publisher.ts';
import { testKafka } from '../../../test/harness/stores/test-topics.ts';

const topic = 'long-records';
const filler = 'x'.repeat(50_000);

let broker: SpareBroker;
let publisher: EventPublisher;

beforeAll(async () => {
  if (spareBrokerProblem === undefined) {
    broker = await SpareBroker.create();
    await broker.server.start();
    const admin = testKafka(broker.direct).admin();
    await admin.connect();
    await admin.createTopics({ topics: [{ topic, numPartitions: 1 }], waitForLeaders: true });
    await admin.disconnect();
    publisher = new EventPublisher(testKafka(broker.direct), { publishTimeoutMs: 5_000 });
    publisher.start();
    await vi.waitFor(() => expect(publisher.state().status).toBe('connected'), 30_000);
  }
});
beforeEach(({ skip }) => skip(spareBrokerProblem !== undefined, spareBrokerProblem));
afterAll(async () => {
  await publisher?.close();
  await broker?.remove();
});

async function publish(name: string): Promise<void> {
  await publisher.publish(topic, [{ partition: 0, key: 'k', value: { name, filler } }]);
}

test('a consumer whose connection is reset in the middle of a reply goes on over the next one', async () => {
  const seen: string[] = [];
  const onCrash = vi.fn();
  const transport = new KafkaBatchTransport({
    kafka: testKafka(broker.proxied),
    groupId: 'reset',
    onCrash,
  });
  const handler = async ({ records }: RecordBatch, context: BatchContext): Promise<void> => {
    for (const { value, offset } of records) {
      seen.push((JSON.parse(String(value)) as { name: string }).name);
      await context.resolve(offset);
    }
  };
  transport.addHandler(topic, handler as never, true);
  transport.listen(() => {});
  await publish('before');
  await vi.waitFor(() => expect(seen).toContain('before'), 30_000);

  const isFetched = (reply: Buffer): boolean => reply.length > filler.length / 2;
  const brokenOff = new Promise<void>((resolve) => {
    broker.proxy.breakOff((reply) => {
      if (isFetched(reply)) {
        resolve();
      }
      return isFetched(reply);
    });
  });
  await publish('broken off');
  await brokenOff;
  await publish('after');
  // Sooner than a consumer that is deaf starts anew.
  await vi.waitFor(() => expect(seen).toContain('after'), 30_000);
  expect(seen).toContain('broken off');
  expect(onCrash).not.toHaveBeenCalled();
  await transport.close();
});
