import { Memory } from '../memory/memory.js';
import { type ByteLength, type ByteOffset, NULL_REFERENCE } from '../memory/reference.js';
import { KeyedHash } from '../memory/sip-hash.js';
import { Deadlines, type TimestampMs } from '../structures/deadlines.js';
import type { TableReference } from '../structures/hashtable.js';
import { Database } from './database.js';
import { Drafts } from './drafts.js';
import {
  EVENT_DEL,
  EVENT_EVICTED,
  EVENT_EXPIRED,
  EVENT_KEY_MISS,
  EVENT_NEW,
  type KeyEvent,
} from './events.js';
import type { ReleaseJob } from './lazy-free.js';
import type { RecordReference } from './record.js';
import { RecordStore } from './record-store.js';
import type { FieldExpiry } from './value-type.js';

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
  /** All keys of a database are about to be dropped; or, when there is another, both have changed places. */
  databaseChanged(database: Database, other: Database | undefined): void;
}

/** Hears of a record before it changes or goes, so that a snapshot can write it as it was. */
export interface ChangeGuard {
  beforeChange(database: Database, record: RecordReference): void;
  /**
   * Whether the removal of a record, or of parts of it, that no client asked for had better wait, as `beforeChange` would
   * take long. It will not for ever: the guard sees to the record soon.
   */
  postponesRemoval(database: Database, record: RecordReference): boolean;
  /**
   * A database gives up its table with all that is in it. Returns whether the guard needs it still, and sees to it
   * afterwards that `job`, which frees it, is done.
   */
  keepsTable(table: TableReference, job: ReleaseJob): boolean;
}

/**
 * Hears of keys and fields that go without a command that says so, before they do: whoever repeats the commands has
 * to be told. The bytes are only valid during the call.
 */
export interface DeletionListener {
  keyExpired(database: Database, key: Uint8Array): void;
  keyEvicted(database: Database, key: Uint8Array): void;
  /** A field of the hash `key` is past its deadline. */
  fieldExpired(
    database: Database,
    key: Uint8Array,
    bytes: Uint8Array,
    offset: ByteOffset,
    length: ByteLength,
  ): void;
}

/** When that is tried again which a guard has postponed, in ms. */
const POSTPONED_MS = 20;

/** What `presence` tells of a key. */
export const KEY_ABSENT = 0;
export const KEY_PRESENT = 1;
/** It is past its deadline, and only still there because nobody has looked at it. */
export const KEY_EXPIRED = 2;

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
export class Keyspace extends RecordStore {
  readonly databases: Database[] = [];
  /** Values that do not have a key yet. */
  readonly drafts = new Drafts(this);

  /** The code of the libraries of functions that an RDB file brought: not run, but saved again. */
  functionLibraries: Uint8Array[] = [];

  /** The time of this turn, in ms since the epoch. The server sets it once per turn. */
  nowMs: TimestampMs;
  /** Changes since the last save: `rdb_changes_since_last_save`. */
  dirty = 0;
  /** False while keys past their deadline are only hidden, not removed (CLIENT PAUSE). */
  removesExpired = true;
  /** True while nothing is to be seen as expired, such as in the middle of loading. */
  ignoresDeadlines = false;
  /** Whether listeners hear EVENT_KEY_MISS, after which nothing has changed, when a key is read that there is not. */
  tellsMisses = false;
  /** Whether reads leave the access bits alone (CLIENT NO-TOUCH). */
  leavesAccess = false;

  hits = 0;
  misses = 0;
  expiredKeys = 0;
  /** Hash fields that expired: `expired_subkeys`. */
  expiredFields = 0;

  /** Replaced, not changed: a listener may leave while all are told. */
  private listeners: readonly ChangeListener[] = [];
  private guard: ChangeGuard | undefined;
  /** Who is told of what goes by itself. */
  deletionListener: DeletionListener | undefined;
  private fieldExpiry: FieldExpiry | undefined;

  constructor(options: KeyspaceOptions) {
    super(options.memory ?? new Memory(), new KeyedHash(...(options.seed ?? randomSeed())));
    this.nowMs = options.nowMs;
    this.accessClock.tick(options.nowMs);
    for (let i = 0; i < options.databases; i++) {
      this.databases.push(new Database(i, this.hashTable, this.memory, options.nowMs));
    }
  }

  /** Adds a listener for all changes. */
  addListener(listener: ChangeListener): void {
    this.listeners = [...this.listeners, listener];
  }

  removeListener(listener: ChangeListener): void {
    this.listeners = this.listeners.filter((other) => other !== listener);
  }

  /** Sets or clears the one that is told before records change. */
  setGuard(guard: ChangeGuard | undefined): void {
    this.guard = guard;
  }

  /** Names the one who expires fields of hashes. */
  registerFieldExpiry(fieldExpiry: FieldExpiry): void {
    this.fieldExpiry = fieldExpiry;
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
    const record = this.lookupUntouched(database, hash, bytes, offset, length);
    if (record !== NULL_REFERENCE) this.touch(record);
    return record;
  }

  /** The same for a command that does not count as a use of the value (EXISTS, TTL, TYPE, OBJECT). */
  lookupUntouched(
    database: Database,
    hash: number,
    bytes: Uint8Array,
    offset: ByteOffset,
    length: ByteLength,
  ): RecordReference {
    const record = this.peek(database, hash, bytes, offset, length);
    if (record !== NULL_REFERENCE) {
      this.hits++;
      return record;
    }
    this.misses++;
    if (this.tellsMisses) this.notify(database, EVENT_KEY_MISS, bytes, offset, length);
    return NULL_REFERENCE;
  }

  /** The same without counting a hit or miss. One that has expired may stay: `lookupWrite` makes sure that it is gone. */
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
      if (this.mayRemoveExpired(database, record)) this.expire(database, record);
      return NULL_REFERENCE;
    }
    return record;
  }

  /** Whether there is a key: one of KEY_ABSENT, KEY_PRESENT, KEY_EXPIRED. Without any effect. */
  presence(
    database: Database,
    hash: number,
    bytes: Uint8Array,
    offset: ByteOffset,
    length: ByteLength,
  ): number {
    const record = database.find(hash, bytes, offset, length);
    if (record === NULL_REFERENCE) return KEY_ABSENT;
    return this.records.hasDeadline(record) && this.isExpired(record) ? KEY_EXPIRED : KEY_PRESENT;
  }

  /** The record with a key for a command that may change it; NULL_REFERENCE when there is none. */
  lookupWrite(
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
    if (this.guard !== undefined) this.guard.beforeChange(database, record);
    this.touch(record);
    return record;
  }

  /** Whether a record with a deadline is past it. */
  isExpired(record: RecordReference): boolean {
    return this.isPast(this.memory.double(record, 2));
  }

  /** Whether what has this deadline (and it is one) has expired. */
  isPast(deadlineMs: TimestampMs): boolean {
    return !this.ignoresDeadlines && deadlineMs <= this.nowMs;
  }

  /**
   * Whether somebody who only reads may remove a record that has expired, or fields of it that have; otherwise they are
   * to be hidden.
   */
  mayRemoveExpired(database: Database, record: RecordReference): boolean {
    return this.removesExpired && !this.postponesRemoval(database, record);
  }

  /** Whether a removal that no client asked for had better wait, or take another record: see ChangeGuard. */
  postponesRemoval(database: Database, record: RecordReference): boolean {
    return this.guard?.postponesRemoval(database, record) === true;
  }

  /** Announces a change of a record that was looked up for reading only, before it is made. */
  announceChange(database: Database, record: RecordReference): void {
    if (this.guard !== undefined) this.guard.beforeChange(database, record);
  }

  /** Marks a record as used, for eviction. */
  touch(record: RecordReference): void {
    if (this.leavesAccess) return;
    this.records.setAccess(record, this.accessClock.touched(this.records.access(record)));
  }

  /** Says that a key changed, in as many places as `changes`. The bytes are those of the key. */
  changed(
    database: Database,
    event: KeyEvent,
    bytes: Uint8Array,
    offset: ByteOffset,
    length: ByteLength,
    changes = 1,
  ): void {
    this.dirty += changes;
    this.notify(database, event, bytes, offset, length);
  }

  protected override keyAdded(
    database: Database,
    bytes: Uint8Array,
    offset: ByteOffset,
    length: ByteLength,
  ): void {
    this.notify(database, EVENT_NEW, bytes, offset, length);
  }

  /** Tells of a further event of a change that `changed` has counted (SET with EX: `set`, then `expire`). */
  notify(
    database: Database,
    event: KeyEvent,
    bytes: Uint8Array,
    offset: ByteOffset,
    length: ByteLength,
  ): void {
    const { listeners } = this;
    for (let i = 0; i < listeners.length; i++) {
      listeners[i].keyChanged(database, event, bytes, offset, length);
    }
  }

  /** CONFIG RESETSTAT. */
  resetStatistics(): void {
    this.hits = 0;
    this.misses = 0;
    this.expiredKeys = 0;
    this.expiredFields = 0;
    this.lazyFree.freedObjects = 0;
  }

  /** Removes a record that is past its deadline. */
  expire(database: Database, record: RecordReference): void {
    if (this.guard !== undefined) this.guard.beforeChange(database, record);
    this.expiredKeys++;
    this.deletionListener?.keyExpired(database, this.records.key(record));
    this.removeAndTell(database, record, EVENT_EXPIRED);
  }

  /** Removes a record to make room. */
  evict(database: Database, record: RecordReference): void {
    if (this.guard !== undefined) this.guard.beforeChange(database, record);
    this.deletionListener?.keyEvicted(database, this.records.key(record));
    this.removeAndTell(database, record, EVENT_EVICTED);
  }

  /**
   * Removes up to about `limit` records that are past their deadline. Returns whether there is more to do. Those whose
   * removal is postponed do not hold up the others.
   */
  expireDue(database: Database, limit: number): boolean {
    const { deadlines } = database;
    for (let left = limit; left > 0; left--) {
      const node = deadlines.takeDue(this.nowMs);
      if (node === NULL_REFERENCE) {
        if (!deadlines.advance(this.nowMs, left)) return false;
        continue;
      }
      const record = this.records.recordOfNode(node);
      if (this.postponesRemoval(database, record)) deadlines.postpone(node, this.nowMs + POSTPONED_MS);
      else this.expire(database, record);
    }
    return true;
  }

  /** The same for up to about `limit` fields of hashes. */
  expireFieldsDue(database: Database, limit: number): boolean {
    const { fieldExpiry } = this;
    let left = limit;
    while (left > 0) {
      const node = database.fieldDeadlines.takeDue(this.nowMs);
      if (node === NULL_REFERENCE || fieldExpiry === undefined) {
        if (!database.fieldDeadlines.advance(this.nowMs, left)) return false;
        left--;
        continue;
      }
      const record = this.records.recordOfFieldNode(node);
      if (this.postponesRemoval(database, record)) {
        database.fieldDeadlines.postpone(node, this.nowMs + POSTPONED_MS);
        left--;
        continue;
      }
      this.announceChange(database, record);
      left -= Math.max(1, fieldExpiry.expireFields(database, record, left));
    }
    return true;
  }

  /**
   * Removes a record with its event, and counts no change: expiry and eviction are none, and what leaves a value
   * empty has been counted already.
   */
  removeAndTell(database: Database, record: RecordReference, event: KeyEvent = EVENT_DEL): void {
    if (this.listeners.length === 0) {
      this.remove(database, record);
      return;
    }
    const key = this.records.key(record);
    this.remove(database, record);
    this.notify(database, event, key, 0, key.length);
  }

  /**
   * Empties a database. With `later` its memory is freed in slices, otherwise before this returns, unless a snapshot
   * needs it still.
   */
  clear(database: Database, later: boolean): number {
    const keys = database.size;
    for (const listener of this.listeners) listener.databaseChanged(database, undefined);
    const fresh = this.hashTable.create();
    const { table } = database;
    database.table = fresh;
    database.deadlines = new Deadlines(this.memory, this.nowMs);
    database.fieldDeadlines = new Deadlines(this.memory, this.nowMs);
    const job = { objects: keys, release: (budget: number) => this.releaseTable(table, budget) };
    if (this.guard?.keepsTable(table, job)) return keys;
    if (later) this.lazyFree.add(job);
    else while (job.release(1 << 20) >= 1 << 20);
    return keys;
  }

  /** Exchanges the keys of two databases. */
  swap(a: Database, b: Database): void {
    const { table, deadlines, fieldDeadlines } = a;
    a.table = b.table;
    a.deadlines = b.deadlines;
    a.fieldDeadlines = b.fieldDeadlines;
    b.table = table;
    b.deadlines = deadlines;
    b.fieldDeadlines = fieldDeadlines;
    for (const listener of this.listeners) {
      listener.databaseChanged(a, b);
      listener.databaseChanged(b, a);
    }
  }
}

function randomSeed(): [number, number] {
  const seed = new Int32Array(2);
  globalThis.crypto.getRandomValues(seed);
  return [seed[0], seed[1]];
}
