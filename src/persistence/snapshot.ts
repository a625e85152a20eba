import type { Database } from '../keyspace/database.js';
import type { ChangeGuard, Keyspace } from '../keyspace/keyspace.js';
import type { ReleaseJob } from '../keyspace/lazy-free.js';
import type { RecordReference } from '../keyspace/record.js';
import { ReferenceList } from '../memory/reference-list.js';
import type { ScanCursor, TableReference } from '../structures/hashtable.js';
import { finishSlices, type Slices } from './rdb/output.js';

/** Takes the keys of a snapshot. Records are only valid during a call; that of `writeInSlices` until its end. */
export interface SnapshotSink {
  write(database: number, record: RecordReference): void;
  /** Whether a key is to be written by `writeInSlices`. */
  isSliceable(record: RecordReference): boolean;
  /** Whether writing a key takes so long that a change of it should wait until that is done in slices. */
  isLarge(record: RecordReference): boolean;
  /** As `write`, with a pause after each slice; others are written in between. */
  writeInSlices(database: number, record: RecordReference): Slices;
  /** Whether so much waits to be written that changes should wait until there is room. */
  readonly isOverloaded: boolean;
  /** Whether what waits for the end of a key that is written in slices is so much that its rest must be written now. */
  readonly holdsTooMuch: boolean;
}

/** A table as it was at the start: whatever SWAPDB does, its keys belong to this database. */
interface SnapshotTable {
  readonly database: number;
  readonly table: TableReference;
  /** What frees it, when its database has been emptied and the snapshot has kept it. */
  release: ReleaseJob | undefined;
}

/** A key that is being written in slices. */
interface PartialKey {
  readonly record: RecordReference;
  readonly slices: Slices;
}

/**
 * The keyspace at the moment at which the snapshot is made, without a copy of it.
 *
 * A bit in each record tells whether the snapshot has it (`Records.isUnwritten`): making the snapshot turns the meaning
 * of the bit over, for all records at once. `walk` goes over the tables and passes on what it meets and does not have
 * yet, and whoever is about to change or remove a record passes it on before (the keyspace sees to that). New records
 * are born with the bit. So each key is passed on exactly once, as it was at the start; only its access bits are those
 * that it has when it is written.
 *
 * Passing on a large value takes long. The walk does it in slices; and a change of one that is not passed on, or only
 * in part, had better wait: `delays` says so, and has the value be passed on next; of what expires or is evicted,
 * `postponesRemoval` does. A change that cannot wait has it passed on at once.
 *
 * A walk always goes to its end, even that of a snapshot that is given up: all records must have the bit when the next
 * one begins.
 */
export class Snapshot implements ChangeGuard {
  /** Keys that there were at the start. */
  readonly keyCount: number;

  private readonly keyspace: Keyspace;
  /** Called when what changes waited for has happened. */
  private readonly onProgress: () => void;
  private readonly tables: SnapshotTable[] = [];
  private readonly met = new ReferenceList();
  private sink: SnapshotSink | undefined;
  /** The table that the walk is in, and the buckets that it does next. */
  private tableIndex = 0;
  private cursor: ScanCursor = 0;
  private partial: PartialKey | undefined;
  /** Large keys that a change waits for, and the databases that they belonged to at the start. */
  private readonly urgent = new Map<RecordReference, number>();
  private isKeyAwaited = false;
  private isRoomAwaited = false;

  /** @param onProgress called when a change that `delays` delayed may have to wait no more */
  constructor(keyspace: Keyspace, sink: SnapshotSink, onProgress: () => void) {
    this.keyspace = keyspace;
    this.sink = sink;
    this.onProgress = onProgress;
    let keys = 0;
    for (const { index, table, size } of keyspace.databases) {
      if (size > 0) this.tables.push({ database: index, table, release: undefined });
      keys += size;
    }
    this.keyCount = keys;
    keyspace.records.turnPhase();
    keyspace.setGuard(this);
  }

  /** Whether all keys have been passed on. */
  get isComplete(): boolean {
    return this.tableIndex === this.tables.length;
  }

  /** Whether a change waits for a key. */
  get isAwaited(): boolean {
    return this.isKeyAwaited;
  }

  beforeChange(database: Database, record: RecordReference): void {
    const { records } = this.keyspace;
    if (!records.isUnwritten(record)) return;
    if (record === this.partial?.record) {
      this.finishPartial();
      return;
    }
    const { sink } = this;
    if (this.partial !== undefined && sink !== undefined && (sink.holdsTooMuch || sink.isLarge(record))) {
      this.finishPartial();
    }
    this.take(this.originOf(database), record);
  }

  keepsTable(table: TableReference, job: ReleaseJob): boolean {
    for (let i = this.tableIndex; i < this.tables.length; i++) {
      if (this.tables[i].table !== table) continue;
      this.tables[i].release = job;
      return true;
    }
    return false;
  }

  /** Whether a change of a record should wait until `onProgress`. */
  delays(database: Database, record: RecordReference): boolean {
    const { sink } = this;
    if (sink === undefined || !this.keyspace.records.isUnwritten(record)) return false;
    if (this.postponesRemoval(database, record)) this.isKeyAwaited = true;
    else if (sink.isOverloaded) this.isRoomAwaited = true;
    else return false;
    return true;
  }

  postponesRemoval(database: Database, record: RecordReference): boolean {
    const { sink, urgent } = this;
    if (sink === undefined || !this.keyspace.records.isUnwritten(record)) return false;
    if (record === this.partial?.record || urgent.has(record)) return true;
    if (!sink.isLarge(record)) return false;
    urgent.set(record, this.originOf(database));
    return true;
  }

  /** Passes nothing on from now on. The walk has to go on. */
  giveUp(): void {
    this.sink = undefined;
    this.urgent.clear();
    if (this.partial !== undefined) this.keyspace.records.markWritten(this.partial.record);
    this.partial = undefined;
    this.tellProgress();
  }

  /**
   * Goes on for some ms, or until `isFull` says that enough has come. Returns whether there is more to do; when there
   * is not, the snapshot is over.
   */
  walk(durationMs: number, isFull: () => boolean): boolean {
    const end = performance.now() + durationMs;
    if (this.isRoomAwaited && this.sink?.isOverloaded === false) this.tellProgress();
    if (!this.takeUrgent(end)) return true;
    while (this.tableIndex < this.tables.length) {
      if (isFull() || !this.takeBucket(end, isFull) || performance.now() >= end) return true;
    }
    this.keyspace.setGuard(undefined);
    this.tellProgress();
    return false;
  }

  /** Passes on what is in the next bucket. False when there was no time for all: it is looked at again then. */
  private takeBucket(end: number, isFull: () => boolean): boolean {
    const { keyspace, met, sink } = this;
    const { hashTable, records } = keyspace;
    const { database, table } = this.tables[this.tableIndex];
    const next = hashTable.scan(table, this.cursor);
    // Copied: values that are tables themselves are scanned when they are written.
    met.copyOf(hashTable.scanned);
    for (let i = 0; i < met.count; i++) {
      const record = met.items[i];
      if (!records.isUnwritten(record)) continue;
      if (sink?.isSliceable(record) === true) {
        this.partial = { record, slices: sink.writeInSlices(database, record) };
        if (!this.continuePartial(end) || isFull()) return false;
      } else {
        this.take(database, record);
      }
    }
    this.cursor = next;
    if (next === 0) this.endTable();
    return true;
  }

  /** Goes on with the key that is half passed on, and with those that changes wait for. False when the time is over. */
  private takeUrgent(end: number): boolean {
    if (this.partial !== undefined && !this.continuePartial(end)) return false;
    for (const [record, database] of this.urgent) {
      const { sink } = this;
      this.urgent.delete(record);
      if (sink === undefined) break;
      this.partial = { record, slices: sink.writeInSlices(database, record) };
      if (!this.continuePartial(end)) return false;
    }
    return true;
  }

  /** Whether the key is passed on. */
  private continuePartial(end: number): boolean {
    const { partial } = this;
    if (partial === undefined) return true;
    while (partial.slices.next().done !== true) if (performance.now() >= end) return false;
    this.endPartial(partial);
    return true;
  }

  private finishPartial(): void {
    const { partial } = this;
    if (partial === undefined) return;
    finishSlices(partial.slices);
    this.endPartial(partial);
  }

  private endPartial({ record }: PartialKey): void {
    this.keyspace.records.markWritten(record);
    this.urgent.delete(record);
    this.partial = undefined;
    this.tellProgress();
  }

  private take(database: number, record: RecordReference): void {
    this.keyspace.records.markWritten(record);
    this.urgent.delete(record);
    this.sink?.write(database, record);
  }

  /** The database that a record belonged to at the start. */
  private originOf({ table }: Database): number {
    const origin = this.tables.find((candidate) => candidate.table === table);
    if (origin === undefined) throw new Error('a record that the snapshot wants is in none of its tables');
    return origin.database;
  }

  private tellProgress(): void {
    if (!this.isKeyAwaited && !this.isRoomAwaited) return;
    this.isKeyAwaited = false;
    this.isRoomAwaited = false;
    this.onProgress();
  }

  private endTable(): void {
    const { release } = this.tables[this.tableIndex++];
    if (release !== undefined) this.keyspace.lazyFree.add(release);
  }
}
