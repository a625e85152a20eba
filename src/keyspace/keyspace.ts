import { copyBytes } from '../memory/bytes.js';
import { Memory } from '../memory/memory.js';
import {
  type ByteLength,
  type ByteOffset,
  NULL_REFERENCE,
  type Reference,
  SEGMENT_SHIFT,
} from '../memory/reference.js';
import { KeyedHash } from '../memory/sip-hash.js';
import { Deadlines, type TimestampMs } from '../structures/deadlines.js';
import { HashTable, type TableReference } from '../structures/hashtable.js';
import { AccessClock } from './access-clock.js';
import { Database } from './database.js';
import { EVENT_DEL, EVENT_EXPIRED, EVENT_NEW, type KeyEvent } from './events.js';
import { LazyFree } from './lazy-free.js';
import {
  ENCODING_INT,
  type Encoding,
  HAS_DEADLINE,
  HAS_SLOT,
  type RecordReference,
  Records,
  type ValueType,
} from './record.js';
import type { ValueOperations } from './value-type.js';

/** A value whose release takes more steps than this is freed in slices, after the command. */
const LAZY_RELEASE_EFFORT = 64;

/** Hears of every change of a key; the first thing that any feature about changes is built on. */
export interface ChangeListener {
  /** A key changed, appeared, disappeared or expired. The bytes are only valid during the call. */
  keyChanged(
    database: Database,
    event: KeyEvent,
    bytes: Uint8Array,
    offset: ByteOffset,
    length: ByteLength,
  ): void;
  /** All keys of a database were dropped, or it changed places with another. */
  databaseChanged(database: Database): void;
}

/** Hears of a record before it changes or goes, so that a snapshot can write it as it was. */
export interface ChangeGuard {
  beforeChange(database: Database, record: RecordReference): void;
  /** Before all keys of a database go, or change places with those of another. */
  beforeDatabaseChange(database: Database): void;
}

/** What a keyspace is made with. */
export interface KeyspaceOptions {
  readonly databases: number;
  readonly memory?: Memory;
  /** The key of the hash function; random, but for tests that want the same layout each time. */
  readonly seed?: readonly [low: number, high: number];
  readonly nowMs: TimestampMs;
}

/**
 * All databases, and the one place where keys are looked up, appear, change and go.
 *
 * Whoever wants to change a value gets its record from `lookupWrite`, `add` or `replaceValue`, and says
 * afterwards what happened with `changed`. No other code touches a database's table.
 */
export class Keyspace {
  readonly memory: Memory;
  readonly hashTable: HashTable;
  readonly records: Records;
  readonly databases: Database[] = [];
  readonly lazyFree = new LazyFree();
  readonly accessClock = new AccessClock();

  /** The time of this turn, in ms since the epoch. The server sets it once per turn. */
  nowMs: TimestampMs;
  /** Changes since the last save: `rdb_changes_since_last_save`. */
  dirty = 0;
  /** False while keys past their deadline are only hidden, not removed (DEBUG SET-ACTIVE-EXPIRE 0, PAUSE). */
  removesExpired = true;
  /** True while nothing is to be seen as expired, such as in the middle of loading. */
  ignoresDeadlines = false;
  /** Whether reads leave the access bits alone (CLIENT NO-TOUCH). */
  leavesAccess = false;

  hits = 0;
  misses = 0;
  expiredKeys = 0;

  private readonly operations: (ValueOperations | undefined)[] = [];
  private readonly listeners: ChangeListener[] = [];
  private guard: ChangeGuard | undefined;

  constructor(options: KeyspaceOptions) {
    this.memory = options.memory ?? new Memory();
    const [low, high] = options.seed ?? randomSeed();
    this.hashTable = new HashTable(this.memory, new KeyedHash(low, high));
    this.records = new Records(this.memory);
    this.nowMs = options.nowMs;
    this.accessClock.tick(options.nowMs);
    for (let i = 0; i < options.databases; i++) {
      this.databases.push(new Database(i, this.hashTable, this.memory, options.nowMs));
    }
  }

  /** Tells how values of a type are freed, copied and measured. Each type is registered once, at the start. */
  registerType(type: ValueType, operations: ValueOperations): void {
    if (this.operations[type] !== undefined) throw new Error(`value type ${type} is registered twice`);
    this.operations[type] = operations;
  }

  /** Adds a listener for all changes. */
  addListener(listener: ChangeListener): void {
    this.listeners.push(listener);
  }

  /** Sets or clears the one that is told before records change. */
  setGuard(guard: ChangeGuard | undefined): void {
    this.guard = guard;
  }

  /** The hash of a key. */
  hash(bytes: Uint8Array, offset: ByteOffset, length: ByteLength): number {
    return this.hashTable.hash(bytes, offset, length);
  }

  /** The record with a key for a command that reads it; NULL_REFERENCE when there is none or it has expired. */
  lookupRead(
    database: Database,
    hash: number,
    bytes: Uint8Array,
    offset: ByteOffset,
    length: ByteLength,
  ): RecordReference {
    const record = this.peek(database, hash, bytes, offset, length);
    if (record === NULL_REFERENCE) {
      this.misses++;
      return NULL_REFERENCE;
    }
    this.hits++;
    this.touch(record);
    return record;
  }

  /** The same without counting a hit or miss and without touching the access bits (TYPE, TTL, OBJECT, …). */
  peek(
    database: Database,
    hash: number,
    bytes: Uint8Array,
    offset: ByteOffset,
    length: ByteLength,
  ): RecordReference {
    const record = database.find(hash, bytes, offset, length);
    if (record === NULL_REFERENCE) return NULL_REFERENCE;
    if (this.records.hasDeadline(record) && this.isExpired(record)) {
      if (this.removesExpired) this.expire(database, record);
      return NULL_REFERENCE;
    }
    return record;
  }

  /** The record with a key for a command that may change it; NULL_REFERENCE when there is none. */
  lookupWrite(
    database: Database,
    hash: number,
    bytes: Uint8Array,
    offset: ByteOffset,
    length: ByteLength,
  ): RecordReference {
    const record = this.peek(database, hash, bytes, offset, length);
    if (record === NULL_REFERENCE) return NULL_REFERENCE;
    this.touch(record);
    if (this.guard !== undefined) this.guard.beforeChange(database, record);
    return record;
  }

  /** Whether a record with a deadline is past it. */
  isExpired(record: RecordReference): boolean {
    return !this.ignoresDeadlines && this.memory.double(record, 2) <= this.nowMs;
  }

  /** Marks a record as used, for eviction. */
  touch(record: RecordReference): void {
    if (this.leavesAccess) return;
    this.records.setAccess(record, this.accessClock.touched(this.records.access(record)));
  }

  /**
   * A new record with a value slot, for a key that the database does not have.
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
  ): RecordReference {
    const record = this.newRecord(database, hash, bytes, offset, length, type, encoding, HAS_SLOT, 0);
    this.records.setSlot(record, value);
    this.records.setSlotExtra(record, extra);
    return record;
  }

  /**
   * A new record whose value of `embedded` bytes is in itself, for the caller to fill, at `embeddedOffset`.
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
  ): RecordReference {
    return this.newRecord(database, hash, bytes, offset, length, type, encoding, 0, embedded);
  }

  /**
   * Makes room in a record, which `lookupWrite` gave, for another kind of value: frees the value that it has
   * and returns the record, perhaps moved, with a slot (`embedded` < 0) or an uninitialized value of
   * `embedded` bytes. Its deadline and access bits stay.
   * @throws OutOfMemoryError, and the record is as it was.
   */
  reshape(
    database: Database,
    record: RecordReference,
    type: ValueType,
    encoding: Encoding,
    embedded: ByteLength,
  ): RecordReference {
    const { records, memory } = this;
    const slot = embedded < 0 ? HAS_SLOT : 0;
    const flags = (records.flags(record) & HAS_DEADLINE) | slot;
    const oldFlags = records.flags(record);
    const keyLength = records.keyLength(record);
    const size = Records.byteLength(keyLength, slot === 0 ? embedded : 0, flags);
    if (flags === oldFlags && Memory.roundedLength(size) === memory.blockBytes(record)) {
      if (slot !== 0) this.releaseValue(record);
      memory.setByte(record, 0, (type << 4) | encoding);
      if (slot === 0) records.setEmbeddedLength(record, embedded);
      return record;
    }
    const moved = this.copyHeader(record, type, encoding, flags, slot === 0 ? embedded : 0);
    if (records.hasSlot(record)) this.releaseValue(record);
    this.swapRecord(database, record, moved);
    return moved;
  }

  /** Sets or changes the deadline of a record. Returns the record, perhaps moved. @throws OutOfMemoryError */
  setDeadline(database: Database, record: RecordReference, deadlineMs: TimestampMs): RecordReference {
    const { records } = this;
    if (records.hasDeadline(record)) {
      database.deadlines.update(records.deadlineNode(record), deadlineMs);
      return record;
    }
    const moved = this.withFlags(database, record, records.flags(record) | HAS_DEADLINE);
    database.deadlines.add(records.deadlineNode(moved), deadlineMs);
    return moved;
  }

  /** Takes the deadline from a record, if it has one. Returns the record, perhaps moved. @throws OutOfMemoryError */
  clearDeadline(database: Database, record: RecordReference): RecordReference {
    const { records } = this;
    if (!records.hasDeadline(record)) return record;
    return this.withFlags(database, record, records.flags(record) & ~HAS_DEADLINE);
  }

  /** The deadline of a record in ms since the epoch, or -1. */
  deadline(record: RecordReference): TimestampMs {
    return this.records.hasDeadline(record) ? this.memory.double(record, 2) : -1;
  }

  /** Removes a record that `lookupWrite` gave, and frees it; a large value in slices, after the command. */
  remove(database: Database, record: RecordReference): void {
    if (this.records.hasDeadline(record)) database.deadlines.remove(this.records.deadlineNode(record));
    this.hashTable.remove(database.table, record);
    if (this.records.hasSlot(record)) this.releaseValue(record);
    this.memory.free(record);
  }

  /**
   * Takes the value out of a record that `lookupWrite` gave, and removes the record: the value in its slot is
   * the caller's. The type and encoding are those that the record has now.
   */
  detach(database: Database, record: RecordReference): Reference {
    const value = this.records.slot(record);
    if (this.records.hasDeadline(record)) database.deadlines.remove(this.records.deadlineNode(record));
    this.hashTable.remove(database.table, record);
    this.memory.free(record);
    return value;
  }

  /** Says that a key changed. The bytes are those of the key. */
  changed(
    database: Database,
    event: KeyEvent,
    bytes: Uint8Array,
    offset: ByteOffset,
    length: ByteLength,
  ): void {
    this.dirty++;
    for (let i = 0; i < this.listeners.length; i++) {
      this.listeners[i].keyChanged(database, event, bytes, offset, length);
    }
  }

  /** Removes a record that is past its deadline. */
  expire(database: Database, record: RecordReference): void {
    if (this.guard !== undefined) this.guard.beforeChange(database, record);
    this.expiredKeys++;
    this.removeAndTell(database, record, EVENT_EXPIRED);
  }

  /**
   * Removes up to about `limit` records that are past their deadline. Returns whether there is more to do.
   */
  expireDue(database: Database, limit: number): boolean {
    let left = limit;
    while (left > 0) {
      const node = database.deadlines.takeDue(this.nowMs);
      if (node !== NULL_REFERENCE) this.expire(database, this.records.recordOfNode(node));
      else if (!database.deadlines.advance(this.nowMs, left)) return false;
      left--;
    }
    return true;
  }

  /** Removes a record as a deletion, with its event. */
  removeAndTell(database: Database, record: RecordReference, event: KeyEvent = EVENT_DEL): void {
    if (this.listeners.length === 0) {
      this.dirty++;
      this.remove(database, record);
      return;
    }
    const key = this.records.key(record);
    this.remove(database, record);
    this.changed(database, event, key, 0, key.length);
  }

  /** Empties a database. With `later` its memory is freed in slices, otherwise before this returns. */
  clear(database: Database, later: boolean): number {
    const keys = database.size;
    if (this.guard !== undefined) this.guard.beforeDatabaseChange(database);
    for (const listener of this.listeners) listener.databaseChanged(database);
    const fresh = this.hashTable.create();
    const { table } = database;
    database.table = fresh;
    database.deadlines = new Deadlines(this.memory, this.nowMs);
    const job = { objects: keys, release: (budget: number) => this.releaseTable(table, budget) };
    if (later) this.lazyFree.add(job);
    else while (job.release(1 << 20) >= 1 << 20);
    return keys;
  }

  /** Exchanges the keys of two databases. */
  swap(a: Database, b: Database): void {
    if (this.guard !== undefined) {
      this.guard.beforeDatabaseChange(a);
      this.guard.beforeDatabaseChange(b);
    }
    const { table, deadlines } = a;
    a.table = b.table;
    a.deadlines = b.deadlines;
    b.table = table;
    b.deadlines = deadlines;
    for (const listener of this.listeners) {
      listener.databaseChanged(a);
      listener.databaseChanged(b);
    }
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
  ): RecordReference {
    const record = this.memory.allocate(Records.byteLength(length, embedded, flags));
    this.records.initialize(record, type, encoding, flags, bytes, offset, length, embedded);
    this.records.setAccess(record, this.accessClock.fresh());
    try {
      this.hashTable.insert(database.table, hash, record);
    } catch (error) {
      this.memory.free(record);
      throw error;
    }
    for (let i = 0; i < this.listeners.length; i++) {
      this.listeners[i].keyChanged(database, EVENT_NEW, bytes, offset, length);
    }
    return record;
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

  /** Puts `moved` in the place of `record`, whose value has been taken care of, and frees `record`. */
  private swapRecord(database: Database, record: RecordReference, moved: RecordReference): void {
    const { records, memory } = this;
    if (records.hasDeadline(record)) {
      const node = records.deadlineNode(record);
      if (records.hasDeadline(moved)) {
        const target = records.deadlineNode(moved);
        memory.setDouble(target, 0, memory.double(node, 0));
        memory.setDouble(target, 1, memory.double(node, 1));
        database.deadlines.moved(node, target);
      } else {
        database.deadlines.remove(node);
      }
    }
    this.hashTable.replace(database.table, record, moved);
    memory.free(record);
  }

  /** The record with other flags and the same value. */
  private withFlags(database: Database, record: RecordReference, flags: number): RecordReference {
    const { records, memory } = this;
    const embedded = records.hasSlot(record) ? 0 : records.embeddedLength(record);
    const moved = this.copyHeader(record, records.type(record), records.encoding(record), flags, embedded);
    if (records.hasSlot(record)) {
      records.setSlot(moved, records.slot(record));
      records.setSlotExtra(moved, records.slotExtra(record));
    } else {
      copyBytes(
        memory.bytes[record >>> SEGMENT_SHIFT],
        records.embeddedOffset(record),
        memory.bytes[moved >>> SEGMENT_SHIFT],
        records.embeddedOffset(moved),
        embedded,
      );
    }
    this.swapRecord(database, record, moved);
    return moved;
  }

  /** Frees up to about `budget` records of a table that no database has any more. */
  private releaseTable(table: TableReference, budget: number): number {
    let used = 0;
    while (used < budget) {
      if (!this.hashTable.releaseBucket(table)) return used;
      const { items, count } = this.hashTable.scanned;
      for (let i = 0; i < count; i++) {
        if (this.records.hasSlot(items[i])) this.releaseValue(items[i]);
        this.memory.free(items[i]);
      }
      used += count + 1;
    }
    return used;
  }
}

function randomSeed(): [number, number] {
  const seed = new Int32Array(2);
  globalThis.crypto.getRandomValues(seed);
  return [seed[0], seed[1]];
}
