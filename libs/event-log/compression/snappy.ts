import { uncompress } from 'snappyjs';

/** What Java's writer puts before blocks of snappy, with two version numbers behind it. */
const javaMagic = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0]);
const javaHeaderBytes = javaMagic.length + 8;
const lengthBytes = 4;

/**
 * Snappy as it stands in Kafka: one block, or the framing of snappy-java, which Kafka's own clients and
 * brokers write. Throws when the bytes are neither, or make more than `bytesMax`.
 */
export function decompressSnappy(bytes: Buffer, bytesMax: number): Buffer {
  if (!bytes.subarray(0, javaMagic.length).equals(javaMagic)) {
    return uncompress(bytes, bytesMax);
  }
  const blocks: Buffer[] = [];
  let total = 0;
  for (let at = javaHeaderBytes; at < bytes.length;) {
    const end = at + lengthBytes + bytes.readInt32BE(at);
    if (end < at + lengthBytes || end > bytes.length) {
      throw new Error('a block of snappy is cut off');
    }
    const block = uncompress(bytes.subarray(at + lengthBytes, end), bytesMax - total);
    blocks.push(block);
    total += block.length;
    at = end;
  }
  return Buffer.concat(blocks);
}
