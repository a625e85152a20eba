import { rm } from 'node:fs';
import type { Configuration } from '../../config/configuration.js';
import { systemErrorText } from '../../config/system-error.js';
import type { Keyspace } from '../../keyspace/keyspace.js';
import type { ByteLength } from '../../memory/reference.js';
import type { LatencyMonitor } from '../../observability/latency-monitor.js';
import type { Log } from '../../observability/log.js';
import type { TimestampMs } from '../../structures/deadlines.js';
import type { Types } from '../../types/types.js';
import {
  announceDatabases,
  BackgroundRdb,
  rdbFileOptions,
  type SnapshotFileWriter,
} from '../background-rdb.js';
import type { LoadProgress } from '../loading.js';
import { RdbFileWriter } from '../rdb/file-writer.js';
import type { ByteSink } from '../rdb/output.js';
import type { Snapshots } from '../snapshots.js';
import { CommandWriter } from './command-writer.js';
import { AppendOnlyFileError } from './directory.js';
import { AofFiles, type FinishedBase } from './files.js';
import { AofLoading, type CommandReplay } from './loading.js';
import type { BaseFormat, ReplicationOffset } from './manifest.js';
import { RewriteLimit } from './rewrite-limit.js';
import { AofWriter } from './writer.js';

/** What the append-only file needs of the server. */
export interface AppendOnlyFileParts {
  readonly configuration: Configuration;
  readonly log: Log;
  readonly keyspace: Keyspace;
  readonly types: Types;
  readonly snapshots: Snapshots;
  readonly latencies: LatencyMonitor;
  readonly replay: CommandReplay;
  /** Whether a save in the background is under way: there is one snapshot at a time. */
  readonly isSaving: () => boolean;
  /** Whether the command that runs is part of a transaction, which no snapshot may cut in two. */
  readonly isInTransaction: () => boolean;
  /** Called when it wants to hear of changes from now on, or no more. */
  readonly onActive: (isActive: boolean) => void;
  /** Called when what follows goes to another file, so that it must begin with SELECT. */
  readonly onNewFile: () => void;
  /** Called when `problem` may have changed. */
  readonly onOutcome: () => void;
  /** Called when `syncedOffset` may have grown, or there will be no more syncs. */
  readonly onSynced: () => void;
  /** Called under `always` when the file cannot be written or synced: none of the replies that wait may leave. */
  readonly onFatal: (reason: string) => void;
}

/** A rewrite under way. */
interface Rewrite extends FinishedBase {
  readonly rdb: BackgroundRdb;
}

/** How often, and how long apart in ms, it is tried to turn the file on after loading. */
const START_TRIES = 10;
const START_RETRY_MS = 1000;

/**
 * The append-only file: every change since a base, as Redis 7 and later keep it.
 *
 *     off ──start──▶ waiting ──rewrite done──▶ on          CONFIG SET appendonly yes
 *      ▲                │                       │
 *      └──────stop──────┴─────────stop──────────┘          CONFIG SET appendonly no
 *
 *     on        the last increment of the manifest is written to
 *     waiting   changes since the rewrite began go to a temporary increment, which counts once the base is there
 *
 * A rewrite makes a new base of the data at one moment, in the background; what changes meanwhile goes to a new
 * increment. When it is done, a manifest that names both is written, and the files before are removed.
 */
export class AppendOnlyFile {
  state: 'off' | 'waiting' | 'on' = 'off';
  /** Whether a rewrite is to begin as soon as it may: `aof_rewrite_scheduled`. */
  isScheduled = false;
  /** Rewrites that were begun: `aof_rewrites`. */
  rewriteCount = 0;
  /** How long the last one took, in seconds, or -1. */
  lastRewriteSeconds = -1;
  /** Whether the last one failed: `aof_last_bgrewrite_status`. */
  hasRewriteFailed = false;
  /** The size after the last rewrite: `aof_base_size`. */
  baseSize: ByteLength = 0;
  /** How far loading is, while it is under way. */
  loading: LoadProgress | undefined;
  readonly limit: RewriteLimit;
  readonly writer: AofWriter;

  private readonly parts: AppendOnlyFileParts;
  private readonly files: AofFiles;
  private rewrite: Rewrite | undefined;

  constructor(parts: AppendOnlyFileParts) {
    const { configuration, log, keyspace, latencies, onOutcome, onSynced, onFatal } = parts;
    this.parts = parts;
    this.limit = new RewriteLimit(log);
    this.writer = new AofWriter({
      configuration,
      log,
      latencies,
      clock: keyspace,
      isSnapshotUnderWay: () => this.isBusy,
      onOutcome,
      onSynced,
      onFatal,
    });
    this.files = new AofFiles(configuration, log, this.writer);
  }

  /** Bytes of all files together: `aof_current_size`. */
  get currentSize(): ByteLength {
    return this.files.byteLength;
  }

  /** Whether a rewrite is under way. */
  get isRewriting(): boolean {
    return this.rewrite !== undefined;
  }

  /** Seconds since the rewrite under way began, or -1. */
  get currentSeconds(): number {
    return this.rewrite === undefined ? -1 : Math.floor((Date.now() - this.rewrite.rdb.startedMs) / 1000);
  }

  /** Keys that the rewrite under way has written, and has to write. */
  get progress(): { readonly written: number; readonly total: number } {
    return this.rewrite?.rdb.progress ?? { written: 0, total: 0 };
  }

  /** Why writes are to be refused, in the system's words; '' when they are not. */
  get problem(): string {
    return this.state === 'off' ? '' : this.writer.problem;
  }

  /** The commands that are on the disk for sure, the base included. */
  get syncedOffset(): ReplicationOffset {
    return this.state === 'on' ? Math.min(this.writer.syncedOffset, this.files.namedOffset) : 0;
  }

  /** Takes one execution unit of so many commands. The bytes are valid only now. */
  append(bytes: Uint8Array, length: ByteLength, commands: number): void {
    // Waiting for a rewrite to begin: that will have it.
    if (this.state === 'on' || this.rewrite !== undefined) this.writer.append(bytes, length, commands);
    else this.writer.offset += commands;
  }

  /** Ends a turn: see Committer. */
  commit(): void {
    this.writer.commit();
  }

  /** Loads the data when the server starts. Rejects with AppendOnlyFileError. */
  async loadAtStart(beforeSlice: () => void): Promise<void> {
    this.state = 'on';
    this.files.readManifest();
    if (this.files.manifest.isEmpty) return;
    const startMs = performance.now();
    await this.load(beforeSlice);
    const seconds = ((performance.now() - startMs) / 1000).toFixed(3);
    this.parts.log.info(`DB loaded from append only file: ${seconds} seconds`);
    this.files.continueOffset();
  }

  /** DEBUG LOADAOF: loads what is on the disk, in slices. Rejects with AppendOnlyFileError. */
  async reload(beforeSlice: () => void): Promise<void> {
    this.prepareReload();
    await this.load(beforeSlice);
  }

  /** The same while everybody waits. @throws AppendOnlyFileError */
  reloadAtOnce(): void {
    this.prepareReload();
    const loading = this.newLoading();
    loading?.loadAtOnce();
    if (loading !== undefined) this.noteLoaded(loading);
  }

  /** Writes what waits, so that the files hold everything, and looks at what is there. @throws AppendOnlyFileError */
  private prepareReload(): void {
    if (this.state !== 'off') this.writer.flush(true);
    this.files.readManifest();
    this.files.deleteHistory();
  }

  private async load(beforeSlice: () => void): Promise<void> {
    const loading = this.newLoading();
    if (loading === undefined) return;
    this.loading = loading.progress;
    try {
      await loading.load(beforeSlice);
    } finally {
      this.loading = undefined;
    }
    this.noteLoaded(loading);
  }

  /** Undefined when there is nothing in the files. @throws AppendOnlyFileError */
  private newLoading(): AofLoading | undefined {
    const { manifest, directory } = this.files;
    if (manifest.isEmpty) throw new AppendOnlyFileError('there is no append-only file');
    const loading = new AofLoading({ ...this.parts, directory }, manifest);
    return loading.totalBytes === 0 ? undefined : loading;
  }

  private noteLoaded(loading: AofLoading): void {
    this.files.noteLoaded(loading.totalBytes, this.state === 'on' && this.writer.isOpen);
    this.baseSize = loading.baseBytes;
  }

  /** Begins to write, after loading. @throws AppendOnlyFileError */
  openAtStart(): void {
    // There is no data where there was no file: nobody may write before.
    this.files.openAtStart(this.baseFormat, (sink) => this.newBaseWriter(sink));
    this.writer.restart();
    this.files.deleteHistory();
    this.parts.onActive(true);
  }

  /** Follows `appendonly` where it has changed while data was loaded. @throws AppendOnlyFileError */
  async applyDirective(): Promise<void> {
    const { configuration, log } = this.parts;
    const isWanted = configuration.values.appendonly;
    if (!isWanted && this.state !== 'off') this.stop();
    if (!isWanted || this.state !== 'off') return;
    for (let tries = 1; !this.start(); tries++) {
      log.warn('Failed to enable AOF! Trying it again in one second.');
      if (tries === START_TRIES) {
        log.warn("FATAL: AOF can't be turned on. Exiting now.");
        throw new AppendOnlyFileError("the append-only file can't be turned on");
      }
      await new Promise((resolve) => setTimeout(resolve, START_RETRY_MS));
    }
  }

  /** Turns it on while the server runs: it counts once a base is written. False when that cannot begin. */
  start(): boolean {
    const { log, isSaving, isInTransaction, onActive } = this.parts;
    this.state = 'waiting';
    if (isSaving()) {
      this.isScheduled = true;
      log.info(
        'AOF was enabled but there is already another background operation. An AOF background was scheduled to start ' +
          'when possible.',
      );
    } else if (isInTransaction()) {
      this.isScheduled = true;
      log.info(
        'AOF was enabled during a transaction. An AOF background was scheduled to start when possible.',
      );
    } else {
      if (this.isRewriting) {
        log.info(
          'AOF was enabled but there is already an AOF rewriting in background. Stopping background AOF and starting ' +
            'a rewrite now.',
        );
        this.cancelRewrite();
      }
      if (!this.beginRewrite()) {
        this.state = 'off';
        log.warn(
          "Redis needs to enable the AOF but can't trigger a background AOF rewrite operation. Check the above logs " +
            'for more info about the error.',
        );
        return false;
      }
    }
    this.writer.restart();
    onActive(true);
    return true;
  }

  /** Turns it off. The files stay as they are. */
  stop(): void {
    const { onActive, onOutcome, onSynced } = this.parts;
    this.writer.writeAndSync();
    this.writer.close();
    if (this.state === 'on') this.files.noteEnd();
    this.state = 'off';
    this.isScheduled = false;
    this.cancelRewrite();
    onActive(false);
    onOutcome();
    onSynced();
  }

  /** The server ends: everything is written and synced. */
  end(): void {
    if (this.state === 'off') return;
    this.writer.writeAndSync();
    if (this.state === 'on') this.files.noteEnd();
    this.state = 'off';
    this.writer.closeAtOnce();
  }

  /** The server ends, and not in order: what waits is dropped, and the files stay as they are. */
  abandon(): void {
    this.state = 'off';
    this.cancelRewrite(true);
    this.writer.closeAtOnce();
  }

  /** Begins a rewrite. False when it cannot; the log tells why. */
  beginRewrite(): boolean {
    const { configuration, log } = this.parts;
    if (this.isBusy) return false;
    if (!this.files.directory.create() || !this.switchIncrement()) {
      this.hasRewriteFailed = true;
      return false;
    }
    this.rewriteCount++;
    this.isScheduled = false;
    const format = this.baseFormat;
    const path = configuration.resolvePath(`temp-rewriteaof-bg-${process.pid}.aof`);
    const rdb = new BackgroundRdb(this.parts, {
      name: 'Background AOF rewrite',
      temporaryPath: configuration.resolvePath(`temp-rewriteaof-${process.pid}.aof`),
      path,
      isAofBase: true,
      makeWriter: (sink) => this.newBaseWriter(sink),
      onEnd: (problem) => this.endRewrite(problem),
    });
    this.rewrite = { rdb, format, path, startOffset: this.writer.offset };
    log.info(`Background append only file rewriting started by pid ${process.pid}`);
    return true;
  }

  /**
   * Gives up the rewrite, at once.
   * @param isLast whether the process is about to end
   */
  cancelRewrite(isLast = false): void {
    const { rewrite } = this;
    if (rewrite === undefined) return;
    this.parts.log.info(`Killing running AOF rewrite child: ${process.pid}`);
    this.rewrite = undefined;
    rewrite.rdb.cancel(isLast);
  }

  /** Puts a new `appendfsync` into effect: under `always` nothing may be on its way to the disk. */
  applySyncPolicy(): void {
    this.files.nameAtOnce();
  }

  /** Begins a rewrite when one is scheduled, or the file has grown enough. To be called a few times a second. */
  tick(nowMs: TimestampMs): void {
    if (this.files.retryManifest(nowMs)) this.parts.onSynced();
    if (this.isBusy) return;
    if (this.isScheduled) {
      if (!this.limit.forbids(nowMs)) this.beginRewrite();
      return;
    }
    const { values } = this.parts.configuration;
    const percentage = values['auto-aof-rewrite-percentage'];
    const isLargeEnough = this.currentSize > values['auto-aof-rewrite-min-size'];
    if (this.state !== 'on' || percentage === 0 || !isLargeEnough) return;
    const base = this.baseSize === 0 ? 1 : this.baseSize;
    const growth = Math.floor((this.currentSize * 100) / base) - 100;
    if (growth < percentage || this.limit.forbids(nowMs)) return;
    this.parts.log.info(`Starting automatic rewriting of AOF on ${growth}% growth`);
    this.beginRewrite();
  }

  /** Removes files that no one needs any more, unless that is not wanted. */
  deleteHistory(): void {
    this.files.deleteHistory();
  }

  /** CONFIG RESETSTAT. */
  resetStatistics(): void {
    this.rewriteCount = 0;
    this.limit.succeeded();
    this.writer.delayedSyncs = 0;
    this.writer.busyMicroseconds = 0;
  }

  /** Whether there is a snapshot already. */
  private get isBusy(): boolean {
    return this.isRewriting || this.parts.isSaving();
  }

  private get baseFormat(): BaseFormat {
    return this.parts.configuration.values['aof-use-rdb-preamble'] ? 'rdb' : 'aof';
  }

  private newBaseWriter(sink: ByteSink): SnapshotFileWriter {
    const { configuration, keyspace, types } = this.parts;
    if (this.baseFormat === 'rdb') {
      const writer = new RdbFileWriter(types, sink, rdbFileOptions(configuration, keyspace, true));
      writer.begin();
      announceDatabases(writer, keyspace);
      return writer;
    }
    const writer = new CommandWriter(types, sink);
    if (configuration.values['aof-timestamp-enabled']) writer.annotate(Math.floor(Date.now() / 1000));
    return writer;
  }

  /** Has what follows go to another file than what the new base will hold. False when it cannot be. */
  private switchIncrement(): boolean {
    if (this.state === 'off') return true;
    const isTemporary = this.state === 'waiting';
    this.parts.onNewFile();
    this.writer.flush(true);
    if (!isTemporary && !this.writer.isOpen) return false; // the server has ended
    // What cannot be written now would come after a base that has it already.
    return this.writer.bufferedBytes === 0 && this.files.openNewIncrement(isTemporary);
  }

  /** The rewrite has written its file, or failed. */
  private endRewrite(problem: unknown): void {
    const { log } = this.parts;
    const { rewrite } = this;
    if (rewrite === undefined) throw new Error('a rewrite has ended that nobody knows');
    this.rewrite = undefined;
    if (problem !== undefined) {
      log.warn(`Write error writing append only file on disk: ${systemErrorText(problem)}`);
      log.warn('Background AOF rewrite terminated with error');
      this.noteFailure();
    } else {
      log.info('Background AOF rewrite terminated with success');
      if (this.files.adopt(rewrite, this.state === 'waiting')) this.noteSuccess();
      else this.noteFailure();
    }
    rm(rewrite.path, { force: true }, () => {});
    this.lastRewriteSeconds = Math.floor((Date.now() - rewrite.rdb.startedMs) / 1000);
    if (this.state === 'waiting') {
      // What came since it began has no base: the next one will have it.
      this.files.dropTemporaryIncrement();
      this.isScheduled = true;
    }
  }

  private noteSuccess(): void {
    const { log, onSynced } = this.parts;
    this.hasRewriteFailed = false;
    this.limit.succeeded();
    this.baseSize = this.state === 'off' ? this.baseSize : this.currentSize;
    log.info('Background AOF rewrite finished successfully');
    if (this.state !== 'waiting') return;
    this.state = 'on';
    this.writer.commit();
    onSynced();
  }

  private noteFailure(): void {
    this.hasRewriteFailed = true;
    this.limit.failed();
  }
}
