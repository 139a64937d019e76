import type { DeadLetter, RecordHeader } from '#coupon/dead-letter.ts';
import { textOf, traceparentOf } from '#coupon/dead-letter.ts';
import { traceIdOf } from '#coupon/trace-context.ts';
import type { ConsumedRecord, TopicPartition } from '../consumed-record.ts';

/** The latest time that a date can express; clients may write any number as the time of a record. */
const timeMax = 8_640_000_000_000_000;

/** A record of the log as the dead letter it is. */
export function toDeadLetter(
  { topic, partition }: TopicPartition,
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
