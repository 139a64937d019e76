import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import '../kafka-client.ts';
import { groupMessages, groupMessagesOfKafkajs } from './partition-grouping.ts';
import { encodeRecord, encodeRecordOfKafkajs } from './record-encoding.ts';

const require = createRequire(import.meta.url);
const bytes = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array)),
);
const field = fc.option(bytes, { nil: null });
const record = fc.record(
  {
    key: field,
    value: field,
    headers: fc.dictionary(fc.string(), fc.oneof(bytes, fc.array(bytes, { maxLength: 3 }))),
    offsetDelta: fc.nat(),
    timestampDelta: fc.integer({ min: -1e12, max: 1e12 }),
  },
  { requiredKeys: [] },
);

test('a record is encoded as kafkajs encodes it, byte for byte', () => {
  fc.assert(
    fc.property(record, (given) => {
      expect(encodeRecord(given).buffer.toString('hex')).toBe(
        encodeRecordOfKafkajs(given).buffer.toString('hex'),
      );
    }),
  );
});

test('messages are grouped by partition as kafkajs groups them, in their order', () => {
  const partitions = fc.array(fc.nat({ max: 3 }), { maxLength: 30 });
  fc.assert(
    fc.property(partitions, fc.boolean(), (ofMessages, isKnown) => {
      const produce = {
        topic: 'any',
        partitionMetadata: isKnown ? [{ partitionId: 0 } as never] : [],
        messages: ofMessages.map((partition, i) => ({ partition, value: String(i) })),
        partitioner: ({ message }: { message: { partition?: number } }) => message.partition ?? 0,
      };
      expect(groupMessages(produce)).toEqual(groupMessagesOfKafkajs(produce));
    }),
  );
});

test('each is loaded by the list, and named in the decision about them', () => {
  const others = ['mends.ts', 'replace-module.ts'];
  const mends = readdirSync(import.meta.dirname).filter(
    (name) => !name.endsWith('.spec.ts') && !others.includes(name),
  );
  const namesIn = (path: string, pattern: RegExp): string[] =>
    [...readFileSync(join(import.meta.dirname, path), 'utf8').matchAll(pattern)]
      .map((match) => match[1]!)
      .toSorted();
  const adr = '../../../docs/adr/0007-inner-modules-of-kafkajs-are-replaced.md';
  expect(namesIn('mends.ts', /^import '\.\/(.+)';$/gm)).toEqual(mends.toSorted());
  expect(namesIn(adr, /^- `([\w-]+\.ts)`/gm)).toEqual(mends.toSorted());
});

test('kafkajs uses them', () => {
  const grouping = require.resolve('kafkajs/src/producer/groupMessagesPerPartition');
  expect(require(grouping)).toBe(groupMessages);
  expect(require('kafkajs/src/protocol/recordBatch/record/v0')).toBe(encodeRecord);
  // The one that groups messages was loaded after what it groups them with was replaced.
  const loaded = Object.keys(require.cache);
  const sending = loaded.indexOf(require.resolve('kafkajs/src/producer/sendMessages'));
  expect(loaded.indexOf(grouping)).toBeLessThan(sending);
});
