import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import type { Configuration } from '../config/configuration.js';
import { systemErrorText } from '../config/system-error.js';
import type { Keyspace } from '../keyspace/keyspace.js';
import type { Log } from '../observability/log.js';
import type { TimestampMs } from '../structures/deadlines.js';
import type { Types } from '../types/types.js';
import { FileSink, syncDirectory } from './file-sink.js';
import { type LoadProgress, RdbLoading } from './loading.js';
import type { RdbLoadOptions } from './rdb/file-reader.js';
import { type RdbFileOptions, RdbFileWriter } from './rdb/file-writer.js';
import { Snapshot } from './snapshot.js';

/** How long a slice of the walk may take before clients go first, in ms. */
const SLICE_MS = 1;
/** After a save that failed, the next is tried after so many ms. */
const RETRY_MS = 5000;
/** How often the log tells how far a save is, in ms. */
const PROGRESS_LOG_MS = 5000;
/** `rdb-key-save-delay`: how long one slice's delay is at most, in microseconds. */
const DELAY_MICROSECONDS_MAX = 10_000;

/** A save in the background. */
interface BackgroundSave {
  readonly snapshot: Snapshot;
  readonly writer: RdbFileWriter;
  readonly file: FileSink;
  readonly path: string;
  readonly startedMs: TimestampMs;
  /** Changes that there had been before it began: those are saved. */
  readonly dirty: number;
  loggedMs: number;
  isCancelled: boolean;
}

/** What the savings of a server need of it. */
export interface SavingParts {
  readonly configuration: Configuration;
  readonly types: Types;
  readonly keyspace: Keyspace;
  readonly log: Log;
  /** Called when `hasFailed` may have changed. */
  readonly onOutcome: () => void;
}

/** Saves the data to the RDB file, and loads it: SAVE, BGSAVE, save points, what INFO says of them. */
export class Saving {
  /** When the data was saved last, or the server started. */
  lastSaveMs: TimestampMs;
  /** Whether the last save in the background failed: `rdb_last_bgsave_status`. */
  hasFailed = false;
  /** Whether a save in the background is to begin soon (BGSAVE SCHEDULE). */
  isScheduled = false;
  /** Saves that succeeded: `rdb_saves`. */
  saveCount = 0;
  /** How long the last save in the background took, in seconds, or -1. */
  lastDurationSeconds = -1;
  /** What the last load brought. */
  keysLoaded = 0;
  keysExpired = 0;
  /** How far loading is, while it is under way. */
  loading: LoadProgress | undefined;

  private readonly parts: SavingParts;
  private current: BackgroundSave | undefined;
  /** A snapshot that was given up, whose walk is not at its end. */
  private remains: Snapshot | undefined;
  private lastTryMs = 0;

  constructor(parts: SavingParts) {
    this.parts = parts;
    this.lastSaveMs = Date.now();
  }

  /** Whether a save in the background is under way. */
  get isSaving(): boolean {
    return this.current !== undefined;
  }

  /** Seconds since the save under way began, or -1. */
  get currentSeconds(): number {
    return this.current === undefined ? -1 : Math.floor((Date.now() - this.current.startedMs) / 1000);
  }

  /** Keys that the save under way has written, and has to write. */
  get progress(): { readonly written: number; readonly total: number } {
    const { current } = this;
    return { written: current?.writer.keyCount ?? 0, total: current?.snapshot.keyCount ?? 0 };
  }

  /** Saves everything at once, while everybody waits. Returns whether it succeeded; the log tells why not. */
  saveAtOnce(): boolean {
    const { log, keyspace } = this.parts;
    const { path } = this;
    const temporaryPath = this.temporaryPath('-sync');
    try {
      this.writeAtOnce(temporaryPath);
      renameSync(temporaryPath, path);
      syncDirectory(path);
    } catch (error) {
      rmSync(temporaryPath, { force: true });
      log.warn(`Write error while saving DB to the disk: ${systemErrorText(error)}`);
      return false;
    }
    log.info('DB saved on disk');
    keyspace.dirty = 0;
    this.saveCount++;
    this.lastSaveMs = Date.now();
    this.setFailed(false);
    return true;
  }

  /** Begins a save in the background. False when it cannot even begin; the log tells why. */
  saveInBackground(): boolean {
    const { keyspace, configuration, types, log } = this.parts;
    this.isScheduled = false;
    this.lastTryMs = Date.now();
    let file: FileSink;
    try {
      file = new FileSink(this.temporaryPath(''), configuration.values['rdb-save-incremental-fsync']);
    } catch (error) {
      log.warn(`Failed opening the temp RDB file for saving: ${systemErrorText(error)}`);
      this.setFailed(true);
      return false;
    }
    this.endRemains();
    const writer = new RdbFileWriter(types, (bytes, length) => file.write(bytes, length), this.fileOptions());
    writer.begin();
    this.announceDatabases(writer);
    const snapshot = new Snapshot(keyspace, (database, record) => writer.write(database, record));
    const startedMs = Date.now();
    this.current = {
      snapshot,
      writer,
      file,
      path: this.path,
      startedMs,
      dirty: keyspace.dirty,
      loggedMs: startedMs,
      isCancelled: false,
    };
    log.info(`Background saving started by pid ${process.pid}`);
    this.continueLater(this.current, 0);
    return true;
  }

  /** Gives up the save in the background, at once. The file stays as it was. */
  cancel(): void {
    const save = this.current;
    if (save === undefined) return;
    this.current = undefined;
    save.isCancelled = true;
    save.file.cancel();
    save.file.finish(save.path, undefined).catch(() => {});
    this.giveUp(save.snapshot);
  }

  /** FLUSHALL: what is being saved is not wanted any more, and with save points the file must not bring it back. */
  flushedAll(): void {
    this.cancel();
    if (this.parts.configuration.values.save.length > 0) this.saveAtOnce();
  }

  /** Begins a save when one is scheduled or a save point says so. To be called a few times a second. */
  tick(nowMs: TimestampMs): void {
    if (this.isSaving) return;
    const mayTry = !this.hasFailed || nowMs - this.lastTryMs > RETRY_MS;
    if (!mayTry) return;
    if (this.isScheduled) {
      this.saveInBackground();
      return;
    }
    const { keyspace, configuration, log } = this.parts;
    for (const { seconds, changes } of configuration.values.save) {
      if (keyspace.dirty < changes || nowMs - this.lastSaveMs <= seconds * 1000) continue;
      log.info(`${changes} changes in ${seconds} seconds. Saving...`);
      this.saveInBackground();
      return;
    }
  }

  /** Whether there is a file to load. */
  get hasFile(): boolean {
    return this.parts.configuration.values.dbfilename !== '' && existsSync(this.path);
  }

  /** Loads the file at once. @throws Error that says why it cannot be loaded; a part of it may be then */
  loadAtOnce(options: Partial<RdbLoadOptions> = {}): void {
    const loading = this.newLoading(options);
    loading.loadAtOnce();
    this.noteLoaded(loading);
  }

  /** Loads the file in slices. Rejects as `loadAtOnce` throws. */
  async load(): Promise<void> {
    const loading = this.newLoading({});
    this.loading = loading.progress;
    try {
      await loading.load();
    } finally {
      this.loading = undefined;
    }
    this.noteLoaded(loading);
    const seconds = (Date.now() - loading.progress.startedMs) / 1000;
    this.parts.log.info(`DB loaded from disk: ${seconds.toFixed(3)} seconds`);
  }

  private newLoading(options: Partial<RdbLoadOptions>): RdbLoading {
    const { types, log, configuration } = this.parts;
    return new RdbLoading(this.path, types, log, {
      allowsDuplicates: false,
      checksChecksum: configuration.values.rdbchecksum,
      checksDuplicates: configuration.values['sanitize-dump-payload'] !== 'no',
      ...options,
    });
  }

  private noteLoaded({ reader }: RdbLoading): void {
    this.keysLoaded = reader.keysLoaded;
    this.keysExpired = reader.keysExpired;
    this.parts.keyspace.dirty = 0;
  }

  /** Where the data is saved. */
  get path(): string {
    const { configuration } = this.parts;
    return configuration.resolvePath(configuration.values.dbfilename);
  }

  private temporaryPath(suffix: string): string {
    return this.parts.configuration.resolvePath(`temp-${process.pid}${suffix}.rdb`);
  }

  private fileOptions(): RdbFileOptions {
    const { configuration, keyspace } = this.parts;
    const { values } = configuration;
    const policy = values['maxmemory-policy'];
    return {
      compresses: values.rdbcompression,
      hasChecksum: values.rdbchecksum,
      access: policy.endsWith('lru') ? 'idle' : policy.endsWith('lfu') ? 'frequency' : 'none',
      usedMemory: keyspace.memory.usedBytes,
      isAofBase: false,
    };
  }

  private announceDatabases(writer: RdbFileWriter): void {
    for (const { index, size, deadlines } of this.parts.keyspace.databases) {
      writer.announceDatabase(index, size, deadlines.count);
    }
  }

  private writeAtOnce(path: string): void {
    const { keyspace, types } = this.parts;
    const { hashTable } = keyspace;
    const fd = openSync(path, 'w', 0o644);
    try {
      const sink = (bytes: Uint8Array, length: number) => {
        for (let at = 0; at < length; ) at += writeSync(fd, bytes, at, length - at);
      };
      const writer = new RdbFileWriter(types, sink, this.fileOptions());
      writer.begin();
      this.announceDatabases(writer);
      for (const { index, table } of keyspace.databases) {
        let cursor = 0;
        do {
          cursor = hashTable.scan(table, cursor);
          // Copied: values that are tables themselves are scanned when they are written.
          for (const record of hashTable.scanned.items.slice(0, hashTable.scanned.count)) {
            writer.write(index, record);
          }
        } while (cursor !== 0);
      }
      const patch = writer.end();
      if (patch !== undefined) writeSync(fd, patch.bytes, 0, patch.bytes.length, patch.position);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
  }

  private continueLater(save: BackgroundSave, delayMs: number): void {
    const go = () => {
      if (!save.isCancelled) this.continueSaving(save);
    };
    if (delayMs > 0) setTimeout(go, delayMs);
    else if (save.file.isFull) save.file.onRoom(() => setImmediate(go));
    else setImmediate(go);
  }

  private continueSaving(save: BackgroundSave): void {
    const { snapshot, writer, file } = save;
    const delay = this.parts.configuration.values['rdb-key-save-delay'];
    const before = writer.keyCount;
    const most = delay > 0 ? Math.ceil(DELAY_MICROSECONDS_MAX / delay) : Number.POSITIVE_INFINITY;
    const isFull = () => file.isFull || file.error !== undefined || writer.keyCount - before >= most;
    const hasMore = snapshot.walk(SLICE_MS, isFull);
    if (file.error !== undefined) {
      void this.finish(save, undefined);
      return;
    }
    if (!hasMore) {
      void this.finish(save, writer.end());
      return;
    }
    this.logProgress(save);
    this.continueLater(save, delay > 0 ? ((writer.keyCount - before) * delay) / 1000 : 0);
  }

  private async finish(save: BackgroundSave, patch: ReturnType<RdbFileWriter['end']>): Promise<void> {
    const { log, keyspace } = this.parts;
    let problem: unknown;
    try {
      await save.file.finish(save.path, patch);
    } catch (error) {
      problem = error;
    }
    if (save.isCancelled) return;
    this.current = undefined;
    if (!save.snapshot.isComplete) this.giveUp(save.snapshot);
    this.lastDurationSeconds = Math.floor((Date.now() - save.startedMs) / 1000);
    if (problem !== undefined) {
      log.warn(`Write error while saving DB to the disk: ${systemErrorText(problem)}`);
      log.warn('Background saving error');
      this.setFailed(true);
      return;
    }
    log.info('DB saved on disk');
    log.info('Background saving terminated with success');
    keyspace.dirty = Math.max(0, keyspace.dirty - save.dirty);
    this.saveCount++;
    this.lastSaveMs = Date.now();
    this.setFailed(false);
  }

  private logProgress(save: BackgroundSave): void {
    const nowMs = Date.now();
    if (nowMs - save.loggedMs < PROGRESS_LOG_MS) return;
    save.loggedMs = nowMs;
    const percent = (save.writer.keyCount / Math.max(1, save.snapshot.keyCount)) * 100;
    this.parts.log.info(`Background saving: ${percent.toFixed(0)}% done`);
  }

  /** Ends a snapshot without a file: its walk goes on in slices until all records are marked. */
  private giveUp(snapshot: Snapshot): void {
    snapshot.giveUp();
    this.remains = snapshot;
    const go = () => {
      if (this.remains !== snapshot) return;
      if (snapshot.walk(SLICE_MS, () => false)) setImmediate(go).unref();
      else this.remains = undefined;
    };
    go();
  }

  /** Ends such a walk at once: the next snapshot begins. Rare, as the next save is tried seconds later. */
  private endRemains(): void {
    this.remains?.walk(Number.POSITIVE_INFINITY, () => false);
    this.remains = undefined;
  }

  private setFailed(hasFailed: boolean): void {
    this.hasFailed = hasFailed;
    this.parts.onOutcome();
  }
}
