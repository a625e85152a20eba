/**
 * Where a block of off-heap memory starts: its segment and its position there, in units of 8 bytes.
 *
 *     31            23 22                                     0
 *     ┌───────────────┬────────────────────────────────────────┐
 *     │ segment (512) │ unit in the segment (2^23 × 8 bytes)   │
 *     └───────────────┴────────────────────────────────────────┘
 *
 * A signed 32-bit integer (V8 keeps it in a register or as a small integer, never on its heap), so 2^32
 * units of 8 bytes can be named: 32 GiB. References with the top bit set are negative numbers: compare them
 * only for equality. `NULL_REFERENCE` is no block.
 */
export type Reference = number;

/** A number of bytes. */
export type ByteLength = number;

/** A byte position in a segment, or from the start of a block. */
export type ByteOffset = number;

/** A position in a segment counted in 32-bit words. */
export type WordOffset = number;

/** The reference that names nothing. */
export const NULL_REFERENCE: Reference = 0;

/** Bytes in a unit, the granularity of references and of block sizes. */
export const UNIT_BYTES = 8;

/** `reference >>> SEGMENT_SHIFT` is the index of the segment. */
export const SEGMENT_SHIFT = 23;

/** `reference & UNIT_MASK` is the unit within the segment. */
export const UNIT_MASK = (1 << SEGMENT_SHIFT) - 1;

/** Bytes of an ordinary segment: 64 MiB. */
export const SEGMENT_BYTES = (1 << SEGMENT_SHIFT) * UNIT_BYTES;

/** The number of segments that references can name. */
export const SEGMENT_COUNT_MAX = 512;

/** The smallest piece that a segment is divided into: 8 KiB. */
export const PAGE_BYTES = 8192;

/** Pages of an ordinary segment. */
export const PAGES_PER_SEGMENT = SEGMENT_BYTES / PAGE_BYTES;

/** The position of a block in its segment, in bytes: an index into `memory.bytes[reference >>> SEGMENT_SHIFT]`. */
export function byteOffset(reference: Reference): ByteOffset {
  return (reference & UNIT_MASK) << 3;
}

/** The position of a block in its segment, in words: an index into `memory.words[reference >>> SEGMENT_SHIFT]`. */
export function wordOffset(reference: Reference): WordOffset {
  return (reference & UNIT_MASK) << 1;
}
