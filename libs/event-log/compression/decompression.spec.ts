import { deepEqual } from 'node:assert/strict';
import * as fc from 'fast-check';
import { compress } from 'snappyjs';
import { expect, test } from 'vitest';
import { decompressLz4 } from './lz4.ts';
import { decompressSnappy } from './snappy.ts';

const bytesMax = 1_000_000;
const repeated = fc
  .tuple(fc.uint8Array({ maxLength: 200 }), fc.integer({ min: 1, max: 300 }))
  .map(([piece, times]) => Buffer.concat(Array.from({ length: times }, () => piece)));

/** As snappy-java frames it. */
function framed(blocks: Buffer[]): Buffer {
  const header = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1]);
  const parts = blocks.map((block) => {
    const compressed = compress(block);
    const length = Buffer.alloc(4);
    length.writeInt32BE(compressed.length);
    return Buffer.concat([length, compressed]);
  });
  return Buffer.concat([header, ...parts]);
}

test('snappy comes back as it was, in one block and in the frames of snappy-java', () => {
  fc.assert(
    fc.property(fc.array(repeated, { maxLength: 3 }), (blocks) => {
      const whole = Buffer.concat(blocks);
      deepEqual(decompressSnappy(framed(blocks), bytesMax), whole);
      deepEqual(decompressSnappy(compress(whole), bytesMax), whole);
    }),
  );
});

/** A frame of blocks, with or without a checksum behind each. */
function lz4Frame(blocks: Buffer[], flags = 0x60): Buffer {
  const parts = blocks.map((block) => {
    const length = Buffer.alloc(4);
    length.writeUInt32LE(block.length);
    return Buffer.concat([length, block, Buffer.alloc((flags & 0x10) / 4)]);
  });
  return Buffer.concat([
    Buffer.from([4, 0x22, 0x4d, 0x18, flags, 0x40, 0]),
    ...parts,
    Buffer.alloc(4),
  ]);
}

/** `abcde`, its last four letters again and again for 20, and `ZZ`. */
const first = Buffer.from('5f6162636465040001205a5a', 'hex');
/** `Y`, four from three letters back, which is in the block before, and nothing more. */
const second = Buffer.from('1059030000', 'hex');
const plain = Buffer.from(`abcde${'bcde'.repeat(5)}ZZYZZYZ`);

test('a frame of lz4 comes back as it was, also where blocks refer to those before them', () => {
  deepEqual(decompressLz4(lz4Frame([first, second]), bytesMax), plain);
  deepEqual(decompressLz4(lz4Frame([first, second], 0x70), bytesMax), plain);
});

test('whatever bytes a frame of lz4 has, it ends: with as much as is allowed, or an error', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 50 }), { maxLength: 3 }), (blocks) => {
      try {
        const frame = lz4Frame(blocks.map((block) => Buffer.from(block)));
        expect(decompressLz4(frame, 1_000).length).toBeLessThanOrEqual(1_000);
      } catch (error) {
        expect(error).toBeInstanceOf(Error);
      }
    }),
  );
});

test('what would be too large, or is cut off, is refused', () => {
  const large = Buffer.alloc(100_000, 'x');
  expect(() => decompressSnappy(compress(large), 99_999)).toThrow();
  expect(() => decompressSnappy(framed([large, large]), 150_000)).toThrow();
  expect(() => decompressSnappy(framed([large]).subarray(0, 30), bytesMax)).toThrow('cut off');
  const frame = lz4Frame([first]);
  expect(() => decompressLz4(frame, 26)).toThrow('larger');
  expect(() => decompressLz4(frame.subarray(0, 15), bytesMax)).toThrow('cut off');
  const nowhere = Buffer.from('1059090000', 'hex');
  expect(() => decompressLz4(lz4Frame([nowhere]), bytesMax)).toThrow('out of the frame');
});
