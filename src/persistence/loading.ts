import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import type { Log } from '../observability/log.js';
import type { Types } from '../types/types.js';
import { type LoadSettings, LoadSlices } from './load-slices.js';
import { RdbFileReader, type RdbLoadOptions } from './rdb/file-reader.js';
import { RdbError, RdbInput } from './rdb/input.js';

/** How often the log tells how far it is, in ms. */
const PROGRESS_LOG_MS = 5000;

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
  private readonly slices: LoadSlices;
  private loggedMs: number;

  /** @throws Error when the file cannot be opened */
  constructor(path: string, types: Types, log: Log, options: RdbLoadOptions, settings: LoadSettings) {
    this.log = log;
    this.slices = new LoadSlices(settings);
    this.fd = openSync(path, 'r');
    this.progress = { startedMs: Date.now(), totalBytes: fstatSync(this.fd).size, loadedBytes: 0 };
    this.loggedMs = this.progress.startedMs;
    this.input = new RdbInput(
      (target, offset, length) => readSync(this.fd, target, offset, length, null),
      true,
      this.progress.totalBytes,
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
      while (this.loadSlice()) await this.slices.pause();
    } catch (error) {
      throw logRdbError(this.log, error);
    } finally {
      closeSync(this.fd);
    }
  }

  private loadSlice(): boolean {
    const { slices, reader, input } = this;
    let keys = reader.keysLoaded;
    let newKeys = 0;
    slices.begin(input.position);
    do {
      if (!reader.step()) return false;
      newKeys = reader.keysLoaded - keys;
      keys = reader.keysLoaded;
    } while (!slices.isOver(input.position, newKeys));
    this.progress.loadedBytes = input.position;
    this.logProgress();
    return true;
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
