import { strict as assert } from 'node:assert';
import { z } from 'zod';
import type { DeadLetter, RecordHeader } from '#coupon/dead-letter.ts';
import { eventVersion } from '#coupon/events.ts';
import type { LogRecord } from './event-publisher.ts';
import { recordBytesMax } from '../record-size.ts';

/** What is larger is left out of the copy; the ledger has it. */
const copiedBytesMax = 256 * 1_024;
const copiedHeaderLengthMax = 16 * 1_024;
const copiedReasonLengthMax = 1_000;

/** A character of text as UTF-8, or as JSON escapes it. */
const characterBytesMax = 6;
const copiedTextLengthMax = copiedHeaderLengthMax + copiedReasonLengthMax;
assert(
  // Base64 makes four bytes of three; headers and reason stand in the value and beside it.
  (copiedBytesMax * 4) / 3 + 2 * copiedTextLengthMax * characterBytesMax < recordBytesMax,
  'brokers take the copy of any letter',
);

/** The value of such a record. */
export const deadLetterRecordSchema = z.object({
  v: z.literal(eventVersion),
  reason: z.string().max(copiedReasonLengthMax),
  trace_id: z.string().nullable(),
  topic: z.string(),
  partition: z.int().min(0),
  /** A 64-bit integer in decimal. */
  offset: z.string(),
  /** Milliseconds since 1970. */
  recorded_at: z.int().min(0),
  key_base64: z.string().nullable(),
  value_base64: z.string().nullable(),
  headers: z.array(
    z.union([
      z.object({ name: z.string(), text: z.string() }),
      z.object({ name: z.string(), hex: z.string() }),
    ]),
  ),
  is_complete: z.boolean().describe('false: bytes, headers or words were left out of this copy.'),
});

/** What is written to the topic of dead letters: the letter, with the headers it came with. */
export function toDeadLetterRecord(letter: DeadLetter): LogRecord {
  const { topic, partition, offset, key, value, traceId } = letter;
  const reason = letter.reason.slice(0, copiedReasonLengthMax);
  const keepsBytes = (key?.length ?? 0) + (value?.length ?? 0) <= copiedBytesMax;
  const keepsHeaders = JSON.stringify(letter.headers).length <= copiedHeaderLengthMax;
  const headers = keepsHeaders ? letter.headers : [];
  return {
    partition,
    mayGoElsewhere: true,
    key: `${partition}/${offset}`,
    value: {
      v: eventVersion,
      reason,
      trace_id: traceId,
      topic,
      partition,
      offset,
      recorded_at: letter.recordedAt,
      key_base64: keepsBytes ? (key?.toString('base64') ?? null) : null,
      value_base64: keepsBytes ? (value?.toString('base64') ?? null) : null,
      headers,
      is_complete: keepsBytes && keepsHeaders && reason === letter.reason,
    } satisfies z.output<typeof deadLetterRecordSchema>,
    headers: {
      ...toKafkaHeaders(headers),
      'dead-letter-reason': reason,
      ...(traceId === null ? {} : { 'dead-letter-trace-id': traceId }),
    },
  };
}

function toKafkaHeaders(headers: RecordHeader[]): Record<string, Buffer[]> {
  const byName = Map.groupBy(headers, (header) => header.name);
  return Object.fromEntries(
    [...byName].map(([name, ofName]) => [
      name,
      ofName.map((header) =>
        'hex' in header ? Buffer.from(header.hex, 'hex') : Buffer.from(header.text),
      ),
    ]),
  );
}
