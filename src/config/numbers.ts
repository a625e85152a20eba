import { INT64_MAX, INT64_MIN } from '../protocol/integers.js';
import type { ByteString } from './byte-string.js';
import { beforeNul } from './byte-string.js';

/** Numbers in the configuration: every form is read as Redis reads it, with 64 bits, and printed back exactly. */

const UINT64_MAX = 2n ** 64n - 1n;

/** Redis copies the digits of an amount of memory into a buffer of this size. */
const MEMORY_DIGITS_MAX = 127;

const MEMORY_UNITS: ReadonlyMap<string, bigint> = new Map([
  ['', 1n],
  ['b', 1n],
  ['k', 1000n],
  ['kb', 1024n],
  ['m', 1000n ** 2n],
  ['mb', 1024n ** 2n],
  ['g', 1000n ** 3n],
  ['gb', 1024n ** 3n],
]);

/**
 * Reads an amount of memory ("100", "1mb", "2G") as an unsigned 64-bit number of bytes; undefined when it is none.
 * As in Redis's `memtoull`, no digits count as 0, too many as 2^64 - 1, and the product with the unit wraps around.
 */
export function parseMemory(text: ByteString): bigint | undefined {
  const [, digits, unit] = /^([0-9]*)(.*)$/s.exec(beforeNul(text)) ?? ['', '', ''];
  const multiplier = MEMORY_UNITS.get(unit.toLowerCase());
  if (multiplier === undefined || digits.length > MEMORY_DIGITS_MAX) return undefined;
  const amount = BigInt(digits);
  return BigInt.asUintN(64, (amount > UINT64_MAX ? UINT64_MAX : amount) * multiplier);
}

/** Prints bytes with the largest unit that leaves no rest ("1gb", "1536kb", "1000"), as CONFIG REWRITE does. */
export function formatMemory(bytes: bigint): ByteString {
  for (const unit of ['gb', 'mb', 'kb']) {
    const multiplier = MEMORY_UNITS.get(unit) ?? 1n;
    if (bytes !== 0n && bytes % multiplier === 0n) return `${bytes / multiplier}${unit}`;
  }
  return `${bytes}`;
}

/** Reads a signed 64-bit integer strictly: no sign but `-`, no leading zeros, no spaces (Redis's `string2ll`). */
export function parseInteger(text: ByteString): bigint | undefined {
  if (text.length > 20 || !/^(0|-?[1-9][0-9]*)$/.test(text)) return undefined;
  const value = BigInt(text);
  return value >= INT64_MIN && value <= INT64_MAX ? value : undefined;
}

/** What C's `strtoll` makes of a text that it reads to the end. */
export interface LenientInteger {
  /** The number, or the nearer end of the 64-bit range. */
  readonly value: bigint;
  readonly isOutOfRange: boolean;
}

/**
 * Reads a signed integer as C's `strtoll` does: white space and a sign may come first, and the empty text is 0.
 * Returns undefined when something is left over after the digits.
 */
export function parseLenientInteger(text: ByteString, base: 8 | 10 = 10): LenientInteger | undefined {
  const pattern = base === 8 ? /^\s*([+-]?)([0-7]+)$/ : /^\s*([+-]?)([0-9]+)$/;
  const string = beforeNul(text);
  if (string === '') return { value: 0n, isOutOfRange: false };
  const match = pattern.exec(string);
  if (match === null) return undefined;
  const magnitude = BigInt(base === 8 ? `0o${match[2]}` : match[2]);
  const value = match[1] === '-' ? -magnitude : magnitude;
  if (value > INT64_MAX) return { value: INT64_MAX, isOutOfRange: true };
  if (value < INT64_MIN) return { value: INT64_MIN, isOutOfRange: true };
  return { value, isOutOfRange: false };
}

/** Keeps the low 32 bits, as storing into a C `int` does. */
export function toInt(value: bigint): number {
  return Number(BigInt.asIntN(32, value));
}
