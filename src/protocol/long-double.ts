/**
 * C's long double as x86 has it, for INCRBYFLOAT and HINCRBYFLOAT.
 *
 * Redis reads both operands with strtold, adds them in the 80-bit format of the x87 (a significand of 64 bits, rounded to
 * the nearest, ties to even) and prints the sum with "%.17Lf", which is visible: 5.0e3 + 2.0e2 prints "5200", and
 * 0.1 + 0.2 prints "0.3", which doubles would not. Here the same three roundings are done on BigInt. Cold paths.
 */

import type { ByteLength, ByteOffset } from '../memory/reference.js';
import {
  divideToNearestEven,
  type ExactBinary,
  LONG_DOUBLE_FORMAT,
  parseHexadecimalFloat,
  roundToFormat,
} from './exact-binary.js';

/** A value of C's long double. The finite ones are exact, the others are JavaScript's. The sign of zero is not kept. */
export type LongDouble = ExactBinary | typeof Infinity;

/** Redis reads no longer text than this as a long double (MAX_LONG_DOUBLE_CHARS, less the terminating NUL). */
export const LONG_DOUBLE_TEXT_MAX = 5 * 1024 - 1;

/** Digits behind the decimal point that "%.17Lf" prints. */
const FRACTION_DIGITS = 17;

const FRACTION_SCALE = 10n ** BigInt(FRACTION_DIGITS);

/** The largest decimal exponent kept, either way: whatever fewer than 5120 digits precede it, it decides the result. */
const DECIMAL_EXPONENT_MAX = 20_000;

/**
 * The long double nearest to the number that `length` bytes from `offset` spell, or undefined where Redis says "value is
 * not a valid float": when they spell none, or "nan", or when the number is too large or, not being zero, too small.
 */
export function parseLongDouble(
  bytes: Uint8Array,
  offset: ByteOffset,
  length: ByteLength,
): LongDouble | undefined {
  if (length > LONG_DOUBLE_TEXT_MAX) return undefined;
  const text = Buffer.from(bytes.buffer, bytes.byteOffset + offset, length).toString('latin1');
  if (/^[+-]?inf(?:inity)?$/i.test(text)) return text[0] === '-' ? -Infinity : Infinity;

  const hexadecimal = parseHexadecimalFloat(text);
  if (hexadecimal !== undefined) {
    return unlessVanished(hexadecimal.significand, 1n, hexadecimal.exponent);
  }
  const match = /^([+-]?)([0-9]*)\.?([0-9]*)(?:[eE]([+-]?[0-9]+))?$/.exec(text);
  if (match === null) return undefined;
  const [, sign, integerDigits, fractionDigits, exponentDigits = '0'] = match;
  const digits = integerDigits + fractionDigits;
  if (digits === '') return undefined;
  const magnitude = BigInt(digits);
  const limit = DECIMAL_EXPONENT_MAX;
  const exponent = Math.max(-limit, Math.min(limit, Number(exponentDigits))) - fractionDigits.length;
  const numerator = exponent > 0 ? magnitude * 10n ** BigInt(exponent) : magnitude;
  const denominator = exponent < 0 ? 10n ** BigInt(-exponent) : 1n;
  return unlessVanished(sign === '-' ? -numerator : numerator, denominator, 0);
}

/** The long double of a signed 64-bit integer, which it always is exactly. */
export function longDoubleFromInt64(value: bigint): LongDouble {
  return { significand: value, exponent: 0 };
}

/** The sum as the x87 rounds it: an infinity beyond the range, NaN for infinities of opposite signs. */
export function addLongDoubles(a: LongDouble, b: LongDouble): LongDouble {
  if (typeof a === 'number' || typeof b === 'number') {
    return (typeof a === 'number' ? a : 0) + (typeof b === 'number' ? b : 0);
  }
  const exponent = Math.min(a.exponent, b.exponent);
  const sum =
    (a.significand << BigInt(a.exponent - exponent)) + (b.significand << BigInt(b.exponent - exponent));
  return roundToFormat(LONG_DOUBLE_FORMAT, sum, 1n, exponent) ?? (sum < 0n ? -Infinity : Infinity);
}

/** Whether this is what INCRBYFLOAT refuses to produce. */
export function isNanOrInfinity(value: LongDouble): value is number {
  return typeof value === 'number';
}

/**
 * A long double as Redis prints it for people: "%.17Lf", which has no exponent and up to 17 digits behind the decimal
 * point, without trailing zeros; what rounds to zero is "0" whatever its sign.
 */
export function formatLongDouble(value: LongDouble): string {
  if (typeof value === 'number') return Number.isNaN(value) ? 'nan' : value < 0 ? '-inf' : 'inf';
  const magnitude = value.significand < 0n ? -value.significand : value.significand;
  const scaled = divideToNearestEven(magnitude * FRACTION_SCALE, 1n, value.exponent);
  if (scaled === 0n) return '0';
  const digits = scaled.toString().padStart(FRACTION_DIGITS + 1, '0');
  const integerDigits = digits.slice(0, -FRACTION_DIGITS);
  const fractionDigits = digits.slice(-FRACTION_DIGITS).replace(/0+$/, '');
  const sign = value.significand < 0n ? '-' : '';
  return sign + integerDigits + (fractionDigits === '' ? '' : `.${fractionDigits}`);
}

/** The nearest long double, or undefined when there is none, or only zero for a number that is not zero. */
function unlessVanished(numerator: bigint, denominator: bigint, exponent: number): LongDouble | undefined {
  const rounded = roundToFormat(LONG_DOUBLE_FORMAT, numerator, denominator, exponent);
  return rounded?.significand === 0n && numerator !== 0n ? undefined : rounded;
}
