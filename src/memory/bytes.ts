import type { ByteLength, ByteOffset } from './reference.js';

/**
 * Up to this length a loop is preferred to the view that `set` needs, because it allocates nothing. Measured on Node 20:
 * the view costs 45 ns whatever the length, the loop 9 ns for 8 bytes, 22 for 32 and 80 for 100.
 */
const LOOP_BYTES_MAX = 100;

/** Copies bytes between arrays that do not overlap (or are the same array, moving towards its start). */
export function copyBytes(
  source: Uint8Array,
  sourceOffset: ByteOffset,
  target: Uint8Array,
  targetOffset: ByteOffset,
  length: ByteLength,
): void {
  if (length <= LOOP_BYTES_MAX) {
    // Eight at a time: twice as fast from 32 bytes on.
    const end = (sourceOffset + length) | 0;
    let from = sourceOffset | 0;
    let to = targetOffset | 0;
    for (; from <= end - 8; from = (from + 8) | 0, to = (to + 8) | 0) {
      target[to] = source[from];
      target[to + 1] = source[from + 1];
      target[to + 2] = source[from + 2];
      target[to + 3] = source[from + 3];
      target[to + 4] = source[from + 4];
      target[to + 5] = source[from + 5];
      target[to + 6] = source[from + 6];
      target[to + 7] = source[from + 7];
    }
    for (; from < end; from = (from + 1) | 0, to = (to + 1) | 0) target[to] = source[from];
  } else {
    target.set(source.subarray(sourceOffset, sourceOffset + length), targetOffset);
  }
}

/** A copy of bytes, in an array of its own (`slice` would not copy a Buffer). Not for hot paths. */
export function copyOf(bytes: Uint8Array, offset: ByteOffset, length: ByteLength): Uint8Array {
  const copy = new Uint8Array(length);
  copyBytes(bytes, offset, copy, 0, length);
  return copy;
}

/** Whether two byte ranges of the same length are equal. Four at a time: a third faster from 16 bytes on. */
export function equalBytes(
  a: Uint8Array,
  aOffset: ByteOffset,
  b: Uint8Array,
  bOffset: ByteOffset,
  length: ByteLength,
): boolean {
  const end = (aOffset + length) | 0;
  let i = aOffset | 0;
  let j = bOffset | 0;
  for (; i <= end - 4; i = (i + 4) | 0, j = (j + 4) | 0) {
    if (a[i] !== b[j] || a[i + 1] !== b[j + 1] || a[i + 2] !== b[j + 2] || a[i + 3] !== b[j + 3])
      return false;
  }
  for (; i < end; i = (i + 1) | 0, j = (j + 1) | 0) if (a[i] !== b[j]) return false;
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
