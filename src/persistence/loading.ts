import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import type { Log } from '../observability/log.js';
import type { Types } from '../types/types.js';
import { RdbFileReader, type RdbLoadOptions } from './rdb/file-reader.js';
import { RdbError, RdbInput } from './rdb/input.js';

/** How long clients wait while a file is loaded, in ms. */
const SLICE_MS = 5;
/** How often the log tells how far it is, in ms. */
const PROGRESS_LOG_MS = 5000;
const STEPS_PER_LOOK = 32;

/** What is loaded and how far: for INFO. */
export interface LoadProgress {
  readonly startedMs: number;
  readonly totalBytes: number;
  loadedBytes: number;
}

/** Loads an RDB file: all of it at once, or in slices. Only one of the methods is called, once. */
export class RdbLoading {
  readonly progress: LoadProgress;
  readonly reader: RdbFileReader;
  private readonly fd: number;
  private readonly input: RdbInput;
  private readonly log: Log;
  private readonly keyDelayMicroseconds: () => number;
  private loggedMs: number;

  /**
   * @param keyDelayMicroseconds `key-load-delay`: how long each key shall take, for tests; negative for a fraction
   * @throws Error when the file cannot be opened
   */
  constructor(
    path: string,
    types: Types,
    log: Log,
    options: RdbLoadOptions,
    keyDelayMicroseconds: () => number,
  ) {
    this.log = log;
    this.keyDelayMicroseconds = keyDelayMicroseconds;
    this.fd = openSync(path, 'r');
    this.progress = { startedMs: Date.now(), totalBytes: fstatSync(this.fd).size, loadedBytes: 0 };
    this.loggedMs = this.progress.startedMs;
    this.input = new RdbInput(
      (target, offset, length) => readSync(this.fd, target, offset, length, null),
      true,
    );
    this.reader = new RdbFileReader(types, this.input, this.progress.totalBytes, log, options);
  }

  /** Loads the file. @throws RdbError, OutOfMemoryError */
  loadAtOnce(): void {
    try {
      this.reader.begin();
      while (this.reader.step());
    } catch (error) {
      throw logRdbError(this.log, error);
    } finally {
      closeSync(this.fd);
    }
  }

  /** Loads the file, and lets others go ahead every few ms. Rejects with RdbError, OutOfMemoryError. */
  async load(): Promise<void> {
    try {
      this.reader.begin();
      for (let keys = 0; this.loadSlice(); keys = this.reader.keysLoaded) {
        const delayMs = this.delayOf(this.reader.keysLoaded - keys);
        await new Promise((resolve) => {
          if (delayMs >= 1) setTimeout(resolve, delayMs);
          else setImmediate(resolve);
        });
      }
    } catch (error) {
      throw logRdbError(this.log, error);
    } finally {
      closeSync(this.fd);
    }
  }

  private loadSlice(): boolean {
    const end = performance.now() + SLICE_MS;
    do {
      for (let i = 0; i < STEPS_PER_LOOK; i++) if (!this.reader.step()) return false;
      this.progress.loadedBytes = this.input.position;
    } while (performance.now() < end && this.keyDelayMicroseconds() === 0);
    this.logProgress();
    return true;
  }

  /** How long to wait for so many keys, in ms. */
  private delayOf(keys: number): number {
    const delay = this.keyDelayMicroseconds();
    return ((delay < 0 ? -1 / delay : delay) * keys) / 1000;
  }

  private logProgress(): void {
    const nowMs = Date.now();
    if (nowMs - this.loggedMs < PROGRESS_LOG_MS) return;
    this.loggedMs = nowMs;
    const { loadedBytes, totalBytes } = this.progress;
    this.log.info(`Loading RDB: ${((loadedBytes / totalBytes) * 100).toFixed(0)}% done`);
  }
}

/** Tells the log what is wrong with a file, as Redis does. Returns the error, which may be any. */
export function logRdbError(log: Log, error: unknown): unknown {
  if (!(error instanceof RdbError)) return error;
  if (error.isTruncation) {
    log.warn('Short read or OOM loading DB. Unrecoverable error, aborting now.');
  }
  log.warn(`Internal error in RDB reading offset ${error.position} -> ${error.message}`);
  log.warn('Terminating server after rdb file reading failure.');
  return error;
}
