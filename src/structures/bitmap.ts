/**
 * Bytes as rows of bits: counting, finding and combining them.
 *
 * As in Redis, bit 0 is the highest of the first byte:
 *
 *     bit    0 1 2 3 4 5 6 7   8 9 …
 *            byte 0            byte 1
 *
 * Strings may have hundreds of megabytes, so long ones are counted and combined 32 bits at a time. The byte order within such a word
 * does not matter to what is done with it.
 */
import type { ByteLength, ByteOffset } from '../memory/reference.js';

/** The position of a bit in a string: 8 times that of its byte, so beyond 32 bits. */
export type BitPosition = number;

/** A bit: 0 or 1. */
export type Bit = number;

/** What `combineBits` does: one of the COMBINE_ constants. */
export type BitCombination = number;

export const COMBINE_AND: BitCombination = 0; // the bits that both have
export const COMBINE_OR: BitCombination = 1; // the bits that either has
export const COMBINE_XOR: BitCombination = 2; // the bits that only one of them has

/** From this length on the views of words that long strings are worked on with are worth making. */
const WORDS_BYTES_MIN = 128;
/** Words that a loop takes at a time. */
const BLOCK_WORDS = 8;

/** What runs of bytes are compared with: by the C library, five times as fast as a loop over words. */
const ZEROS = Buffer.alloc(1 << 16);
const ONES = Buffer.alloc(1 << 16, 0xff);
/** Fewer bytes are faster looked at one by one. */
const COMPARED_BYTES_MIN = 64;

/** How many bits are set in each byte. */
const BITS_OF_BYTE = Uint8Array.from({ length: 256 }, (_, byte) => bitsOfWord(byte));

/** How many bits are set in `length` bytes. */
export function countBits(bytes: Uint8Array, offset: ByteOffset, length: ByteLength): number {
  const end = offset + length;
  let at = offset;
  let count = 0;
  // Bitmaps are mostly zeros: these are skipped several times as fast as they are counted.
  while (end - at > ZEROS.length) {
    at = skipBytes(bytes, at, end, 0);
    const next = Math.min(at + ZEROS.length, end);
    count += countInRun(bytes, at, next);
    at = next;
  }
  return count + countInRun(bytes, at, end);
}

/** How many bits are set from `first` to `last`, both included, of the string at `offset`. */
export function countBitsBetween(
  bytes: Uint8Array,
  offset: ByteOffset,
  first: BitPosition,
  last: BitPosition,
): number {
  const start = offset + Math.floor(first / 8);
  const end = offset + Math.floor(last / 8);
  const before = bytes[start] & (0xff00 >> (first & 7));
  const behind = bytes[end] & (0x7f >> (last & 7));
  return countBits(bytes, start, end - start + 1) - BITS_OF_BYTE[before] - BITS_OF_BYTE[behind];
}

/**
 * The position of the first bit that is `bit`, from `first` to `last`, both included, of the string at `offset`; -1 when
 * there is none.
 */
export function findBitBetween(
  bytes: Uint8Array,
  offset: ByteOffset,
  first: BitPosition,
  last: BitPosition,
  bit: Bit,
): BitPosition {
  const end = offset + Math.floor(last / 8) + 1;
  const other = bit === 0 ? 0xff : 0;
  let at = offset + Math.floor(first / 8);
  let found = (bytes[at] ^ other) & (0xff >> (first & 7));
  if (found === 0) {
    at = skipBytes(bytes, at + 1, end, other);
    if (at === end) return -1;
    found = bytes[at] ^ other;
  }
  const position = (at - offset) * 8 + Math.clz32(found << 24);
  return position <= last ? position : -1;
}

/** Combines `length` bytes of `source` into those of `target`, which do not overlap. */
export function combineBits(
  combination: BitCombination,
  target: Uint8Array,
  targetOffset: ByteOffset,
  source: Uint8Array,
  sourceOffset: ByteOffset,
  length: ByteLength,
): void {
  let done = 0;
  const areWords = isWordAt(target, targetOffset) && isWordAt(source, sourceOffset);
  if (areWords && length >= WORDS_BYTES_MIN) {
    const targetWords = wordsBetween(target, targetOffset, targetOffset + length);
    combineWords(combination, targetWords, wordsBetween(source, sourceOffset, sourceOffset + length));
    done = targetWords.length * 4;
  }
  for (; done < length; done++) {
    const at = targetOffset + done;
    target[at] = combined(combination, target[at], source[sourceOffset + done]);
  }
}

/** Turns over the bits of `length` bytes. */
export function invertBits(bytes: Uint8Array, offset: ByteOffset, length: ByteLength): void {
  let at = offset;
  const end = offset + length;
  if (length >= WORDS_BYTES_MIN && isWordAt(bytes, offset)) {
    const words = wordsBetween(bytes, offset, end);
    for (let i = 0; i < words.length; i++) words[i] = ~words[i];
    at += words.length * 4;
  }
  for (; at < end; at++) bytes[at] = ~bytes[at];
}

function combined(combination: BitCombination, a: number, b: number): number {
  if (combination === COMBINE_AND) return a & b;
  return combination === COMBINE_OR ? a | b : a ^ b;
}

/** A loop for each, as the choice within one would cost more than the work. */
function combineWords(combination: BitCombination, target: Int32Array, source: Int32Array): void {
  const { length } = target;
  if (combination === COMBINE_AND) for (let i = 0; i < length; i++) target[i] &= source[i];
  else if (combination === COMBINE_OR) for (let i = 0; i < length; i++) target[i] |= source[i];
  else for (let i = 0; i < length; i++) target[i] ^= source[i];
}

function countInRun(bytes: Uint8Array, start: ByteOffset, end: ByteOffset): number {
  if (end - start < WORDS_BYTES_MIN) return countInBytes(bytes, start, end);
  const wordsStart = firstWordFrom(bytes, start);
  const words = wordsBetween(bytes, wordsStart, end);
  const wordsEnd = wordsStart + words.length * 4;
  return countInBytes(bytes, start, wordsStart) + countInWords(words) + countInBytes(bytes, wordsEnd, end);
}

function countInBytes(bytes: Uint8Array, start: ByteOffset, end: ByteOffset): number {
  let count = 0;
  for (let at = start; at < end; at++) count += BITS_OF_BYTE[bytes[at]];
  return count;
}

/**
 * Adds up the bits of eight words at a time with carry-save adders, so that only the carry out of the third has to be
 * counted for each eight: Harley and Seal's method (Warren, Hacker's Delight, 5-2).
 */
function countInWords(words: Int32Array): number {
  let ones = 0;
  let twos = 0;
  let fours = 0;
  let eights = 0;
  const blocksEnd = words.length - (words.length % BLOCK_WORDS);
  for (let i = 0; i < blocksEnd; i += BLOCK_WORDS) {
    // Each word is read once, which V8 does not see to by itself: that is a fifth of the time.
    let a = words[i];
    let b = words[i + 1];
    let firstTwos = carry(ones, a, b);
    ones ^= a ^ b;
    a = words[i + 2];
    b = words[i + 3];
    let secondTwos = carry(ones, a, b);
    ones ^= a ^ b;
    const firstFours = carry(twos, firstTwos, secondTwos);
    twos ^= firstTwos ^ secondTwos;
    a = words[i + 4];
    b = words[i + 5];
    firstTwos = carry(ones, a, b);
    ones ^= a ^ b;
    a = words[i + 6];
    b = words[i + 7];
    secondTwos = carry(ones, a, b);
    ones ^= a ^ b;
    const secondFours = carry(twos, firstTwos, secondTwos);
    twos ^= firstTwos ^ secondTwos;
    eights = (eights + bitsOfWord(carry(fours, firstFours, secondFours))) | 0;
    fours ^= firstFours ^ secondFours;
  }
  let count = 8 * eights + 4 * bitsOfWord(fours) + 2 * bitsOfWord(twos) + bitsOfWord(ones);
  for (let i = blocksEnd; i < words.length; i++) count += bitsOfWord(words[i]);
  return count;
}

/** The bits that at least two of the words have: what adding the three carries. */
function carry(a: number, b: number, c: number): number {
  return (a & b) | ((a ^ b) & c);
}

/** How many bits are set in a word: sums of pairs of bits, then of fours, then of all bytes. */
function bitsOfWord(word: number): number {
  const pairs = word - ((word >>> 1) & 0x55555555);
  const fours = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333);
  return Math.imul((fours + (fours >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

/** The first byte from `start` on that is not `skipped`, which is 0 or 0xff; `end` when there is none. */
function skipBytes(bytes: Uint8Array, start: ByteOffset, end: ByteOffset, skipped: number): ByteOffset {
  const same = skipped === 0 ? ZEROS : ONES;
  let at = start;
  for (let size = same.length; size >= COMPARED_BYTES_MIN; size >>= 1) {
    while (end - at >= size && same.compare(bytes, at, at + size, 0, size) === 0) at += size;
  }
  while (at < end && bytes[at] === skipped) at++;
  return at;
}

function isWordAt(bytes: Uint8Array, offset: ByteOffset): boolean {
  return ((bytes.byteOffset + offset) & 3) === 0;
}

/** The first offset from `offset` on where a word of the buffer begins. */
function firstWordFrom(bytes: Uint8Array, offset: ByteOffset): ByteOffset {
  return offset + (-(bytes.byteOffset + offset) & 3);
}

/** The whole words between two offsets, of which `start` is that of a word. */
function wordsBetween(bytes: Uint8Array, start: ByteOffset, end: ByteOffset): Int32Array {
  return new Int32Array(bytes.buffer, bytes.byteOffset + start, (end - start) >>> 2);
}
