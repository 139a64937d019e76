import type { FetchedMessage } from '../fetch-failure.ts';
import { toFailedMessage, toSkippedMessage } from '../fetch-failure.ts';
import { innerModule } from './replace-module.ts';

/** What we use of classes and functions inside kafkajs 2.2.4. */
interface Decoder {
  readInt32(): number;
  canReadBytes(count: number): boolean;
  readBytes(count: number): Buffer;
}
type DecodeMessages = (decoder: Decoder) => Promise<FetchedMessage[]>;

const DecoderOfKafkajs = innerModule<new (bytes: Buffer) => Decoder>('protocol/decoder').exports;
const decodeBatch = innerModule<(decoder: Decoder) => Promise<{ records: FetchedMessage[] }>>(
  'protocol/recordBatch/v0/decoder',
).exports;
const crc32c = innerModule<(bytes: Buffer) => number>('protocol/recordBatch/crc32C').exports;

/** Where things are in a batch (version 2 of the format, the only one since Kafka 0.11). */
const at = { length: 8, magic: 16, crc: 17, attributes: 21, lastOffsetDelta: 23 };
const headerBytes = 61;
/** Before what `length` counts. */
const preambleBytes = 12;
const magic = 2;
const codecMask = 7;
const codecNames = ['none', 'gzip', 'snappy', 'lz4', 'zstd'];

/**
 * The batches of a partition, as a fetch brings them. kafkajs lets an error out that takes all partitions of
 * the fetch, and the consumer, with it: over a codec it does not have, or bytes that make no sense; and what
 * it can still take apart it believes, for it compares no checksums. Here what can be read is handed on,
 * and a batch that cannot be is told of instead (fetch-failure.ts) when it is the next one to read.
 */
export const decodeMessages: DecodeMessages = async (decoder) => {
  const size = decoder.readInt32();
  if (size <= 0 || !decoder.canReadBytes(size)) {
    return [];
  }
  const bytes = decoder.readBytes(size);
  const messages: FetchedMessage[] = [];
  for (let start = 0; start + headerBytes <= bytes.length;) {
    const end = start + preambleBytes + bytes.readInt32BE(start + at.length);
    const batch = bytes.subarray(start, end);
    // A fetch has a size: its last batch may be cut off. Brokers send at least one whole one.
    if (start > 0 && end > bytes.length) {
      break;
    }
    try {
      const ofBatch = await readBatch(batch, end - start);
      for (const message of ofBatch) {
        messages.push(message);
      }
    } catch (error) {
      // What stands before it first; then it comes again, as the first.
      return start > 0 ? messages : [toUnreadable(bytes, end, error)];
    }
    start = end;
  }
  return messages;
};

async function readBatch(batch: Buffer, length: number): Promise<FetchedMessage[]> {
  if (length < headerBytes || batch.length < length) {
    throw new Error(`its length is given as ${length}, and ${batch.length} bytes are there`);
  }
  const format = batch.readInt8(at.magic);
  if (format !== magic) {
    throw new Error(`it is in format ${format}, not ${magic}`);
  }
  if (crc32c(batch.subarray(at.attributes)) !== batch.readUInt32BE(at.crc)) {
    throw new Error('its bytes are not those that were written (checksum)');
  }
  const codec = batch.readInt16BE(at.attributes) & codecMask;
  if (codec >= codecNames.length) {
    throw new Error(`it is compressed in a way that this version does not know (${codec})`);
  }
  try {
    const { records } = await decodeBatch(new DecoderOfKafkajs(batch));
    // Compaction leaves empty ones. kafkajs would ask for one again and again.
    return records.length === 0 ? [toSkippedMessage(lastOffsetOf(batch))] : records;
  } catch (error) {
    const why = (error as Error).message;
    throw new Error(
      `its records cannot be taken apart (compression ${codecNames[codec]}): ${why}`,
      {
        cause: error,
      },
    );
  }
}

/** Of the batch at the beginning of these bytes, which may end at `end`. */
function toUnreadable(bytes: Buffer, end: number, error: unknown): FetchedMessage {
  const firstOffset = bytes.readBigInt64BE(0);
  const reason = `a batch that begins at offset ${firstOffset} cannot be read: ${(error as Error).message}`;
  const nextOffset = offsetOfBatchAt(bytes, end, firstOffset);
  return toFailedMessage({ reason, batch: { firstOffset: String(firstOffset), nextOffset } });
}

/** What a batch says of its end may be what is wrong with it: there must be another one. */
function offsetOfBatchAt(bytes: Buffer, start: number, after: bigint): string | undefined {
  if (start < headerBytes || start + headerBytes > bytes.length) {
    return undefined;
  }
  const offset = bytes.readBigInt64BE(start);
  return bytes.readInt8(start + at.magic) === magic && offset > after ? String(offset) : undefined;
}

function lastOffsetOf(batch: Buffer): string {
  return String(batch.readBigInt64BE(0) + BigInt(batch.readInt32BE(at.lastOffsetDelta)));
}

innerModule<DecodeMessages>('protocol/requests/fetch/v4/decodeMessages').replace(decodeMessages);
