import { equalBytes } from '../memory/bytes.js';
import type { Memory } from '../memory/memory.js';
import {
  type ByteLength,
  type ByteOffset,
  type Reference,
  SEGMENT_SHIFT,
  UNIT_MASK,
} from '../memory/reference.js';
import { type Int64Words, parseInt64Words } from '../protocol/integers.js';
import { ListpackElement } from './listpack-element.js';
import {
  encodedLengthAt,
  entryLength,
  entryLengthAt,
  INTEGER_13,
  integerHigh,
  integerLow,
  isIntegerEntry,
  LISTPACK_BYTES_MAX,
  LISTPACK_COUNT_UNKNOWN,
  LISTPACK_END,
  LISTPACK_HEADER_BYTES,
  readBacklen,
  readCount,
  STRING_6,
  STRING_32,
  writeCount,
} from './listpack-encoding.js';

/** The block of a listpack. */
export type ListpackReference = Reference;

/** Where an entry starts, in bytes from the start of its listpack; NO_POSITION for no entry. */
export type ListpackPosition = ByteOffset;

/** The position of no entry. */
export const NO_POSITION: ListpackPosition = 0;

/** The position of the first entry, when there is one. */
export const FIRST_POSITION: ListpackPosition = LISTPACK_HEADER_BYTES;

/** The processor fetches memory in lines of so many bytes. */
const LINE_BYTES = 64;
/** What `touch` fetches of a listpack at most: further on, the processor has seen where the walk goes. */
const TOUCHED_BYTES_MAX = 512;

/** Walks through the listpacks of one memory, reads their elements and finds them. `Listpacks` changes them too. */
export class ListpackReader {
  /** What `read` read. */
  readonly element = new ListpackElement();

  protected readonly memory: Memory;
  /** What `touch` read: without a use, V8 would leave the reading out. */
  protected touched = 0;
  /** The integer that `find` looks for. */
  private readonly wanted: Int64Words = { low: 0, high: 0 };

  constructor(memory: Memory) {
    this.memory = memory;
  }

  /** The number of elements. Above 65534 they are counted, as Redis does. */
  length(listpack: ListpackReference): number {
    const bytes = this.memory.bytes[listpack >>> SEGMENT_SHIFT];
    const count = readCount(bytes, (listpack & UNIT_MASK) << 3);
    return count !== LISTPACK_COUNT_UNKNOWN ? count : this.countElements(listpack);
  }

  /** The bytes of the listpack, which are a prefix of its block. */
  byteLength(listpack: ListpackReference): ByteLength {
    return this.memory.views[listpack >>> SEGMENT_SHIFT].getUint32((listpack & UNIT_MASK) << 3, true);
  }

  /** Whether `added` bytes of elements keep the listpack within the limit on its length (LISTPACK_BYTES_MAX). */
  isSafeToAdd(listpack: ListpackReference, added: ByteLength): boolean {
    return this.byteLength(listpack) + added <= LISTPACK_BYTES_MAX;
  }

  /** The position of the first element. */
  first(listpack: ListpackReference): ListpackPosition {
    return this.entryAt(listpack, FIRST_POSITION);
  }

  /** The position of the last element. */
  last(listpack: ListpackReference): ListpackPosition {
    return this.previous(listpack, this.endPosition(listpack));
  }

  /** `position`, or NO_POSITION if the listpack ends there: where a removed element was, its successor is. */
  entryAt(listpack: ListpackReference, position: ListpackPosition): ListpackPosition {
    const at = ((listpack & UNIT_MASK) << 3) + position;
    return this.memory.bytes[listpack >>> SEGMENT_SHIFT][at] === LISTPACK_END ? NO_POSITION : position;
  }

  /** The position of the element behind the one at `position`. */
  next(listpack: ListpackReference, position: ListpackPosition): ListpackPosition {
    const bytes = this.memory.bytes[listpack >>> SEGMENT_SHIFT];
    const at = ((listpack & UNIT_MASK) << 3) + position;
    const length = entryLengthAt(bytes, at);
    return bytes[at + length] === LISTPACK_END ? NO_POSITION : position + length;
  }

  /** The position of the element before the one at `position`, which may be `endPosition`. */
  previous(listpack: ListpackReference, position: ListpackPosition): ListpackPosition {
    if (position === FIRST_POSITION) return NO_POSITION;
    const bytes = this.memory.bytes[listpack >>> SEGMENT_SHIFT];
    const length = readBacklen(bytes, ((listpack & UNIT_MASK) << 3) + position - 1);
    return position - entryLength(length);
  }

  /** Where the listpack ends: behind the last entry. */
  endPosition(listpack: ListpackReference): ListpackPosition {
    return this.byteLength(listpack) - 1;
  }

  /**
   * The position of element `index`, which counts from 0, or from the end when it is negative, where −1 is the last;
   * NO_POSITION when there is none. Walks from the nearer end.
   */
  seek(listpack: ListpackReference, index: number): ListpackPosition {
    const count = this.length(listpack);
    const steps = index < 0 ? index + count : index;
    if (steps < 0 || steps >= count) return NO_POSITION;
    if (steps <= count / 2) {
      let position = FIRST_POSITION;
      for (let i = 0; i < steps; i++) position = this.next(listpack, position);
      return position;
    }
    let position = this.endPosition(listpack);
    for (let i = count; i > steps; i--) position = this.previous(listpack, position);
    return position;
  }

  /**
   * The position of an element picked at random among those whose index is a multiple of `step`: with 2, the fields of
   * a hash. The listpack must not be empty.
   */
  random(listpack: ListpackReference, step: number): ListpackPosition {
    const choices = Math.floor(this.length(listpack) / step);
    return this.seek(listpack, Math.floor(Math.random() * choices) * step);
  }

  /** Fills `element` with the element at `position`. */
  read(listpack: ListpackReference, position: ListpackPosition): void {
    const bytes = this.memory.bytes[listpack >>> SEGMENT_SHIFT];
    const at = ((listpack & UNIT_MASK) << 3) + position;
    const { element } = this;
    const head = bytes[at];
    if (head >= STRING_6 && head < INTEGER_13) {
      element.setBytes(bytes, at + 1, head & 0x3f);
    } else if (isIntegerEntry(bytes, at)) {
      const low = integerLow(bytes, at);
      element.setInteger(low, integerHigh(bytes, at, low));
    } else {
      const prefix = head === STRING_32 ? 5 : 2;
      element.setBytes(bytes, at + prefix, encodedLengthAt(bytes, at) - prefix);
    }
  }

  /** Whether the element at `position` is these bytes. */
  equals(
    listpack: ListpackReference,
    position: ListpackPosition,
    source: Uint8Array,
    offset: ByteOffset,
    length: ByteLength,
  ): boolean {
    this.read(listpack, position);
    return this.element.equals(source, offset, length);
  }

  /**
   * The position of the first element from `position` on that is these bytes, looking at one element and skipping
   * `skip`: with 1 from the start, a field of a hash.
   */
  find(
    listpack: ListpackReference,
    position: ListpackPosition,
    source: Uint8Array,
    offset: ByteOffset,
    length: ByteLength,
    skip: number,
  ): ListpackPosition {
    const bytes = this.memory.bytes[listpack >>> SEGMENT_SHIFT];
    const start = (listpack & UNIT_MASK) << 3;
    this.touch(bytes, start);
    // Whether the bytes spell an integer matters only once there is one to compare with.
    let isParsed = false;
    let isInteger = false;
    // Elements of one length often begin alike and end in a number of their own: their ends are compared first.
    const last = length > 0 ? source[offset + length - 1] : 0;
    let at = start + position;
    let head = bytes[at];
    while (head !== LISTPACK_END) {
      if (head >= STRING_6 && head < INTEGER_13) {
        const entry = head & 0x3f;
        if (
          entry === length &&
          (entry === 0 || bytes[at + entry] === last) &&
          equalBytes(bytes, at + 1, source, offset, length)
        ) {
          return at - start;
        }
        at += entry + 2;
      } else if (isIntegerEntry(bytes, at)) {
        if (!isParsed) {
          isInteger = parseInt64Words(source, offset, length, this.wanted);
          isParsed = true;
        }
        if (isInteger && this.isWanted(bytes, at)) return at - start;
        at += entryLengthAt(bytes, at);
      } else {
        const prefix = head === STRING_32 ? 5 : 2;
        const encoded = encodedLengthAt(bytes, at);
        if (encoded - prefix === length && equalBytes(bytes, at + prefix, source, offset, length)) {
          return at - start;
        }
        at += entryLength(encoded);
      }
      for (let i = 0; i < skip; i++) {
        const skipped = bytes[at];
        if (skipped >= STRING_6 && skipped < INTEGER_13) at += (skipped & 0x3f) + 2;
        else if (skipped !== LISTPACK_END) at += entryLengthAt(bytes, at);
      }
      head = bytes[at];
    }
    return NO_POSITION;
  }

  /** The length of the whole entry at `position`. */
  entryLengthAt(listpack: ListpackReference, position: ListpackPosition): ByteLength {
    const at = ((listpack & UNIT_MASK) << 3) + position;
    return entryLengthAt(this.memory.bytes[listpack >>> SEGMENT_SHIFT], at);
  }

  /**
   * Reads a byte of each of a listpack's first cache lines, so that the processor fetches them all at once. A walk
   * learns where an entry is from the one before it, and would wait for each line by itself: an HGET among 20 fields
   * takes 10 to 15 % less so, when there are more hashes than the processor's cache holds.
   */
  private touch(bytes: Uint8Array, start: ByteOffset): void {
    const total = bytes[start] | (bytes[start + 1] << 8);
    const end = start + Math.min(total, TOUCHED_BYTES_MAX);
    let touched = 0;
    for (let at = start + LINE_BYTES; at < end; at += LINE_BYTES) touched |= bytes[at];
    this.touched = touched;
  }

  private isWanted(bytes: Uint8Array, at: ByteOffset): boolean {
    const low = integerLow(bytes, at);
    return low === this.wanted.low && integerHigh(bytes, at, low) === this.wanted.high;
  }

  private countElements(listpack: ListpackReference): number {
    const bytes = this.memory.bytes[listpack >>> SEGMENT_SHIFT];
    const start = (listpack & UNIT_MASK) << 3;
    let count = 0;
    for (let at = start + FIRST_POSITION; bytes[at] !== LISTPACK_END; count++) at += entryLengthAt(bytes, at);
    writeCount(bytes, start, count);
    return count;
  }
}
