import type { Keyspace } from '../keyspace/keyspace.js';
import {
  ENCODING_LISTPACK,
  ENCODING_QUICKLIST,
  type Encoding,
  type RecordReference,
  type Records,
  TYPE_LIST,
} from '../keyspace/record.js';
import type { ValueOperations } from '../keyspace/value-type.js';
import { type Memory, OutOfMemoryError } from '../memory/memory.js';
import type { ByteLength, ByteOffset, Reference } from '../memory/reference.js';
import type { Listpacks } from '../structures/listpack.js';
import type { ListpackElement } from '../structures/listpack-element.js';
import { LISTPACK_EMPTY_BYTES } from '../structures/listpack-encoding.js';
import { FIRST_POSITION } from '../structures/listpack-reader.js';
import { Quicklists } from '../structures/quicklist.js';
import { type CompressDepth, exceedsFill, type Fill } from '../structures/quicklist-limits.js';

/** One of the two ends of a list. */
export type ListEnd = 'first' | 'last';

/**
 * The lists of a keyspace: in a listpack while that is no larger than a node of a quicklist may be, then in a quicklist.
 *
 *     listpack ──▶ quicklist       before elements are added that do not fit (`expect`)
 *     listpack ◀── quicklist       after elements were removed, when it has only one node and that is less than half
 *                                  full, so that a list at the limit does not go to and fro (`compact`)
 *
 * All methods take the record of the key. Those that change a list leave it as it was when they throw. No list in the
 * keyspace is empty: whoever would remove the last element removes the key. Elements are read into `element` where they
 * lie; lists are walked with a `ListCursor`.
 */
export class Lists implements ValueOperations {
  /** `list-max-listpack-size`: what goes into a listpack, or a node of a quicklist. */
  fill: Fill = -2;
  /** `list-compress-depth`: how many nodes at each end of a quicklist are not compressed; 0: none is. */
  compressDepth: CompressDepth = 0;

  readonly records: Records;
  readonly listpacks: Listpacks;
  readonly quicklists: Quicklists;
  /** What was read last; valid until the next read and until the list changes. */
  readonly element: ListpackElement;
  private readonly memory: Memory;

  constructor(keyspace: Keyspace, listpacks: Listpacks) {
    this.records = keyspace.records;
    this.memory = keyspace.memory;
    this.listpacks = listpacks;
    this.quicklists = new Quicklists(keyspace.memory, listpacks);
    this.element = listpacks.element;
    keyspace.registerType(TYPE_LIST, this);
  }

  /** The encoding for a new list that is about to get `count` elements of `total` bytes together. */
  encodingFor(count: number, total: ByteLength): Encoding {
    return exceedsFill(this.fill, LISTPACK_EMPTY_BYTES + total, count)
      ? ENCODING_QUICKLIST
      : ENCODING_LISTPACK;
  }

  /**
   * An empty list, for the slot of a record with this encoding.
   * @param content bytes that its elements will take in a listpack, if they are known
   * @throws OutOfMemoryError
   */
  create(encoding: Encoding, content: ByteLength = 0): Reference {
    return encoding === ENCODING_LISTPACK
      ? this.listpacks.create(LISTPACK_EMPTY_BYTES + content)
      : this.quicklists.create(this.fill, this.compressDepth);
  }

  /** Whether a list is kept in a listpack. */
  isListpack(record: RecordReference): boolean {
    return this.records.encoding(record) === ENCODING_LISTPACK;
  }

  /** The number of elements. */
  length(record: RecordReference): number {
    const value = this.records.slot(record);
    return this.isListpack(record) ? this.listpacks.length(value) : this.quicklists.length(value);
  }

  /**
   * Says that `count` elements of `total` bytes together are about to be added, so that a list which will be too large
   * for a listpack is converted before they are.
   * @throws OutOfMemoryError
   */
  expect(record: RecordReference, count: number, total: ByteLength): void {
    if (!this.isListpack(record)) return;
    const { listpacks } = this;
    const value = this.records.slot(record);
    const length = listpacks.byteLength(value) + total;
    if (exceedsFill(this.fill, length, listpacks.length(value) + count)) this.convertToQuicklist(record);
  }

  /**
   * Makes a quicklist a listpack if it is small enough.
   * @param isShrinking whether it has just lost elements: then it must be less than half of what a listpack may be
   */
  compact(record: RecordReference, isShrinking: boolean): void {
    if (!this.isListpack(record)) this.compactQuicklist(record, isShrinking);
  }

  /**
   * Adds an element at an end. Returns how many elements there are then.
   * @throws OutOfMemoryError
   */
  push(
    record: RecordReference,
    end: ListEnd,
    bytes: Uint8Array,
    offset: ByteOffset,
    length: ByteLength,
  ): number {
    const { records, listpacks, quicklists } = this;
    const value = records.slot(record);
    if (this.isListpack(record)) {
      const changed =
        end === 'first'
          ? listpacks.prepend(value, bytes, offset, length)
          : listpacks.append(value, bytes, offset, length);
      records.setSlot(record, changed);
      return listpacks.length(changed);
    }
    if (end === 'first') return quicklists.pushFirst(value, bytes, offset, length);
    return quicklists.pushLast(value, bytes, offset, length);
  }

  /**
   * Reads the element at an end into `element`.
   * @throws OutOfMemoryError
   */
  readEnd(record: RecordReference, end: ListEnd): void {
    const { listpacks, quicklists } = this;
    const value = this.records.slot(record);
    if (this.isListpack(record)) {
      listpacks.read(value, end === 'first' ? FIRST_POSITION : listpacks.last(value));
    } else if (end === 'first') {
      quicklists.readFirst(value);
    } else {
      quicklists.readLast(value);
    }
  }

  /**
   * Removes the element at an end. Returns how many elements are left.
   * @throws OutOfMemoryError, but not after `readEnd`
   */
  removeEnd(record: RecordReference, end: ListEnd): number {
    const { records, listpacks, quicklists } = this;
    const value = records.slot(record);
    if (this.isListpack(record)) {
      const changed = end === 'first' ? listpacks.remove(value, FIRST_POSITION) : listpacks.removeLast(value);
      records.setSlot(record, changed);
      return listpacks.length(changed);
    }
    return end === 'first' ? quicklists.removeFirst(value) : quicklists.removeLast(value);
  }

  /**
   * Removes the element at one end and adds it at an end, which may be the same.
   * @throws OutOfMemoryError
   */
  rotate(record: RecordReference, from: ListEnd, to: ListEnd): void {
    const { listpacks, quicklists } = this;
    if (this.isListpack(record) && this.outgrowsWhenRotated(record, from)) this.convertToQuicklist(record);
    const value = this.records.slot(record);
    if (this.isListpack(record)) {
      if (from === to) return;
      if (from === 'first') listpacks.rotateFirstToLast(value);
      else listpacks.rotateLastToFirst(value);
    } else if (from === to) {
      quicklists.repush(value, from === 'first');
    } else if (from === 'first') {
      quicklists.rotateFirstToLast(value);
    } else {
      quicklists.rotateLastToFirst(value);
    }
  }

  /**
   * Removes `count` elements, but not all, from `index` on, which counts from the end when it is negative.
   * @throws OutOfMemoryError
   */
  removeRange(record: RecordReference, index: number, count: number): void {
    const { records } = this;
    const value = records.slot(record);
    if (this.isListpack(record)) records.setSlot(record, this.listpacks.removeRange(value, index, count));
    else this.quicklists.removeRange(value, index, count);
  }

  /** See ValueOperations: the budget counts nodes. */
  release(value: Reference, _extra: number, encoding: Encoding, budget: number): number {
    if (encoding === ENCODING_LISTPACK) {
      this.listpacks.free(value);
      return 0;
    }
    const nodes = this.quicklists.nodeCount(value);
    return this.quicklists.freeStep(value, budget) ? Math.min(nodes, budget - 1) : budget;
  }

  /** See ValueOperations. */
  releaseEffort(value: Reference, _extra: number, encoding: Encoding): number {
    return encoding === ENCODING_LISTPACK ? 1 : this.quicklists.nodeCount(value);
  }

  /** See ValueOperations. */
  duplicate(value: Reference, _extra: number, encoding: Encoding): Reference {
    return encoding === ENCODING_LISTPACK
      ? this.listpacks.duplicate(value)
      : this.quicklists.duplicate(value);
  }

  /** See ValueOperations: the samples are nodes. */
  memoryUsage(value: Reference, _extra: number, encoding: Encoding, samples: number): ByteLength {
    return encoding === ENCODING_LISTPACK
      ? this.memory.blockBytes(value)
      : this.quicklists.allocatedBytes(value, samples === 0 ? Number.POSITIVE_INFINITY : samples);
  }

  /**
   * Whether a listpack without the element at an end has no room for it. As in Redis, what it takes is not compared, but
   * the length of its text, which is more for an integer; and the limit may be lower now than when it was added.
   */
  private outgrowsWhenRotated(record: RecordReference, from: ListEnd): boolean {
    const { listpacks, element } = this;
    const value = this.records.slot(record);
    const position = from === 'first' ? FIRST_POSITION : listpacks.last(value);
    listpacks.read(value, position);
    element.spell();
    const rest = listpacks.byteLength(value) - listpacks.entryLengthAt(value, position);
    return exceedsFill(this.fill, rest + element.length, listpacks.length(value));
  }

  private convertToQuicklist(record: RecordReference): void {
    const { records } = this;
    const listpack = records.slot(record);
    records.setSlot(record, this.quicklists.createFromListpack(listpack, this.fill, this.compressDepth));
    records.setEncoding(record, ENCODING_QUICKLIST);
  }

  private compactQuicklist(record: RecordReference, isShrinking: boolean): void {
    const { records, quicklists } = this;
    const list = records.slot(record);
    if (!quicklists.canBecomeListpack(list, this.fill, isShrinking)) return;
    try {
      records.setSlot(record, quicklists.becomeListpack(list));
    } catch (error) {
      // No memory to decompress its node: what was removed is removed, and the list stays what it is.
      if (error instanceof OutOfMemoryError) return;
      throw error;
    }
    records.setEncoding(record, ENCODING_LISTPACK);
  }
}
