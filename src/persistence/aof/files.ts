import { closeSync, fsyncSync, openSync, renameSync, rm, writeSync } from 'node:fs';
import { basename } from 'node:path';
import type { Configuration } from '../../config/configuration.js';
import { systemErrorText } from '../../config/system-error.js';
import type { ByteLength } from '../../memory/reference.js';
import type { Log } from '../../observability/log.js';
import type { SnapshotFileWriter } from '../background-rdb.js';
import type { ByteSink } from '../rdb/output.js';
import { AofDirectory, AppendOnlyFileError } from './directory.js';
import { type BaseFormat, Manifest, type ReplicationOffset } from './manifest.js';
import type { FileDescriptor } from './sync-queue.js';
import { AofWriter } from './writer.js';

/** What has become of a rewrite: a base that waits for its name. */
export interface FinishedBase {
  readonly format: BaseFormat;
  readonly path: string;
  /** Where the stream of changes was when it began. */
  readonly startOffset: ReplicationOffset;
}

/**
 * The files that the append-only file consists of at present: what the manifest says, and which of them is written to.
 * A change counts once the manifest that names it is on the disk; when that fails, everything is as it was.
 */
export class AofFiles {
  manifest = Manifest.empty();
  readonly directory: AofDirectory;

  private readonly configuration: Configuration;
  private readonly log: Log;
  private readonly writer: AofWriter;
  /** Bytes of the files before the one that is open. */
  private earlierBytes: ByteLength = 0;

  constructor(configuration: Configuration, log: Log, writer: AofWriter) {
    this.configuration = configuration;
    this.log = log;
    this.writer = writer;
    this.directory = new AofDirectory(configuration, log);
  }

  /** Bytes of all files together. */
  get byteLength(): ByteLength {
    return this.earlierBytes + this.writer.size;
  }

  /** Reads the manifest, and takes over the file of an older version. @throws AppendOnlyFileError */
  readManifest(): void {
    this.manifest = this.directory.upgrade(this.directory.readManifest());
  }

  /** All files have been loaded, and so many bytes they were. @param isOpen whether the last is being written to */
  noteLoaded(totalBytes: ByteLength, isOpen: boolean): void {
    const last = this.manifest.increments.at(-1);
    // Its end may have been cut off.
    if (isOpen && last !== undefined) this.writer.resized(this.directory.size(last.name) ?? 0);
    this.earlierBytes = Math.max(0, totalBytes - this.writer.size);
  }

  /** Goes on in the stream of changes where the last increment ends. @throws AppendOnlyFileError */
  continueOffset(): void {
    const { directory, writer } = this;
    const last = this.manifest.increments.at(-1);
    if (last === undefined) return;
    const end = last.endOffset ?? (last.startOffset ?? 0) + (directory.size(last.name) ?? 0);
    writer.offset = end;
    writer.syncedOffset = end;
    if (last.endOffset === undefined) return;
    // It is written to from now on: its end is another one.
    this.manifest = this.manifest.withEndOffset(undefined);
    this.mustWriteManifest();
  }

  /** Writes down where the increment ends, as it is closed in order. That this may fail does not matter. */
  noteEnd(): void {
    if (this.manifest.increments.length === 0) return;
    this.manifest = this.manifest.withEndOffset(this.writer.offset);
    this.directory.writeManifest(this.manifest);
  }

  /**
   * Begins to write, after loading; where there is nothing yet, there is a base of nothing as well.
   * @param writeBase writes a base without any keys
   * @throws AppendOnlyFileError
   */
  openAtStart(format: BaseFormat, writeBase: (sink: ByteSink) => SnapshotFileWriter): void {
    const { directory, writer, log } = this;
    if (!directory.create()) throw cannotWrite();
    let { manifest } = this;
    if (manifest.isEmpty) {
      manifest = manifest.withNewBase(directory.fileName, format);
      this.createBase(manifest.base?.name ?? '', writeBase);
    }
    const isNew = manifest.increments.length === 0;
    if (isNew) manifest = manifest.withNewIncrement(directory.fileName, writer.offset);
    const name = lastIncrement(manifest);
    const size = isNew ? 0 : (directory.size(name) ?? 0);
    const fd = this.openFile(name, isNew);
    if (fd === undefined) throw cannotWrite();
    writer.use(fd, size);
    this.earlierBytes = Math.max(0, this.earlierBytes - size);
    const isChanged = manifest !== this.manifest;
    this.manifest = manifest;
    if (isChanged) this.mustWriteManifest();
    log.info(`${isNew ? 'Creating' : 'Opening'} AOF incr file ${name} on server start`);
  }

  /**
   * Has what follows go to a new increment: what was before is what a new base will hold. All that waits must have been
   * written. False when that fails; the log tells why.
   * @param isTemporary whether it is not to count before the base is there
   */
  openNewIncrement(isTemporary: boolean): boolean {
    const { directory, writer, log } = this;
    const manifest = isTemporary
      ? this.manifest
      : this.manifest.withNewIncrement(directory.fileName, writer.offset);
    const name = isTemporary ? this.temporaryIncrement : lastIncrement(manifest);
    const fd = this.openFile(name, true);
    if (fd === undefined) return false;
    if (!isTemporary && directory.writeManifest(manifest) !== 'written') {
      closeSync(fd);
      return false;
    }
    log.info(`Creating AOF incr file ${name} on background rewrite`);
    this.manifest = manifest;
    this.earlierBytes = this.byteLength;
    writer.use(fd, 0);
    return true;
  }

  /** Removes the temporary increment, and what waits to be written to it. */
  dropTemporaryIncrement(): void {
    const name = this.temporaryIncrement;
    this.writer.close();
    this.log.info(`Removing the temp incr aof file ${name} in the background`);
    this.directory.removeLater(name);
  }

  /**
   * Has a new base count, with the increment that is written to; what was before is history, and goes. False when that
   * fails; the log tells why.
   * @param isTemporary whether that increment is the temporary one, which gets a name now
   */
  adopt(base: FinishedBase, isTemporary: boolean): boolean {
    const { directory, writer } = this;
    let next = this.manifest.withNewBase(directory.fileName, base.format);
    const names = [next.base?.name ?? ''];
    if (!this.rename('base', base.path, names[0])) return false;
    if (isTemporary) {
      next = next.withNewIncrement(directory.fileName, base.startOffset);
      names.push(lastIncrement(next));
      if (!this.rename('incr', directory.path(this.temporaryIncrement), names[1])) {
        directory.removeLater(names[0]);
        return false;
      }
    }
    next = next.withRewrittenIncrements(writer.isOpen);
    const outcome = directory.writeManifest(next);
    if (outcome !== 'written') {
      // What the disk may name must stay.
      if (outcome === 'unchanged') for (const name of names) directory.removeLater(name);
      return false;
    }
    this.manifest = next;
    this.earlierBytes = directory.size(names[0]) ?? 0;
    this.deleteHistory();
    return true;
  }

  /** Removes files that no one needs any more, unless that is not wanted. */
  deleteHistory(): void {
    const { history } = this.manifest;
    if (this.configuration.values['aof-disable-auto-gc'] || history.length === 0) return;
    for (const { name } of history) {
      this.log.info(`Removing the history file ${name} in the background`);
      this.directory.removeLater(name);
    }
    this.manifest = this.manifest.withoutHistory();
    this.directory.writeManifest(this.manifest);
  }

  private get temporaryIncrement(): string {
    return `temp-${this.directory.fileName}.incr`;
  }

  /** Opens a file to be written to. Undefined when that fails; the log tells why. */
  private openFile(name: string, isNew: boolean): FileDescriptor | undefined {
    try {
      return AofWriter.openFile(this.directory.path(name), isNew);
    } catch (error) {
      this.log.warn(`Can't open the append-only file ${name}: ${systemErrorText(error)}`);
      return undefined;
    }
  }

  private createBase(name: string, writeBase: (sink: ByteSink) => SnapshotFileWriter): void {
    const { log, configuration, directory } = this;
    const temporaryPath = configuration.resolvePath(`temp-rewriteaof-${process.pid}.aof`);
    try {
      const fd = openSync(temporaryPath, 'w', 0o644);
      try {
        writeBase((bytes, length) => {
          for (let at = 0; at < length; ) at += writeSync(fd, bytes, at, length - at);
        }).end();
        fsyncSync(fd);
      } finally {
        closeSync(fd);
      }
      renameSync(temporaryPath, directory.path(name));
    } catch (error) {
      log.warn(`Write error writing append only file on disk: ${systemErrorText(error)}`);
      rm(temporaryPath, { force: true }, () => {});
      throw cannotWrite();
    }
    log.info(`Creating AOF base file ${name} on server start`);
  }

  private rename(kind: 'base' | 'incr', path: string, name: string): boolean {
    const { log, directory } = this;
    try {
      renameSync(path, directory.path(name));
    } catch (error) {
      const target = directory.path(name);
      log.warn(
        `Error trying to rename the temporary AOF ${kind} file ${path} into ${target}: ${systemErrorText(error)}`,
      );
      return false;
    }
    log.info(`Successfully renamed the temporary AOF ${kind} file ${basename(path)} into ${name}`);
    return true;
  }

  /** @throws AppendOnlyFileError */
  private mustWriteManifest(): void {
    if (this.directory.writeManifest(this.manifest) !== 'written') throw cannotWrite();
  }
}

function lastIncrement(manifest: Manifest): string {
  const last = manifest.increments.at(-1);
  if (last === undefined) throw new Error('the manifest has no increment');
  return last.name;
}

function cannotWrite(): AppendOnlyFileError {
  return new AppendOnlyFileError('the append-only file cannot be written');
}
