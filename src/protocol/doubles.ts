/**
 * Doubles as text: how Redis reads scores and floats from clients, and how it prints them.
 *
 * Reading follows `string2d` and `fast_float_strtod` of Redis 8.0, printing follows `d2string` (replies, scores in
 * listpacks), `fpconv_dtoa` (the AOF) and printf's "%.17g" (ZSCAN of a skiplist). Nothing here makes a string on the way
 * of ordinary numbers; rare texts (long ones, hexadecimal ones) do.
 *
 *     double  := [sign] digits [exponent] | [sign] "0x" hexadecimal float | [sign] "inf" | [sign] "infinity"
 *     digits  := (0-9)+ ["." (0-9)*] | "." (0-9)+
 *     exponent := ("e" | "E") [sign] (0-9)+                     letters in any case, no spaces anywhere, no "nan"
 */

import type { ByteLength, ByteOffset } from '../memory/reference.js';
import { DOUBLE_FORMAT, exactBinaryOf, parseHexadecimalFloat, roundToFormat } from './exact-binary.js';
import { Grisu2 } from './grisu2.js';
import { highWord, lowWord, writeInt64FromWords, writeSafeInteger } from './integers.js';

/** Bytes of the longest text that `writeDouble` and `writeShortestDouble` give: a sign and 24 digits. */
export const DOUBLE_LENGTH_MAX = 25;

const ZERO = 0x30;
const PLUS = 0x2b;
const MINUS = 0x2d;
const POINT = 0x2e;
const LOWER_E = 0x65;
/** OR-ed into a letter, makes it lower case. */
const LOWER_CASE_BIT = 0x20;

/** 10^0 to 10^22: the powers of ten that a double holds exactly. */
const EXACT_POWERS_OF_TEN = Float64Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`));

/** Up to this magnitude, 2^62, Redis prints a double without fraction as a 64-bit integer. */
const INTEGER_MAGNITUDE_MAX = 2 ** 62;

/** The significant digits that tell every double from every other one. */
const SEVENTEEN = 17;

const grisu = new Grisu2();
const scratch = new Uint8Array(DOUBLE_LENGTH_MAX);

/**
 * The double that `length` bytes from `offset` spell, or undefined where Redis says "value is not a valid float": when
 * they spell none, when the number is too large for a double, and when it is not zero but too small for one.
 */
export function parseDouble(bytes: Uint8Array, offset: ByteOffset, length: ByteLength): number | undefined {
  const value = scanDecimal(bytes, offset, length);
  if (value !== 0 && Number.isFinite(value)) return value;
  if (value === 0) return hasNonZeroDigit(bytes, offset, length) ? undefined : value;
  return parseInfinity(bytes, offset, length) ?? parseUnusualDouble(latin1(bytes, offset, length));
}

/**
 * As `parseDouble`, but for the texts that Redis reads as C strings with fast_float alone: bounds of score ranges, and
 * elements to SORT. Overflow gives an infinity and underflow zero, the text ends at its first NUL, no text at all is 0,
 * and hexadecimal is not understood.
 */
export function parseDoubleLeniently(
  bytes: Uint8Array,
  offset: ByteOffset,
  length: ByteLength,
): number | undefined {
  let end = offset;
  while (end < offset + length && bytes[end] !== 0) end++;
  if (end === offset) return 0;
  const value = scanDecimal(bytes, offset, end - offset);
  return Number.isNaN(value) ? parseInfinity(bytes, offset, end - offset) : value;
}

/**
 * The number that a text begins with, whatever follows it, or 0: C's strtod, as Redis reads the scores of a listpack.
 * Only in a damaged one is there anything behind a number. Cold paths only.
 */
export function parseLeadingDouble(bytes: Uint8Array, offset: ByteOffset, length: ByteLength): number {
  const text = latin1(bytes, offset, length);
  const number = /^-?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?/i.exec(text)?.[0];
  if (number !== undefined) return Number(number);
  const infinity = /^(-?)inf/i.exec(text);
  if (infinity === null) return 0;
  return infinity[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
}

/**
 * Writes a double at `offset` as Redis replies it and returns the offset behind it. At least `DOUBLE_LENGTH_MAX` bytes
 * must be there. Integers up to 2^62 are written in full, others get the digits of Grisu2.
 */
export function writeDouble(bytes: Uint8Array, offset: ByteOffset, value: number): ByteOffset {
  if (Number.isSafeInteger(value) && !Object.is(value, -0)) return writeSafeInteger(bytes, offset, value);
  if (Number.isInteger(value) && Math.abs(value) <= INTEGER_MAGNITUDE_MAX && value !== 0) {
    return writeInt64FromWords(bytes, offset, lowWord(value), highWord(value));
  }
  return writeShortestDouble(bytes, offset, value);
}

/** As `writeDouble`, but large integers get an exponent too: the format of scores in a rewritten AOF. */
export function writeShortestDouble(bytes: Uint8Array, offset: ByteOffset, value: number): ByteOffset {
  if (Number.isNaN(value)) return writeAscii(bytes, offset, 'nan');
  let position = offset;
  if (value < 0 || Object.is(value, -0)) bytes[position++] = MINUS;
  if (value === 0) return writeAscii(bytes, position, '0');
  if (!Number.isFinite(value)) return writeAscii(bytes, position, 'inf');
  grisu.find(Math.abs(value));
  return writeDigits(bytes, position, grisu.digits, grisu.digitCount, grisu.exponent);
}

/** The text of `writeDouble` as a string. Cold paths only. */
export function formatDouble(value: number): string {
  return latin1(scratch, 0, writeDouble(scratch, 0, value));
}

/** The text of `writeShortestDouble` as a string. Cold paths only. */
export function formatShortestDouble(value: number): string {
  return latin1(scratch, 0, writeShortestDouble(scratch, 0, value));
}

/** A double as printf's "%.17g" prints it, as ZSCAN replies the scores of a skiplist. Cold paths only. */
export function formatDoubleSeventeen(value: number): string {
  // String gives all digits of a safe integer, but drops the sign of -0.
  if (Number.isSafeInteger(value)) return Object.is(value, -0) ? '-0' : String(value);
  if (!Number.isFinite(value)) return formatShortestDouble(value);

  const sign = value < 0 ? '-' : '';
  const { digits, exponent } = seventeenDigits(Math.abs(value));
  const significant = digits.replace(/0+$/, '');
  if (exponent < -4 || exponent >= SEVENTEEN) {
    const exponentSign = exponent < 0 ? '-' : '+';
    const exponentDigits = String(Math.abs(exponent)).padStart(2, '0');
    return `${sign}${withPoint(significant, 1)}e${exponentSign}${exponentDigits}`;
  }
  if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${significant}`;
  return sign + withPoint(significant.padEnd(exponent + 1, '0'), exponent + 1);
}

/**
 * The number that decimal text spells: an infinity when it is too large, zero when it is too small, NaN when the text is
 * something else, be it hexadecimal or "inf".
 */
function scanDecimal(bytes: Uint8Array, offset: ByteOffset, length: ByteLength): number {
  const end = offset + length;
  let position = offset;
  const isNegative = bytes[position] === MINUS;
  if (isNegative || bytes[position] === PLUS) position++;

  // Exact up to 2^53; beyond, all that matters is that it never comes back below.
  let mantissa = 0;
  let exponent = 0;
  const digitsStart = position;
  while (position < end) {
    const digit = bytes[position] - ZERO;
    if (!(digit >= 0 && digit <= 9)) break;
    mantissa = mantissa * 10 + digit;
    position++;
  }
  let digits = position - digitsStart;
  if (position < end && bytes[position] === POINT) {
    const fractionStart = ++position;
    while (position < end) {
      const digit = bytes[position] - ZERO;
      if (!(digit >= 0 && digit <= 9)) break;
      mantissa = mantissa * 10 + digit;
      position++;
    }
    exponent = fractionStart - position;
    digits -= exponent;
  }
  if (digits === 0) return NaN;

  if (position < end && (bytes[position] | LOWER_CASE_BIT) === LOWER_E) {
    position++;
    const isExponentNegative = bytes[position] === MINUS;
    if (isExponentNegative || bytes[position] === PLUS) position++;
    if (position >= end) return NaN;
    let explicitExponent = 0;
    while (position < end) {
      const digit = bytes[position] - ZERO;
      if (!(digit >= 0 && digit <= 9)) break;
      explicitExponent = explicitExponent * 10 + digit;
      position++;
    }
    exponent += isExponentNegative ? -explicitExponent : explicitExponent;
  }
  if (position !== end) return NaN;

  // Exact operands and one correctly rounded operation: a correctly rounded result (William Clinger's fast path).
  if (mantissa <= Number.MAX_SAFE_INTEGER && exponent >= -22 && exponent <= 22) {
    const magnitude =
      exponent < 0 ? mantissa / EXACT_POWERS_OF_TEN[-exponent] : mantissa * EXACT_POWERS_OF_TEN[exponent];
    return isNegative ? -magnitude : magnitude;
  }
  return Number(latin1(bytes, offset, length));
}

/** Whether decimal text has a digit other than 0 before its exponent. */
function hasNonZeroDigit(bytes: Uint8Array, offset: ByteOffset, length: ByteLength): boolean {
  for (let position = offset; position < offset + length; position++) {
    const byte = bytes[position];
    if ((byte | LOWER_CASE_BIT) === LOWER_E) return false;
    if (byte > ZERO) return true;
  }
  return false;
}

/** The infinity that a text names, or undefined. fast_float takes "-+inf" for one of them, and so does Redis. */
function parseInfinity(bytes: Uint8Array, offset: ByteOffset, length: ByteLength): number | undefined {
  const end = offset + length;
  const isNegative = bytes[offset] === MINUS;
  let position = isNegative ? offset + 1 : offset;
  if (bytes[position] === PLUS) position++;
  if (!isWord(bytes, position, end, 'inf') && !isWord(bytes, position, end, 'infinity')) return undefined;
  return isNegative ? -Infinity : Infinity;
}

/** Whether the bytes up to `end` are a word of lower-case letters, in any case. */
function isWord(bytes: Uint8Array, offset: ByteOffset, end: ByteOffset, word: string): boolean {
  if (end - offset !== word.length) return false;
  for (let index = 0; index < word.length; index++) {
    if ((bytes[offset + index] | LOWER_CASE_BIT) !== word.charCodeAt(index)) return false;
  }
  return true;
}

/** The double that a text spells that is neither a decimal number nor an infinity, or undefined. */
function parseUnusualDouble(text: string): number | undefined {
  const exact = parseHexadecimalFloat(text);
  if (exact === undefined) return undefined;
  const rounded = roundToFormat(DOUBLE_FORMAT, exact.significand, 1n, exact.exponent);
  if (rounded === undefined) return undefined;
  if (rounded.significand === 0n) {
    if (exact.significand !== 0n) return undefined;
    return text[0] === '-' ? -0 : 0;
  }
  return Number(rounded.significand) * 2 ** rounded.exponent;
}

/** Writes `digits * 10^exponent` at `position`, in the layout that fpconv chooses, and returns the offset behind it. */
function writeDigits(
  bytes: Uint8Array,
  position: number,
  digits: Uint8Array,
  count: number,
  exponent: number,
): number {
  const scientificExponent = exponent + count - 1;
  if (exponent >= 0 && scientificExponent < count + 7) {
    for (let index = 0; index < count; index++) bytes[position + index] = digits[index];
    for (let index = 0; index < exponent; index++) bytes[position + count + index] = ZERO;
    return position + count + exponent;
  }
  if (exponent < 0 && (exponent > -7 || Math.abs(scientificExponent) < 4)) {
    return writeFraction(bytes, position, digits, count, count + exponent);
  }
  let end = count === 1 ? position + 1 : writeFraction(bytes, position, digits, count, 1);
  if (count === 1) bytes[position] = digits[0];
  bytes[end++] = LOWER_E;
  bytes[end++] = scientificExponent < 0 ? MINUS : PLUS;
  return writeSafeInteger(bytes, end, Math.abs(scientificExponent));
}

/** Writes digits with a decimal point behind the first `integerDigits` of them; 0 or fewer put zeros before them. */
function writeFraction(
  bytes: Uint8Array,
  position: number,
  digits: Uint8Array,
  count: number,
  integerDigits: number,
): number {
  let end = position;
  if (integerDigits <= 0) {
    bytes[end++] = ZERO;
    bytes[end++] = POINT;
    for (let zeros = -integerDigits; zeros > 0; zeros--) bytes[end++] = ZERO;
  }
  for (let index = 0; index < count; index++) {
    if (index === integerDigits && index > 0) bytes[end++] = POINT;
    bytes[end++] = digits[index];
  }
  return end;
}

/**
 * The 17 significant digits of a positive double, the first one having the place 10^exponent. JavaScript rounds a tie
 * between two such numbers up, C to the even one.
 */
function seventeenDigits(value: number): { digits: string; exponent: number } {
  const [mantissa, exponent] = value.toExponential(SEVENTEEN - 1).split('e');
  const digits = mantissa.replace('.', '');
  const [oneMore, oneMoreExponent] = value.toExponential(SEVENTEEN).split('e');
  const eighteen = oneMore.replace('.', '');
  const isTieAfterEvenDigit =
    /[02468]5$/.test(eighteen) && isDecimal(value, eighteen, Number(oneMoreExponent) - SEVENTEEN);
  return {
    digits: isTieAfterEvenDigit ? eighteen.slice(0, SEVENTEEN) : digits,
    exponent: Number(isTieAfterEvenDigit ? oneMoreExponent : exponent),
  };
}

/** Whether a double is exactly `digits * 10^exponent`. */
function isDecimal(value: number, digits: string, exponent: number): boolean {
  const { significand, exponent: binaryExponent } = exactBinaryOf(value);
  const left = scaled(significand, 2n, binaryExponent) * scaled(1n, 10n, -exponent);
  const right = scaled(1n, 2n, -binaryExponent) * scaled(BigInt(digits), 10n, exponent);
  return left === right;
}

/** `value * base^exponent`, or `value` itself when the exponent is negative. */
function scaled(value: bigint, base: bigint, exponent: number): bigint {
  return exponent > 0 ? value * base ** BigInt(exponent) : value;
}

/** Digits with a decimal point behind the first `integerDigits` of them, unless there are no more. */
function withPoint(digits: string, integerDigits: number): string {
  if (digits.length <= integerDigits) return digits;
  return `${digits.slice(0, integerDigits)}.${digits.slice(integerDigits)}`;
}

function writeAscii(bytes: Uint8Array, offset: ByteOffset, text: string): ByteOffset {
  for (let index = 0; index < text.length; index++) bytes[offset + index] = text.charCodeAt(index);
  return offset + text.length;
}

function latin1(bytes: Uint8Array, offset: ByteOffset, length: ByteLength): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + offset, length).toString('latin1');
}
