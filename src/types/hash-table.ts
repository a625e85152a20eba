import { NO_DEADLINE } from '../keyspace/record-store.js';
import type { Memory } from '../memory/memory.js';
import { type ByteLength, type ByteOffset, NULL_REFERENCE } from '../memory/reference.js';
import { DeadlineHeap, type HeapReference } from '../structures/deadline-heap.js';
import type { TimestampMs } from '../structures/deadlines.js';
import type { HashTable, TableReference } from '../structures/hashtable.js';
import type { Listpacks } from '../structures/listpack.js';
import { ListpackElement } from '../structures/listpack-element.js';
import { type ListpackPosition, type ListpackReference, NO_POSITION } from '../structures/listpack-reader.js';
import { type EntryReference, HashEntries } from './hash-entry.js';
import { NO_DEADLINE_STORED, type TupleLength } from './hash-listpack.js';

/**
 * Large hashes: a hash table of entries, and a heap of those that expire.
 *
 *     table ──▶ entries
 *       └── owner's word ──▶ heap ──▶ the entries that have a deadline       (NULL_REFERENCE while there are none)
 *
 * What changes an entry returns the one that is in the table then.
 */
export class HashFieldTables {
  readonly entries: HashEntries;
  private readonly hashTable: HashTable;
  private readonly heap: DeadlineHeap;
  private readonly field = new ListpackElement();
  private readonly value = new ListpackElement();

  constructor(memory: Memory, hashTable: HashTable) {
    this.hashTable = hashTable;
    this.entries = new HashEntries(memory);
    this.heap = new DeadlineHeap(memory);
  }

  /** A hash without fields. @throws OutOfMemoryError */
  create(): TableReference {
    return this.hashTable.create();
  }

  /** A hash with the fields of a listpack. @throws OutOfMemoryError, with nothing left over. */
  createFrom(listpacks: Listpacks, listpack: ListpackReference, tuple: TupleLength): TableReference {
    const table = this.create();
    try {
      let at = listpacks.first(listpack);
      while (at !== NO_POSITION) {
        const valueAt = listpacks.next(listpack, at);
        readInto(this.field, listpacks, listpack, at);
        readInto(this.value, listpacks, listpack, valueAt);
        const { field, value } = this;
        const entry = this.insert(
          table,
          field.bytes,
          field.offset,
          field.length,
          value.bytes,
          value.offset,
          value.length,
        );
        at = listpacks.next(listpack, valueAt);
        if (tuple === 2) continue;
        listpacks.read(listpack, at);
        const deadlineMs = listpacks.element.integer;
        if (deadlineMs !== NO_DEADLINE_STORED) this.setDeadline(table, entry, deadlineMs);
        at = listpacks.next(listpack, at);
      }
    } catch (error) {
      this.release(table, Number.POSITIVE_INFINITY);
      throw error;
    }
    return table;
  }

  /** The number of fields. */
  count(table: TableReference): number {
    return this.hashTable.count(table);
  }

  /** The entry of a field, or NULL_REFERENCE. */
  find(
    table: TableReference,
    field: Uint8Array,
    fieldOffset: ByteOffset,
    fieldLength: ByteLength,
  ): EntryReference {
    const hash = this.hashTable.hash(field, fieldOffset, fieldLength);
    return this.hashTable.find(table, hash, field, fieldOffset, fieldLength);
  }

  /**
   * Adds a field that the hash does not have.
   * @throws OutOfMemoryError, and the hash is as it was.
   */
  insert(
    table: TableReference,
    field: Uint8Array,
    fieldOffset: ByteOffset,
    fieldLength: ByteLength,
    value: Uint8Array,
    valueOffset: ByteOffset,
    valueLength: ByteLength,
  ): EntryReference {
    const entry = this.entries.create(field, fieldOffset, fieldLength, value, valueOffset, valueLength);
    try {
      this.hashTable.insert(table, this.hashTable.hash(field, fieldOffset, fieldLength), entry);
    } catch (error) {
      this.entries.free(entry);
      throw error;
    }
    return entry;
  }

  /**
   * Gives a field another value; its deadline stays.
   * @throws OutOfMemoryError, and the hash is as it was.
   */
  replace(
    table: TableReference,
    entry: EntryReference,
    value: Uint8Array,
    valueOffset: ByteOffset,
    valueLength: ByteLength,
  ): EntryReference {
    const moved = this.entries.withValue(entry, value, valueOffset, valueLength);
    if (moved === entry) return entry;
    this.swap(table, entry, moved);
    if (this.entries.deadline(moved) !== NO_DEADLINE) this.heap.moved(this.heapOf(table), moved);
    return moved;
  }

  /** Removes a field. */
  remove(table: TableReference, entry: EntryReference): void {
    this.hashTable.remove(table, entry);
    this.clearDeadline(table, entry);
    this.entries.free(entry);
  }

  /**
   * Lets a field expire.
   * @throws OutOfMemoryError, and the hash is as it was.
   */
  setDeadline(table: TableReference, entry: EntryReference, deadlineMs: TimestampMs): EntryReference {
    const { entries, heap } = this;
    if (entries.deadline(entry) !== NO_DEADLINE) {
      heap.update(this.heapOf(table), entry, deadlineMs);
      return entry;
    }
    const roomy = entries.withDeadlineRoom(entry);
    if (roomy !== entry) this.swap(table, entry, roomy);
    const isFirst = this.heapOf(table) === NULL_REFERENCE;
    const own = isFirst ? heap.create() : this.heapOf(table);
    try {
      this.hashTable.setOwner(table, heap.add(own, roomy, deadlineMs));
    } catch (error) {
      if (isFirst) heap.free(own);
      throw error;
    }
    return roomy;
  }

  /** Lets a field not expire, if it does. */
  clearDeadline(table: TableReference, entry: EntryReference): void {
    const { entries, heap } = this;
    if (entries.deadline(entry) === NO_DEADLINE) return;
    const own = this.heapOf(table);
    heap.remove(own, entry);
    entries.clearDeadline(entry);
    if (heap.count(own) > 0) return;
    heap.free(own);
    this.hashTable.setOwner(table, NULL_REFERENCE);
  }

  /** The field that expires first, or NULL_REFERENCE when none does. */
  firstExpiring(table: TableReference): EntryReference {
    const own = this.heapOf(table);
    return own === NULL_REFERENCE ? NULL_REFERENCE : this.heap.first(own);
  }

  /** When the first field expires, or NO_DEADLINE. */
  firstDeadline(table: TableReference): TimestampMs {
    const first = this.firstExpiring(table);
    return first === NULL_REFERENCE ? NO_DEADLINE : this.entries.deadline(first);
  }

  /** See ValueOperations: the budget counts buckets and fields. */
  release(table: TableReference, budget: number): number {
    const { hashTable, entries } = this;
    this.releaseHeap(table);
    let used = 0;
    while (used < budget) {
      if (!hashTable.releaseBucket(table)) return used;
      const { items, count } = hashTable.scanned;
      for (let i = 0; i < count; i++) entries.free(items[i]);
      used += count + 1;
    }
    return used;
  }

  /** A copy with the same fields and deadlines. @throws OutOfMemoryError, with nothing left over. */
  duplicate(table: TableReference): TableReference {
    const { hashTable } = this;
    const copy = hashTable.create();
    try {
      let cursor = 0;
      do {
        cursor = hashTable.scan(table, cursor);
        const { items, count } = hashTable.scanned;
        for (let i = 0; i < count; i++) this.copyEntry(items[i], copy);
      } while (cursor !== 0);
    } catch (error) {
      this.release(copy, Number.POSITIVE_INFINITY);
      throw error;
    }
    return copy;
  }

  /** See ValueOperations. */
  memoryUsage(table: TableReference, samples: number): ByteLength {
    const { hashTable } = this;
    let sampled = 0;
    let sampledBytes = 0;
    let cursor = 0;
    do {
      cursor = hashTable.scan(table, cursor);
      const { items, count } = hashTable.scanned;
      for (let i = 0; i < count; i++) sampledBytes += this.entries.byteLength(items[i]);
      sampled += count;
    } while (cursor !== 0 && (samples === 0 || sampled < samples));
    const own = this.heapOf(table);
    const heapBytes = own === NULL_REFERENCE ? 0 : this.heap.byteLength(own);
    const entryBytes = sampled === 0 ? 0 : Math.round((sampledBytes / sampled) * hashTable.count(table));
    return hashTable.overheadBytes(table) + heapBytes + entryBytes;
  }

  private copyEntry(entry: EntryReference, copy: TableReference): void {
    const { entries } = this;
    entries.locate(entry);
    const inserted = this.insert(
      copy,
      entries.bytes,
      entries.offset,
      entries.length,
      entries.valueBytes,
      entries.valueOffset,
      entries.valueLength,
    );
    const deadlineMs = entries.deadline(entry);
    if (deadlineMs !== NO_DEADLINE) this.setDeadline(copy, inserted, deadlineMs);
  }

  /** Puts an entry in the place of the one that it was made from. */
  private swap(table: TableReference, entry: EntryReference, moved: EntryReference): void {
    this.hashTable.replace(table, entry, moved);
    this.entries.freeMoved(entry);
  }

  private heapOf(table: TableReference): HeapReference {
    return this.hashTable.owner(table);
  }

  private releaseHeap(table: TableReference): void {
    const own = this.heapOf(table);
    if (own === NULL_REFERENCE) return;
    this.heap.free(own);
    this.hashTable.setOwner(table, NULL_REFERENCE);
  }
}

/** Fills an element of the caller's own with one of a listpack, spelled out. */
function readInto(
  target: ListpackElement,
  listpacks: Listpacks,
  listpack: ListpackReference,
  position: ListpackPosition,
): void {
  listpacks.read(listpack, position);
  const { element } = listpacks;
  if (element.isInteger) target.setInteger(element.low, element.high);
  else target.setBytes(element.bytes, element.offset, element.length);
  target.spell();
}
