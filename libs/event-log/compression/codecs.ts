import { promisify } from 'node:util';
import zlib from 'node:zlib';
import { CompressionCodecs, CompressionTypes } from '../kafkajs.ts';
import { decompressLz4 } from './lz4.ts';
import { decompressSnappy } from './snappy.ts';

/** A batch may say of itself that it is far larger than a process can hold. */
const batchBytesMax = 64 * 1024 * 1024;
const limit = { maxOutputLength: batchBytesMax };

const unzip = promisify<zlib.InputType, zlib.ZlibOptions, Buffer>(zlib.unzip);
const unzstd = promisify<zlib.InputType, zlib.ZstdOptions, Buffer>(zlib.zstdDecompress);

/**
 * Has kafkajs read whatever compression a topic, a broker or another writer may have chosen: it reads
 * gzip alone by itself. Ours write none.
 */
export function registerCodecs(): void {
  read(CompressionTypes.GZIP, (bytes) => unzip(bytes, limit));
  read(CompressionTypes.ZSTD, (bytes) => unzstd(bytes, limit));
  read(CompressionTypes.Snappy, async (bytes) => decompressSnappy(bytes, batchBytesMax));
  read(CompressionTypes.LZ4, async (bytes) => decompressLz4(bytes, batchBytesMax));
}

type Codec = Exclude<CompressionTypes, CompressionTypes.None>;

function read(type: Codec, decompress: (bytes: Buffer) => Promise<Buffer>): void {
  const compress = (): never => {
    throw new Error('We write no compressed batches.');
  };
  CompressionCodecs[type] = () => ({ compress, decompress });
}
