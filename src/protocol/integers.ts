/**
 * Integers as Redis writes them: decimal text, and 64-bit values kept as two 32-bit words.
 *
 * Redis's integers are signed and have 64 bits; a JavaScript number holds only those up to 2^53 - 1 exactly. Nearly
 * every integer that a client sends or stores is one of these "safe" integers, so they have the fast functions, without
 * strings, BigInt or allocation. Those beyond them are kept as words, which `parseInt64Words` and `writeInt64FromWords`
 * read and write without BigInt; who must compute with them (`INCR` near the limits, …) takes the BigInt functions.
 *
 * The text is canonical: what `string2ll` of Redis's util.c accepts is exactly what printing an integer gives.
 *
 *     integer := "0" | ["-"] (1-9) (0-9)*        no "+", no spaces, no leading zeros, no "-0"
 *
 *     int64 in memory:   | low word: int32 | high word: int32 |   value = high * 2^32 + (low >>> 0)
 */

import type { ByteLength, ByteOffset } from '../memory/reference.js';

/** One half of a 64-bit integer, as an int32. The low word's sign bit is bit 31 of the value, not a sign. */
export type Int32Word = number;

/** A signed 64-bit integer as two words, to be filled: how one is returned without allocation. */
export interface Int64Words {
  low: Int32Word;
  high: Int32Word;
}

/** The smallest signed 64-bit integer, -2^63. */
export const INT64_MIN = -(2n ** 63n);

/** The largest signed 64-bit integer, 2^63 - 1. */
export const INT64_MAX = 2n ** 63n - 1n;

/** Bytes of the longest decimal signed 64-bit integer, "-9223372036854775808". */
export const INT64_DECIMAL_LENGTH_MAX = 20;

/** Bytes of the longest decimal safe integer, "-9007199254740991". */
export const SAFE_INTEGER_DECIMAL_LENGTH_MAX = 17;

const ZERO = 0x30;
const MINUS = 0x2d;

/** So many digits always fit an int32. */
const INT32_DIGITS = 9;

const TWO_TO_32 = 4294967296;

/** 2^53 has so many digits, and every int64 at most `INT64_DIGITS_MAX`. */
const UNSAFE_DIGITS_MIN = 16;
const INT64_DIGITS_MAX = 19;

const POWERS_OF_TEN = Float64Array.from({ length: 10 }, (_, exponent) => 10 ** exponent);

/** "00", "01", … "99": the two digits of n at 2n and 2n + 1. */
const DIGIT_PAIRS = Uint8Array.from({ length: 200 }, (_, index) =>
  index % 2 === 0 ? ZERO + Math.floor(index / 20) : ZERO + ((index >> 1) % 10),
);

/**
 * The integer that `length` bytes from `offset` spell, or NaN when they spell none in the grammar above or one beyond
 * 2^53 - 1 either way (`parseInt64` tells the two apart).
 */
export function parseSafeInteger(bytes: Uint8Array, offset: ByteOffset, length: ByteLength): number {
  const isNegative = bytes[offset] === MINUS;
  const start = isNegative ? offset + 1 : offset;
  const end = offset + length;
  const digits = end - start;
  if (digits < 1 || length > SAFE_INTEGER_DECIMAL_LENGTH_MAX) return NaN;

  const first = bytes[start] - ZERO;
  if (first === 0) return length === 1 ? 0 : NaN;
  if (!(first > 0 && first <= 9)) return NaN;

  const headEnd = digits > INT32_DIGITS ? start + INT32_DIGITS : end;
  let head = first;
  for (let position = start + 1; position < headEnd; position++) {
    const digit = bytes[position] - ZERO;
    if (!(digit >= 0 && digit <= 9)) return NaN;
    head = (head * 10 + digit) | 0;
  }
  if (headEnd === end) return isNegative ? -head : head;

  let tail = 0;
  for (let position = headEnd; position < end; position++) {
    const digit = bytes[position] - ZERO;
    if (!(digit >= 0 && digit <= 9)) return NaN;
    tail = (tail * 10 + digit) | 0;
  }
  // At most 17 digits: a product above 2^53 is rounded, but never down to 2^53 - 1 or less.
  const magnitude = head * POWERS_OF_TEN[end - headEnd] + tail;
  if (magnitude > Number.MAX_SAFE_INTEGER) return NaN;
  return isNegative ? -magnitude : magnitude;
}

/**
 * The signed 64-bit integer that `length` bytes from `offset` spell, or undefined when they spell none in the grammar
 * above or one out of range. For integers that `parseSafeInteger` refuses.
 */
export function parseInt64(bytes: Uint8Array, offset: ByteOffset, length: ByteLength): bigint | undefined {
  const safe = parseSafeInteger(bytes, offset, length);
  if (!Number.isNaN(safe)) return BigInt(safe);

  const isNegative = bytes[offset] === MINUS;
  const start = isNegative ? offset + 1 : offset;
  const end = offset + length;
  if (start >= end || length > INT64_DECIMAL_LENGTH_MAX || bytes[start] === ZERO) return undefined;
  let magnitude = 0n;
  for (let position = start; position < end; position++) {
    const digit = bytes[position] - ZERO;
    if (!(digit >= 0 && digit <= 9)) return undefined;
    magnitude = magnitude * 10n + BigInt(digit);
  }
  const value = isNegative ? -magnitude : magnitude;
  return value < INT64_MIN || value > INT64_MAX ? undefined : value;
}

/**
 * Fills `into` with the signed 64-bit integer that `length` bytes from `offset` spell. False when they spell none in
 * the grammar above or one out of range; `into` is then as it was. IDs of 60 bits are common, so no BigInt.
 */
export function parseInt64Words(
  bytes: Uint8Array,
  offset: ByteOffset,
  length: ByteLength,
  into: Int64Words,
): boolean {
  const safe = parseSafeInteger(bytes, offset, length);
  if (!Number.isNaN(safe)) {
    into.low = lowWord(safe);
    into.high = highWord(safe);
    return true;
  }
  if (length < UNSAFE_DIGITS_MIN || length > INT64_DECIMAL_LENGTH_MAX) return false;
  const isNegative = bytes[offset] === MINUS;
  const start = isNegative ? offset + 1 : offset;
  const end = offset + length;
  if (end - start > INT64_DIGITS_MAX || bytes[start] === ZERO) return false;
  // The magnitude in two unsigned words: 19 digits are below 2^64.
  let high = 0;
  let low = 0;
  for (let position = start; position < end; position++) {
    const digit = bytes[position] - ZERO;
    if (!(digit >= 0 && digit <= 9)) return false;
    low = low * 10 + digit;
    const carry = Math.floor(low / TWO_TO_32);
    low -= carry * TWO_TO_32;
    high = high * 10 + carry;
  }
  const limit = TWO_TO_32 / 2;
  if (high > limit || (high === limit && !(isNegative && low === 0))) return false;
  into.low = isNegative ? -low | 0 : low | 0;
  into.high = isNegative ? (low === 0 ? -high | 0 : ~high) : high | 0;
  return true;
}

/** How many bytes the decimal text of a safe integer takes, its minus sign included: 1 to 17. */
export function decimalLength(value: number): number {
  if (value < 0) return 1 + decimalLength(-value);
  if (value < 1e8) return digitsBelowHundredMillion(value);
  return 8 + digitsBelowHundredMillion(Math.floor(value / 1e8));
}

/**
 * Writes a safe integer as decimal text at `offset` and returns the offset behind it. The text takes
 * `decimalLength(value)` bytes, which must be there; -0 is written as 0. Throws RangeError when a value is not one.
 */
export function writeSafeInteger(bytes: Uint8Array, offset: ByteOffset, value: number): ByteOffset {
  let position = offset;
  let magnitude = value;
  if (value < 0) {
    bytes[position++] = MINUS;
    magnitude = -value;
  }
  if (magnitude < 1e8) {
    const small = magnitude | 0;
    const end = position + digitsBelowHundredMillion(small);
    writeDigits(bytes, position, end, small);
    return end;
  }
  if (!Number.isSafeInteger(magnitude)) throw new RangeError(`not a safe integer: ${value}`);
  // 2^53 / 10^8 is below 10^8 too: two halves of at most eight digits do for every safe integer.
  const high = Math.floor(magnitude / 1e8);
  const low = (magnitude - high * 1e8) | 0;
  const highEnd = position + digitsBelowHundredMillion(high);
  writeDigits(bytes, position, highEnd, high | 0);
  writeDigits(bytes, highEnd, highEnd + 8, low);
  return highEnd + 8;
}

/**
 * Writes the int64 of two words as decimal text at `offset` and returns the offset behind it. Up to
 * `INT64_DECIMAL_LENGTH_MAX` bytes must be there.
 */
export function writeInt64FromWords(
  bytes: Uint8Array,
  offset: ByteOffset,
  low: Int32Word,
  high: Int32Word,
): ByteOffset {
  const safe = safeIntegerFromWords(low, high);
  if (!Number.isNaN(safe)) return writeSafeInteger(bytes, offset, safe);
  let position = offset;
  if (high < 0) bytes[position++] = MINUS;
  // The magnitude in two unsigned words, divided by 10^6 word by word: 10^6 * 2^32 is still a safe integer.
  const magnitudeLow = (high < 0 ? -low : low) >>> 0;
  const magnitudeHigh = (high < 0 ? ~high + (low === 0 ? 1 : 0) : high) >>> 0;
  const quotientHigh = Math.floor(magnitudeHigh / 1e6);
  const rest = (magnitudeHigh - quotientHigh * 1e6) * TWO_TO_32 + magnitudeLow;
  const quotientLow = Math.floor(rest / 1e6);
  position = writeSafeInteger(bytes, position, quotientHigh * TWO_TO_32 + quotientLow);
  writeDigits(bytes, position, position + 6, rest - quotientLow * 1e6);
  return position + 6;
}

/** The int64 of two words as a number, or NaN when it is beyond 2^53 - 1 either way. */
export function safeIntegerFromWords(low: Int32Word, high: Int32Word): number {
  const value = high * TWO_TO_32 + (low >>> 0);
  return value >= -Number.MAX_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER ? value : NaN;
}

/** The int64 of two words, exactly. */
export function bigintFromWords(low: Int32Word, high: Int32Word): bigint {
  return (BigInt(high) << 32n) | BigInt(low >>> 0);
}

/** The low word of a safe integer. */
export function lowWord(value: number): Int32Word {
  return value | 0;
}

/** The high word of a safe integer. */
export function highWord(value: number): Int32Word {
  return Math.floor(value / TWO_TO_32) | 0;
}

/** The low word of a BigInt within int64. */
export function lowWordOfBigint(value: bigint): Int32Word {
  return Number(BigInt.asIntN(32, value));
}

/** The high word of a BigInt within int64. */
export function highWordOfBigint(value: bigint): Int32Word {
  return Number(BigInt.asIntN(32, value >> 32n));
}

/** The number of decimal digits of an integer from 0 to 99999999. */
function digitsBelowHundredMillion(value: number): number {
  if (value < 1e4) {
    if (value < 1e2) return value < 10 ? 1 : 2;
    return value < 1e3 ? 3 : 4;
  }
  if (value < 1e6) return value < 1e5 ? 5 : 6;
  return value < 1e7 ? 7 : 8;
}

/** Fills the bytes from `start` to `end` with the last digits of a non-negative int32, zeros before them. */
function writeDigits(bytes: Uint8Array, start: number, end: number, value: number): void {
  let rest = value | 0;
  let position = end - 2;
  while (position >= start) {
    const quotient = (rest / 100) | 0;
    const pair = (rest - quotient * 100) << 1;
    bytes[position] = DIGIT_PAIRS[pair];
    bytes[position + 1] = DIGIT_PAIRS[pair + 1];
    rest = quotient;
    position -= 2;
  }
  if (position === start - 1) bytes[start] = ZERO + rest;
}
