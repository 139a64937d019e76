import type { DeadLetter, RecordHeader } from '#coupon/dead-letter.ts';
import { textOf, traceparentOf } from '#coupon/dead-letter.ts';
import { eventVersion } from '#coupon/events.ts';
import { traceIdOf } from '#coupon/trace-context.ts';
import type { ConsumedRecord } from './consumed-record.ts';
import type { LogRecord } from '../publish/event-publisher.ts';

/** Where a batch was read. */
export interface LogPartition {
  topic: string;
  partition: number;
}

/** The latest time that a date can express; clients may write any number as the time of a record. */
const timeMax = 8_640_000_000_000_000;

/**
 * With base64 and headers a copy must stay below the 1 MB that brokers take for a record. What is
 * larger is left out of the copy; the ledger has it.
 */
const copiedBytesMax = 256 * 1_024;
const copiedHeaderLengthMax = 16 * 1_024;
const copiedReasonLengthMax = 1_000;

/** A record of the log as the dead letter it is. */
export function toDeadLetter(
  { topic, partition }: LogPartition,
  record: ConsumedRecord,
  reason: string,
): DeadLetter {
  const headers = listHeaders(record.headers);
  const { offset, key, value } = record;
  const traceparent = traceparentOf({ headers, value });
  return {
    topic,
    partition,
    offset,
    recordedAt: Math.min(Math.max(0, record.timestamp), timeMax),
    key,
    value,
    headers,
    traceId: traceparent === undefined ? null : traceIdOf(traceparent),
    reason,
  };
}

/** What is written to the topic of dead letters: the letter, with the headers it came with. */
export function toDeadLetterRecord(letter: DeadLetter): LogRecord {
  const { topic, partition, offset, key, value, traceId } = letter;
  const reason = letter.reason.slice(0, copiedReasonLengthMax);
  const keepsBytes = (key?.length ?? 0) + (value?.length ?? 0) <= copiedBytesMax;
  const keepsHeaders = JSON.stringify(letter.headers).length <= copiedHeaderLengthMax;
  const headers = keepsHeaders ? letter.headers : [];
  return {
    partition,
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
    },
    headers: {
      ...toKafkaHeaders(headers),
      'dead-letter-reason': reason,
      ...(traceId === null ? {} : { 'dead-letter-trace-id': traceId }),
    },
  };
}

/** One for each value: a header may come several times, and its value may be missing. */
function listHeaders(headers: ConsumedRecord['headers']): RecordHeader[] {
  return Object.entries(headers).flatMap(([name, values]) =>
    [values].flat().map((value): RecordHeader => {
      const bytes = Buffer.from(value ?? '');
      const text = textOf(bytes);
      return text === undefined ? { name, hex: bytes.toString('hex') } : { name, text };
    }),
  );
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
