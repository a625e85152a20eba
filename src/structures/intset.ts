import { copyBytes } from '../memory/bytes.js';
import { byteOffset, Memory, OutOfMemoryError } from '../memory/memory.js';
import {
  type ByteLength,
  type ByteOffset,
  type Reference,
  SEGMENT_SHIFT,
  UNIT_MASK,
} from '../memory/reference.js';
import { type Int32Word, safeIntegerFromWords } from '../protocol/integers.js';

/**
 * A set of integers as a sorted array, as Redis lays it out in memory, in RDB files and in DUMP payloads (intset.c):
 *
 *     byte 0        4            8
 *     ┌─────────────┬────────────┬───────────┬───────────┬─ ─
 *     │ width u32   │ length u32 │ integer 0 │ integer 1 │      little endian, ascending, each once
 *     └─────────────┴────────────┴───────────┴───────────┴─ ─
 *
 * The width is the bytes of each integer: 2, 4 or 8, two's complement. An integer that does not fit widens them all;
 * nothing makes them narrower again.
 */

/** The block of an intset. */
export type IntsetReference = Reference;

/** The bytes that each integer of an intset takes. */
export type IntsetWidth = 2 | 4 | 8;

const WIDTH_OFFSET: ByteOffset = 0;
const LENGTH_OFFSET: ByteOffset = 4;
const HEADER_BYTES: ByteLength = 8;

/** What `search` found at an index, or that the integer belongs there and is missing. */
const MISSING = -1;

/**
 * Operations on the intsets of one memory, each in one block. What changes an intset returns the block that it is in
 * then; the one that was given is no longer valid unless it is the same. Integers are given in two words.
 */
export class Intsets {
  /** The low word of what `read` read. */
  low: Int32Word = 0;
  /** The high word of what `read` read. */
  high: Int32Word = 0;
  /** Whether the last `add` or `remove` changed anything. */
  hasChanged = false;

  private readonly memory: Memory;
  /** Where the integer that `search` did not find belongs. */
  private insertionIndex = 0;

  constructor(memory: Memory) {
    this.memory = memory;
  }

  /** What `read` read as a number, or NaN when it is beyond 2^53 - 1 either way. */
  get integer(): number {
    return safeIntegerFromWords(this.low, this.high);
  }

  /**
   * An empty intset.
   * @throws OutOfMemoryError
   */
  create(): IntsetReference {
    const intset = this.memory.allocate(HEADER_BYTES);
    const bytes = this.memory.bytes[intset >>> SEGMENT_SHIFT];
    writeWord(bytes, byteOffset(intset) + WIDTH_OFFSET, 2);
    writeWord(bytes, byteOffset(intset) + LENGTH_OFFSET, 0);
    return intset;
  }

  /**
   * An intset of given bytes, which must be valid.
   * @throws OutOfMemoryError
   */
  createFrom(source: Uint8Array, offset: ByteOffset, length: ByteLength): IntsetReference {
    const intset = this.memory.allocate(length);
    copyBytes(source, offset, this.memory.bytes[intset >>> SEGMENT_SHIFT], byteOffset(intset), length);
    return intset;
  }

  /**
   * An intset with the same bytes.
   * @throws OutOfMemoryError
   */
  duplicate(intset: IntsetReference): IntsetReference {
    const length = this.byteLength(intset);
    const copy = this.memory.allocate(length);
    this.memory.copyBlock(intset, 0, copy, 0, length);
    return copy;
  }

  /** Frees the block. */
  free(intset: IntsetReference): void {
    this.memory.free(intset);
  }

  /** The number of integers. */
  length(intset: IntsetReference): number {
    const start = (intset & UNIT_MASK) << 3;
    return readWord(this.memory.bytes[intset >>> SEGMENT_SHIFT], start + LENGTH_OFFSET);
  }

  /** The bytes that each integer takes. */
  width(intset: IntsetReference): IntsetWidth {
    // The other bytes of the word are 0.
    const width = this.memory.bytes[intset >>> SEGMENT_SHIFT][(intset & UNIT_MASK) << 3];
    return width === 2 ? 2 : width === 4 ? 4 : 8;
  }

  /** The bytes of the intset, which are a prefix of its block. */
  byteLength(intset: IntsetReference): ByteLength {
    return HEADER_BYTES + this.length(intset) * this.width(intset);
  }

  /** Reads integer `index`, 0 ≤ index < length, into `low` and `high`. */
  read(intset: IntsetReference, index: number): void {
    const bytes = this.memory.bytes[intset >>> SEGMENT_SHIFT];
    const width = this.width(intset);
    const at = ((intset & UNIT_MASK) << 3) + HEADER_BYTES + index * width;
    this.low = width === 2 ? readShort(bytes, at) : readWord(bytes, at);
    this.high = width === 8 ? readWord(bytes, at + 4) : this.low >> 31;
  }

  /** Reads an integer picked at random. The intset must not be empty. */
  readRandom(intset: IntsetReference): void {
    this.read(intset, Math.floor(Math.random() * this.length(intset)));
  }

  /** Whether the integer is in the set. */
  has(intset: IntsetReference, low: Int32Word, high: Int32Word): boolean {
    return widthFor(low, high) <= this.width(intset) && this.search(intset, low, high) !== MISSING;
  }

  /**
   * Adds an integer, unless it is in the set (`hasChanged`).
   * @throws OutOfMemoryError
   */
  add(intset: IntsetReference, low: Int32Word, high: Int32Word): IntsetReference {
    const width = this.width(intset);
    if (widthFor(low, high) > width) return this.widenAndAdd(intset, low, high);
    this.hasChanged = this.search(intset, low, high) === MISSING;
    if (!this.hasChanged) return intset;
    const { memory } = this;
    const length = this.length(intset);
    const total = HEADER_BYTES + length * width;
    const position = HEADER_BYTES + this.insertionIndex * width;
    let changed = intset;
    if (total + width > memory.blockBytes(intset)) {
      changed = memory.allocate(total + width);
      memory.copyBlock(intset, 0, changed, 0, position);
    }
    memory.copyBlock(intset, position, changed, position + width, total - position);
    if (changed !== intset) memory.free(intset);
    const bytes = memory.bytes[changed >>> SEGMENT_SHIFT];
    const start = (changed & UNIT_MASK) << 3;
    writeInteger(bytes, start + position, width, low, high);
    writeWord(bytes, start + LENGTH_OFFSET, length + 1);
    return changed;
  }

  /** Removes an integer, if it is in the set (`hasChanged`). */
  remove(intset: IntsetReference, low: Int32Word, high: Int32Word): IntsetReference {
    const width = this.width(intset);
    const index = widthFor(low, high) <= width ? this.search(intset, low, high) : MISSING;
    this.hasChanged = index !== MISSING;
    return this.hasChanged ? this.removeAt(intset, index) : intset;
  }

  /** Removes integer `index`, 0 ≤ index < length. */
  removeAt(intset: IntsetReference, index: number): IntsetReference {
    const { memory } = this;
    const width = this.width(intset);
    const length = this.length(intset);
    const total = HEADER_BYTES + length * width;
    const position = HEADER_BYTES + index * width;
    const behind = position + width;
    const changed = this.smallerBlock(intset, total - width);
    if (changed !== intset) memory.copyBlock(intset, 0, changed, 0, position);
    memory.copyBlock(intset, behind, changed, position, total - behind);
    if (changed !== intset) memory.free(intset);
    const start = (changed & UNIT_MASK) << 3;
    writeWord(memory.bytes[changed >>> SEGMENT_SHIFT], start + LENGTH_OFFSET, length - 1);
    return changed;
  }

  /** The index of an integer whose width the set has, or MISSING; then `insertionIndex` says where it belongs. */
  private search(intset: IntsetReference, low: Int32Word, high: Int32Word): number {
    const bytes = this.memory.bytes[intset >>> SEGMENT_SHIFT];
    const width = this.width(intset);
    const start = ((intset & UNIT_MASK) << 3) + HEADER_BYTES;
    let first = 0;
    let end = this.length(intset);
    // Integers often come in ascending order.
    if (end > 0 && compareAt(bytes, start + (end - 1) * width, width, low, high) < 0) first = end;
    while (first < end) {
      const middle = (first + end) >>> 1;
      const order = compareAt(bytes, start + middle * width, width, low, high);
      if (order === 0) return middle;
      if (order < 0) first = middle + 1;
      else end = middle;
    }
    this.insertionIndex = first;
    return MISSING;
  }

  /** Adds an integer that needs more bytes than the others have: it is less or greater than all of them. */
  private widenAndAdd(intset: IntsetReference, low: Int32Word, high: Int32Word): IntsetReference {
    const { memory } = this;
    const width = widthFor(low, high);
    const length = this.length(intset);
    const widened = memory.allocate(HEADER_BYTES + (length + 1) * width);
    const bytes = memory.bytes[widened >>> SEGMENT_SHIFT];
    const start = byteOffset(widened);
    writeWord(bytes, start + WIDTH_OFFSET, width);
    writeWord(bytes, start + LENGTH_OFFSET, length + 1);
    const isLeast = high < 0;
    let at = start + HEADER_BYTES + (isLeast ? width : 0);
    for (let index = 0; index < length; index++, at += width) {
      this.read(intset, index);
      writeInteger(bytes, at, width, this.low, this.high);
    }
    writeInteger(bytes, isLeast ? start + HEADER_BYTES : at, width, low, high);
    memory.free(intset);
    this.hasChanged = true;
    return widened;
  }

  /** A block for `length` bytes if half of the intset's would be empty and one can be had, else `intset` itself. */
  private smallerBlock(intset: IntsetReference, length: ByteLength): IntsetReference {
    const capacity = this.memory.blockBytes(intset);
    if (length * 2 > capacity || Memory.roundedLength(length) >= capacity) return intset;
    try {
      return this.memory.allocate(length);
    } catch (error) {
      // Removing must not fail for want of memory: the block stays larger than it need be.
      if (error instanceof OutOfMemoryError) return intset;
      throw error;
    }
  }
}

/**
 * Whether `length` bytes from `offset` are an intset that is not empty: what comes from a DUMP payload or an RDB file
 * is not trusted. Always checks the header; `isDeep`, that the integers ascend. As intsetValidateIntegrity of Redis.
 */
export function isValidIntset(
  bytes: Uint8Array,
  offset: ByteOffset,
  length: ByteLength,
  isDeep: boolean,
): boolean {
  if (length < HEADER_BYTES) return false;
  const width = readWord(bytes, offset + WIDTH_OFFSET);
  if (width !== 2 && width !== 4 && width !== 8) return false;
  const count = readWord(bytes, offset + LENGTH_OFFSET) >>> 0;
  if (count === 0 || HEADER_BYTES + count * width !== length) return false;
  if (!isDeep) return true;
  const end = offset + length;
  for (let at = offset + HEADER_BYTES + width; at < end; at += width) {
    const low = width === 2 ? readShort(bytes, at) : readWord(bytes, at);
    const high = width === 8 ? readWord(bytes, at + 4) : low >> 31;
    if (compareAt(bytes, at - width, width, low, high) >= 0) return false;
  }
  return true;
}

function widthFor(low: Int32Word, high: Int32Word): IntsetWidth {
  if (high !== low >> 31) return 8;
  return low >= -32768 && low <= 32767 ? 2 : 4;
}

/** Below 0 if the integer at `at` is less than that of the two words, 0 if it is equal, above 0 if it is greater. */
function compareAt(
  bytes: Uint8Array,
  at: ByteOffset,
  width: IntsetWidth,
  low: Int32Word,
  high: Int32Word,
): number {
  if (width === 2) return readShort(bytes, at) - low;
  const foundLow = readWord(bytes, at);
  if (width === 4) return foundLow - low;
  const foundHigh = readWord(bytes, at + 4);
  return foundHigh !== high ? foundHigh - high : (foundLow >>> 0) - (low >>> 0);
}

function readShort(bytes: Uint8Array, at: ByteOffset): number {
  return ((bytes[at] | (bytes[at + 1] << 8)) << 16) >> 16;
}

function readWord(bytes: Uint8Array, at: ByteOffset): Int32Word {
  return bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24);
}

function writeWord(bytes: Uint8Array, at: ByteOffset, word: Int32Word): void {
  bytes[at] = word;
  bytes[at + 1] = word >> 8;
  bytes[at + 2] = word >> 16;
  bytes[at + 3] = word >> 24;
}

function writeInteger(
  bytes: Uint8Array,
  at: ByteOffset,
  width: IntsetWidth,
  low: Int32Word,
  high: Int32Word,
): void {
  bytes[at] = low;
  bytes[at + 1] = low >> 8;
  if (width === 2) return;
  bytes[at + 2] = low >> 16;
  bytes[at + 3] = low >> 24;
  if (width === 8) writeWord(bytes, at + 4, high);
}
