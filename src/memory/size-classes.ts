import { type ByteLength, PAGE_BYTES } from './reference.js';

/**
 * The sizes in which small blocks come: every 8 bytes up to 128, then eight steps a doubling up to 32 KiB,
 * so that rounding up costs at most 12.5 %, and 6 % on average.
 */

/** Blocks above this many bytes are whole pages. */
export const SMALL_BYTES_MAX = 32768;

/** The length of each class's blocks in bytes, ascending. */
export const CLASS_BYTES: Int32Array = makeClasses();

/** The number of classes. */
export const CLASS_COUNT = CLASS_BYTES.length;

/** How many pages the slabs of each class take: the fewest that leave at most 1/16 unused. */
export const CLASS_SLAB_PAGES: Int32Array = CLASS_BYTES.map(slabPages);

/** How many blocks a slab of each class holds. */
export const CLASS_SLAB_BLOCKS: Int32Array = CLASS_BYTES.map((bytes, index) =>
  Math.floor((CLASS_SLAB_PAGES[index] * PAGE_BYTES) / bytes),
);

/** The class of a block of `length` bytes, 0 ≤ length ≤ SMALL_BYTES_MAX. */
export function classOf(length: ByteLength): number {
  if (length <= 128) return length === 0 ? 0 : (length - 1) >> 3;
  const last = length - 1;
  const doubling = 31 - Math.clz32(last);
  return 16 + ((doubling - 7) << 3) + ((last >> (doubling - 3)) & 7);
}

function makeClasses(): Int32Array {
  const classes: number[] = [];
  for (let bytes = 8; bytes <= 128; bytes += 8) classes.push(bytes);
  for (let base = 128; base < SMALL_BYTES_MAX; base *= 2) {
    for (let step = 1; step <= 8; step++) classes.push(base + (base / 8) * step);
  }
  return Int32Array.from(classes);
}

function slabPages(bytes: ByteLength): number {
  for (let pages = 1; ; pages++) {
    const total = pages * PAGE_BYTES;
    if (total >= bytes * 2 && (total % bytes) * 16 <= total) return pages;
  }
}
