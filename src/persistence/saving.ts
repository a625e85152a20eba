import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import type { Configuration } from '../config/configuration.js';
import { systemErrorText } from '../config/system-error.js';
import type { Keyspace } from '../keyspace/keyspace.js';
import type { Log } from '../observability/log.js';
import type { TimestampMs } from '../structures/deadlines.js';
import type { Types } from '../types/types.js';
import { announceDatabases, BackgroundRdb, rdbFileOptions } from './background-rdb.js';
import { syncDirectoryAtOnce } from './file-sink.js';
import { type LoadProgress, RdbLoading } from './loading.js';
import type { RdbLoadOptions } from './rdb/file-reader.js';
import { RdbFileWriter } from './rdb/file-writer.js';
import type { Snapshots } from './snapshots.js';

/** After a save that failed, the next is tried after so many ms. */
const RETRY_MS = 5000;
/** A save in the background. */
interface BackgroundSave {
  readonly rdb: BackgroundRdb;
  /** Changes that there had been before it began: those are saved. */
  readonly dirty: number;
}

/** What the savings of a server need of it. */
export interface SavingParts {
  readonly configuration: Configuration;
  readonly types: Types;
  readonly keyspace: Keyspace;
  readonly snapshots: Snapshots;
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
    return this.current === undefined ? -1 : Math.floor((Date.now() - this.current.rdb.startedMs) / 1000);
  }

  /** Keys that the save under way has written, and has to write. */
  get progress(): { readonly written: number; readonly total: number } {
    return this.current?.rdb.progress ?? { written: 0, total: 0 };
  }

  /** Saves everything at once, while everybody waits. Returns whether it succeeded; the log tells why not. */
  saveAtOnce(): boolean {
    const { log, keyspace } = this.parts;
    const { path } = this;
    const temporaryPath = this.temporaryPath('-sync');
    try {
      this.writeAtOnce(temporaryPath);
      renameSync(temporaryPath, path);
      syncDirectoryAtOnce(path);
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

  /** Begins a save in the background. */
  saveInBackground(): void {
    const { keyspace, log } = this.parts;
    this.isScheduled = false;
    this.lastTryMs = Date.now();
    const rdb = new BackgroundRdb(this.parts, {
      name: 'Background saving',
      temporaryPath: this.temporaryPath(''),
      path: this.path,
      isAofBase: false,
      onEnd: (problem) => this.noteSaved(problem),
    });
    this.current = { rdb, dirty: keyspace.dirty };
    log.info(`Background saving started by pid ${process.pid}`);
  }

  /**
   * Gives up the save in the background, at once. The file stays as it was.
   * @param isLast whether the process is about to end
   */
  cancel(isLast = false): void {
    this.current?.rdb.cancel(isLast);
    this.current = undefined;
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
    const loadOptions = {
      allowsDuplicates: false,
      checksChecksum: configuration.values.rdbchecksum,
      checksDuplicates: configuration.values['sanitize-dump-payload'] === 'yes',
      ...options,
    };
    return new RdbLoading(this.path, types, log, loadOptions, configuration.values);
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

  private writeAtOnce(path: string): void {
    const { keyspace, types, configuration } = this.parts;
    const { hashTable } = keyspace;
    const fd = openSync(path, 'w', 0o644);
    try {
      const sink = (bytes: Uint8Array, length: number) => {
        for (let at = 0; at < length; ) at += writeSync(fd, bytes, at, length - at);
      };
      const writer = new RdbFileWriter(types, sink, rdbFileOptions(configuration, keyspace, false));
      writer.begin();
      announceDatabases(writer, keyspace);
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

  /** The save in the background is over. */
  private noteSaved(problem: unknown): void {
    const { log, keyspace } = this.parts;
    const { current } = this;
    if (current === undefined) throw new Error('a save has ended that nobody knows');
    this.current = undefined;
    this.lastDurationSeconds = Math.floor((Date.now() - current.rdb.startedMs) / 1000);
    if (problem !== undefined) {
      log.warn(`Write error while saving DB to the disk: ${systemErrorText(problem)}`);
      log.warn('Background saving error');
      this.setFailed(true);
      return;
    }
    log.info('DB saved on disk');
    log.info('Background saving terminated with success');
    keyspace.dirty = Math.max(0, keyspace.dirty - current.dirty);
    this.saveCount++;
    this.lastSaveMs = Date.now();
    this.setFailed(false);
  }

  private setFailed(hasFailed: boolean): void {
    this.hasFailed = hasFailed;
    this.parts.onOutcome();
  }
}
