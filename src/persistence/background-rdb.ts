import type { Configuration } from '../config/configuration.js';
import type { Keyspace } from '../keyspace/keyspace.js';
import type { RecordReference } from '../keyspace/record.js';
import type { ByteLength } from '../memory/reference.js';
import type { Log } from '../observability/log.js';
import type { TimestampMs } from '../structures/deadlines.js';
import type { Types } from '../types/types.js';
import { FileSink } from './file-sink.js';
import { type RdbFileOptions, RdbFileWriter, type VersionPatch } from './rdb/file-writer.js';
import type { ByteSink, Slices } from './rdb/output.js';
import type { Snapshot, SnapshotSink } from './snapshot.js';
import { type Snapshots, snapshotSliceMs } from './snapshots.js';

/** How often the log tells how far it is, in ms. */
const PROGRESS_LOG_MS = 5000;
/** `rdb-key-save-delay`: how long one slice's delay is at most, in microseconds. */
const DELAY_MICROSECONDS_MAX = 10_000;
/** How often it is looked whether a delay has been taken back, in ms. */
const DELAY_LOOK_MS = 50;
/** Bytes waiting to be written from which on changes of keys that must be written first wait for room. */
const WAITING_BYTES_MAX = 16 * 1024 * 1024;
/** Bytes held behind a large value from which on its rest is written at once. */
const HELD_BYTES_MAX = 64 * 1024 * 1024;

/** What it takes to write the data in the background. */
export interface BackgroundRdbParts {
  readonly configuration: Configuration;
  readonly types: Types;
  readonly keyspace: Keyspace;
  readonly snapshots: Snapshots;
  readonly log: Log;
}

/** Turns the keys of a snapshot into the bytes of a file. */
export interface SnapshotFileWriter
  extends Pick<SnapshotSink, 'write' | 'isSliceable' | 'isLarge' | 'writeInSlices'> {
  /** Keys written so far. */
  readonly keyCount: number;
  /** Bytes that wait for the end of a value that is being written in slices. */
  readonly heldBytes: ByteLength;
  /** Writes what comes after the keys. Returns what is to be overwritten then, or undefined. */
  end(): VersionPatch | undefined;
}

/** One file, and who wants it. */
export interface BackgroundRdbOrder {
  /** What the log calls it: `Background saving`. */
  readonly name: string;
  /** Where it is written, and what it is called when it is complete. */
  readonly temporaryPath: string;
  readonly path: string;
  readonly isAofBase: boolean;
  /** What writes it; by default, what writes an RDB file. */
  readonly makeWriter?: (sink: ByteSink) => SnapshotFileWriter;
  /** Called once, unless it is cancelled: with what went wrong, or undefined, and the file has its name. */
  readonly onEnd: (problem: unknown) => void;
}

/** What an RDB file is to be like, by the configuration. */
export function rdbFileOptions(
  { values }: Configuration,
  keyspace: Keyspace,
  isAofBase: boolean,
): RdbFileOptions {
  const policy = values['maxmemory-policy'];
  return {
    compresses: values.rdbcompression,
    hasChecksum: values.rdbchecksum,
    access: policy.endsWith('lru') ? 'idle' : policy.endsWith('lfu') ? 'frequency' : 'none',
    usedMemory: keyspace.memory.usedBytes,
    isAofBase,
  };
}

/** Tells a writer how large the databases are. */
export function announceDatabases(writer: RdbFileWriter, keyspace: Keyspace): void {
  for (const { index, size, deadlines } of keyspace.databases) {
    writer.announceDatabase(index, size, deadlines.count);
  }
}

/**
 * An RDB file of the data at this moment, written in the background: in slices between the turns of clients, to a disk
 * that threads wait for. Both BGSAVE and the rewrite of the append-only file are one.
 */
export class BackgroundRdb implements SnapshotSink {
  readonly startedMs: TimestampMs;

  private readonly parts: BackgroundRdbParts;
  private readonly order: BackgroundRdbOrder;
  private readonly file: FileSink;
  private readonly writer: SnapshotFileWriter;
  private readonly snapshot: Snapshot;
  private loggedMs: number;
  private isOver = false;
  /** When the last slice ended, by `performance.now()`. */
  private sliceEndMs = performance.now();

  constructor(parts: BackgroundRdbParts, order: BackgroundRdbOrder) {
    const { configuration, snapshots } = parts;
    this.parts = parts;
    this.order = order;
    const { values } = configuration;
    const syncsOnTheWay =
      values[order.isAofBase ? 'aof-rewrite-incremental-fsync' : 'rdb-save-incremental-fsync'];
    const file = new FileSink(order.temporaryPath, syncsOnTheWay);
    this.file = file;
    const sink = (bytes: Uint8Array, length: ByteLength) => file.write(bytes, length);
    this.writer = order.makeWriter?.(sink) ?? this.rdbWriter(sink);
    this.snapshot = snapshots.begin(this);
    this.startedMs = Date.now();
    this.loggedMs = this.startedMs;
    this.continueLater(0);
  }

  /** Keys that are written, and that are to be. */
  get progress(): { readonly written: number; readonly total: number } {
    return { written: this.writer.keyCount, total: this.snapshot.keyCount };
  }

  get isOverloaded(): boolean {
    return this.file.queuedBytes + this.writer.heldBytes > WAITING_BYTES_MAX;
  }

  get holdsTooMuch(): boolean {
    return this.writer.heldBytes > HELD_BYTES_MAX;
  }

  write(database: number, record: RecordReference): void {
    this.writer.write(database, record);
  }

  isSliceable(record: RecordReference): boolean {
    return this.writer.isSliceable(record);
  }

  isLarge(record: RecordReference): boolean {
    return this.writer.isLarge(record);
  }

  writeInSlices(database: number, record: RecordReference): Slices {
    return this.writer.writeInSlices(database, record);
  }

  /**
   * Gives it up: nothing more is heard of it.
   * @param isLast whether the process is about to end, so that the temporary file must be gone at once
   */
  cancel(isLast: boolean): void {
    if (this.isOver) return;
    this.isOver = true;
    this.file.cancel(isLast);
    this.file.finish(this.order.path, undefined).catch(() => {});
    this.parts.snapshots.giveUp(this.snapshot);
  }

  private rdbWriter(sink: ByteSink): RdbFileWriter {
    const { configuration, keyspace, types } = this.parts;
    const options = rdbFileOptions(configuration, keyspace, this.order.isAofBase);
    const writer = new RdbFileWriter(types, sink, options);
    writer.begin();
    announceDatabases(writer, keyspace);
    return writer;
  }

  private continueLater(delayMs: number): void {
    const go = () => {
      if (!this.isOver) this.continue();
    };
    if (delayMs > 0) this.wait(Date.now() + delayMs, go);
    else if (this.file.isFull) this.file.onRoom(() => setImmediate(go));
    else setImmediate(go);
  }

  /** Calls back at a time, or soon after `rdb-key-save-delay` has been set to 0. */
  private wait(untilMs: TimestampMs, callback: () => void): void {
    const leftMs = untilMs - Date.now();
    if (leftMs <= 0 || this.isOver || this.parts.configuration.values['rdb-key-save-delay'] === 0) callback();
    else setTimeout(() => this.wait(untilMs, callback), Math.min(leftMs, DELAY_LOOK_MS));
  }

  private continue(): void {
    const { snapshot, writer, file } = this;
    const delay = this.parts.configuration.values['rdb-key-save-delay'];
    const before = writer.keyCount;
    const most = delay > 0 ? Math.ceil(DELAY_MICROSECONDS_MAX / delay) : Number.POSITIVE_INFINITY;
    const isFull = () => file.isFull || file.error !== undefined || writer.keyCount - before >= most;
    const sliceStartMs = performance.now();
    const hasMore = snapshot.walk(
      snapshotSliceMs(sliceStartMs - this.sliceEndMs, snapshot.isAwaited),
      isFull,
    );
    this.sliceEndMs = performance.now();
    if (file.error !== undefined) {
      this.parts.snapshots.giveUp(snapshot);
      void this.finish(undefined);
      return;
    }
    const delayMs = delay > 0 ? ((writer.keyCount - before) * delay) / 1000 : 0;
    if (hasMore) {
      this.logProgress();
      const restMs = this.parts.snapshots.restAfter(this.sliceEndMs - sliceStartMs);
      if (restMs > 0 && !snapshot.isAwaited) setTimeout(() => this.continueLater(delayMs), restMs);
      else this.continueLater(delayMs);
    } else {
      this.parts.snapshots.end(snapshot);
      // The last keys take their time as well.
      this.wait(Date.now() + delayMs, () => {
        if (!this.isOver) void this.finish(writer.end());
      });
    }
  }

  private async finish(patch: VersionPatch | undefined): Promise<void> {
    let problem: unknown;
    try {
      await this.file.finish(this.order.path, patch);
    } catch (error) {
      problem = error;
    }
    if (this.isOver) return;
    this.isOver = true;
    this.order.onEnd(problem);
  }

  private logProgress(): void {
    const nowMs = Date.now();
    if (nowMs - this.loggedMs < PROGRESS_LOG_MS) return;
    this.loggedMs = nowMs;
    const { written, total } = this.progress;
    this.parts.log.info(`${this.order.name}: ${((written / Math.max(1, total)) * 100).toFixed(0)}% done`);
  }
}
