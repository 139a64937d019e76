import { innerModule } from './replace-module.ts';

type Bytes = Buffer | string | null | undefined;

export interface ProducedRecord {
  key?: Bytes;
  value?: Bytes;
  headers?: Record<string, Buffer | string | (Buffer | string)[]>;
  offsetDelta?: number;
  /** Milliseconds. */
  timestampDelta?: number;
}

/** What kafkajs uses of its own encoder when it puts records into a batch. */
interface EncodedRecord {
  buf: Buffer;
  buffer: Buffer;
}

type EncodeRecord = (record: ProducedRecord) => EncodedRecord;

/**
 * A record as it stands in a batch of the Kafka protocol (version 2): lengths and deltas as zigzag
 * varints, then key, value and headers. Written in one go into a buffer of the right size; the encoder
 * of kafkajs allocates half a kilobyte for each record, and a buffer for each number in it: 4.9 us a
 * record against 0.6 here.
 */
export const encodeRecord: EncodeRecord = (record) => {
  const { offsetDelta = 0, timestampDelta = 0, key, value, headers = {} } = record;
  const pairs = Object.entries(headers).flatMap(([name, given]) =>
    (Array.isArray(given) ? given : [given]).map((one): [string, Bytes] => [name, one]),
  );
  const [keyLength, valueLength] = [lengthOf(key), lengthOf(value)];
  let bodyLength =
    1 +
    varintLength(timestampDelta) +
    varintLength(offsetDelta) +
    fieldLength(keyLength) +
    fieldLength(valueLength) +
    varintLength(pairs.length);
  for (const [name, one] of pairs) {
    bodyLength += fieldLength(lengthOf(name)) + fieldLength(lengthOf(one));
  }

  const bytes = Buffer.allocUnsafe(varintLength(bodyLength) + bodyLength);
  let at = writeVarint(bytes, 0, bodyLength);
  bytes[at] = 0;
  at = writeVarint(bytes, at + 1, timestampDelta);
  at = writeVarint(bytes, at, offsetDelta);
  at = writeField(bytes, at, key, keyLength);
  at = writeField(bytes, at, value, valueLength);
  at = writeVarint(bytes, at, pairs.length);
  for (const [name, one] of pairs) {
    at = writeField(bytes, at, name, lengthOf(name));
    at = writeField(bytes, at, one, lengthOf(one));
  }
  return { buf: bytes, buffer: bytes };
};

/** In bytes; -1 for a field that is not there. */
function lengthOf(field: Bytes): number {
  return field === null || field === undefined ? -1 : Buffer.byteLength(field);
}

function fieldLength(length: number): number {
  return varintLength(length) + Math.max(0, length);
}

/** Unlike shifts, arithmetic is right for all whole numbers up to 2^52. */
function zigzag(value: number): number {
  return value < 0 ? -2 * value - 1 : 2 * value;
}

function varintLength(value: number): number {
  let length = 1;
  for (let rest = zigzag(value); rest >= 0x80; rest = Math.floor(rest / 0x80)) {
    length += 1;
  }
  return length;
}

function writeVarint(bytes: Buffer, from: number, value: number): number {
  let at = from;
  let rest = zigzag(value);
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) {
    bytes[at] = (rest % 0x80) + 0x80;
    at += 1;
  }
  bytes[at] = rest;
  return at + 1;
}

function writeField(bytes: Buffer, from: number, field: Bytes, length: number): number {
  const at = writeVarint(bytes, from, length);
  if (typeof field === 'string') {
    bytes.write(field, at, length, 'utf8');
  } else if (field) {
    field.copy(bytes, at);
  }
  return at + Math.max(0, length);
}

const encoding = innerModule<EncodeRecord>('protocol/recordBatch/record/v0');
export const encodeRecordOfKafkajs = encoding.exports;
encoding.replace(encodeRecord);
