import '../kafka-client.ts';
import { expect, test } from 'vitest';
import { type FetchedMessage, fetchFailureOf } from '../fetch-failure.ts';
import { decodeMessages } from './batch-decoding.ts';
import { encodeRecord } from './record-encoding.ts';
import { innerModule } from './replace-module.ts';

/** What we use of functions and classes inside kafkajs 2.2.4. */
const encodeBatch = innerModule<{
  RecordBatch: (batch: object) => Promise<{ buffer: Buffer }>;
}>('protocol/recordBatch/v0').exports.RecordBatch;
const Decoder =
  innerModule<new (bytes: Buffer) => Parameters<typeof decodeMessages>[0]>(
    'protocol/decoder',
  ).exports;

async function batchAt(firstOffset: number, values: string[]): Promise<Buffer> {
  const records = values.map((value, offsetDelta) => encodeRecord({ value, offsetDelta }));
  const lastOffsetDelta = values.length - 1;
  const { buffer } = await encodeBatch({ records, firstOffset, lastOffsetDelta });
  return Buffer.from(buffer);
}

function decode(...batches: Buffer[]): Promise<FetchedMessage[]> {
  const bytes = Buffer.concat(batches);
  const size = Buffer.alloc(4);
  size.writeInt32BE(bytes.length);
  return decodeMessages(new Decoder(Buffer.concat([size, bytes])));
}

const valuesOf = (messages: FetchedMessage[]): string[] =>
  messages.map(({ offset, value }) => `${offset} ${String(value)}`);

/** The batch with one byte turned. */
function damaged(batch: Buffer, at: number): Buffer {
  const copy = Buffer.from(batch);
  copy[at]! ^= 0xff;
  return copy;
}

test('whole batches are handed on, and a last one that is cut off is left for the next fetch', async () => {
  const [first, second] = [await batchAt(5, ['a', 'b']), await batchAt(7, ['c'])];
  expect(valuesOf(await decode(first, second))).toEqual(['5 a', '6 b', '7 c']);
  expect(valuesOf(await decode(first, second.subarray(0, -1)))).toEqual(['5 a', '6 b']);
});

test('what stands before a damaged batch is handed on; then the batch is told of, and where the log goes on', async () => {
  const [first, second, third] = [
    await batchAt(5, ['a', 'b']),
    await batchAt(7, ['c']),
    await batchAt(8, ['d']),
  ];
  const bad = damaged(second, second.length - 1);
  expect(valuesOf(await decode(first, bad, third))).toEqual(['5 a', '6 b']);
  const [stand, ...more] = await decode(bad, third);
  expect(more).toEqual([]);
  const failure = fetchFailureOf(stand);
  expect(failure).toMatchObject({ batch: { firstOffset: '7', nextOffset: '8' } });
  expect(failure!.reason).toContain('checksum');
});

test('a batch is never believed with any byte of it turned, but for those that its checksum leaves out', async () => {
  const batch = await batchAt(5, ['a', 'b']);
  // Its first offset, and the epoch of its leader: brokers write them, and the checksum leaves them out.
  const leftOut = new Set([0, 1, 2, 3, 4, 5, 6, 7, 12, 13, 14, 15]);
  for (const at of batch.keys()) {
    if (!leftOut.has(at)) {
      const [stand] = await decode(damaged(batch, at));
      expect(fetchFailureOf(stand), `byte ${at}`).toBeDefined();
    }
  }
});
