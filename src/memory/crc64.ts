/**
 * The 64-bit cyclic redundancy check of Redis: at the end of RDB files and of DUMP payloads.
 *
 * Polynomial 0xad93d23594c935a9 ("Jones"), bits reflected, initial value and final exclusive or 0; the check value, that
 * of "123456789", is 0xe9c6d914c4b8d9ca. In files it is little endian.
 *
 * Eight bytes at a time: a table for each of the eight positions says what a byte there does to the checksum once the
 * bytes behind it have been shifted in ("slicing by 8", Kounavis and Berry, 2005). A checksum is two int32 words, so that
 * nothing is allocated.
 *
 *     tables: | position 0: | value 0: low, high | value 1: low, high | … 256 | position 1: … | … 8 |     16 KiB
 *     position p: the byte with p bytes of the group behind it
 */

import type { ByteLength, ByteOffset } from './reference.js';

const POSITIONS = 8;
const VALUES = 256;
/** Words from one position's table to the next one's. */
const POSITION_WORDS = VALUES * 2;

/** The polynomial with its bits reversed, as a checksum that is shifted to the right needs it. */
const POLYNOMIAL_LOW = 0xac4bc9b5 | 0;
const POLYNOMIAL_HIGH = 0x95ac9329 | 0;

const tables = makeTables();

function makeTables(): Int32Array {
  const words = new Int32Array(POSITIONS * POSITION_WORDS);
  for (let value = 0; value < VALUES; value++) {
    let low = value;
    let high = 0;
    for (let bit = 0; bit < 8; bit++) {
      const isDivisible = (low & 1) === 1;
      low = (low >>> 1) | (high << 31);
      high >>>= 1;
      if (isDivisible) {
        low ^= POLYNOMIAL_LOW;
        high ^= POLYNOMIAL_HIGH;
      }
    }
    words[value * 2] = low;
    words[value * 2 + 1] = high;
  }
  for (let index = POSITION_WORDS; index < words.length; index += 2) {
    const low = words[index - POSITION_WORDS];
    const high = words[index - POSITION_WORDS + 1];
    const shiftedOut = (low & 0xff) * 2;
    words[index] = ((low >>> 8) | (high << 24)) ^ words[shiftedOut];
    words[index + 1] = (high >>> 8) ^ words[shiftedOut + 1];
  }
  return words;
}

/** Bytes of a checksum in a file. */
export const CRC64_BYTES = 8;

/** A checksum that bytes are added to as they come. */
export class Crc64 {
  /** The checksum's low 32 bits, as an int32. */
  low = 0;
  /** The checksum's high 32 bits, as an int32. */
  high = 0;

  /** The checksum as one number. */
  get value(): bigint {
    return (BigInt(this.high >>> 0) << 32n) | BigInt(this.low >>> 0);
  }

  /** Starts again, as if no byte had been added. */
  reset(): void {
    this.low = 0;
    this.high = 0;
  }

  /** Adds `length` bytes from `offset`. Adding parts of a string one after the other is adding the string. */
  update(bytes: Uint8Array, offset: ByteOffset, length: ByteLength): void {
    if (offset < 0 || length < 0 || offset + length > bytes.length) {
      throw new RangeError(`checksum of ${length} bytes from ${offset} in ${bytes.length} bytes`);
    }
    let low = this.low;
    let high = this.high;
    let position = offset;
    const end = offset + length;
    for (const groupsEnd = end - 7; position < groupsEnd; position += 8) {
      const a = ((low ^ bytes[position]) & 0xff) * 2 + 7 * POSITION_WORDS;
      const b = (((low >>> 8) ^ bytes[position + 1]) & 0xff) * 2 + 6 * POSITION_WORDS;
      const c = (((low >>> 16) ^ bytes[position + 2]) & 0xff) * 2 + 5 * POSITION_WORDS;
      const d = ((low >>> 24) ^ bytes[position + 3]) * 2 + 4 * POSITION_WORDS;
      const e = ((high ^ bytes[position + 4]) & 0xff) * 2 + 3 * POSITION_WORDS;
      const f = (((high >>> 8) ^ bytes[position + 5]) & 0xff) * 2 + 2 * POSITION_WORDS;
      const g = (((high >>> 16) ^ bytes[position + 6]) & 0xff) * 2 + POSITION_WORDS;
      const h = ((high >>> 24) ^ bytes[position + 7]) * 2;
      low = tables[a] ^ tables[b] ^ tables[c] ^ tables[d] ^ tables[e] ^ tables[f] ^ tables[g] ^ tables[h];
      high =
        tables[a + 1] ^
        tables[b + 1] ^
        tables[c + 1] ^
        tables[d + 1] ^
        tables[e + 1] ^
        tables[f + 1] ^
        tables[g + 1] ^
        tables[h + 1];
    }
    for (; position < end; position++) {
      const index = ((low ^ bytes[position]) & 0xff) * 2;
      low = ((low >>> 8) | (high << 24)) ^ tables[index];
      high = (high >>> 8) ^ tables[index + 1];
    }
    this.low = low;
    this.high = high;
  }

  /** Writes the checksum as `CRC64_BYTES` bytes, little endian. */
  write(bytes: Uint8Array, offset: ByteOffset): void {
    for (let index = 0; index < 4; index++) {
      bytes[offset + index] = this.low >>> (8 * index);
      bytes[offset + 4 + index] = this.high >>> (8 * index);
    }
  }

  /** Whether the `CRC64_BYTES` bytes at `offset` are the checksum. */
  matches(bytes: Uint8Array, offset: ByteOffset): boolean {
    for (let index = 0; index < 4; index++) {
      if (bytes[offset + index] !== ((this.low >>> (8 * index)) & 0xff)) return false;
      if (bytes[offset + 4 + index] !== ((this.high >>> (8 * index)) & 0xff)) return false;
    }
    return true;
  }
}
