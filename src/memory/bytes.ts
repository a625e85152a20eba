import type { ByteLength, ByteOffset } from './reference.js';

/**
 * Below this length a loop beats making the view that `set` needs, and allocates nothing.
 * Measured on Node 20: 200 bytes by loop take about as long as one `subarray`.
 */
const LOOP_BYTES_MAX = 200;

/** Copies bytes between arrays that do not overlap (or are the same array, moving towards its start). */
export function copyBytes(
  source: Uint8Array,
  sourceOffset: ByteOffset,
  target: Uint8Array,
  targetOffset: ByteOffset,
  length: ByteLength,
): void {
  if (length <= LOOP_BYTES_MAX) {
    for (let i = 0; i < length; i++) target[targetOffset + i] = source[sourceOffset + i];
  } else {
    target.set(source.subarray(sourceOffset, sourceOffset + length), targetOffset);
  }
}

/** Whether two byte ranges of the same length are equal. */
export function equalBytes(
  a: Uint8Array,
  aOffset: ByteOffset,
  b: Uint8Array,
  bOffset: ByteOffset,
  length: ByteLength,
): boolean {
  for (let i = 0; i < length; i++) if (a[aOffset + i] !== b[bOffset + i]) return false;
  return true;
}

/** Orders two byte ranges as memcmp does, a shorter one before a longer one that begins with it. */
export function compareBytes(
  a: Uint8Array,
  aOffset: ByteOffset,
  aLength: ByteLength,
  b: Uint8Array,
  bOffset: ByteOffset,
  bLength: ByteLength,
): number {
  const common = Math.min(aLength, bLength);
  for (let i = 0; i < common; i++) {
    const difference = a[aOffset + i] - b[bOffset + i];
    if (difference !== 0) return difference;
  }
  return aLength - bLength;
}
