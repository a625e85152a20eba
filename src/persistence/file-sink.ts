import {
  close,
  closeSync,
  fdatasync,
  fsync,
  fsyncSync,
  open,
  openSync,
  rename,
  rm,
  rmSync,
  write,
  writeSync,
  writev,
} from 'node:fs';
import { open as openHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { copyBytes } from '../memory/bytes.js';
import type { ByteLength, ByteOffset } from '../memory/reference.js';
import type { VersionPatch } from './rdb/file-writer.js';

/** Bytes that may wait to be written before whoever produces them should pause. */
const QUEUE_BYTES_MAX = 4 * 1024 * 1024;
/** Bytes that may wait before they are written while everybody waits: what came had no choice but to come. */
const QUEUE_BYTES_HARD_MAX = 64 * 1024 * 1024;
/** After so many bytes they are synced, with `rdb-save-incremental-fsync`, so that no sync takes long. */
const SYNC_BYTES = 4 * 1024 * 1024;
/** Bytes of a buffer that is used again. */
const CHUNK_BYTES = 64 * 1024;
/** Buffers that are handed to the system at once. */
const BATCH_CHUNKS = 16;
const SPARE_CHUNKS_MAX = QUEUE_BYTES_MAX / CHUNK_BYTES;

/** Temporary files that are written or have yet to be removed: one that is to have the same name waits for it. */
const inUse = new Map<string, Promise<void>>();

/**
 * A file that is written in the background, under a temporary name until it is complete: a crash at any time leaves the
 * file that there was. What goes wrong is kept until `finish`.
 *
 * Only threads of libuv wait for the disk, unless there is far too much to be written.
 */
export class FileSink {
  /** What went wrong. */
  error: Error | undefined;

  private readonly temporaryPath: string;
  private readonly syncsOnTheWay: boolean;
  /** The file, once it is open. */
  private fd: number | undefined;
  private queue: Uint8Array[] = [];
  /** Buffers that have been written. */
  private readonly spare: Uint8Array[] = [];
  /** Bytes that are not written yet, those included that the system has been handed. */
  private waitingBytes: ByteLength = 0;
  /** Where in the file the queue goes. */
  private position: ByteOffset = 0;
  private unsyncedBytes: ByteLength = 0;
  private pumping: Promise<void> | undefined;
  /** Resolved when the temporary file is gone. */
  private readonly ended: Promise<void>;
  private tellEnded: () => void = () => {};
  /** Called when there is room in the queue again. */
  private whenRoom: (() => void) | undefined;

  /** @param syncsOnTheWay `rdb-save-incremental-fsync` */
  constructor(temporaryPath: string, syncsOnTheWay: boolean) {
    this.temporaryPath = temporaryPath;
    this.syncsOnTheWay = syncsOnTheWay;
    this.pumping = this.start(inUse.get(temporaryPath));
    this.ended = new Promise((resolve) => {
      this.tellEnded = resolve;
    });
    inUse.set(temporaryPath, this.ended);
  }

  /** Bytes that are not written yet. */
  get queuedBytes(): ByteLength {
    return this.waitingBytes;
  }

  /** Whether to pause. */
  get isFull(): boolean {
    return this.waitingBytes > QUEUE_BYTES_MAX;
  }

  /** Takes bytes that are valid only now. */
  write(bytes: Uint8Array, length: ByteLength): void {
    if (this.error !== undefined) return;
    for (let at = 0; at < length; at += CHUNK_BYTES) {
      const piece = Math.min(CHUNK_BYTES, length - at);
      const chunk = this.spare.pop() ?? new Uint8Array(CHUNK_BYTES);
      copyBytes(bytes, at, chunk, 0, piece);
      this.queue.push(piece === CHUNK_BYTES ? chunk : chunk.subarray(0, piece));
    }
    this.waitingBytes += length;
    if (this.waitingBytes > QUEUE_BYTES_HARD_MAX) this.writeNow();
    else this.pumping ??= this.pump();
  }

  /** Calls back once there is room. */
  onRoom(callback: () => void): void {
    this.whenRoom = callback;
    if (!this.isFull) this.tellRoom();
  }

  /**
   * Writes all that waits, syncs it, and gives the file its name, which lasts then. Rejects with whatever went wrong at
   * any time; the file that there was is there still, unless it was its name's becoming durable that failed.
   */
  async finish(path: string, patch: VersionPatch | undefined): Promise<void> {
    const { temporaryPath } = this;
    try {
      while (this.pumping !== undefined) await this.pumping;
      await this.complete(patch);
      if (this.error !== undefined) throw this.error;
      await promisify(rename)(temporaryPath, path);
    } catch (error) {
      await promisify(rm)(temporaryPath, { force: true });
      throw error;
    } finally {
      this.tellEnded();
      if (inUse.get(temporaryPath) === this.ended) inUse.delete(temporaryPath);
    }
    await syncDirectory(path);
  }

  /**
   * Gives the file up. `finish` must be called nevertheless: it closes and removes it.
   * @param isLast whether the process is about to end, so that it must be removed at once
   */
  cancel(isLast: boolean): void {
    this.error = new Error('the file has been given up');
    this.queue = [];
    this.waitingBytes = 0;
    if (isLast) rmSync(this.temporaryPath, { force: true });
    this.tellRoom();
  }

  /** Closes the file, with the patch and durable unless something has gone wrong. */
  private async complete(patch: VersionPatch | undefined): Promise<void> {
    const { fd } = this;
    if (fd === undefined) return;
    try {
      if (this.error !== undefined) return;
      if (patch !== undefined) await promisify(write)(fd, patch.bytes, 0, patch.bytes.length, patch.position);
      await promisify(fsync)(fd);
    } finally {
      await promisify(close)(fd);
    }
  }

  /** Opens the file, and writes what has come meanwhile. */
  private async start(predecessor: Promise<void> | undefined): Promise<void> {
    await predecessor;
    try {
      this.fd = await promisify(open)(this.temporaryPath, 'w', 0o644);
    } catch (error) {
      this.fail(error);
    }
    await this.pump();
  }

  private async pump(): Promise<void> {
    const { fd } = this;
    try {
      if (fd !== undefined) {
        while (this.queue.length > 0) await this.writeBatch(fd, this.queue.splice(0, BATCH_CHUNKS));
      }
    } catch (error) {
      this.fail(error);
    }
    this.pumping = undefined;
    this.tellRoom();
  }

  private async writeBatch(fd: number, batch: readonly Uint8Array[]): Promise<void> {
    const length = bytesIn(batch);
    let at = this.position;
    // Taken now: `writeNow` may come before this has been written.
    this.position += length;
    const end = this.position;
    let rest: readonly Uint8Array[] = batch;
    while (at < end) {
      const { bytesWritten } = await promisify(writev)(fd, rest, at);
      at += bytesWritten;
      if (at < end) rest = [Buffer.concat(rest).subarray(bytesWritten)];
    }
    this.unsyncedBytes += length;
    if (this.syncsOnTheWay && this.unsyncedBytes >= SYNC_BYTES) {
      this.unsyncedBytes = 0;
      await promisify(fdatasync)(fd);
    }
    this.noteWritten(batch, length);
    if (!this.isFull) this.tellRoom();
  }

  /** Writes the queue at once. */
  private writeNow(): void {
    const { queue, fd } = this;
    if (fd === undefined) return;
    this.queue = [];
    try {
      for (const chunk of queue) {
        for (let at = 0; at < chunk.length; ) {
          const written = writeSync(fd, chunk, at, chunk.length - at, this.position);
          at += written;
          this.position += written;
        }
      }
      this.noteWritten(queue, bytesIn(queue));
    } catch (error) {
      this.fail(error);
    }
  }

  private noteWritten(chunks: readonly Uint8Array[], length: ByteLength): void {
    this.waitingBytes = Math.max(0, this.waitingBytes - length);
    for (const chunk of chunks) {
      if (chunk.length === CHUNK_BYTES && this.spare.length < SPARE_CHUNKS_MAX) this.spare.push(chunk);
    }
  }

  private fail(error: unknown): void {
    this.error = error instanceof Error ? error : new Error(String(error));
    this.queue = [];
    this.waitingBytes = 0;
  }

  private tellRoom(): void {
    const { whenRoom } = this;
    this.whenRoom = undefined;
    whenRoom?.();
  }
}

function bytesIn(chunks: readonly Uint8Array[]): ByteLength {
  let bytes = 0;
  for (const chunk of chunks) bytes += chunk.length;
  return bytes;
}

/** Makes a rename durable. Where directories cannot be opened (Windows), there is nothing to do. */
export async function syncDirectory(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  const directory = await openHandle(dirname(path), 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

/** The same while everybody waits. */
export function syncDirectoryAtOnce(path: string): void {
  if (process.platform === 'win32') return;
  const fd = openSync(dirname(path), 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
