import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { TestTopics, testKafka } from '../../../../test/harness/stores/test-topics.ts';
import { innerModule } from '../../kafkajs-mends/replace-module.ts';
import type { RecordBatch } from '../../consumed-record.ts';
import type { BatchContext } from '../batch-context.ts';
import { KafkaBatchTransport } from '../batch-transport.ts';

interface ConsumerGroup {
  heartbeat(options: unknown): Promise<void>;
  joinAndSync(): Promise<void>;
}
type FailureClass = new (cause: unknown, details?: object) => Error;

const { prototype } = innerModule<{ prototype: ConsumerGroup }>('consumer/consumerGroup').exports;
const { KafkaJSProtocolError, KafkaJSRequestTimeoutError } =
  innerModule<Record<'KafkaJSProtocolError' | 'KafkaJSRequestTimeoutError', FailureClass>>(
    'errors',
  ).exports;

const topics = new TestTopics();
let transport: KafkaBatchTransport | undefined;

beforeAll(() => topics.open());
afterAll(async () => {
  vi.restoreAllMocks();
  await transport?.close();
  await topics.close();
});

test('a consumer that was to join again, and whose request timed out, goes on with what it has', async () => {
  const topic = await topics.create(1);
  let handled = 0;
  transport = new KafkaBatchTransport({
    kafka: testKafka(),
    groupId: `${topic}.group`,
    onCrash: (error) => {
      throw error;
    },
  });
  const handler = async ({ records }: RecordBatch, context: BatchContext) => {
    if (!context.isStale()) {
      await context.resolve(records.at(-1)!.offset);
      handled += records.length;
    }
  };
  transport.addHandler(topic, handler as never, true);
  transport.listen(() => {});
  await topics.append(topic, 0, ['first']);
  await vi.waitFor(() => expect(handled).toBe(1), { timeout: 30_000 });

  // A coordinator that is away for a moment, as one is whose machine stands still.
  vi.spyOn(prototype, 'heartbeat').mockRejectedValueOnce(
    new KafkaJSProtocolError({
      type: 'NOT_COORDINATOR_FOR_GROUP',
      code: 16,
      retriable: true,
      message: 'This is not the correct coordinator for this group',
    }),
  );
  const joining = vi
    .spyOn(prototype, 'joinAndSync')
    .mockRejectedValueOnce(new KafkaJSRequestTimeoutError('Request JoinGroup timed out', {}));
  await vi.waitFor(() => expect(joining).toHaveBeenCalledOnce(), { timeout: 20_000 });
  await topics.append(topic, 0, ['second']);
  await vi.waitFor(() => expect(handled).toBe(2), { timeout: 20_000 });
  expect(joining).toHaveBeenCalledOnce();
});
