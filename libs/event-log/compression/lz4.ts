/** A frame begins with this, little-endian. */
const magic = 0x184d2204;
const frameFlags = { blockChecksum: 0x10, contentSize: 0x08, dictionary: 0x01 };
/** Of the length of a block: it is not compressed. */
const plainBit = 0x8000_0000;
const lengthBytes = 4;
const checksumBytes = 4;
const matchBytesMin = 4;
/** A length of four bits that goes on in the bytes behind it, and such a byte that is not the last. */
const longNibble = 15;
const longByte = 255;

/**
 * Takes a frame of LZ4 apart (github.com/lz4/lz4, lz4_Frame_format.md and lz4_Block_format.md), which is
 * what stands in Kafka. Checksums are left to the one that a batch has. Throws when the bytes are no such
 * frame, or make more than `bytesMax`.
 *
 * Own code: of the packages without native parts none reads all frames, and none has a limit.
 */
export function decompressLz4(bytes: Buffer, bytesMax: number): Buffer {
  if (bytes.readUInt32LE(0) !== magic) {
    throw new Error('it is no frame of LZ4');
  }
  const flags = bytes[4]!;
  const has = (flag: number): boolean => (flags & flag) !== 0;
  if (has(frameFlags.dictionary)) {
    throw new Error('it needs a dictionary');
  }
  const output = new Output(bytesMax);
  // Behind the magic number: two bytes that describe the frame, perhaps its size, a checksum of these.
  let at = 6 + (has(frameFlags.contentSize) ? 8 : 0) + 1;
  for (;;) {
    const length = bytes.readUInt32LE(at);
    at += lengthBytes;
    if (length === 0) {
      return output.bytes();
    }
    const end = at + (length % plainBit);
    if (end > bytes.length) {
      throw new Error('a block is cut off');
    }
    if (length >= plainBit) {
      output.append(bytes, at, end);
    } else {
      decompressBlock(bytes, at, end, output);
    }
    at = end + (has(frameFlags.blockChecksum) ? checksumBytes : 0);
  }
}

/** Sequences of literals and of references back; the last has literals only. */
function decompressBlock(bytes: Buffer, start: number, end: number, output: Output): void {
  let at = start;
  const lengthFrom = (nibble: number): number => {
    let length = nibble;
    for (let more = nibble === longNibble ? longByte : 0; more === longByte; length += more) {
      more = bytes.readUInt8(at);
      at += 1;
    }
    return length;
  };
  while (at < end) {
    const token = bytes.readUInt8(at);
    at += 1;
    const literals = lengthFrom(token >> 4);
    output.append(bytes, at, at + literals);
    at += literals;
    if (at < end) {
      const distance = bytes.readUInt16LE(at);
      at += 2;
      output.repeat(distance, lengthFrom(token & longNibble) + matchBytesMin);
    }
  }
}

/** Grows as it is written to: what a frame says of its size may be left out, or false. */
class Output {
  private buffer = Buffer.allocUnsafe(64 * 1024);
  private length = 0;

  constructor(private readonly bytesMax: number) {}

  append(source: Buffer, from: number, to: number): void {
    if (to > source.length) {
      throw new Error('a literal is cut off');
    }
    this.makeRoomFor(to - from);
    this.length += source.copy(this.buffer, this.length, from, to);
  }

  /** What stands `distance` bytes back, which may run into what it writes. */
  repeat(distance: number, count: number): void {
    if (distance === 0 || distance > this.length) {
      throw new Error('a reference leads out of the frame');
    }
    this.makeRoomFor(count);
    const { buffer } = this;
    for (const end = this.length + count; this.length < end; this.length += 1) {
      buffer[this.length] = buffer[this.length - distance]!;
    }
  }

  bytes(): Buffer {
    return this.buffer.subarray(0, this.length);
  }

  private makeRoomFor(count: number): void {
    const needed = this.length + count;
    if (needed > this.bytesMax) {
      throw new Error(`it is larger than ${this.bytesMax} bytes`);
    }
    if (needed > this.buffer.length) {
      const larger = Buffer.allocUnsafe(Math.max(needed, 2 * this.buffer.length));
      this.buffer.copy(larger, 0, 0, this.length);
      this.buffer = larger;
    }
  }
}
