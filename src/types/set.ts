import type { Drafts } from '../keyspace/drafts.js';
import type { Keyspace } from '../keyspace/keyspace.js';
import {
  ENCODING_HASHTABLE,
  ENCODING_INTSET,
  ENCODING_LISTPACK,
  type Encoding,
  type RecordReference,
  type Records,
  TYPE_SET,
} from '../keyspace/record.js';
import type { ValueOperations } from '../keyspace/value-type.js';
import type { Memory } from '../memory/memory.js';
import type { ByteLength, ByteOffset, Reference } from '../memory/reference.js';
import type { ReferenceList } from '../memory/reference-list.js';
import {
  INT64_DECIMAL_LENGTH_MAX,
  type Int32Word,
  type Int64Words,
  parseInt64Words,
  writeInt64FromWords,
} from '../protocol/integers.js';
import type { HashTable, ScanCursor, TableReference } from '../structures/hashtable.js';
import { type IntsetReference, Intsets } from '../structures/intset.js';
import type { Listpacks } from '../structures/listpack.js';
import type { ListpackElement } from '../structures/listpack-element.js';
import {
  encodedIntegerLength,
  entryLength,
  LISTPACK_BYTES_MAX,
  LISTPACK_EMPTY_BYTES,
} from '../structures/listpack-encoding.js';
import { FIRST_POSITION, type ListpackReference, NO_POSITION } from '../structures/listpack-reader.js';
import { SetCursor } from './set-cursor.js';
import { SetTables } from './set-table.js';

/**
 * Where a member is in its set: an index in an intset, a position in a listpack, or its block in a hash table.
 * Valid until the set changes.
 */
export type SetMemberHandle = number;

/** An intset has no more integers than this, whatever the configuration says, as in Redis. */
const INTSET_ENTRIES_MAX = 2 ** 30;

/**
 * The sets of a keyspace: in an intset while all members are integers and few, in a listpack while they are few and
 * short, else in a hash table. A set that grows past the limits is converted and stays so.
 *
 *     record ── slot ──▶ intset ─────▶ listpack            a member is not an integer
 *                           │              │
 *                           └──────────────┴────▶ hash table ──▶ blocks of the members      too many, or too long
 *
 * All methods take the record of the key, or of a draft. Those that change a set leave it as it was when they throw.
 * Members are walked with a `SetCursor`.
 */
export class Sets implements ValueOperations {
  /** `set-max-intset-entries`: an intset has at most so many members. */
  intsetEntriesMax = 512;
  /** `set-max-listpack-entries`: a listpack has at most so many members. */
  listpackEntriesMax = 128;
  /** `set-max-listpack-value`: a listpack has no longer members than this, in bytes. */
  listpackValueMax: ByteLength = 64;

  readonly memory: Memory;
  readonly records: Records;
  readonly intsets: Intsets;
  readonly listpacks: Listpacks;
  readonly hashTable: HashTable;
  private readonly drafts: Drafts;
  private readonly tables: SetTables;
  /** For walks that convert and copy. */
  private readonly walk: SetCursor;
  private readonly integer: Int64Words = { low: 0, high: 0 };
  private readonly decimal = new Uint8Array(INT64_DECIMAL_LENGTH_MAX);

  constructor(keyspace: Keyspace, listpacks: Listpacks) {
    this.drafts = keyspace.drafts;
    this.memory = keyspace.memory;
    this.records = keyspace.records;
    this.hashTable = keyspace.hashTable.forBareKeys();
    this.listpacks = listpacks;
    this.intsets = new Intsets(this.memory);
    this.tables = new SetTables(this.memory, this.hashTable);
    this.walk = new SetCursor(this);
    keyspace.registerType(TYPE_SET, this);
  }

  /** The encoding for a new set that is about to get `expected` members, this one first. */
  encodingFor(bytes: Uint8Array, offset: ByteOffset, length: ByteLength, expected: number): Encoding {
    const isInteger = parseInt64Words(bytes, offset, length, this.integer);
    if (isInteger && expected <= this.intsetEntriesMax) return ENCODING_INTSET;
    return expected <= this.listpackEntriesMax ? ENCODING_LISTPACK : ENCODING_HASHTABLE;
  }

  /**
   * An empty set, for the slot of a record with this encoding.
   * @throws OutOfMemoryError
   */
  create(encoding: Encoding): Reference {
    if (encoding === ENCODING_INTSET) return this.intsets.create();
    return encoding === ENCODING_LISTPACK ? this.listpacks.create() : this.hashTable.create();
  }

  /**
   * An empty set in a record of no database: see Drafts.
   * @throws OutOfMemoryError
   */
  createDraft(encoding: Encoding): RecordReference {
    return this.drafts.create(TYPE_SET, encoding, this.create(encoding));
  }

  /** The number of members. */
  count(record: RecordReference): number {
    const value = this.records.slot(record);
    const encoding = this.records.encoding(record);
    if (encoding === ENCODING_HASHTABLE) return this.hashTable.count(value);
    return encoding === ENCODING_LISTPACK ? this.listpacks.length(value) : this.intsets.length(value);
  }

  /** Whether a set has a member. */
  has(record: RecordReference, bytes: Uint8Array, offset: ByteOffset, length: ByteLength): boolean {
    const value = this.records.slot(record);
    const encoding = this.records.encoding(record);
    if (encoding === ENCODING_HASHTABLE) return this.tables.has(value, bytes, offset, length);
    if (encoding === ENCODING_LISTPACK) {
      return this.listpacks.find(value, FIRST_POSITION, bytes, offset, length, 0) !== NO_POSITION;
    }
    const { integer } = this;
    return (
      parseInt64Words(bytes, offset, length, integer) && this.intsets.has(value, integer.low, integer.high)
    );
  }

  /** As `has`, of a member that was read from another set. */
  hasElement(record: RecordReference, element: ListpackElement): boolean {
    if (element.isInteger && this.records.encoding(record) === ENCODING_INTSET) {
      return this.intsets.has(this.records.slot(record), element.low, element.high);
    }
    element.spell();
    return this.has(record, element.bytes, element.offset, element.length);
  }

  /**
   * Adds a member. False when the set has it.
   * @throws OutOfMemoryError
   */
  add(record: RecordReference, bytes: Uint8Array, offset: ByteOffset, length: ByteLength): boolean {
    const encoding = this.records.encoding(record);
    if (encoding === ENCODING_HASHTABLE) {
      return this.tables.add(this.records.slot(record), bytes, offset, length);
    }
    if (encoding === ENCODING_LISTPACK) return this.addToListpack(record, bytes, offset, length);
    const { integer } = this;
    if (parseInt64Words(bytes, offset, length, integer)) {
      return this.addToIntset(record, integer.low, integer.high);
    }
    if (this.intsetFitsListpack(this.records.slot(record), length))
      this.convertToListpack(record, bytes, offset, length);
    else this.convertToTable(record, bytes, offset, length);
    return true;
  }

  /**
   * As `add`, of a member that was read from another set.
   * @throws OutOfMemoryError
   */
  addElement(record: RecordReference, element: ListpackElement): boolean {
    if (element.isInteger && this.records.encoding(record) === ENCODING_INTSET) {
      return this.addToIntset(record, element.low, element.high);
    }
    element.spell();
    return this.add(record, element.bytes, element.offset, element.length);
  }

  /** Removes a member. False when the set does not have it. Whoever removes the last one removes the key. */
  remove(record: RecordReference, bytes: Uint8Array, offset: ByteOffset, length: ByteLength): boolean {
    const { records, listpacks } = this;
    const value = records.slot(record);
    const encoding = records.encoding(record);
    if (encoding === ENCODING_HASHTABLE) return this.tables.remove(value, bytes, offset, length);
    if (encoding === ENCODING_LISTPACK) {
      const position = listpacks.find(value, FIRST_POSITION, bytes, offset, length, 0);
      if (position === NO_POSITION) return false;
      records.setSlot(record, listpacks.remove(value, position));
      return true;
    }
    const { integer } = this;
    if (!parseInt64Words(bytes, offset, length, integer)) return false;
    return this.removeFromIntset(record, integer.low, integer.high);
  }

  /** As `remove`, of a member that was read from another set. */
  removeElement(record: RecordReference, element: ListpackElement): boolean {
    if (element.isInteger && this.records.encoding(record) === ENCODING_INTSET) {
      return this.removeFromIntset(record, element.low, element.high);
    }
    element.spell();
    return this.remove(record, element.bytes, element.offset, element.length);
  }

  /** A member picked at random, each with the same chance. The set must not be empty. */
  random(record: RecordReference): SetMemberHandle {
    const value = this.records.slot(record);
    const encoding = this.records.encoding(record);
    if (encoding === ENCODING_HASHTABLE) return this.hashTable.randomEntry(value, Math.random);
    if (encoding === ENCODING_LISTPACK) return this.listpacks.random(value, 1);
    return Math.floor(Math.random() * this.intsets.length(value));
  }

  /** Removes a member, given where it is. */
  removeMember(record: RecordReference, member: SetMemberHandle): void {
    const { records } = this;
    const value = records.slot(record);
    const encoding = records.encoding(record);
    if (encoding === ENCODING_HASHTABLE) this.tables.removeMember(value, member);
    else if (encoding === ENCODING_LISTPACK) records.setSlot(record, this.listpacks.remove(value, member));
    else records.setSlot(record, this.intsets.removeAt(value, member));
  }

  /**
   * Says that so many members are about to be added, so that a set which will be too large for its encoding is
   * converted before they are.
   * @throws OutOfMemoryError
   */
  expect(record: RecordReference, added: number): void {
    const encoding = this.records.encoding(record);
    if (encoding === ENCODING_HASHTABLE) return;
    if (added > (encoding === ENCODING_LISTPACK ? this.listpackEntriesMax : this.intsetEntriesMax)) {
      this.replaceValue(record, ENCODING_HASHTABLE, this.copyToTable(record));
    }
  }

  /**
   * Makes a set an intset if all of its members are integers, and not too many.
   * @throws OutOfMemoryError
   */
  compactIntegers(record: RecordReference): void {
    if (this.records.encoding(record) === ENCODING_INTSET || this.count(record) > this.intsetCountMax())
      return;
    const { walk, intsets, integer } = this;
    let intset = intsets.create();
    try {
      walk.start(record);
      while (walk.next()) {
        const { element } = walk;
        element.spell();
        if (!parseInt64Words(element.bytes, element.offset, element.length, integer)) {
          intsets.free(intset);
          return;
        }
        intset = intsets.add(intset, integer.low, integer.high);
      }
    } catch (error) {
      intsets.free(intset);
      throw error;
    }
    this.replaceValue(record, ENCODING_INTSET, intset);
  }

  /**
   * One step of an SSCAN of a set in a hash table. Adds to `found` the members that it meets. Returns the cursor of
   * the next step, 0 at the end.
   */
  scan(record: RecordReference, cursor: ScanCursor, found: ReferenceList): ScanCursor {
    const { hashTable } = this;
    const next = hashTable.scan(this.records.slot(record), cursor);
    for (let i = 0; i < hashTable.scanned.count; i++) found.push(hashTable.scanned.items[i]);
    return next;
  }

  /** See ValueOperations. */
  release(value: Reference, _extra: number, encoding: Encoding, budget: number): number {
    if (encoding === ENCODING_HASHTABLE) return this.tables.release(value, budget);
    this.memory.free(value);
    return 0;
  }

  /** See ValueOperations. */
  releaseEffort(value: Reference, _extra: number, encoding: Encoding): number {
    return encoding === ENCODING_HASHTABLE ? this.hashTable.count(value) : 1;
  }

  /** See ValueOperations. */
  duplicate(value: Reference, _extra: number, encoding: Encoding): Reference {
    if (encoding === ENCODING_HASHTABLE) return this.tables.duplicate(value);
    return encoding === ENCODING_LISTPACK ? this.listpacks.duplicate(value) : this.intsets.duplicate(value);
  }

  /** See ValueOperations. */
  memoryUsage(value: Reference, _extra: number, encoding: Encoding, samples: number): ByteLength {
    return encoding === ENCODING_HASHTABLE
      ? this.tables.memoryUsage(value, samples)
      : this.memory.blockBytes(value);
  }

  private addToListpack(
    record: RecordReference,
    bytes: Uint8Array,
    offset: ByteOffset,
    length: ByteLength,
  ): boolean {
    const { records, listpacks } = this;
    const listpack = records.slot(record);
    if (listpacks.find(listpack, FIRST_POSITION, bytes, offset, length, 0) !== NO_POSITION) return false;
    const fits =
      listpacks.length(listpack) < this.listpackEntriesMax &&
      length <= this.listpackValueMax &&
      listpacks.isSafeToAdd(listpack, length);
    if (fits) records.setSlot(record, listpacks.append(listpack, bytes, offset, length));
    else this.convertToTable(record, bytes, offset, length);
    return true;
  }

  private addToIntset(record: RecordReference, low: Int32Word, high: Int32Word): boolean {
    const { records, intsets, decimal } = this;
    const intset = records.slot(record);
    if (intsets.length(intset) < this.intsetCountMax()) {
      records.setSlot(record, intsets.add(intset, low, high));
      return intsets.hasChanged;
    }
    if (intsets.has(intset, low, high)) return false;
    const length = writeInt64FromWords(decimal, 0, low, high);
    this.convertToTable(record, decimal, 0, length);
    return true;
  }

  private removeFromIntset(record: RecordReference, low: Int32Word, high: Int32Word): boolean {
    const { records, intsets } = this;
    records.setSlot(record, intsets.remove(records.slot(record), low, high));
    return intsets.hasChanged;
  }

  private intsetCountMax(): number {
    return Math.min(this.intsetEntriesMax, INTSET_ENTRIES_MAX);
  }

  /**
   * Whether an intset and a string of `added` bytes fit a listpack. As Redis does, takes every integer to be as long
   * as the longer of the least and the greatest.
   */
  private intsetFitsListpack(intset: IntsetReference, added: ByteLength): boolean {
    const { intsets, decimal } = this;
    const count = intsets.length(intset);
    if (count >= this.listpackEntriesMax || added > this.listpackValueMax) return false;
    if (count === 0) return true;
    let longest = 0;
    let entryBytes = 0;
    for (const index of [0, count - 1]) {
      intsets.read(intset, index);
      longest = Math.max(longest, writeInt64FromWords(decimal, 0, intsets.low, intsets.high));
      entryBytes = Math.max(entryBytes, entryLength(encodedIntegerLength(intsets.low, intsets.high)));
    }
    const total = LISTPACK_EMPTY_BYTES + entryBytes * count + added;
    return longest <= this.listpackValueMax && total <= LISTPACK_BYTES_MAX;
  }

  /** Makes an intset a listpack with one member more. */
  private convertToListpack(
    record: RecordReference,
    bytes: Uint8Array,
    offset: ByteOffset,
    length: ByteLength,
  ): void {
    const { listpacks, intsets } = this;
    const intset = this.records.slot(record);
    let listpack: ListpackReference = listpacks.create();
    try {
      const count = intsets.length(intset);
      for (let index = 0; index < count; index++) {
        intsets.read(intset, index);
        listpack = listpacks.appendInteger(listpack, intsets.low, intsets.high);
      }
      listpack = listpacks.append(listpack, bytes, offset, length);
    } catch (error) {
      listpacks.free(listpack);
      throw error;
    }
    this.replaceValue(record, ENCODING_LISTPACK, listpack);
  }

  /** Makes an intset or listpack a hash table with one member more. */
  private convertToTable(
    record: RecordReference,
    bytes: Uint8Array,
    offset: ByteOffset,
    length: ByteLength,
  ): void {
    const table = this.copyToTable(record);
    try {
      this.tables.add(table, bytes, offset, length);
    } catch (error) {
      this.tables.release(table, Number.POSITIVE_INFINITY);
      throw error;
    }
    this.replaceValue(record, ENCODING_HASHTABLE, table);
  }

  /** A hash table with the members of a set. */
  private copyToTable(record: RecordReference): TableReference {
    const { walk, tables } = this;
    const table = this.hashTable.create();
    try {
      walk.start(record);
      while (walk.next()) {
        const { element } = walk;
        element.spell();
        tables.add(table, element.bytes, element.offset, element.length);
      }
    } catch (error) {
      tables.release(table, Number.POSITIVE_INFINITY);
      throw error;
    }
    return table;
  }

  /** Puts a value with the same members, kept in another way, in the place of the one that a record has. */
  private replaceValue(record: RecordReference, encoding: Encoding, value: Reference): void {
    const { records } = this;
    const oldEncoding = records.encoding(record);
    const old = records.slot(record);
    records.setSlot(record, value);
    records.setEncoding(record, encoding);
    this.release(old, 0, oldEncoding, Number.POSITIVE_INFINITY);
  }
}
