import type { Database } from '../keyspace/database.js';
import { keyEvent, NOTIFY_HASH } from '../keyspace/events.js';
import type { Keyspace } from '../keyspace/keyspace.js';
import {
  ENCODING_HASHTABLE,
  ENCODING_LISTPACK,
  ENCODING_LISTPACK_EX,
  type Encoding,
  type RecordReference,
  type Records,
  TYPE_HASH,
} from '../keyspace/record.js';
import { NO_DEADLINE } from '../keyspace/record-store.js';
import type { FieldExpiry, ValueOperations } from '../keyspace/value-type.js';
import { type ByteLength, type ByteOffset, NULL_REFERENCE, type Reference } from '../memory/reference.js';
import type { ReferenceList } from '../memory/reference-list.js';
import type { TimestampMs } from '../structures/deadlines.js';
import type { HashTable, ScanCursor } from '../structures/hashtable.js';
import type { Listpacks } from '../structures/listpack.js';
import { LISTPACK_EMPTY_BYTES } from '../structures/listpack-encoding.js';
import { NO_POSITION } from '../structures/listpack-reader.js';
import { HashListpacks, type TupleLength } from './hash-listpack.js';
import { HashFieldTables } from './hash-table.js';

/**
 * Where a field is in its hash: a position in a listpack, or an entry of a table. NO_FIELD is none. Valid until the
 * hash changes.
 */
export type FieldHandle = number;

/** The handle of no field. */
export const NO_FIELD: FieldHandle = 0;

/** Fields of a hash expired. */
export const EVENT_HEXPIRED = keyEvent(NOTIFY_HASH, 'hexpired');

/**
 * The hashes of a keyspace: in a listpack while they are small, then in a hash table.
 *
 *     listpack ──────────────────────────────▶ hashtable       when they grow past the limits
 *        └── a field is to expire ─▶ listpackex ──▶┘           and never back
 *
 * Fields may have deadlines. A field that is past its own is still there, and counts, until it is removed: by the clock,
 * as soon as its time has come, or by a command that meets it before. Whoever reads fields hides it (`isExpired`). The
 * record knows the earliest deadline of all fields: every method that changes a hash keeps that right.
 *
 * `read` tells where the bytes of a field or value are, without copying or allocating: in `bytes`, `offset`, `length`.
 */
export class Hashes implements ValueOperations, FieldExpiry {
  /** `hash-max-listpack-entries`: a listpack has at most so many fields. */
  listpackEntriesMax = 512;
  /** `hash-max-listpack-value`: a listpack has no longer fields and values than this, in bytes. */
  listpackValueMax: ByteLength = 64;

  /** What was read last; valid until the next read or change of any data. */
  bytes: Uint8Array = new Uint8Array(0);
  offset: ByteOffset = 0;
  length: ByteLength = 0;

  readonly records: Records;
  readonly keyspace: Keyspace;
  readonly listpacks: Listpacks;
  readonly hashTable: HashTable;
  readonly small: HashListpacks;
  readonly large: HashFieldTables;

  constructor(keyspace: Keyspace, listpacks: Listpacks) {
    this.keyspace = keyspace;
    this.records = keyspace.records;
    this.hashTable = keyspace.hashTable.forOtherTables();
    this.listpacks = listpacks;
    this.small = new HashListpacks(listpacks);
    this.large = new HashFieldTables(keyspace.memory, keyspace.hashTable);
    keyspace.registerType(TYPE_HASH, this);
    keyspace.registerFieldExpiry(this);
  }

  /** The encoding for a new hash that is about to get `count` fields, the longest of them or their values `longest`. */
  encodingFor(count: number, longest: ByteLength): Encoding {
    return count <= this.listpackEntriesMax && longest <= this.listpackValueMax
      ? ENCODING_LISTPACK
      : ENCODING_HASHTABLE;
  }

  /**
   * A hash without fields, for the slot of a record with this encoding.
   * @param content bytes that its elements will take in a listpack, if they are known
   * @throws OutOfMemoryError
   */
  create(encoding: Encoding, content: ByteLength = 0): Reference {
    return encoding === ENCODING_HASHTABLE
      ? this.large.create()
      : this.listpacks.create(LISTPACK_EMPTY_BYTES + content);
  }

  /** Whether a hash is in a table, not in a listpack. */
  isTable(record: RecordReference): boolean {
    return this.records.encoding(record) === ENCODING_HASHTABLE;
  }

  /** The elements of a field, in a listpack. */
  tuple(record: RecordReference): TupleLength {
    return this.records.encoding(record) === ENCODING_LISTPACK ? 2 : 3;
  }

  /** The number of fields, those that have expired but are still there included. */
  count(record: RecordReference): number {
    const value = this.records.slot(record);
    return this.isTable(record) ? this.large.count(value) : this.small.count(value, this.tuple(record));
  }

  /** Where a field is, expired or not; NO_FIELD when the hash does not have it. */
  find(record: RecordReference, field: Uint8Array, offset: ByteOffset, length: ByteLength): FieldHandle {
    const value = this.records.slot(record);
    return this.isTable(record)
      ? this.large.find(value, field, offset, length)
      : this.small.find(value, this.tuple(record), field, offset, length);
  }

  /** When a field expires, or NO_DEADLINE. */
  deadline(record: RecordReference, handle: FieldHandle): TimestampMs {
    const encoding = this.records.encoding(record);
    if (encoding === ENCODING_LISTPACK) return NO_DEADLINE;
    if (encoding === ENCODING_HASHTABLE) return this.large.entries.deadline(handle);
    return this.small.deadline(this.records.slot(record), handle);
  }

  /** Whether a field is past its deadline: it is to be hidden. */
  isExpired(record: RecordReference, handle: FieldHandle): boolean {
    if (this.records.encoding(record) === ENCODING_LISTPACK) return false;
    const deadlineMs = this.deadline(record, handle);
    return deadlineMs !== NO_DEADLINE && this.keyspace.isPast(deadlineMs);
  }

  /** Whether any field is past its deadline. */
  hasExpired(record: RecordReference): boolean {
    if (!this.records.hasFieldDeadline(record)) return false;
    const deadlineMs = this.keyspace.fieldDeadline(record);
    return deadlineMs !== NO_DEADLINE && this.keyspace.isPast(deadlineMs);
  }

  /** Points `bytes`, `offset` and `length` at the value of a field. */
  read(record: RecordReference, handle: FieldHandle): void {
    if (this.isTable(record)) {
      const { entries } = this.large;
      entries.locate(handle);
      this.bytes = entries.valueBytes;
      this.offset = entries.valueOffset;
      this.length = entries.valueLength;
      return;
    }
    const { listpacks } = this;
    const value = this.records.slot(record);
    listpacks.read(value, listpacks.next(value, handle));
    this.takeElement();
  }

  /** Points `bytes`, `offset` and `length` at the name of a field. */
  readField(record: RecordReference, handle: FieldHandle): void {
    if (this.isTable(record)) {
      const { entries } = this.large;
      entries.locate(handle);
      this.bytes = entries.bytes;
      this.offset = entries.offset;
      this.length = entries.length;
      return;
    }
    this.listpacks.read(this.records.slot(record), handle);
    this.takeElement();
  }

  /**
   * Says what is about to be set, so that a hash which will be too large for a listpack is converted before.
   * @param count fields, new or not
   * @param longest bytes of the longest field or value
   * @param total bytes of all of them
   * @throws OutOfMemoryError
   */
  expect(record: RecordReference, count: number, longest: ByteLength, total: ByteLength): void {
    if (this.isTable(record)) return;
    if (
      count > this.listpackEntriesMax ||
      longest > this.listpackValueMax ||
      !this.listpacks.isSafeToAdd(this.records.slot(record), total)
    ) {
      this.convertToTable(record);
    }
  }

  /**
   * Sets a field, whose handle is what `find` says (NO_FIELD: a new one).
   * @param keepsDeadline false: a field that expired by and by does so no longer
   * @throws OutOfMemoryError, and the fields are as they were.
   */
  set(
    database: Database,
    record: RecordReference,
    handle: FieldHandle,
    field: Uint8Array,
    fieldOffset: ByteOffset,
    fieldLength: ByteLength,
    value: Uint8Array,
    valueOffset: ByteOffset,
    valueLength: ByteLength,
    keepsDeadline: boolean,
  ): void {
    let target = handle;
    if (!this.isTable(record) && !this.fitsListpack(record, handle === NO_FIELD, fieldLength, valueLength)) {
      this.convertToTable(record);
      if (handle !== NO_FIELD) target = this.find(record, field, fieldOffset, fieldLength);
    }
    if (target !== NO_FIELD) {
      this.replace(database, record, target, value, valueOffset, valueLength, keepsDeadline);
      return;
    }
    const hash = this.records.slot(record);
    if (this.isTable(record)) {
      this.large.insert(hash, field, fieldOffset, fieldLength, value, valueOffset, valueLength);
      return;
    }
    const tuple = this.tuple(record);
    const { small } = this;
    this.records.setSlot(
      record,
      small.append(hash, tuple, field, fieldOffset, fieldLength, value, valueOffset, valueLength),
    );
  }

  /** Removes a field. Whoever removes the last one removes the key. */
  remove(database: Database, record: RecordReference, handle: FieldHandle): void {
    const hash = this.records.slot(record);
    if (this.isTable(record)) this.large.remove(hash, handle);
    else this.records.setSlot(record, this.small.remove(hash, handle, this.tuple(record)));
    this.updateFieldDeadline(database, record);
  }

  /**
   * Prepares a hash for fields with deadlines. Returns the record, perhaps moved.
   * @throws OutOfMemoryError, and the hash is as it was.
   */
  makeExpirable(database: Database, record: RecordReference): RecordReference {
    const { records } = this;
    const roomy = this.keyspace.makeRoomForFieldDeadline(database, record);
    if (records.encoding(roomy) === ENCODING_LISTPACK) {
      records.setSlot(roomy, this.small.withDeadlines(records.slot(roomy)));
      records.setEncoding(roomy, ENCODING_LISTPACK_EX);
    }
    return roomy;
  }

  /**
   * Gives a field of a hash that `makeExpirable` prepared another deadline, or NO_DEADLINE.
   * @throws OutOfMemoryError, and the hash is as it was.
   */
  setDeadline(
    database: Database,
    record: RecordReference,
    handle: FieldHandle,
    deadlineMs: TimestampMs,
  ): void {
    const hash = this.records.slot(record);
    if (!this.isTable(record)) {
      this.records.setSlot(record, this.small.setDeadline(hash, handle, deadlineMs));
    } else if (deadlineMs === NO_DEADLINE) {
      this.large.clearDeadline(hash, handle);
    } else {
      this.large.setDeadline(hash, handle, deadlineMs);
    }
    this.updateFieldDeadline(database, record);
  }

  /** Removes a field that is past its deadline, or whose new deadline would be. */
  removeExpired(database: Database, record: RecordReference, handle: FieldHandle): void {
    this.keyspace.announceChange(database, record);
    this.announceFieldExpiry(database, record, handle);
    this.remove(database, record, handle);
    this.keyspace.expiredFields++;
  }

  /** See FieldExpiry. Tells of it, too. */
  expireFields(database: Database, record: RecordReference, limit: number): number {
    const { keyspace } = this;
    const removed = this.isTable(record)
      ? this.removeFromTable(database, record, limit)
      : this.removeFromListpack(database, record, limit);
    keyspace.expiredFields += removed;
    this.updateFieldDeadline(database, record);
    if (removed > 0) this.tellExpired(database, record);
    return removed;
  }

  /** Tells that fields expired, and removes the hash if none is left. Returns the record, NULL_REFERENCE if removed. */
  tellExpired(database: Database, record: RecordReference): RecordReference {
    const { keyspace } = this;
    const key = this.records.key(record);
    keyspace.notify(database, EVENT_HEXPIRED, key, 0, key.length);
    if (this.count(record) > 0) return record;
    keyspace.removeAndTell(database, record);
    return NULL_REFERENCE;
  }

  /**
   * Makes the record's field deadline that of the field which expires first. Only for those who put a whole value into
   * a record that has room for it (`Keyspace.makeRoomForFieldDeadline`): what changes a hash does it by itself.
   */
  updateFieldDeadline(database: Database, record: RecordReference): void {
    if (!this.records.hasFieldDeadline(record)) return;
    const hash = this.records.slot(record);
    const deadlineMs = this.isTable(record) ? this.large.firstDeadline(hash) : this.small.firstDeadline(hash);
    this.keyspace.setFieldDeadline(database, record, deadlineMs);
  }

  /**
   * One step of an HSCAN. Adds to `found` the handles of the fields that it meets: all of them for a listpack.
   * Returns the cursor of the next step, 0 at the end.
   */
  scan(record: RecordReference, cursor: ScanCursor, found: ReferenceList): ScanCursor {
    const hash = this.records.slot(record);
    if (!this.isTable(record)) {
      this.collect(record, found);
      return 0;
    }
    const { hashTable } = this;
    const next = hashTable.scan(hash, cursor);
    for (let i = 0; i < hashTable.scanned.count; i++) found.push(hashTable.scanned.items[i]);
    return next;
  }

  /** Adds to `found` the handles of all fields, expired ones too. */
  collect(record: RecordReference, found: ReferenceList): void {
    const hash = this.records.slot(record);
    if (this.isTable(record)) {
      let cursor = 0;
      do cursor = this.scan(record, cursor, found);
      while (cursor !== 0);
      return;
    }
    const { listpacks } = this;
    const tuple = this.tuple(record);
    for (let at = listpacks.first(hash); at !== NO_POSITION; ) {
      found.push(at);
      for (let i = 1; i < tuple; i++) at = listpacks.next(hash, at);
      at = listpacks.next(hash, at);
    }
  }

  /** The handle of a field of a hash that is not empty, each with the same chance, expired or not. */
  random(record: RecordReference): FieldHandle {
    const hash = this.records.slot(record);
    return this.isTable(record)
      ? this.hashTable.randomEntry(hash, Math.random)
      : this.listpacks.random(hash, this.tuple(record));
  }

  /** See ValueOperations. */
  release(value: Reference, _extra: number, encoding: Encoding, budget: number): number {
    if (encoding === ENCODING_HASHTABLE) return this.large.release(value, budget);
    this.listpacks.free(value);
    return 0;
  }

  /** See ValueOperations. */
  releaseEffort(value: Reference, _extra: number, encoding: Encoding): number {
    return encoding === ENCODING_HASHTABLE ? this.large.count(value) : 1;
  }

  /** See ValueOperations. */
  duplicate(value: Reference, _extra: number, encoding: Encoding): Reference {
    return encoding === ENCODING_HASHTABLE ? this.large.duplicate(value) : this.listpacks.duplicate(value);
  }

  /** See ValueOperations. */
  memoryUsage(value: Reference, _extra: number, encoding: Encoding, samples: number): ByteLength {
    return encoding === ENCODING_HASHTABLE
      ? this.large.memoryUsage(value, samples)
      : this.keyspace.memory.blockBytes(value);
  }

  /** Gives a field another value. */
  private replace(
    database: Database,
    record: RecordReference,
    handle: FieldHandle,
    value: Uint8Array,
    offset: ByteOffset,
    length: ByteLength,
    keepsDeadline: boolean,
  ): void {
    const hash = this.records.slot(record);
    let changed = handle;
    if (this.isTable(record)) changed = this.large.replace(hash, handle, value, offset, length);
    else this.records.setSlot(record, this.small.replace(hash, handle, value, offset, length));
    if (keepsDeadline || this.deadline(record, changed) === NO_DEADLINE) return;
    this.setDeadline(database, record, changed, NO_DEADLINE);
  }

  private fitsListpack(
    record: RecordReference,
    isNew: boolean,
    fieldLength: ByteLength,
    valueLength: ByteLength,
  ): boolean {
    if (fieldLength > this.listpackValueMax || valueLength > this.listpackValueMax) return false;
    const value = this.records.slot(record);
    const count = this.small.count(value, this.tuple(record)) + (isNew ? 1 : 0);
    return count <= this.listpackEntriesMax && this.small.isSafeToAdd(value, fieldLength + valueLength);
  }

  private convertToTable(record: RecordReference): void {
    const { records } = this;
    const listpack = records.slot(record);
    const table = this.large.createFrom(this.listpacks, listpack, this.tuple(record));
    this.listpacks.free(listpack);
    records.setSlot(record, table);
    records.setEncoding(record, ENCODING_HASHTABLE);
  }

  /** Removes up to `limit` fields that are past their deadline. Returns how many. */
  private removeFromTable(database: Database, record: RecordReference, limit: number): number {
    const { large, keyspace } = this;
    const table = this.records.slot(record);
    for (let removed = 0; removed < limit; removed++) {
      const first = large.firstExpiring(table);
      if (first === NULL_REFERENCE || large.entries.deadline(first) > keyspace.nowMs) return removed;
      this.announceFieldExpiry(database, record, first);
      large.remove(table, first);
    }
    return limit;
  }

  private removeFromListpack(database: Database, record: RecordReference, limit: number): number {
    const listpack = this.records.slot(record);
    const expired = this.small.countPast(listpack, this.keyspace.nowMs, limit);
    if (this.keyspace.deletionListener !== undefined) {
      const { listpacks } = this;
      let at = listpacks.first(listpack);
      for (let i = 0; i < expired; i++) {
        this.announceFieldExpiry(database, record, at);
        for (let j = 0; j < 3; j++) at = listpacks.next(listpack, at);
      }
    }
    if (expired > 0) this.records.setSlot(record, this.small.removeFirst(listpack, expired));
    return expired;
  }

  /** Tells whoever has to be told what goes by itself of a field that is about to be removed. */
  private announceFieldExpiry(database: Database, record: RecordReference, handle: FieldHandle): void {
    const { deletionListener } = this.keyspace;
    if (deletionListener === undefined) return;
    this.readField(record, handle);
    const key = this.records.key(record);
    deletionListener.fieldExpired(database, key, this.bytes, this.offset, this.length);
  }

  /** Points `bytes`, `offset` and `length` at the element that was read last. */
  private takeElement(): void {
    const { element } = this.listpacks;
    element.spell();
    this.bytes = element.bytes;
    this.offset = element.offset;
    this.length = element.length;
  }
}
