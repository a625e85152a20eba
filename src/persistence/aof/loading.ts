import { closeSync, fstatSync, openSync, readSync, truncateSync } from 'node:fs';
import type { Configuration } from '../../config/configuration.js';
import { systemErrorText } from '../../config/system-error.js';
import { OutOfMemoryError } from '../../memory/memory.js';
import type { ByteLength, ByteOffset } from '../../memory/reference.js';
import type { Log } from '../../observability/log.js';
import type { Arguments } from '../../protocol/arguments.js';
import type { Types } from '../../types/types.js';
import { LoadSlices } from '../load-slices.js';
import { type LoadProgress, logRdbError } from '../loading.js';
import { RdbFileReader } from '../rdb/file-reader.js';
import { type ByteSource, RdbError, RdbInput } from '../rdb/input.js';
import { BAD_FORMAT, COMMAND, CommandReader, END } from './command-reader.js';
import { type AofDirectory, AppendOnlyFileError } from './directory.js';
import type { Manifest } from './manifest.js';

/** Runs the commands of a file, without anybody to reply to. */
export interface CommandReplay {
  /** A file begins: nothing is left over of another one. */
  begin(): void;
  /** Whether a MULTI is open. */
  readonly isInTransaction: boolean;
  /** Runs a command, or queues it in a transaction. False when there is no such command. @throws OutOfMemoryError */
  run(request: Arguments): boolean;
}

/** What loading needs of the server. */
export interface AofLoadingParts {
  readonly configuration: Configuration;
  readonly log: Log;
  readonly types: Types;
  readonly directory: AofDirectory;
  readonly replay: CommandReplay;
}

/** How often the log tells how far it is, in ms. */
const PROGRESS_LOG_MS = 5000;
const RDB_MAGIC = 'REDIS';

/** Loads a part: at each pause, others may go ahead. */
type Part<Result> = Generator<undefined, Result>;

/** Loads what a manifest names: the base, then the increments, at once or in slices. Only one of the methods, once. */
export class AofLoading {
  readonly progress: LoadProgress;
  /** Bytes of all files, and of the base. */
  readonly totalBytes: ByteLength;
  readonly baseBytes: ByteLength;
  /** What the base, if it is RDB, brought. */
  keysLoaded = 0;

  private readonly parts: AofLoadingParts;
  private readonly manifest: Manifest;
  /** Bytes of the files that are done. */
  private doneBytes: ByteLength = 0;
  private loggedMs = Date.now();
  private readonly slices: LoadSlices;

  /** @throws AppendOnlyFileError when a file is missing */
  constructor(parts: AofLoadingParts, manifest: Manifest) {
    this.parts = parts;
    this.manifest = manifest;
    this.slices = new LoadSlices(parts.configuration.values);
    let total = 0;
    for (const { name } of manifest.files) {
      const size = parts.directory.size(name);
      if (size === undefined) throw new AppendOnlyFileError(`the file ${name} cannot be read`);
      total += size;
    }
    this.totalBytes = total;
    this.baseBytes = manifest.base === undefined ? 0 : (parts.directory.size(manifest.base.name) ?? 0);
    this.progress = { startedMs: Date.now(), totalBytes: total, loadedBytes: 0 };
  }

  /** Loads the files. @throws AppendOnlyFileError */
  loadAtOnce(): void {
    this.slices.begin(0);
    for (const _ of this.loadFiles()) this.slices.begin(this.progress.loadedBytes);
  }

  /** Loads the files, and lets others go ahead every few ms. Rejects with AppendOnlyFileError. */
  async load(beforeSlice: () => void): Promise<void> {
    beforeSlice();
    this.slices.begin(0);
    for (const _ of this.loadFiles()) {
      await this.slices.pause();
      beforeSlice();
      this.slices.begin(this.progress.loadedBytes);
    }
  }

  private *loadFiles(): Part<void> {
    const { base, files } = this.manifest;
    for (const [index, entry] of files.entries()) {
      const startMs = performance.now();
      const isWhole = yield* this.loadFile(entry.name);
      // Only what is written last can be half written.
      if (!isWhole && index < files.length - 1) {
        throw this.fail('Fatal error: the truncated file is not the last file');
      }
      const seconds = ((performance.now() - startMs) / 1000).toFixed(3);
      const kind = entry === base ? 'base' : 'incr';
      this.parts.log.info(`DB loaded from ${kind} file ${entry.name}: ${seconds} seconds`);
    }
  }

  /** Loads one file. False when it ended in the middle of a command, which has been cut off. */
  private *loadFile(name: string): Part<boolean> {
    const { log, directory } = this.parts;
    let fd: number;
    try {
      fd = openSync(directory.path(name), 'r');
    } catch (error) {
      throw this.fail(
        `Fatal error: can't open the append log file ${name} for reading: ${systemErrorText(error)}`,
      );
    }
    try {
      const size = directory.size(name) ?? 0;
      const start = hasSnapshot(fd) ? yield* this.loadSnapshot(fd, name) : 0;
      const isWhole = yield* this.loadCommands(fd, name, size, start);
      this.doneBytes += size;
      this.progress.loadedBytes = this.doneBytes;
      return isWhole;
    } catch (error) {
      if (!(error instanceof OutOfMemoryError)) throw error;
      log.warn(`Out of memory loading the append only file ${name}`);
      throw new AppendOnlyFileError('out of memory');
    } finally {
      closeSync(fd);
    }
  }

  /** Loads the snapshot that a file begins with. Returns where the commands begin. */
  private *loadSnapshot(fd: number, name: string): Part<ByteOffset> {
    const { log, configuration, types, directory } = this.parts;
    const isOldFile = name === directory.fileName;
    log.info(isOldFile ? 'Reading RDB preamble from AOF file...' : 'Reading RDB base file on AOF loading...');
    const { size } = fstatSync(fd);
    let position = 0;
    const source: ByteSource = (target, offset, length) => {
      const count = readSync(fd, target, offset, length, position);
      position += count;
      return count;
    };
    const input = new RdbInput(source, true, size);
    const { values } = configuration;
    const reader = new RdbFileReader(types, input, size, log, {
      allowsDuplicates: false,
      checksChecksum: values.rdbchecksum,
      checksDuplicates: values['sanitize-dump-payload'] === 'yes',
      // What follows may give them another deadline, or none.
      keepsExpired: true,
    });
    try {
      reader.begin();
      for (let keys = 0; reader.step(); keys = reader.keysLoaded) {
        if (this.isSliceOver(input.position, reader.keysLoaded - keys)) yield;
      }
    } catch (error) {
      const shown = logRdbError(log, error);
      throw shown instanceof RdbError ? new AppendOnlyFileError(shown.message) : shown;
    }
    this.keysLoaded += reader.keysLoaded;
    if (isOldFile) log.info('Reading the remaining AOF tail...');
    return input.position;
  }

  /** Runs the commands of a file from a position on. False as `loadFile`. */
  private *loadCommands(fd: number, name: string, size: ByteLength, start: ByteOffset): Part<boolean> {
    const { replay, log } = this.parts;
    const reader = new CommandReader(fd, size, start);
    /** Behind the last whole command, a transaction being one. */
    let validEnd = start;
    replay.begin();
    let found = this.read(reader, name);
    for (; found === COMMAND; found = this.read(reader, name)) {
      if (!replay.run(reader.arguments)) {
        throw this.fail(
          `Unknown command '${reader.arguments.cString(0)}' reading the append only file ${name}`,
        );
      }
      if (!replay.isInTransaction) validEnd = reader.position;
      if (this.isSliceOver(reader.position, 1)) yield;
    }
    if (found === BAD_FORMAT) throw this.fail(badFormat(name));
    if (found === END && !replay.isInTransaction) return true;
    if (replay.isInTransaction) {
      log.warn(`Revert incomplete MULTI/EXEC transaction in AOF file ${name}`);
      replay.begin();
    }
    this.truncate(name, validEnd);
    return false;
  }

  private read(reader: CommandReader, name: string): number {
    try {
      return reader.next();
    } catch (error) {
      throw this.fail(`Unrecoverable error reading the append only file ${name}: ${systemErrorText(error)}`);
    }
  }

  /** Cuts off what is no whole command, if that is allowed. */
  private truncate(name: string, validEnd: ByteOffset): void {
    const { configuration, log, directory } = this.parts;
    if (configuration.values['aof-load-truncated']) {
      log.warn(`!!! Warning: short read while loading the AOF file ${name}!!!`);
      log.warn(`!!! Truncating the AOF ${name} at offset ${validEnd} !!!`);
      try {
        truncateSync(directory.path(name), validEnd);
        log.warn(`AOF ${name} loaded anyway because aof-load-truncated is enabled`);
        return;
      } catch (error) {
        log.warn(`Error truncating the AOF file ${name}: ${systemErrorText(error)}`);
      }
    }
    throw this.fail(
      `Unexpected end of file reading the append only file ${name}. You can: 1) Make a backup of your AOF file, then ` +
        "use ./redis-check-aof --fix <filename.manifest>. 2) Alternatively you can set the 'aof-load-truncated' " +
        'configuration option to yes and restart the server.',
    );
  }

  /** Whether others are to go ahead, now that so many further keys or commands of a file are loaded. */
  private isSliceOver(position: ByteOffset, units: number): boolean {
    const { progress, slices, parts } = this;
    if (!slices.isOver(this.doneBytes + position, units)) return false;
    progress.loadedBytes = this.doneBytes + position;
    const nowMs = Date.now();
    if (nowMs - this.loggedMs >= PROGRESS_LOG_MS) {
      this.loggedMs = nowMs;
      const percent = (progress.loadedBytes / progress.totalBytes) * 100;
      parts.log.info(`Loading the append only file: ${percent.toFixed(0)}% done`);
    }
    return true;
  }

  private fail(line: string): AppendOnlyFileError {
    this.parts.log.warn(line);
    return new AppendOnlyFileError(line);
  }
}

function hasSnapshot(fd: number): boolean {
  const magic = Buffer.alloc(RDB_MAGIC.length);
  return readSync(fd, magic, 0, magic.length, 0) === magic.length && magic.toString('latin1') === RDB_MAGIC;
}

function badFormat(name: string): string {
  return (
    `Bad file format reading the append only file ${name}: make a backup of your AOF file, then use ` +
    './redis-check-aof --fix <filename.manifest>'
  );
}
