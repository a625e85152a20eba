import { CRC64_BYTES, Crc64 } from '../../memory/crc64.js';
import type { ByteLength, ByteOffset } from '../../memory/reference.js';
import { writeSafeInteger } from '../../protocol/integers.js';
import { lzfDecompress } from '../../structures/lzf.js';
import {
  LENGTH_6_BITS,
  LENGTH_14_BITS,
  LENGTH_32_BITS,
  LENGTH_64_BITS,
  LENGTH_ENCODED,
  STRING_INT8,
  STRING_INT16,
  STRING_INT32,
  STRING_LZF,
} from './format.js';

/** Thrown when bytes are not what the format says; tells where. */
export class RdbError extends Error {
  override name = 'RdbError';
  /** What is wrong, without the place. */
  readonly reason: string;
  /** Where in the file or payload, in bytes. */
  readonly position: ByteOffset;
  /** Whether the bytes ended too early, as those of a truncated file do. */
  readonly isTruncation: boolean;

  constructor(reason: string, position: ByteOffset, isTruncation = false) {
    super(`${reason} at offset ${position}`);
    this.reason = reason;
    this.position = position;
    this.isTruncation = isTruncation;
  }
}

/** Fills `target` from `offset` with what comes next. Returns how many bytes that were; 0 at the end. */
export type ByteSource = (target: Uint8Array, offset: ByteOffset, length: ByteLength) => ByteLength;

const BUFFER_BYTES = 64 * 1024;
/** The longest string that is believed without its bytes being there: memory is not taken on a length's word. */
const STRING_BYTES_MAX = 2 ** 32;
/** LZF can make a string of so many times its length at most: a longer claim is a lie. */
const LZF_RATIO_MAX = 265;
const DIGITS_MAX = 20;

/**
 * Reads the elements of the RDB format from a source, with a buffer as large as the longest string, and keeps the
 * checksum of all that was read.
 *
 * `bytes`, `offset` and `length` tell where the string that was read last is; they are valid until the next read.
 */
export class RdbInput {
  bytes: Uint8Array;
  offset: ByteOffset = 0;
  length: ByteLength = 0;
  /** Whether the length that was read last announces an encoded string instead: `readLength` returned which. */
  isEncoded = false;

  private readonly source: ByteSource;
  private readonly sourceBytes: ByteLength;
  private readonly checksum: Crc64 | undefined;
  private buffer: Uint8Array = new Uint8Array(BUFFER_BYTES);
  private view = new DataView(this.buffer.buffer);
  private start: ByteOffset = 0;
  private end: ByteOffset = 0;
  /** The position in the source of `buffer[0]`. */
  private bufferPosition: ByteOffset = 0;
  private expanded = new Uint8Array(1024);
  private readonly digits = new Uint8Array(DIGITS_MAX);

  /**
   * @param hasChecksum whether to compute it
   * @param sourceBytes how many bytes the source has; 0: nobody knows
   */
  constructor(source: ByteSource, hasChecksum: boolean, sourceBytes: ByteLength = 0) {
    this.source = source;
    this.sourceBytes = sourceBytes;
    this.bytes = this.buffer;
    this.checksum = hasChecksum ? new Crc64() : undefined;
  }

  /** Reads bytes that are in memory. */
  static over(bytes: Uint8Array, offset: ByteOffset, length: ByteLength): RdbInput {
    let from = offset;
    const end = offset + length;
    const source: ByteSource = (target, at, wanted) => {
      const count = Math.min(wanted, end - from);
      target.set(bytes.subarray(from, from + count), at);
      from += count;
      return count;
    };
    return new RdbInput(source, false, length);
  }

  /** How many bytes have been read. */
  get position(): ByteOffset {
    return this.bufferPosition + this.start;
  }

  /** Whether nothing is left. */
  get isAtEnd(): boolean {
    if (this.start < this.end) return false;
    return !this.fill(1);
  }

  byte(): number {
    this.need(1);
    const value = this.buffer[this.start];
    this.consume(1);
    return value;
  }

  /** `length` bytes as they are: where, is in `bytes` and `offset`. */
  raw(length: ByteLength): void {
    this.need(length);
    this.bytes = this.buffer;
    this.offset = this.start;
    this.length = length;
    this.consume(length);
  }

  /** A length or count; or, with `isEncoded`, the encoding of a string. @throws RdbError */
  readLength(): number {
    const first = this.byte();
    this.isEncoded = false;
    switch (first >> 6) {
      case LENGTH_6_BITS:
        return first & 63;
      case LENGTH_14_BITS:
        return ((first & 63) << 8) | this.byte();
      case LENGTH_ENCODED:
        this.isEncoded = true;
        return first & 63;
      default:
        break;
    }
    if (first === LENGTH_32_BITS) return this.uint32BigEndian();
    if (first === LENGTH_64_BITS) {
      const high = this.uint32BigEndian();
      const value = high * 2 ** 32 + this.uint32BigEndian();
      if (Number.isSafeInteger(value)) return value;
    }
    throw this.error('Unknown length encoding 2 in rdbLoadLen()');
  }

  /** A length that may be any 64-bit number. @throws RdbError */
  readLength64(): bigint {
    this.need(1);
    if (this.buffer[this.start] !== LENGTH_64_BITS) return BigInt(this.readLength());
    this.raw(9);
    return this.view.getBigUint64(this.offset + 1);
  }

  /** Reads past such a length. @throws RdbError */
  skipLength(): void {
    this.readLength64();
  }

  /** A count. @throws RdbError when an encoded string is there instead */
  count(): number {
    const value = this.readLength();
    if (this.isEncoded) throw this.error('A count is expected');
    return value;
  }

  /** A string in any encoding: where it is, is in `bytes`, `offset` and `length`. @throws RdbError */
  string(): void {
    this.stringUnless(STRING_BYTES_MAX);
  }

  /**
   * As `string`; but of one that is not encoded, and longer than `longest`, only the length is read, provided that the
   * source is known to have so many bytes: these are for `raw`, in pieces. Returns whether the string has been read.
   */
  stringUnless(longest: ByteLength): boolean {
    const length = this.readLength();
    if (this.isEncoded) {
      this.encodedString(length);
      return true;
    }
    if (length > STRING_BYTES_MAX) throw this.error('A string is too long');
    if (length > longest && this.position + length <= this.sourceBytes) {
      this.length = length;
      return false;
    }
    this.raw(length);
    return true;
  }

  /** A 64-bit float, little endian. */
  double(): number {
    this.need(8);
    const value = this.view.getFloat64(this.start, true);
    this.consume(8);
    return value;
  }

  /** A time in ms that was written as an int64, little endian. */
  milliseconds(): number {
    this.need(8);
    const low = this.view.getUint32(this.start, true);
    const high = this.view.getInt32(this.start + 4, true);
    this.consume(8);
    return high * 2 ** 32 + low;
  }

  /** A time in seconds that was written as an int32, little endian. */
  seconds(): number {
    this.need(4);
    const value = this.view.getInt32(this.start, true);
    this.consume(4);
    return value;
  }

  /** Whether the next 8 bytes are the checksum of all before them. Zeros stand for none. */
  readChecksum(): 'right' | 'wrong' | 'none' {
    this.need(CRC64_BYTES);
    const at = this.start;
    const isNone = this.view.getUint32(at, true) === 0 && this.view.getUint32(at + 4, true) === 0;
    const isRight = this.checksum === undefined || this.checksum.matches(this.buffer, at);
    this.start += CRC64_BYTES;
    return isNone ? 'none' : isRight ? 'right' : 'wrong';
  }

  /** An error at this position. */
  error(reason: string): RdbError {
    return new RdbError(reason, this.position);
  }

  private encodedString(encoding: number): void {
    switch (encoding) {
      case STRING_INT8:
        this.spell((this.byte() << 24) >> 24);
        break;
      case STRING_INT16:
        this.need(2);
        this.spell(this.view.getInt16(this.start, true));
        this.consume(2);
        break;
      case STRING_INT32:
        this.need(4);
        this.spell(this.view.getInt32(this.start, true));
        this.consume(4);
        break;
      case STRING_LZF:
        this.compressedString();
        break;
      default:
        throw this.error(`Unknown RDB string encoding type ${encoding}`);
    }
  }

  private compressedString(): void {
    const size = this.count();
    const length = this.count();
    if (length === 0 || length > size * LZF_RATIO_MAX) throw this.error('Invalid LZF compressed string');
    this.need(size);
    if (this.expanded.length < length) this.expanded = new Uint8Array(length);
    const made = lzfDecompress(this.buffer, this.start, size, this.expanded, 0, length);
    this.consume(size);
    if (made !== length) throw this.error('Invalid LZF compressed string');
    this.bytes = this.expanded;
    this.offset = 0;
    this.length = length;
  }

  private spell(value: number): void {
    this.bytes = this.digits;
    this.offset = 0;
    this.length = writeSafeInteger(this.digits, 0, value);
  }

  private uint32BigEndian(): number {
    this.need(4);
    const value = this.view.getUint32(this.start, false);
    this.consume(4);
    return value;
  }

  private consume(length: ByteLength): void {
    this.checksum?.update(this.buffer, this.start, length);
    this.start += length;
  }

  private need(length: ByteLength): void {
    if (this.end - this.start < length && !this.fill(length)) {
      throw new RdbError('Unexpected end of data', this.bufferPosition + this.end, true);
    }
  }

  /** Makes the next `length` bytes be in the buffer. False when the source has not so many. */
  private fill(length: ByteLength): boolean {
    this.buffer.copyWithin(0, this.start, this.end);
    this.bufferPosition += this.start;
    this.end -= this.start;
    this.start = 0;
    while (this.end < length) {
      // The buffer grows with what has come, not with what a length claims.
      if (this.end === this.buffer.length) this.grow(length);
      const count = this.source(this.buffer, this.end, this.buffer.length - this.end);
      if (count === 0) return false;
      this.end += count;
    }
    return true;
  }

  private grow(length: ByteLength): void {
    const larger = new Uint8Array(Math.max(BUFFER_BYTES, Math.min(this.buffer.length * 2, length)));
    larger.set(this.buffer.subarray(0, this.end));
    this.buffer = larger;
    this.view = new DataView(larger.buffer);
  }
}
