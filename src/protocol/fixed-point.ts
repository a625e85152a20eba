/** Doubles as text with as many decimals as the format says: distances, and coordinates in error messages. */
import type { ByteOffset } from '../memory/reference.js';
import { SAFE_INTEGER_DECIMAL_LENGTH_MAX, writeSafeInteger } from './integers.js';

const ZERO = 0x30;
const MINUS = 0x2d;
const POINT = 0x2e;

const FOUR_DECIMALS = 10_000;
/** An integer added to this is rounded to even where it has a fraction: there are no more bits. */
const ROUNDING = 2 ** 52;
/** What llrint of C gives for NaN, with four decimals. */
const NOT_A_NUMBER = Buffer.from('-922337203685477.5808', 'latin1');

/** Bytes of the longest text that `writeFourDecimals` gives. */
export const FOUR_DECIMALS_LENGTH_MAX = SAFE_INTEGER_DECIMAL_LENGTH_MAX + 5;

/** 1/128 is the largest power of 2 of which an odd multiple has seven decimals, the last of them a 5. */
const SIXTH_DECIMAL_TIE = 128;
/** Number.prototype.toFixed gives all digits of smaller numbers only. */
const TO_FIXED_MAX = 1e21;

/**
 * Writes a number with four decimals at `offset`, as `fixedpoint_d2string` of Redis does, and returns the offset behind
 * it. `FOUR_DECIMALS_LENGTH_MAX` bytes must be there. The number is below 10^11 either way, or NaN.
 */
export function writeFourDecimals(bytes: Uint8Array, offset: ByteOffset, value: number): ByteOffset {
  if (Number.isNaN(value)) {
    bytes.set(NOT_A_NUMBER, offset);
    return offset + NOT_A_NUMBER.length;
  }
  const scaled = Math.abs(value) * FOUR_DECIMALS + ROUNDING - ROUNDING;
  const whole = Math.floor(scaled / FOUR_DECIMALS);
  let position = offset;
  if (value < 0 && scaled > 0) bytes[position++] = MINUS;
  position = writeSafeInteger(bytes, position, whole);
  bytes[position] = POINT;
  let decimals = scaled - whole * FOUR_DECIMALS;
  for (let at = position + 4; at > position; at--) {
    const next = Math.floor(decimals / 10);
    bytes[at] = ZERO + decimals - next * 10;
    decimals = next;
  }
  return position + 5;
}

/** A number as printf's "%f" prints it, with six decimals. Cold paths only. */
export function formatSixDecimals(value: number): string {
  const sign = value < 0 || Object.is(value, -0) ? '-' : '';
  const magnitude = Math.abs(value);
  if (magnitude === Number.POSITIVE_INFINITY) return `${sign}inf`;
  if (Number.isNaN(value)) return 'nan';
  if (magnitude >= TO_FIXED_MAX) return `${sign}${BigInt(magnitude)}.000000`;
  // JavaScript rounds what is in the middle up, C to the even digit.
  const isTie = (magnitude * SIXTH_DECIMAL_TIE) % 2 === 1;
  const seven = magnitude.toFixed(7);
  const isEven = /[02468]5$/.test(seven);
  return sign + (isTie && isEven ? seven.slice(0, -1) : magnitude.toFixed(6));
}
