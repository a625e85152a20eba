import { closeSync, fdatasyncSync, fsyncSync, openSync, renameSync, rm, writeSync } from 'node:fs';
import { basename } from 'node:path';
import type { Configuration } from '../../config/configuration.js';
import { systemErrorText } from '../../config/system-error.js';
import type { ByteLength } from '../../memory/reference.js';
import type { Log } from '../../observability/log.js';
import type { TimestampMs } from '../../structures/deadlines.js';
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

/** An increment that is written to and that the manifest on the disk does not name yet. */
interface UnnamedIncrement {
  /** The one before it, which is being synced; closed once that is over. */
  readonly previousFd: FileDescriptor;
  /** Where in the stream of changes it begins. */
  readonly startOffset: ReplicationOffset;
  /** Whether the one before it is synced, so that only the manifest is missing. */
  isNext: boolean;
  /** When that is tried again. */
  retryMs: TimestampMs;
}

/** How long after a manifest could not be written that is tried again, in ms. */
const RETRY_MS = 1000;

/**
 * The files that the append-only file consists of at present: what the manifest says, and which of them is written to.
 * A change counts once the manifest that names it is on the disk; when that fails, everything is as it was.
 *
 * Of the files of a manifest only the last may be torn by a power cut. So a new increment is named when the one before
 * it is on the disk, for which nobody waits: see `Successor`.
 *
 *     write to 2, tell of it ──▶ fdatasync 1 (thread pool) ──▶ manifest: 1, 2
 */
export class AofFiles {
  manifest = Manifest.empty();
  readonly directory: AofDirectory;

  private readonly configuration: Configuration;
  private readonly log: Log;
  private readonly writer: AofWriter;
  /** Bytes of the files before the one that is open. */
  private earlierBytes: ByteLength = 0;
  private unnamed: UnnamedIncrement | undefined;

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

  /** What follows this is in no file that the manifest on the disk names; Infinity when there is no such thing. */
  get namedOffset(): ReplicationOffset {
    return this.unnamed?.startOffset ?? Number.POSITIVE_INFINITY;
  }

  /** Reads the manifest, and takes over the file of an older version. @throws AppendOnlyFileError */
  readManifest(): void {
    this.nameAtOnce();
    this.manifest = this.directory.upgrade(this.directory.readManifest());
    this.takeSuccessor();
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
    this.nameAtOnce();
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
    this.nameAtOnce();
    if (this.unnamed !== undefined) return false;
    const { directory, writer, log } = this;
    const manifest = isTemporary
      ? this.manifest
      : this.manifest.withNewIncrement(directory.fileName, writer.offset);
    const name = isTemporary ? this.temporaryIncrement : lastIncrement(manifest);
    const fd = this.openFile(name, true);
    if (fd === undefined) return false;
    // Under `always` all that was written is on the disk, and all that follows must be in a file that is named.
    const isNamedLater = !isTemporary && this.configuration.values.appendfsync !== 'always';
    const isReady = isNamedLater
      ? directory.writeSuccessor({
          sequence: manifest.incrementSequence,
          startOffset: writer.offset,
          precedingBytes: writer.size,
        })
      : isTemporary || directory.writeManifest(manifest) === 'written';
    if (!isReady) {
      closeSync(fd);
      return false;
    }
    log.info(`Creating AOF incr file ${name} on background rewrite`);
    this.manifest = manifest;
    this.earlierBytes = this.byteLength;
    const previousFd = writer.use(fd, 0, () => this.previousSynced(previousFd));
    if (isNamedLater) {
      this.unnamed = { previousFd, startOffset: writer.offset, isNext: false, retryMs: 0 };
    }
    return true;
  }

  /** Has the manifest name the increment that is written to, if it does not yet, and waits for that. */
  nameAtOnce(): void {
    const { unnamed } = this;
    if (unnamed === undefined) return;
    if (!unnamed.isNext) {
      try {
        fdatasyncSync(unnamed.previousFd);
      } catch (error) {
        this.log.warn(`Fail to fsync the AOF file: ${systemErrorText(error)}`);
      }
      unnamed.isNext = true;
    }
    this.nameIncrement(unnamed);
  }

  /** Tries again to write a manifest that could not be written. Whether it is written now. */
  retryManifest(nowMs: TimestampMs): boolean {
    const { unnamed } = this;
    if (unnamed === undefined || !unnamed.isNext || nowMs < unnamed.retryMs) return false;
    unnamed.retryMs = nowMs + RETRY_MS;
    return this.nameIncrement(unnamed);
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
    this.forgetUnnamed();
    this.earlierBytes = directory.size(names[0]) ?? 0;
    this.deleteHistory();
    return true;
  }

  /** Removes files that no one needs any more, unless that is not wanted. */
  deleteHistory(): void {
    const { history } = this.manifest;
    // Once the manifest may be written.
    if (this.unnamed !== undefined) return;
    if (this.configuration.values['aof-disable-auto-gc'] || history.length === 0) return;
    for (const { name } of history) {
      this.log.info(`Removing the history file ${name} in the background`);
      this.directory.removeLater(name);
    }
    this.manifest = this.manifest.withoutHistory();
    this.directory.writeManifest(this.manifest);
  }

  /** The file before the one that is written to is synced, or cannot be: no more can be done for it. */
  private previousSynced(previousFd: FileDescriptor): void {
    const { unnamed } = this;
    if (unnamed?.previousFd !== previousFd || unnamed.isNext) return;
    unnamed.isNext = true;
    this.nameIncrement(unnamed);
  }

  /** Has the manifest name the increment that is written to. False when that failed; the log tells why. */
  private nameIncrement(unnamed: UnnamedIncrement): boolean {
    if (this.directory.writeManifest(this.manifest) !== 'written') return false;
    if (this.unnamed === unnamed) this.forgetUnnamed();
    this.deleteHistory();
    return true;
  }

  private forgetUnnamed(): void {
    if (this.unnamed === undefined) return;
    this.unnamed = undefined;
    this.directory.removeSuccessor();
  }

  /** Goes on with an increment that was written to and not named when the process was killed. @throws AppendOnlyFileError */
  private takeSuccessor(): void {
    const { directory, manifest, log } = this;
    const successor = directory.readSuccessor();
    if (successor === undefined) return;
    const last = manifest.increments.at(-1);
    const next = manifest.withNewIncrement(directory.fileName, successor.startOffset);
    const name = lastIncrement(next);
    if (
      last !== undefined &&
      successor.sequence === next.incrementSequence &&
      directory.has(name) &&
      directory.size(last.name) === successor.precedingBytes
    ) {
      log.info(`Taking over AOF incr file ${name}, which was written to when the server ended`);
      directory.syncAtOnce(last.name);
      this.manifest = next;
      this.mustWriteManifest();
    }
    directory.removeSuccessor();
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
