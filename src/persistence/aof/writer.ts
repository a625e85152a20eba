import { closeSync, constants, fdatasyncSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import type { Configuration } from '../../config/configuration.js';
import { systemErrorText } from '../../config/system-error.js';
import { copyBytes } from '../../memory/bytes.js';
import type { ByteLength } from '../../memory/reference.js';
import type { LatencyMonitor } from '../../observability/latency-monitor.js';
import type { Log } from '../../observability/log.js';
import { SAFE_INTEGER_DECIMAL_LENGTH_MAX, writeSafeInteger } from '../../protocol/integers.js';
import type { TimestampMs } from '../../structures/deadlines.js';
import type { ReplicationOffset } from './manifest.js';
import { type FileDescriptor, SyncQueue } from './sync-queue.js';

/** Under `everysec`, how long after a sync the next one is due, in ms. */
const SYNC_INTERVAL_MS = 1000;
/** For how long a write is put off while a sync is under way, in ms: they would wait for each other in the system. */
const POSTPONE_MS_MAX = 2000;
/** How often the log tells of a write that fails, in ms. */
const ERROR_LOG_INTERVAL_MS = 30_000;

const INITIAL_BYTES = 16 * 1024;
/** A buffer that has grown beyond this is not used again. */
const KEPT_BYTES_MAX = 1024 * 1024;

const NO_FD: FileDescriptor = -1;
const TIMESTAMP_PREFIX = Buffer.from('#TS:', 'latin1');
const TIMESTAMP_BYTES_MAX = TIMESTAMP_PREFIX.length + SAFE_INTEGER_DECIMAL_LENGTH_MAX + 2;

/** What a writer needs of the server. */
export interface WriterParts {
  readonly configuration: Configuration;
  readonly log: Log;
  readonly latencies: LatencyMonitor;
  /** The time of this turn. */
  readonly clock: { readonly nowMs: TimestampMs };
  /** Whether a snapshot is being written, so that `no-appendfsync-on-rewrite` counts. */
  readonly isSnapshotUnderWay: () => boolean;
  /** Called when `problem` may have changed. */
  readonly onOutcome: () => void;
  /** Called when `syncedOffset` may have grown. */
  readonly onSynced: () => void;
  /**
   * Called when what clients were promised cannot be kept, with the reason: none of the replies that wait may leave. In
   * the program it ends the process and does not return.
   */
  readonly onFatal: (reason: string) => void;
}

/**
 * Writes the increment that is open: collects what a turn brings, writes it at the end of the turn, before any reply
 * leaves, and syncs it as `appendfsync` says.
 *
 *     append … append │ commit ─▶ write ─▶ always: fdatasync, then the replies leave
 *                                          everysec: fdatasync in the thread pool, once a second
 *                                          no: the system writes to the disk when it likes
 *
 * A write that fails leaves the file as it was and the bytes in the buffer: writes are refused until it succeeds.
 */
export class AofWriter {
  /** Bytes of the file that is open. */
  size: ByteLength = 0;
  /** Commands that were appended since the data began, and those of them that are on the disk for sure. */
  offset: ReplicationOffset = 0;
  syncedOffset: ReplicationOffset = 0;
  /** Writes that did not wait any longer for a sync: `aof_delayed_fsync`. */
  delayedSyncs = 0;
  /** How long everybody has waited for writes and syncs: `eventloop_duration_aof_sum`. */
  busyMicroseconds = 0;
  /** DEBUG AOF-FLUSH-SLEEP: how long each write is held up, in microseconds. */
  sleepMicroseconds = 0;

  private readonly parts: WriterParts;
  private readonly queue = new SyncQueue();
  private fd: FileDescriptor = NO_FD;
  private buffer = new Uint8Array(new ArrayBuffer(INITIAL_BYTES));
  private used: ByteLength = 0;
  /** How many bytes of the file have been handed to a sync. */
  private syncedSize: ByteLength = 0;
  private lastSyncMs: TimestampMs = 0;
  private lastErrorLogMs: TimestampMs = Number.NEGATIVE_INFINITY;
  /** Since when a write has been put off; 0: it is not. */
  private postponedSinceMs: TimestampMs = 0;
  private writeProblem = '';
  private syncProblem = '';
  /** The second that the last annotation names. */
  private annotatedSecond = 0;

  constructor(parts: WriterParts) {
    this.parts = parts;
  }

  /** Whether a file is open. */
  get isOpen(): boolean {
    return this.fd !== NO_FD;
  }

  /** Bytes that wait to be written. */
  get bufferedBytes(): ByteLength {
    return this.used;
  }

  /** Bytes that the buffer takes. */
  get bufferCapacity(): ByteLength {
    return this.buffer.length;
  }

  /** Syncs that are under way. */
  get pendingSyncs(): number {
    return this.queue.length;
  }

  /** Why the file cannot be written or synced, in the system's words; '' while it can. */
  get problem(): string {
    return this.writeProblem === '' ? this.syncProblem : this.writeProblem;
  }

  /** Takes one execution unit of so many commands. The bytes are valid only now. */
  append(bytes: Uint8Array, length: ByteLength, commands: number): void {
    this.offset += commands;
    this.reserve(length + TIMESTAMP_BYTES_MAX);
    if (this.parts.configuration.values['aof-timestamp-enabled']) this.annotate();
    copyBytes(bytes, 0, this.buffer, this.used, length);
    this.used += length;
  }

  /** Ends a turn: see Committer. */
  commit(): void {
    if (this.fd === NO_FD) return;
    if (this.used === 0 && this.syncedSize === this.size) {
      if (this.syncedOffset !== this.offset && this.queue.length === 0) this.noteSynced(this.offset);
      return;
    }
    this.flush(false);
  }

  /** Opens a file for `use`, new or made empty if it is to be. @throws Error of the system */
  static openFile(path: string, isNew: boolean): FileDescriptor {
    // Appending always: behind a write that was taken back there must be no hole.
    const flags = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT;
    return openSync(path, isNew ? flags | constants.O_TRUNC : flags, 0o644);
  }

  /**
   * Writes to a file of so many bytes from now on; the one before is synced and closed in the background. What waited in
   * the buffer must have been written.
   * @param onPreviousSynced called when it is synced, or could not be; not at all when there was none
   * @returns the one before; it is open until then
   */
  use(fd: FileDescriptor, size: ByteLength, onPreviousSynced?: () => void): FileDescriptor {
    const previousFd = this.fd;
    this.closeLater(onPreviousSynced);
    this.fd = fd;
    this.size = size;
    this.syncedSize = size;
    this.annotatedSecond = 0;
    return previousFd;
  }

  /** The file has another size now: its end was cut off. */
  resized(size: ByteLength): void {
    this.size = size;
    this.syncedSize = size;
  }

  /** Begins anew after having been off: problems that there were are forgotten. */
  restart(): void {
    const { log, clock, onOutcome } = this.parts;
    this.lastSyncMs = clock.nowMs;
    if (this.syncProblem !== '') log.warn('AOF reopen, just ignore the AOF fsync error in bio job');
    if (this.writeProblem !== '') log.warn('AOF reopen, just ignore the last error.');
    this.syncProblem = '';
    this.writeProblem = '';
    onOutcome();
  }

  /** Writes what waits, whatever is under way, and syncs it. */
  writeAndSync(): void {
    if (this.fd === NO_FD) return;
    this.flush(true);
    try {
      fdatasyncSync(this.fd);
      this.syncedSize = this.size;
      this.lastSyncMs = this.parts.clock.nowMs;
      this.noteSynced(this.offset);
    } catch (error) {
      this.parts.log.warn(`Fail to fsync the AOF file: ${systemErrorText(error)}`);
    }
  }

  /** Closes the file. What waits in the buffer is dropped. */
  close(): void {
    this.closeLater();
    this.discard();
  }

  /** Closes the file at once: the process is about to end, or nobody may use the file after this. */
  closeAtOnce(): void {
    if (this.fd !== NO_FD && this.queue.length === 0) {
      closeSync(this.fd);
      this.fd = NO_FD;
    }
    this.close();
  }

  /** Drops what waits in the buffer. */
  discard(): void {
    this.used = 0;
    this.shrink();
    this.postponedSinceMs = 0;
  }

  /** Writes what waits, and syncs if that is due. With `isForced` it does not wait for a sync that is under way. */
  flush(isForced: boolean): void {
    const { values } = this.parts.configuration;
    const policy = values.appendfsync;
    if (this.used > 0) {
      if (policy === 'everysec' && !isForced && this.isToWait()) return;
      if (!this.write()) return;
    }
    if (values['no-appendfsync-on-rewrite'] && this.parts.isSnapshotUnderWay()) return;
    if (policy === 'always') this.syncAtOnce();
    else if (policy === 'everysec') this.syncLater();
  }

  /** Whether a write is put off because a sync is under way: for two seconds at most. */
  private isToWait(): boolean {
    if (this.queue.length === 0) return false;
    const { clock, log } = this.parts;
    if (this.postponedSinceMs === 0) {
      this.postponedSinceMs = clock.nowMs;
      return true;
    }
    if (clock.nowMs - this.postponedSinceMs < POSTPONE_MS_MAX) return true;
    this.delayedSyncs++;
    log.info(
      'Asynchronous AOF fsync is taking too long (disk is busy?). Writing the AOF buffer without waiting for fsync ' +
        'to complete, this may slow down Redis.',
    );
    return false;
  }

  /** Writes the buffer. False when that failed. */
  private write(): boolean {
    const { buffer, used, fd } = this;
    if (this.sleepMicroseconds > 0) pauseThread(this.sleepMicroseconds / 1000);
    let written = 0;
    let error: unknown;
    const startMs = performance.now();
    try {
      while (written < used) written += writeSync(fd, buffer, written, used - written);
    } catch (thrown) {
      error = thrown;
    }
    this.noteLatency(performance.now() - startMs);
    this.postponedSinceMs = 0;
    if (error !== undefined) {
      this.handleFailure(error, written);
      return false;
    }
    if (this.writeProblem !== '') {
      this.parts.log.info('AOF write error looks solved, Redis can write again.');
      this.writeProblem = '';
      this.parts.onOutcome();
    }
    this.size += used;
    this.used = 0;
    this.shrink();
    return true;
  }

  /** A write has failed, after some bytes or none. */
  private handleFailure(error: unknown, written: ByteLength): void {
    const { log, configuration, onOutcome, onFatal } = this.parts;
    const nowMs = Date.now();
    const isLogged = nowMs - this.lastErrorLogMs > ERROR_LOG_INTERVAL_MS;
    if (isLogged) this.lastErrorLogMs = nowMs;
    let kept = 0;
    if (written === 0) {
      if (isLogged) log.warn(`Error writing to the AOF file: ${systemErrorText(error)}`);
    } else {
      if (isLogged) {
        log.warn(`Short write while writing to the AOF file: (nwritten=${written}, expected=${this.used})`);
      }
      kept = this.takeBack(written, isLogged);
    }
    if (configuration.values.appendfsync === 'always') {
      // The replies to this turn are made already, and what they say must be true.
      log.warn("Can't recover from AOF write error when the AOF fsync policy is 'always'. Exiting...");
      onFatal(`the append-only file cannot be written: ${systemErrorText(error)}`);
      return;
    }
    this.writeProblem = systemErrorText(error);
    if (kept > 0) {
      this.size += kept;
      this.buffer.copyWithin(0, kept, this.used);
      this.used -= kept;
    }
    onOutcome();
  }

  /** Cuts off what has been written of a write that failed. Returns how much stays, as that failed too. */
  private takeBack(written: ByteLength, isLogged: boolean): ByteLength {
    try {
      ftruncateSync(this.fd, this.size);
      return 0;
    } catch (error) {
      if (isLogged) {
        this.parts.log.warn(
          'Could not remove short write from the append-only file.  Redis may refuse to load the AOF the next time ' +
            `it starts.  ftruncate: ${systemErrorText(error)}`,
        );
      }
      return written;
    }
  }

  private syncAtOnce(): void {
    const { log, latencies, clock, onFatal } = this.parts;
    const startMs = performance.now();
    try {
      fdatasyncSync(this.fd);
    } catch (error) {
      log.warn(
        "Can't persist AOF for fsync error when the AOF fsync policy is 'always': " +
          `${systemErrorText(error)}. Exiting...`,
      );
      onFatal(`the append-only file cannot be synced: ${systemErrorText(error)}`);
      return;
    }
    const milliseconds = performance.now() - startMs;
    this.busyMicroseconds += milliseconds * 1000;
    latencies.note('aof-fsync-always', milliseconds);
    this.syncedSize = this.size;
    this.lastSyncMs = clock.nowMs;
    this.noteSynced(this.offset);
  }

  private syncLater(): void {
    const { nowMs } = this.parts.clock;
    if (this.syncedSize === this.size || nowMs - this.lastSyncMs < SYNC_INTERVAL_MS) return;
    if (this.queue.length === 0) {
      const { fd, offset } = this;
      this.syncedSize = this.size;
      this.queue.sync(fd, (error) => {
        this.noteOutcome(error, offset);
        // It has to be tried again, whether something more is written or not.
        if (error !== undefined && this.fd === fd) this.syncedSize = 0;
        if (this.fd === fd && this.postponedSinceMs !== 0) this.flush(false);
      });
    }
    this.lastSyncMs = nowMs;
  }

  private closeLater(onSynced?: () => void): void {
    const { fd, offset } = this;
    if (fd === NO_FD) return;
    this.fd = NO_FD;
    this.size = 0;
    this.syncedSize = 0;
    this.queue.close(fd, (error) => {
      this.noteOutcome(error, offset);
      onSynced?.();
    });
  }

  /** A sync in the background is over, of what there was up to an offset. */
  private noteOutcome(error: Error | undefined, offset: ReplicationOffset): void {
    const { log, onOutcome } = this.parts;
    const before = this.syncProblem;
    this.syncProblem = error === undefined ? '' : systemErrorText(error);
    if (this.syncProblem !== '' && before === '') {
      log.warn(`Fail to fsync the AOF file: ${this.syncProblem}`);
    }
    if (this.syncProblem !== before) onOutcome();
    if (error === undefined) this.noteSynced(offset);
  }

  private noteSynced(offset: ReplicationOffset): void {
    if (offset <= this.syncedOffset) return;
    this.syncedOffset = offset;
    this.parts.onSynced();
  }

  /** Writes the second that the next commands happen in, unless the last annotation was the same. */
  private annotate(): void {
    const second = Math.floor(this.parts.clock.nowMs / 1000);
    if (second <= this.annotatedSecond) return;
    this.annotatedSecond = second;
    const { buffer } = this;
    copyBytes(TIMESTAMP_PREFIX, 0, buffer, this.used, TIMESTAMP_PREFIX.length);
    const end = writeSafeInteger(buffer, this.used + TIMESTAMP_PREFIX.length, second);
    buffer[end] = 0x0d;
    buffer[end + 1] = 0x0a;
    this.used = end + 2;
  }

  private noteLatency(milliseconds: number): void {
    const { latencies, isSnapshotUnderWay } = this.parts;
    this.busyMicroseconds += milliseconds * 1000;
    if (latencies.thresholdMs === 0) return;
    if (this.queue.length > 0) latencies.note('aof-write-pending-fsync', milliseconds);
    else if (isSnapshotUnderWay()) latencies.note('aof-write-active-child', milliseconds);
    else latencies.note('aof-write-alone', milliseconds);
    latencies.note('aof-write', milliseconds);
  }

  private reserve(length: ByteLength): void {
    const needed = this.used + length;
    if (needed <= this.buffer.length) return;
    const larger = new Uint8Array(new ArrayBuffer(Math.max(needed, this.buffer.length * 2)));
    larger.set(this.buffer.subarray(0, this.used));
    this.buffer = larger;
  }

  private shrink(): void {
    if (this.buffer.length > KEPT_BYTES_MAX) this.buffer = new Uint8Array(new ArrayBuffer(INITIAL_BYTES));
  }
}

/** Holds the whole thread up. */
function pauseThread(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}
