import type { Database } from '../keyspace/database.js';
import type { ChangeGuard, Keyspace } from '../keyspace/keyspace.js';
import type { ReleaseJob } from '../keyspace/lazy-free.js';
import type { RecordReference } from '../keyspace/record.js';
import { ReferenceList } from '../memory/reference-list.js';
import type { ScanCursor, TableReference } from '../structures/hashtable.js';

/** Takes the keys of a snapshot. The record is only valid during the call. */
export type SnapshotSink = (database: number, record: RecordReference) => void;

/** A table as it was at the start: whatever SWAPDB does, its keys belong to this database. */
interface SnapshotTable {
  readonly database: number;
  readonly table: TableReference;
  /** What frees it, when its database has been emptied and the snapshot has kept it. */
  release: ReleaseJob | undefined;
}

/** Buckets between two looks at the clock. */
const BUCKETS_PER_LOOK = 8;

/**
 * The keyspace at the moment at which the snapshot is made, without a copy of it.
 *
 * A bit in each record tells whether the snapshot has it (`Records.isUnwritten`): making the snapshot turns the meaning
 * of the bit over, for all records at once. `walk` goes over the tables and passes on what it meets and does not have
 * yet, and whoever is about to change or remove a record passes it on before (the keyspace sees to that). New records
 * are born with the bit. So each key is passed on exactly once, as it was at the start; only its access bits are those
 * that it has when it is written.
 *
 * A walk always goes to its end, even that of a snapshot that is given up: all records must have the bit when the next
 * one begins.
 */
export class Snapshot implements ChangeGuard {
  /** Keys that there were at the start. */
  readonly keyCount: number;

  private readonly keyspace: Keyspace;
  private readonly tables: SnapshotTable[] = [];
  private readonly met = new ReferenceList();
  private sink: SnapshotSink | undefined;
  /** The table that the walk is in, and where. */
  private tableIndex = 0;
  private cursor: ScanCursor = 0;

  constructor(keyspace: Keyspace, sink: SnapshotSink) {
    this.keyspace = keyspace;
    this.sink = sink;
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

  beforeChange(database: Database, record: RecordReference): void {
    if (!this.keyspace.records.isUnwritten(record)) return;
    const { table } = database;
    const origin = this.tables.find((candidate) => candidate.table === table);
    if (origin === undefined) throw new Error('a record that the snapshot wants is in none of its tables');
    this.take(origin.database, record);
  }

  keepsTable(table: TableReference, job: ReleaseJob): boolean {
    for (let i = this.tableIndex; i < this.tables.length; i++) {
      if (this.tables[i].table !== table) continue;
      this.tables[i].release = job;
      return true;
    }
    return false;
  }

  /** Passes nothing on from now on. The walk has to go on. */
  giveUp(): void {
    this.sink = undefined;
  }

  /**
   * Goes on for some ms, or until `isFull` says that enough has come. Returns whether there is more to do; when there
   * is not, the snapshot is over.
   */
  walk(durationMs: number, isFull: () => boolean): boolean {
    const { keyspace, met } = this;
    const { hashTable, records } = keyspace;
    const end = performance.now() + durationMs;
    for (let buckets = 0; this.tableIndex < this.tables.length; buckets++) {
      if (isFull() || (buckets % BUCKETS_PER_LOOK === BUCKETS_PER_LOOK - 1 && performance.now() >= end)) {
        return true;
      }
      const { database, table } = this.tables[this.tableIndex];
      this.cursor = hashTable.scan(table, this.cursor);
      // Copied: values that are tables themselves are scanned when they are written.
      met.copyOf(hashTable.scanned);
      for (let i = 0; i < met.count; i++) {
        if (records.isUnwritten(met.items[i])) this.take(database, met.items[i]);
      }
      if (this.cursor === 0) this.endTable();
    }
    keyspace.setGuard(undefined);
    return false;
  }

  private take(database: number, record: RecordReference): void {
    this.keyspace.records.markWritten(record);
    this.sink?.(database, record);
  }

  private endTable(): void {
    const { release } = this.tables[this.tableIndex++];
    if (release !== undefined) this.keyspace.lazyFree.add(release);
  }
}
