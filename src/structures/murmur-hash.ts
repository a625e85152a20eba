import type { ByteLength, ByteOffset } from '../memory/reference.js';
import type { Int32Word } from '../protocol/integers.js';

/**
 * MurmurHash64A, the 64-bit MurmurHash2 by Austin Appleby (public domain), as Redis computes it on every machine: words
 * are little endian. Not a keyed hash: for HyperLogLogs, whose bytes depend on it, and not for hash tables.
 *
 *     block:   | word 0 (8 bytes) | word 1 | … | 0..7 bytes left over |
 *     start:   h ← seed ^ length·m
 *     word:    k ← word·m    k ← (k ^ k≫47)·m    h ← (h ^ k)·m
 *     rest:    h ← (h ^ bytes left over)·m        only when there are some
 *     end:     h ← (h ^ h≫47)·m    h ← h ^ h≫47
 *
 * Numbers of 64 bits are pairs of int32 words. All arithmetic is modulo 2^64.
 */

/** The multiplier m, 0xc6a4a7935bd1e995, in words, and its low word in halves. */
const MULTIPLIER_HIGH = 0xc6a4a793 | 0;
const MULTIPLIER_LOW = 0x5bd1e995;
const LOW_UPPER_HALF = 0x5bd1;
const LOW_LOWER_HALF = 0xe995;

/** Shifting right by 47 leaves this much of the high word, in the low one. */
const SHIFT_OF_HIGH_WORD = 47 - 32;

/** Hashes bytes; the hash is left in two words, as a function can return only one. */
export class MurmurHash {
  /** The low word of the last hash. */
  low: Int32Word = 0;
  /** The high word of the last hash. */
  high: Int32Word = 0;

  /** Hashes `length` bytes from `offset`. `seed` is an int32 or uint32; its upper 32 bits are zero, as in Redis. */
  hash(bytes: Uint8Array, offset: ByteOffset, length: ByteLength, seed: number): void {
    let low = (seed ^ Math.imul(length, MULTIPLIER_LOW)) | 0;
    let high = highOfProduct(length | 0, 0);
    let position = offset | 0;
    const end = (offset + length) | 0;
    for (; position <= end - 8; position = (position + 8) | 0) {
      let wordLow = littleEndian(bytes, position);
      let wordHigh = littleEndian(bytes, position + 4);
      wordHigh = highOfProduct(wordLow, wordHigh);
      wordLow = Math.imul(wordLow, MULTIPLIER_LOW);
      wordLow ^= wordHigh >>> SHIFT_OF_HIGH_WORD;
      high ^= highOfProduct(wordLow, wordHigh);
      low ^= Math.imul(wordLow, MULTIPLIER_LOW);
      high = highOfProduct(low, high);
      low = Math.imul(low, MULTIPLIER_LOW);
    }
    if (position < end) {
      for (let shift = 0; position < end; position = (position + 1) | 0, shift += 8) {
        if (shift < 32) low ^= bytes[position] << shift;
        else high ^= bytes[position] << (shift - 32);
      }
      high = highOfProduct(low, high);
      low = Math.imul(low, MULTIPLIER_LOW);
    }
    low ^= high >>> SHIFT_OF_HIGH_WORD;
    high = highOfProduct(low, high);
    low = Math.imul(low, MULTIPLIER_LOW);
    this.low = low ^ (high >>> SHIFT_OF_HIGH_WORD);
    this.high = high;
  }
}

/** The high word of the product of a number of two words and the multiplier. */
function highOfProduct(low: Int32Word, high: Int32Word): Int32Word {
  const lower = low & 0xffff;
  const upper = low >>> 16;
  const first = Math.imul(lower, LOW_UPPER_HALF);
  const second = Math.imul(upper, LOW_LOWER_HALF);
  const carried = (Math.imul(lower, LOW_LOWER_HALF) >>> 16) + (first & 0xffff) + (second & 0xffff);
  const highOfLows = Math.imul(upper, LOW_UPPER_HALF) + (first >>> 16) + (second >>> 16) + (carried >>> 16);
  return (highOfLows + Math.imul(high, MULTIPLIER_LOW) + Math.imul(low, MULTIPLIER_HIGH)) | 0;
}

function littleEndian(bytes: Uint8Array, position: ByteOffset): Int32Word {
  return (
    bytes[position] | (bytes[position + 1] << 8) | (bytes[position + 2] << 16) | (bytes[position + 3] << 24)
  );
}
