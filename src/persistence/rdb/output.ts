import { copyBytes } from '../../memory/bytes.js';
import { CRC64_BYTES, Crc64 } from '../../memory/crc64.js';
import type { ByteLength, ByteOffset } from '../../memory/reference.js';
import { parseSafeInteger } from '../../protocol/integers.js';
import { LzfCompression, lzfCompress } from '../../structures/lzf.js';
import {
  LENGTH_14_BITS,
  LENGTH_32_BITS,
  LENGTH_64_BITS,
  LENGTH_ENCODED,
  STRING_INT8,
  STRING_INT16,
  STRING_INT32,
  STRING_LZF,
} from './format.js';

const CHUNK_BYTES = 64 * 1024;
/** Strings up to this length are tried as integers, longer than the other as LZF. */
const INTEGER_BYTES_MAX = 11;
const UNCOMPRESSED_BYTES_MAX = 20;
/** LZF must save at least so many bytes. */
const LZF_SAVING_BYTES = 4;
const INT32_MAX = 0x7fffffff;
/** Longer strings are written a slice of so many bytes at a time: about a tenth of a millisecond's work. */
export const STRING_SLICE_BYTES = 16 * 1024;
/** Longer strings are not tried with LZF: the memory for the result is not to be felt. */
const COMPRESSED_IN_SLICES_MAX = 16 * 1024 * 1024;
const TWO_TO_32 = 2 ** 32;

/** Takes what was written, in order. The bytes are only valid during the call. */
export type ByteSink = (bytes: Uint8Array, length: ByteLength) => void;

/** Work in slices of a fraction of a millisecond: whoever does it decides after each how soon it goes on. */
export type Slices = Generator<undefined, void, undefined>;

/** Does all of it now. */
export function finishSlices(slices: Slices): void {
  while (slices.next().done !== true);
}

/**
 * Writes the elements of the RDB format into a sink, in chunks, with constant memory, and keeps the checksum of all
 * that went through.
 */
export class RdbOutput {
  /** `rdbcompression`: whether long strings are tried with LZF. */
  compresses = true;
  /** Bytes written so far. */
  byteLength: ByteLength = 0;

  private readonly sink: ByteSink;
  private readonly checksum: Crc64 | undefined;
  private readonly chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  private used = 0;
  private compression = new Uint8Array(1024);

  /** @param hasChecksum whether to compute it: `rdbchecksum` */
  constructor(sink: ByteSink, hasChecksum: boolean) {
    this.sink = sink;
    this.checksum = hasChecksum ? new Crc64() : undefined;
  }

  byte(value: number): void {
    this.makeRoom(1);
    this.chunk[this.used++] = value;
    this.byteLength++;
  }

  /** Bytes as they are. */
  raw(bytes: Uint8Array, offset: ByteOffset, length: ByteLength): void {
    this.byteLength += length;
    let from = offset;
    let left = length;
    while (left > 0) {
      this.makeRoom(1);
      const piece = Math.min(left, CHUNK_BYTES - this.used);
      copyBytes(bytes, from, this.chunk, this.used, piece);
      this.used += piece;
      from += piece;
      left -= piece;
    }
  }

  /** A length or count, up to 2^53. */
  length(value: number): void {
    if (value < 64) {
      this.byte(value);
    } else if (value < 16384) {
      this.byte((LENGTH_14_BITS << 6) | (value >> 8));
      this.byte(value & 255);
    } else if (value < TWO_TO_32) {
      this.byte(LENGTH_32_BITS);
      this.uint32BigEndian(value);
    } else {
      this.byte(LENGTH_64_BITS);
      this.uint32BigEndian(Math.floor(value / TWO_TO_32));
      this.uint32BigEndian(value % TWO_TO_32);
    }
  }

  /** A string, as an integer or compressed where that is shorter. */
  string(bytes: Uint8Array, offset: ByteOffset, length: ByteLength): void {
    if (length <= INTEGER_BYTES_MAX) {
      const value = parseSafeInteger(bytes, offset, length);
      if (!Number.isNaN(value) && this.integerString(value)) return;
    }
    if (this.compresses && length > UNCOMPRESSED_BYTES_MAX && this.compressedString(bytes, offset, length))
      return;
    this.length(length);
    this.raw(bytes, offset, length);
  }

  /** The same for a string of more than STRING_SLICE_BYTES, with a pause after each slice. Its bytes must stay. */
  *stringInSlices(bytes: Uint8Array, offset: ByteOffset, length: ByteLength): Slices {
    if (this.compresses && length <= COMPRESSED_IN_SLICES_MAX) {
      const capacity = length - LZF_SAVING_BYTES;
      const target = new Uint8Array(capacity);
      const compression = new LzfCompression();
      compression.begin(bytes, offset, length, target, 0, capacity);
      while (compression.step(STRING_SLICE_BYTES)) yield;
      const size = compression.compressedLength;
      if (size > 0) {
        this.compressedHeader(size, length);
        yield* this.rawInSlices(target, 0, size);
        return;
      }
    }
    this.length(length);
    yield* this.rawInSlices(bytes, offset, length);
  }

  /** Text (latin1) as a string. */
  text(text: string): void {
    const bytes = Buffer.from(text, 'latin1');
    this.string(bytes, 0, bytes.length);
  }

  /** A string of `length` bytes that LZF has compressed to `size`. */
  compressed(bytes: Uint8Array, offset: ByteOffset, size: ByteLength, length: ByteLength): void {
    this.compressedHeader(size, length);
    this.raw(bytes, offset, size);
  }

  /** A 64-bit float, little endian. */
  double(value: number): void {
    this.makeRoom(8);
    this.chunk.writeDoubleLE(value, this.used);
    this.used += 8;
    this.byteLength += 8;
  }

  /** A time in ms as an int64, little endian. */
  milliseconds(value: number): void {
    this.makeRoom(8);
    this.chunk.writeInt32LE((value % TWO_TO_32) | 0, this.used);
    this.chunk.writeInt32LE(Math.floor(value / TWO_TO_32) | 0, this.used + 4);
    this.used += 8;
    this.byteLength += 8;
  }

  /**
   * The checksum of all that was written, or zeros when there is none.
   * @param difference what it changes by when bytes that were written are replaced afterwards, 0 otherwise
   */
  checksumBytes(difference: bigint): void {
    this.flush();
    const bytes = Buffer.alloc(CRC64_BYTES);
    if (this.checksum !== undefined) bytes.writeBigUInt64LE(this.checksum.value ^ difference);
    this.raw(bytes, 0, CRC64_BYTES);
  }

  /** Hands what is left to the sink. */
  flush(): void {
    if (this.used === 0) return;
    this.checksum?.update(this.chunk, 0, this.used);
    this.sink(this.chunk, this.used);
    this.used = 0;
  }

  private *rawInSlices(bytes: Uint8Array, offset: ByteOffset, length: ByteLength): Slices {
    const end = offset + length;
    for (let at = offset; at < end; at += STRING_SLICE_BYTES) {
      this.raw(bytes, at, Math.min(STRING_SLICE_BYTES, end - at));
      yield;
    }
  }

  private compressedHeader(size: ByteLength, length: ByteLength): void {
    this.byte((LENGTH_ENCODED << 6) | STRING_LZF);
    this.length(size);
    this.length(length);
  }

  /** An integer in 1 to 4 bytes. False when it does not fit. */
  private integerString(value: number): boolean {
    if (value >= -128 && value <= 127) {
      this.byte((LENGTH_ENCODED << 6) | STRING_INT8);
      this.byte(value & 255);
    } else if (value >= -32768 && value <= 32767) {
      this.byte((LENGTH_ENCODED << 6) | STRING_INT16);
      this.byte(value & 255);
      this.byte((value >> 8) & 255);
    } else if (value >= -INT32_MAX - 1 && value <= INT32_MAX) {
      this.byte((LENGTH_ENCODED << 6) | STRING_INT32);
      this.makeRoom(4);
      this.chunk.writeInt32LE(value, this.used);
      this.used += 4;
      this.byteLength += 4;
    } else {
      return false;
    }
    return true;
  }

  /** The string by LZF. False when that would not be shorter. */
  private compressedString(bytes: Uint8Array, offset: ByteOffset, length: ByteLength): boolean {
    const capacity = length - LZF_SAVING_BYTES;
    if (this.compression.length < capacity) this.compression = new Uint8Array(capacity);
    const size = lzfCompress(bytes, offset, length, this.compression, 0, capacity);
    if (size === 0) return false;
    this.compressed(this.compression, 0, size, length);
    return true;
  }

  private uint32BigEndian(value: number): void {
    this.makeRoom(4);
    this.chunk.writeUInt32BE(value, this.used);
    this.used += 4;
    this.byteLength += 4;
  }

  /**
   * Makes room for so many bytes, at most a chunk. The only place that flushes on the way: V8 compiles everything again
   * that was compiled when it had not seen a branch taken yet, and this one is taken once in a thousand keys.
   */
  private makeRoom(length: ByteLength): void {
    if (this.used + length > CHUNK_BYTES) this.flush();
  }
}
