/**
 * Binary floating point numbers of any width, exactly: a BigInt times a power of two.
 *
 * For what JavaScript's numbers cannot do: long doubles, and the hexadecimal floats that C's strtod reads. Cold paths.
 */

/** The number `significand * 2^exponent`. */
export interface ExactBinary {
  readonly significand: bigint;
  readonly exponent: number;
}

/** A floating point format of IEEE 754 or its relatives, with subnormal numbers and without infinities. */
export interface BinaryFormat {
  /** Bits of the significand, the leading one included. */
  readonly precision: number;
  /** The exponent of the last bit of a subnormal number: 2^exponentMin is the smallest positive number. */
  readonly exponentMin: number;
  /** Every finite number is below 2^magnitudeMax. */
  readonly magnitudeMax: number;
}

/** IEEE 754 binary64, JavaScript's number and C's double. */
export const DOUBLE_FORMAT: BinaryFormat = { precision: 53, exponentMin: -1074, magnitudeMax: 1024 };

/** The x87 80-bit extended format, C's long double on x86. */
export const LONG_DOUBLE_FORMAT: BinaryFormat = { precision: 64, exponentMin: -16445, magnitudeMax: 16384 };

/** The longest hexadecimal float that is read; nobody writes longer ones except to find out what happens. */
const HEXADECIMAL_TEXT_MAX = 8 * 1024;

/** The largest exponent kept, either way: whatever so few digits precede it, the number overflows or vanishes. */
const HEXADECIMAL_EXPONENT_MAX = 1 << 17;

/**
 * The number of a format that is nearest to `numerator / denominator * 2^exponent`, ties going to the even significand,
 * or undefined when that is too large for the format. The numerator may have either sign; the denominator is positive.
 */
export function roundToFormat(
  format: BinaryFormat,
  numerator: bigint,
  denominator: bigint,
  exponent: number,
): ExactBinary | undefined {
  if (numerator < 0n) {
    const opposite = roundToFormat(format, -numerator, denominator, exponent);
    return opposite && { significand: -opposite.significand, exponent: opposite.exponent };
  }
  if (numerator === 0n) return { significand: 0n, exponent: 0 };

  // The quotient has as many bits as this estimate or one less, so that the first try has `precision` bits or one more.
  const magnitudeEstimate = bitLength(numerator) - bitLength(denominator) + 1 + exponent;
  let unit = Math.max(magnitudeEstimate - 1 - format.precision, format.exponentMin);
  let significand = divideToNearestEven(numerator, denominator, exponent - unit);
  if (bitLength(significand) > format.precision) {
    unit++;
    significand = divideToNearestEven(numerator, denominator, exponent - unit);
  }
  if (bitLength(significand) + unit > format.magnitudeMax) return undefined;
  return { significand, exponent: unit };
}

/** `numerator / denominator * 2^shift`, rounded to the nearest integer, ties to the even one; all non-negative. */
export function divideToNearestEven(numerator: bigint, denominator: bigint, shift: number): bigint {
  const dividend = shift > 0 ? numerator << BigInt(shift) : numerator;
  const divisor = shift < 0 ? denominator << BigInt(-shift) : denominator;
  const quotient = dividend / divisor;
  const twiceRest = (dividend - quotient * divisor) * 2n;
  const isRoundedUp = twiceRest > divisor || (twiceRest === divisor && (quotient & 1n) === 1n);
  return isRoundedUp ? quotient + 1n : quotient;
}

/** A finite double, exactly. */
export function exactBinaryOf(value: number): ExactBinary {
  const bits = new DataView(new ArrayBuffer(8));
  bits.setFloat64(0, value);
  const exponentField = (bits.getUint32(0) >>> 20) & 0x7ff;
  const fraction = bits.getBigUint64(0) & (2n ** 52n - 1n);
  const magnitude = exponentField === 0 ? fraction : fraction | (2n ** 52n);
  return {
    significand: value < 0 ? -magnitude : magnitude,
    exponent: DOUBLE_FORMAT.exponentMin + Math.max(exponentField, 1) - 1,
  };
}

/**
 * The number that a hexadecimal float spells, exactly, or undefined when the text is none: what C's strtod and strtold
 * accept, such as `-0x1.8p+3`. Texts beyond `HEXADECIMAL_TEXT_MAX` are refused, where C would go on reading.
 */
export function parseHexadecimalFloat(text: string): ExactBinary | undefined {
  if (text.length > HEXADECIMAL_TEXT_MAX) return undefined;
  const match = /^([+-]?)0[xX]([0-9a-fA-F]*)\.?([0-9a-fA-F]*)(?:[pP]([+-]?[0-9]+))?$/.exec(text);
  if (match === null) return undefined;
  const [, sign, integerDigits, fractionDigits, exponentDigits = '0'] = match;
  const digits = integerDigits + fractionDigits;
  if (digits === '') return undefined;
  const magnitude = BigInt(`0x${digits}`);
  const limit = HEXADECIMAL_EXPONENT_MAX;
  const exponent = Math.max(-limit, Math.min(limit, Number(exponentDigits)));
  return {
    significand: sign === '-' ? -magnitude : magnitude,
    exponent: exponent - 4 * fractionDigits.length,
  };
}

/** The number of bits of a non-negative integer without leading zeros; 0 has none. */
function bitLength(value: bigint): number {
  if (value === 0n) return 0;
  const digits = value.toString(16);
  return 4 * (digits.length - 1) + (32 - Math.clz32(Number.parseInt(digits[0], 16)));
}
