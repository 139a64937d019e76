import { CompressionCodecs } from '../kafkajs.ts';
import { afterAll, afterEach, beforeAll, expect, it, onTestFinished, vi } from 'vitest';
import { TestTopics, testKafka } from '../../../test/harness/stores/test-topics.ts';
import type { BatchContext } from '../consume/batch-context.ts';
import { KafkaBatchTransport } from '../consume/batch-transport.ts';
import type { RecordBatch } from '../consumed-record.ts';
import { readTopic } from '../inspect/log-reader.ts';

const topics = new TestTopics();
const open: KafkaBatchTransport[] = [];
const soon = { timeout: 30_000, interval: 50 };
/** Long and alike, so that a compressed batch has more than one block and refers back. */
const values = Array.from({ length: 400 }, (_, i) => `${i} ${'winter sale '.repeat(50)}`);

beforeAll(() => topics.open());
afterEach(() => Promise.all(open.splice(0).map((transport) => transport.close())));
afterAll(() => topics.close());

interface Codec {
  decompress(bytes: Buffer): Promise<Buffer>;
}

const codecs = CompressionCodecs as Record<number, () => Codec>;
const types = { gzip: 1, snappy: 2, lz4: 3, zstd: 4 };

/** Puts something before the codec of this type, until the end of the test. */
function before(type: number, look: (bytes: Buffer) => void): void {
  const known = codecs[type]!;
  onTestFinished(() => void (codecs[type] = known));
  codecs[type] = () => ({
    ...known(),
    decompress: async (bytes) => {
      look(bytes);
      return known().decompress(bytes);
    },
  });
}

function consume(topic: string): { seen: string[]; transport: KafkaBatchTransport } {
  const seen: string[] = [];
  const transport = new KafkaBatchTransport({
    kafka: testKafka(),
    groupId: `${topic}.group`,
    onCrash: (error) => {
      throw error;
    },
  });
  const handler = async ({ records }: RecordBatch, context: BatchContext): Promise<void> => {
    seen.push(...records.map(({ value }) => String(value)));
    await context.resolve(records.at(-1)!.offset);
  };
  transport.addHandler(topic, handler as never, true);
  transport.listen(() => {});
  open.push(transport);
  return { seen, transport };
}

it.for(Object.entries(types))(
  'what a broker has compressed with %s is read',
  async ([name, type]) => {
    const look = vi.fn();
    before(type, look);
    const topic = await topics.create(1, { 'compression.type': name });
    await topics.append(topic, 0, values);
    const { seen } = consume(topic);
    await vi.waitFor(() => expect(seen).toEqual(values), soon);
    expect(look).toHaveBeenCalled();

    const read: string[] = [];
    await readTopic(testKafka(), topic, ({ value }) => void read.push(String(value)));
    expect(read).toEqual(values);
  },
);

it('a batch that cannot be read stops its partition, in words that say the way on, and no other', async () => {
  before(types.zstd, (bytes) => {
    if (bytes.length > 500) {
      throw new Error('not in this version');
    }
  });
  const topic = await topics.create(2, { 'compression.type': 'zstd' });
  await topics.append(topic, 0, ['before']);
  await topics.append(topic, 0, values);
  await topics.append(topic, 0, ['behind']);
  const { seen, transport } = consume(topic);
  await vi.waitFor(() => expect(transport.stoppedPartitions()).toHaveLength(1), soon);
  const [stopped] = transport.stoppedPartitions();
  expect(stopped).toMatchObject({ topic, partition: 0, offset: '1' });
  expect(stopped!.reason).toContain('(compression zstd): not in this version');
  expect(stopped!.reason).toContain(`--topic ${topic}:0 --reset-offsets --to-offset 401 --execute`);

  await topics.append(topic, 1, ['beside']);
  await vi.waitFor(() => expect(seen).toEqual(['before', 'beside']), soon);
  expect((await topics.committed(`${topic}.group`, topic)).get(0)).toBe('1');
  await expect(readTopic(testKafka(), topic, () => {})).rejects.toThrow('begins at offset 1 ');
});
