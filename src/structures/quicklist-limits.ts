import type { ByteLength } from '../memory/reference.js';

/**
 * How much goes into a node of a list, and into a list that is a single listpack: `list-max-listpack-size`, the fill.
 *
 * A positive fill is a number of elements (0 counts as 1); a listpack of several elements then still takes at most
 * 8 KiB. A negative one is a number of bytes: −1 to −5 stand for 4, 8, 16, 32 and 64 KiB.
 */

/** A fill: any 32-bit integer, of which all below −5 mean −5. */
export type Fill = number;

/** A `list-compress-depth`: how many nodes at each end stay as they are, 0 to 65535. 0: all of them. */
export type CompressDepth = number;

const FILL_MIN: Fill = -5;
const FILL_MAX: Fill = 32767;
const COMPRESS_DEPTH_MAX: CompressDepth = 65535;

/** By −1 − fill. */
const FILL_BYTES: readonly ByteLength[] = [4096, 8192, 16384, 32768, 65536];

/** With a positive fill, the most bytes of a listpack of several elements, and of an element that is not large. */
const SAFE_BYTES_MAX: ByteLength = 8192;

/** What Redis assumes an entry to take besides its content. */
const ENTRY_OVERHEAD: ByteLength = 8;

/** `DEBUG QUICKLIST-PACKED-THRESHOLD` may not come closer to 4 GiB than by this. */
const PACKED_THRESHOLD_MAX: ByteLength = 2 ** 32 - 2 ** 20;

/** The nearest fill that a list can have. */
export function clampFill(fill: number): Fill {
  return Math.max(FILL_MIN, Math.min(fill, FILL_MAX));
}

/** The nearest compress depth that a list can have. */
export function clampCompressDepth(depth: number): CompressDepth {
  return Math.max(0, Math.min(depth, COMPRESS_DEPTH_MAX));
}

/** Whether a listpack of so many bytes and elements is more than the fill allows. */
export function exceedsFill(fill: Fill, length: ByteLength, count: number): boolean {
  if (fill < 0) return length > bytesOfFill(fill);
  return length > SAFE_BYTES_MAX || count > Math.max(fill, 1);
}

/**
 * Whether a listpack that was a list's only node is small enough to be the list itself; with `isShrinking`, whether it
 * is smaller than half of that, so that a list on the border does not go to and fro.
 */
export function fitsListpack(fill: Fill, length: ByteLength, count: number, isShrinking: boolean): boolean {
  const part = isShrinking ? 2 : 1;
  return fill < 0 ? length <= bytesOfFill(fill) / part : count <= Math.floor(Math.max(fill, 1) / part);
}

function bytesOfFill(fill: Fill): ByteLength {
  return FILL_BYTES[-1 - Math.max(fill, FILL_MIN)];
}

/** Which elements are too large to share a node, and whether one more may go into a node. */
export class QuicklistLimits {
  /** When not 0, elements from this length on are large: for tests of Redis, which set it by DEBUG. */
  private packedThreshold: ByteLength = 0;

  /** Sets the length from which on elements are large; 0: as the fill says. False, and no change, if it is too high. */
  setPackedThreshold(length: ByteLength): boolean {
    if (length > PACKED_THRESHOLD_MAX) return false;
    this.packedThreshold = length;
    return true;
  }

  /** Whether an element of this length has a node of its own, without a listpack. */
  isLarge(fill: Fill, length: ByteLength): boolean {
    if (this.packedThreshold !== 0) return length >= this.packedThreshold;
    return length > (fill < 0 ? bytesOfFill(fill) : SAFE_BYTES_MAX);
  }

  /** Whether an element of this length may join a listpack of so many bytes and elements. */
  allowsElement(fill: Fill, length: ByteLength, listpackLength: ByteLength, count: number): boolean {
    if (this.isLarge(fill, length)) return false;
    return !exceedsFill(fill, listpackLength + length + ENTRY_OVERHEAD, count + 1);
  }
}
