import { strict as assert } from 'node:assert';
import type { DeadLetter, RecordHeader } from '#coupon/dead-letter.ts';

const mebibyte = 1_024 * 1_024;
/** `max_allowed_packet`, by default on MariaDB. */
const statementBytesMax = 16 * mebibyte;
/** A record that Kafka takes by default (1 MB) is kept whole. */
const valueBytesMax = 4 * mebibyte;
const keyBytesMax = mebibyte;
const headerLengthMax = mebibyte;
const reasonLengthMax = 4_000;
// Bytes stand in a statement in hexadecimal, text as UTF-8 with its quotes escaped.
assert(
  2 * (valueBytesMax + keyBytesMax) + 3 * (headerLengthMax + reasonLengthMax) < statementBytesMax,
);

/** The letter as it fits into its row; where something is cut off, the reason says so. */
export function withinBounds(letter: DeadLetter): DeadLetter {
  const { key, value, headers } = letter;
  const kept = keepHeaders(headers);
  const cuts = [
    ...describeCut('key', key, keyBytesMax),
    ...describeCut('value', value, valueBytesMax),
    ...(kept.length < headers.length
      ? [`only ${kept.length} of its ${headers.length} headers are kept`]
      : []),
  ];
  return {
    ...letter,
    key: key?.subarray(0, keyBytesMax) ?? null,
    value: value?.subarray(0, valueBytesMax) ?? null,
    headers: kept,
    reason: [letter.reason.slice(0, reasonLengthMax), ...cuts].join('; '),
  };
}

function describeCut(part: string, bytes: Buffer | null, bytesMax: number): string[] {
  return bytes !== null && bytes.length > bytesMax
    ? [`only ${bytesMax} of the ${bytes.length} bytes of its ${part} are kept`]
    : [];
}

function keepHeaders(headers: RecordHeader[]): RecordHeader[] {
  let length = 0;
  return headers.filter((header) => {
    length += JSON.stringify(header).length;
    return length <= headerLengthMax;
  });
}
