import { copyBytes } from '../memory/bytes.js';
import { Memory } from '../memory/memory.js';
import {
  type ByteLength,
  type ByteOffset,
  NULL_REFERENCE,
  type Reference,
  SEGMENT_SHIFT,
  UNIT_MASK,
} from '../memory/reference.js';
import { ReferenceList } from '../memory/reference-list.js';
import type { KeyedHash } from '../memory/sip-hash.js';
import type { TimestampMs } from '../structures/deadlines.js';
import { HashTable, type TableReference } from '../structures/hashtable.js';
import { AccessClock } from './access-clock.js';
import type { Database } from './database.js';
import { LazyFree } from './lazy-free.js';
import {
  ENCODING_INT,
  type Encoding,
  HAS_DEADLINE,
  HAS_FIELD_DEADLINE,
  type RecordReference,
  Records,
  slotFlags,
  type ValueType,
} from './record.js';
import type { ValueOperations } from './value-type.js';

/** A value whose release takes more steps than this is freed in slices, after the command. */
const LAZY_RELEASE_EFFORT = 64;

/** Where the deadline is in a record that has one, in units of 8 bytes. */
const DEADLINE_POSITION = 2;

/** For a key that does not expire: what `deadline` tells, and `add` and `reshape` are told. */
export const NO_DEADLINE: TimestampMs = -1;
/** Tells `reshape` that the deadline stays as it is, which for a new key is none. */
export const KEEP_DEADLINE: TimestampMs = -2;

/**
 * How the records of all databases come, change their shape, move and go, together with the table, the
 * deadlines and the values that belong to them. What these mean to clients is the business of `Keyspace`.
 *
 * A record that needs another size moves: the reference that a method returns is the one that is valid.
 */
export abstract class RecordStore {
  readonly memory: Memory;
  readonly hashTable: HashTable;
  readonly records: Records;
  readonly lazyFree = new LazyFree();
  readonly accessClock = new AccessClock();

  /** The records of a bucket that are being released. */
  private readonly released = new ReferenceList();
  private readonly operations: (ValueOperations | undefined)[] = [];

  constructor(memory: Memory, hasher: KeyedHash) {
    this.memory = memory;
    this.hashTable = new HashTable(memory, hasher);
    this.records = new Records(memory);
  }

  /** A database has a key that it did not have. */
  protected abstract keyAdded(
    database: Database,
    bytes: Uint8Array,
    offset: ByteOffset,
    length: ByteLength,
  ): void;

  /** Tells how values of a type are freed, copied and measured. Each type is registered once, at the start. */
  registerType(type: ValueType, operations: ValueOperations): void {
    if (this.operations[type] !== undefined) throw new Error(`value type ${type} is registered twice`);
    this.operations[type] = operations;
  }

  /**
   * A new record with a value slot, for a key that the database does not have.
   * @param deadlineMs positive, or negative for none
   * @throws OutOfMemoryError, and nothing is added.
   */
  add(
    database: Database,
    hash: number,
    bytes: Uint8Array,
    offset: ByteOffset,
    length: ByteLength,
    type: ValueType,
    encoding: Encoding,
    value: Reference,
    extra: number,
    deadlineMs: TimestampMs = NO_DEADLINE,
  ): RecordReference {
    const flags = slotFlags(type) | deadlineFlag(deadlineMs);
    const record = this.newRecord(
      database,
      hash,
      bytes,
      offset,
      length,
      type,
      encoding,
      flags,
      0,
      deadlineMs,
    );
    this.records.setSlot(record, value);
    this.records.setSlotExtra(record, extra);
    return record;
  }

  /**
   * A new record whose value of `embedded` bytes is in itself, for the caller to fill, at `embeddedOffset`.
   * @param deadlineMs positive, or negative for none
   * @throws OutOfMemoryError, and nothing is added.
   */
  addEmbedded(
    database: Database,
    hash: number,
    bytes: Uint8Array,
    offset: ByteOffset,
    length: ByteLength,
    type: ValueType,
    encoding: Encoding,
    embedded: ByteLength,
    deadlineMs: TimestampMs = NO_DEADLINE,
  ): RecordReference {
    const flags = deadlineFlag(deadlineMs);
    return this.newRecord(database, hash, bytes, offset, length, type, encoding, flags, embedded, deadlineMs);
  }

  /**
   * Makes room in a record, which `lookupWrite` gave, for another kind of value: frees the value that it has
   * and returns the record, perhaps moved, with a slot (`embedded` < 0) or a value of `embedded` bytes, of
   * which the first `kept` are those that the record had, the others undefined. Its access bits stay.
   * @param deadlineMs positive, NO_DEADLINE or KEEP_DEADLINE
   * @throws OutOfMemoryError, and the record is as it was.
   */
  reshape(
    database: Database,
    record: RecordReference,
    type: ValueType,
    encoding: Encoding,
    embedded: ByteLength,
    deadlineMs: TimestampMs = KEEP_DEADLINE,
    kept: ByteLength = 0,
  ): RecordReference {
    const { records, memory } = this;
    const slot = embedded < 0 ? slotFlags(type) : 0;
    const oldFlags = records.flags(record);
    const flags = slot | (deadlineMs === KEEP_DEADLINE ? oldFlags & HAS_DEADLINE : deadlineFlag(deadlineMs));
    const keyLength = records.keyLength(record);
    const size = Records.byteLength(keyLength, slot === 0 ? embedded : 0, flags);
    if (flags === oldFlags && Memory.roundedLength(size) === memory.blockBytes(record)) {
      if (slot !== 0) this.releaseValue(record);
      memory.setByte(record, 0, (type << 4) | encoding);
      if (slot === 0) records.setEmbeddedLength(record, embedded);
      if (deadlineMs >= 0) database.deadlines.update(records.deadlineNode(record), deadlineMs);
      return record;
    }
    const moved = this.copyHeader(record, type, encoding, flags, slot === 0 ? embedded : 0);
    if (kept > 0) this.copyEmbedded(record, moved, kept);
    if (records.hasSlot(record)) this.releaseValue(record);
    this.swapRecord(database, record, moved, deadlineMs);
    return moved;
  }

  /** Sets or changes the deadline of a record. Returns the record, perhaps moved. @throws OutOfMemoryError */
  setDeadline(database: Database, record: RecordReference, deadlineMs: TimestampMs): RecordReference {
    const { records } = this;
    if (records.hasDeadline(record)) {
      database.deadlines.update(records.deadlineNode(record), deadlineMs);
      return record;
    }
    return this.withFlags(database, record, records.flags(record) | HAS_DEADLINE, deadlineMs);
  }

  /** Takes the deadline from a record, if it has one. Returns the record, perhaps moved. @throws OutOfMemoryError */
  clearDeadline(database: Database, record: RecordReference): RecordReference {
    const { records } = this;
    if (!records.hasDeadline(record)) return record;
    return this.withFlags(database, record, records.flags(record) & ~HAS_DEADLINE, NO_DEADLINE);
  }

  /** The deadline of a record in ms since the epoch, or NO_DEADLINE. */
  deadline(record: RecordReference): TimestampMs {
    if (!this.records.hasDeadline(record)) return NO_DEADLINE;
    // Not by way of `memory.double`, whose result V8 would put on its heap.
    return this.memory.doubles[record >>> SEGMENT_SHIFT][(record & UNIT_MASK) + DEADLINE_POSITION];
  }

  /**
   * Makes room for a field deadline in the record of a hash. Returns the record, perhaps moved.
   * @throws OutOfMemoryError, and the record is as it was.
   */
  makeRoomForFieldDeadline(database: Database, record: RecordReference): RecordReference {
    const { records } = this;
    if (records.hasFieldDeadline(record)) return record;
    return this.withFlags(database, record, records.flags(record) | HAS_FIELD_DEADLINE, KEEP_DEADLINE);
  }

  /** Sets the field deadline of a record that has room for it; NO_DEADLINE: none of its fields expires. */
  setFieldDeadline(database: Database, record: RecordReference, deadlineMs: TimestampMs): void {
    const before = this.fieldDeadline(record);
    if (before === deadlineMs) return;
    const node = this.records.fieldDeadlineNode(record);
    if (before === NO_DEADLINE) {
      database.fieldDeadlines.add(node, deadlineMs);
    } else if (deadlineMs !== NO_DEADLINE) {
      database.fieldDeadlines.update(node, deadlineMs);
    } else {
      database.fieldDeadlines.remove(node);
      this.memory.setDouble(node, 1, NO_DEADLINE);
    }
  }

  /** When the first field of a hash expires, in ms since the epoch, or NO_DEADLINE. */
  fieldDeadline(record: RecordReference): TimestampMs {
    const { records } = this;
    return records.hasFieldDeadline(record)
      ? this.memory.double(records.fieldDeadlineNode(record), 1)
      : NO_DEADLINE;
  }

  /** Removes a record that `lookupWrite` gave, and frees it; a large value in slices, after the command. */
  remove(database: Database, record: RecordReference): void {
    this.hashTable.remove(database.table, record);
    this.discard(database, record);
  }

  /**
   * Moves a record that `lookupWrite` gave, with its value and deadline, to another key, database or both.
   * `replaced` is the record that has that key there, which `lookupWrite` gave too, or NULL_REFERENCE.
   * @throws OutOfMemoryError, and everything is as it was.
   */
  relocate(
    from: Database,
    record: RecordReference,
    to: Database,
    hash: number,
    bytes: Uint8Array,
    offset: ByteOffset,
    length: ByteLength,
    replaced: RecordReference,
  ): RecordReference {
    const deadlineMs = this.deadline(record);
    const moved = this.withKey(record, bytes, offset, length);
    try {
      this.place(to, hash, moved, replaced, deadlineMs);
    } catch (error) {
      this.memory.free(moved);
      throw error;
    }
    this.removeFromDeadlines(from, record);
    this.hashTable.remove(from.table, record);
    this.memory.free(record);
    this.keyAdded(to, bytes, offset, length);
    return moved;
  }

  /**
   * Copies a record, with its value and deadline, to a key of a database; `replaced` is as for `relocate`.
   * @throws OutOfMemoryError, and everything is as it was.
   */
  copy(
    record: RecordReference,
    to: Database,
    hash: number,
    bytes: Uint8Array,
    offset: ByteOffset,
    length: ByteLength,
    replaced: RecordReference,
  ): RecordReference {
    const { records } = this;
    const copy = this.withKey(record, bytes, offset, length);
    if (records.hasSlot(record) && records.encoding(record) !== ENCODING_INT) {
      try {
        records.setSlot(copy, this.duplicateValue(record));
      } catch (error) {
        this.memory.free(copy);
        throw error;
      }
    }
    try {
      this.place(to, hash, copy, replaced, this.deadline(record));
    } catch (error) {
      if (records.hasSlot(copy)) this.releaseValue(copy);
      this.memory.free(copy);
      throw error;
    }
    this.keyAdded(to, bytes, offset, length);
    return copy;
  }

  /**
   * Takes the value out of a record that `lookupWrite` gave, and removes the record: the value in its slot is
   * the caller's. The type and encoding are those that the record has now.
   */
  detach(database: Database, record: RecordReference): Reference {
    const value = this.records.slot(record);
    this.removeFromDeadlines(database, record);
    this.hashTable.remove(database.table, record);
    this.memory.free(record);
    return value;
  }

  /** How a type frees, copies and measures its values. */
  operationsOf(type: ValueType): ValueOperations {
    const operations = this.operations[type];
    if (operations === undefined) throw new Error(`value type ${type} is not registered`);
    return operations;
  }

  /** Frees the value in a record's slot, a large one in slices. The slot is invalid afterwards. */
  releaseValue(record: RecordReference): void {
    const { records } = this;
    const encoding = records.encoding(record);
    if (encoding === ENCODING_INT) return;
    const operations = this.operationsOf(records.type(record));
    const value = records.slot(record);
    const extra = records.slotExtra(record);
    if (operations.releaseEffort(value, extra, encoding) <= LAZY_RELEASE_EFFORT) {
      operations.release(value, extra, encoding, Number.POSITIVE_INFINITY);
    } else {
      this.lazyFree.add({
        objects: 1,
        release: (budget) => operations.release(value, extra, encoding, budget),
      });
    }
  }

  /** Frees up to about `budget` records of a table that no database has any more. */
  protected releaseTable(table: TableReference, budget: number): number {
    let used = 0;
    while (used < budget) {
      if (!this.hashTable.releaseBucket(table)) return used;
      // Values that are tables themselves use `scanned` when they are released.
      const released = this.released.copyOf(this.hashTable.scanned);
      for (let i = 0; i < released.count; i++) {
        const record = released.items[i];
        if (this.records.hasSlot(record)) this.releaseValue(record);
        this.memory.free(record);
      }
      used += released.count + 1;
    }
    return used;
  }

  private newRecord(
    database: Database,
    hash: number,
    bytes: Uint8Array,
    offset: ByteOffset,
    length: ByteLength,
    type: ValueType,
    encoding: Encoding,
    flags: number,
    embedded: ByteLength,
    deadlineMs: TimestampMs,
  ): RecordReference {
    const record = this.memory.allocate(Records.byteLength(length, embedded, flags));
    this.records.initialize(record, type, encoding, flags, bytes, offset, length, embedded);
    this.records.setAccess(record, this.accessClock.fresh());
    try {
      this.place(database, hash, record, NULL_REFERENCE, deadlineMs);
    } catch (error) {
      this.memory.free(record);
      throw error;
    }
    this.keyAdded(database, bytes, offset, length);
    return record;
  }

  /** Makes a finished record part of a database, in the place of the one that has its key, if there is one. */
  private place(
    database: Database,
    hash: number,
    record: RecordReference,
    replaced: RecordReference,
    deadlineMs: TimestampMs,
  ): void {
    if (replaced === NULL_REFERENCE) {
      this.hashTable.insert(database.table, hash, record);
    } else {
      this.hashTable.replace(database.table, replaced, record);
      this.discard(database, replaced);
    }
    if (this.records.hasDeadline(record)) {
      database.deadlines.add(this.records.deadlineNode(record), deadlineMs);
    }
    const fieldDeadlineMs = this.fieldDeadline(record);
    if (fieldDeadlineMs !== NO_DEADLINE) {
      database.fieldDeadlines.add(this.records.fieldDeadlineNode(record), fieldDeadlineMs);
    }
  }

  /** Takes the deadline nodes of a record out of the database's indexes. */
  private removeFromDeadlines(database: Database, record: RecordReference): void {
    const { records } = this;
    if (records.hasDeadline(record)) database.deadlines.remove(records.deadlineNode(record));
    if (this.fieldDeadline(record) !== NO_DEADLINE) {
      database.fieldDeadlines.remove(records.fieldDeadlineNode(record));
    }
  }

  /** Frees a record that the table has no more, with its value and deadline nodes. */
  private discard(database: Database, record: RecordReference): void {
    this.removeFromDeadlines(database, record);
    if (this.records.hasSlot(record)) this.releaseValue(record);
    this.memory.free(record);
  }

  /** A record with another key and the same content, in no database. A value in a slot has two owners then. */
  private withKey(
    record: RecordReference,
    bytes: Uint8Array,
    offset: ByteOffset,
    length: ByteLength,
  ): RecordReference {
    const { records } = this;
    const flags = records.flags(record);
    const embedded = records.hasSlot(record) ? 0 : records.embeddedLength(record);
    const twin = this.memory.allocate(Records.byteLength(length, embedded, flags));
    const type = records.type(record);
    records.initialize(twin, type, records.encoding(record), flags, bytes, offset, length, embedded);
    records.setAccess(twin, this.accessClock.fresh());
    this.copyContent(record, twin);
    if (records.hasFieldDeadline(twin)) {
      this.memory.setDouble(records.fieldDeadlineNode(twin), 1, this.fieldDeadline(record));
    }
    return twin;
  }

  private duplicateValue(record: RecordReference): Reference {
    const { records } = this;
    const operations = this.operationsOf(records.type(record));
    return operations.duplicate(records.slot(record), records.slotExtra(record), records.encoding(record));
  }

  /** A copy of a record's header, key, access bits and deadline value, with room for another value. */
  private copyHeader(
    record: RecordReference,
    type: ValueType,
    encoding: Encoding,
    flags: number,
    embedded: ByteLength,
  ): RecordReference {
    const { records, memory } = this;
    const keyLength = records.keyLength(record);
    const copy = memory.allocate(Records.byteLength(keyLength, embedded, flags));
    const bytes = memory.bytes[record >>> SEGMENT_SHIFT];
    records.initialize(copy, type, encoding, flags, bytes, records.keyOffset(record), keyLength, embedded);
    records.setAccess(copy, records.access(record));
    return copy;
  }

  /**
   * Puts `moved` in the place of `record`, whose value has been taken care of, and frees `record`. When `moved`
   * has a deadline, it is `deadlineMs`; KEEP_DEADLINE: that of `record`.
   */
  private swapRecord(
    database: Database,
    record: RecordReference,
    moved: RecordReference,
    deadlineMs: TimestampMs,
  ): void {
    const { records, memory } = this;
    const target = records.deadlineNode(moved);
    if (!records.hasDeadline(record)) {
      if (records.hasDeadline(moved)) database.deadlines.add(target, deadlineMs);
    } else if (!records.hasDeadline(moved)) {
      database.deadlines.remove(records.deadlineNode(record));
    } else {
      const node = records.deadlineNode(record);
      memory.setDouble(target, 0, memory.double(node, 0));
      memory.setDouble(target, 1, memory.double(node, 1));
      database.deadlines.moved(node, target);
      if (deadlineMs !== KEEP_DEADLINE) database.deadlines.update(target, deadlineMs);
    }
    this.swapFieldDeadline(database, record, moved);
    this.hashTable.replace(database.table, record, moved);
    memory.free(record);
  }

  /** Moves the field deadline of a record to `moved` if that has room for it, else takes it out of the index. */
  private swapFieldDeadline(database: Database, record: RecordReference, moved: RecordReference): void {
    const { records, memory } = this;
    const deadlineMs = this.fieldDeadline(record);
    const node = records.fieldDeadlineNode(record);
    if (!records.hasFieldDeadline(moved)) {
      if (deadlineMs !== NO_DEADLINE) database.fieldDeadlines.remove(node);
      return;
    }
    const target = records.fieldDeadlineNode(moved);
    memory.setDouble(target, 1, deadlineMs);
    if (deadlineMs === NO_DEADLINE) return;
    memory.setDouble(target, 0, memory.double(node, 0));
    database.fieldDeadlines.moved(node, target);
  }

  /** The record with other flags and the same value; `deadlineMs` is as for `swapRecord`. */
  private withFlags(
    database: Database,
    record: RecordReference,
    flags: number,
    deadlineMs: TimestampMs,
  ): RecordReference {
    const { records } = this;
    const embedded = records.hasSlot(record) ? 0 : records.embeddedLength(record);
    const moved = this.copyHeader(record, records.type(record), records.encoding(record), flags, embedded);
    this.copyContent(record, moved);
    this.swapRecord(database, record, moved, deadlineMs);
    return moved;
  }

  /** Copies the slot or the embedded value to a record that has the same. */
  private copyContent(from: RecordReference, to: RecordReference): void {
    const { records } = this;
    if (records.hasSlot(from)) {
      records.setSlot(to, records.slot(from));
      records.setSlotExtra(to, records.slotExtra(from));
    } else {
      this.copyEmbedded(from, to, records.embeddedLength(from));
    }
  }

  private copyEmbedded(from: RecordReference, to: RecordReference, length: ByteLength): void {
    const { records, memory } = this;
    const source = memory.bytes[from >>> SEGMENT_SHIFT];
    const target = memory.bytes[to >>> SEGMENT_SHIFT];
    copyBytes(source, records.embeddedOffset(from), target, records.embeddedOffset(to), length);
  }
}

function deadlineFlag(deadlineMs: TimestampMs): number {
  return deadlineMs < 0 ? 0 : HAS_DEADLINE;
}
