import {
  close,
  closeSync,
  fdatasync,
  fsync,
  fsyncSync,
  openSync,
  renameSync,
  rmSync,
  write,
  writev,
} from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import type { ByteLength } from '../memory/reference.js';
import type { VersionPatch } from './rdb/file-writer.js';

/** Bytes that may wait to be written before whoever produces them should pause. */
const QUEUE_BYTES_MAX = 4 * 1024 * 1024;
/** After so many bytes they are synced, with `rdb-save-incremental-fsync`, so that no sync takes long. */
const SYNC_BYTES = 4 * 1024 * 1024;

/**
 * A file that is written in the background, under a temporary name until it is complete: a crash at any time leaves the
 * file that there was. What goes wrong is kept until `finish`.
 */
export class FileSink {
  /** What went wrong. */
  error: Error | undefined;

  private readonly temporaryPath: string;
  private readonly syncsOnTheWay: boolean;
  private readonly fd: number;
  private queue: Uint8Array[] = [];
  private queuedBytes: ByteLength = 0;
  private position = 0;
  private unsyncedBytes: ByteLength = 0;
  private pumping: Promise<void> | undefined;
  private isCancelled = false;
  /** Called when there is room in the queue again. */
  private whenRoom: (() => void) | undefined;

  /** @throws Error when the file cannot be made */
  constructor(temporaryPath: string, syncsOnTheWay: boolean) {
    this.temporaryPath = temporaryPath;
    this.syncsOnTheWay = syncsOnTheWay;
    this.fd = openSync(temporaryPath, 'w', 0o644);
  }

  /** Whether to pause. */
  get isFull(): boolean {
    return this.queuedBytes > QUEUE_BYTES_MAX;
  }

  /** Takes bytes that are valid only now. */
  write(bytes: Uint8Array, length: ByteLength): void {
    if (this.error !== undefined || this.isCancelled) return;
    // Not `slice`, which of a Buffer is no copy.
    this.queue.push(new Uint8Array(bytes.subarray(0, length)));
    this.queuedBytes += length;
    this.pumping ??= this.pump();
  }

  /** Calls back once there is room. */
  onRoom(callback: () => void): void {
    this.whenRoom = callback;
    if (!this.isFull) this.tellRoom();
  }

  /**
   * Writes all that waits, syncs it, and gives the file its name. Rejects with whatever went wrong at any time, and
   * nothing has changed then.
   */
  async finish(path: string, patch: VersionPatch | undefined): Promise<void> {
    try {
      while (this.pumping !== undefined) await this.pumping;
      if (this.error !== undefined) throw this.error;
      if (patch !== undefined) {
        await promisify(write)(this.fd, patch.bytes, 0, patch.bytes.length, patch.position);
      }
      await promisify(fsync)(this.fd);
      if (this.isCancelled) throw new Error('cancelled');
      renameSync(this.temporaryPath, path);
    } catch (error) {
      if (!this.isCancelled) rmSync(this.temporaryPath, { force: true });
      throw error;
    } finally {
      await promisify(close)(this.fd);
    }
    syncDirectory(path);
  }

  /** Gives the file up, at once. `finish` must be called nevertheless: it closes it. */
  cancel(): void {
    this.isCancelled = true;
    this.queue = [];
    this.queuedBytes = 0;
    rmSync(this.temporaryPath, { force: true });
    this.tellRoom();
  }

  private async pump(): Promise<void> {
    try {
      while (this.queue.length > 0) {
        const batch = this.queue;
        this.queue = [];
        await this.writeBatch(batch);
      }
    } catch (error) {
      this.error = error instanceof Error ? error : new Error(String(error));
      this.queue = [];
      this.queuedBytes = 0;
    }
    this.pumping = undefined;
    this.tellRoom();
  }

  private async writeBatch(batch: readonly Uint8Array[]): Promise<void> {
    let rest = batch.length === 1 ? batch[0] : Buffer.concat(batch);
    const { length } = rest;
    while (rest.length > 0) {
      const { bytesWritten } = await promisify(writev)(this.fd, [rest], this.position);
      this.position += bytesWritten;
      rest = rest.subarray(bytesWritten);
    }
    this.unsyncedBytes += length;
    if (this.syncsOnTheWay && this.unsyncedBytes >= SYNC_BYTES) {
      this.unsyncedBytes = 0;
      await promisify(fdatasync)(this.fd);
    }
    this.queuedBytes = Math.max(0, this.queuedBytes - length);
    if (!this.isFull) this.tellRoom();
  }

  private tellRoom(): void {
    const { whenRoom } = this;
    this.whenRoom = undefined;
    whenRoom?.();
  }
}

/** Makes a rename durable. Where directories cannot be opened (Windows), there is nothing to do. */
export function syncDirectory(path: string): void {
  if (process.platform === 'win32') return;
  const fd = openSync(dirname(path), 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
