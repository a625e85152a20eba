import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rm,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Configuration } from '../../config/configuration.js';
import { systemErrorText } from '../../config/system-error.js';
import type { ByteLength } from '../../memory/reference.js';
import type { Log } from '../../observability/log.js';
import { syncDirectoryAtOnce } from '../file-sink.js';
import { Manifest, ManifestError } from './manifest.js';
import { formatSuccessor, parseSuccessor, type Successor } from './successor.js';

/** Thrown when the append-only file cannot be used. The log tells why: the message is for programs. */
export class AppendOnlyFileError extends Error {
  override name = 'AppendOnlyFileError';
}

/** What has become of a manifest: on the disk; not written; or in its place, but not for sure after a crash. */
export type ManifestOutcome = 'written' | 'unchanged' | 'unsure';

/** `appenddirname` in `dir`: where the files are, and how the manifest gets there and back. */
export class AofDirectory {
  private readonly configuration: Configuration;
  private readonly log: Log;

  constructor(configuration: Configuration, log: Log) {
    this.configuration = configuration;
    this.log = log;
  }

  /** `appendfilename`, which all files begin with. */
  get fileName(): string {
    return this.configuration.values.appendfilename;
  }

  /** Where a file of the directory is. */
  path(name: string): string {
    const { configuration } = this;
    return configuration.resolvePath(join(configuration.values.appenddirname, name));
  }

  /** Where the one file of before Redis 7 is: beside the directory. */
  get oldPath(): string {
    return this.configuration.resolvePath(this.fileName);
  }

  /** Makes the directory if there is none. False when that fails; the log tells why. */
  create(): boolean {
    try {
      mkdirSync(this.path(''), { recursive: true, mode: 0o755 });
      return true;
    } catch (error) {
      const name = this.configuration.values.appenddirname;
      this.log.warn(`Can't open or create append-only dir ${name}: ${systemErrorText(error)}`);
      return false;
    }
  }

  /** Whether a file is there. */
  has(name: string): boolean {
    return existsSync(this.path(name));
  }

  /** The size of a file, or undefined; the log tells why then. */
  size(name: string): ByteLength | undefined {
    try {
      return statSync(this.path(name)).size;
    } catch (error) {
      this.log.warn(`Unable to obtain the AOF file ${name} length. stat: ${systemErrorText(error)}`);
      return undefined;
    }
  }

  /** Has all that was written to a file be on the disk. What cannot be synced is told by the log. */
  syncAtOnce(name: string): void {
    let fd: number | undefined;
    try {
      fd = openSync(this.path(name), 'r+');
      fsyncSync(fd);
    } catch (error) {
      this.log.warn(`Fail to fsync the AOF file ${name}: ${systemErrorText(error)}`);
    } finally {
      if (fd !== undefined) closeSync(fd);
    }
  }

  /** Removes a file in the background; that it is not there is fine. */
  removeLater(name: string): void {
    rm(this.path(name), { force: true }, () => {});
  }

  /** The manifest on the disk; an empty one when there is none. @throws AppendOnlyFileError */
  readManifest(): Manifest {
    const { log } = this;
    const path = this.path(this.manifestName);
    if (!existsSync(path)) {
      log.trace(`The AOF manifest file ${this.manifestName} doesn't exist`);
      return Manifest.empty();
    }
    try {
      return Manifest.parse(readFileSync(path));
    } catch (error) {
      if (error instanceof ManifestError) this.reportManifest(error);
      else {
        log.warn(
          `Fatal error: can't open the AOF manifest file ${path} for reading: ${systemErrorText(error)}`,
        );
      }
      throw new AppendOnlyFileError('the manifest of the append-only file cannot be read');
    }
  }

  /**
   * Puts a manifest in the place of the one that there is, so that a crash at any time leaves one of both. When that
   * fails the log tells why.
   */
  writeManifest(manifest: Manifest): ManifestOutcome {
    const { manifestName } = this;
    const temporaryName = `temp-${manifestName}`;
    const bytes = manifest.format();
    let fd: number | undefined;
    let isRenamed = false;
    let problem = `Can't open the AOF manifest file ${temporaryName}`;
    try {
      fd = openSync(this.path(temporaryName), 'w', 0o644);
      problem = `Error trying to write the temporary AOF manifest file ${temporaryName}`;
      for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
      problem = `Fail to fsync the temp AOF file ${temporaryName}`;
      fsyncSync(fd);
      problem = `Error trying to rename the temporary AOF manifest file ${temporaryName} into ${manifestName}`;
      renameSync(this.path(temporaryName), this.path(manifestName));
      isRenamed = true;
      problem = `Fail to fsync AOF directory ${this.path(manifestName)}`;
      syncDirectoryAtOnce(this.path(manifestName));
      return 'written';
    } catch (error) {
      this.log.warn(`${problem}: ${systemErrorText(error)}`);
      return isRenamed ? 'unsure' : 'unchanged';
    } finally {
      if (fd !== undefined) closeSync(fd);
    }
  }

  /** Tells of an increment that the manifest is to name later. False when that fails; the log tells why. */
  writeSuccessor(successor: Successor): boolean {
    try {
      // It is for a process that is killed, not for a power cut: without a sync.
      writeFileSync(this.path(this.successorName), formatSuccessor(successor));
      return true;
    } catch (error) {
      this.log.warn(`Can't write the file ${this.successorName}: ${systemErrorText(error)}`);
      return false;
    }
  }

  /** What was told of an increment that the manifest did not name yet; undefined when there is no such file. */
  readSuccessor(): Successor | undefined {
    try {
      return parseSuccessor(readFileSync(this.path(this.successorName), 'latin1'));
    } catch {
      return undefined;
    }
  }

  /** Takes back what was told of an increment: the manifest names it, or it does not count. */
  removeSuccessor(): void {
    this.removeLater(this.successorName);
  }

  /**
   * Takes over the single file of before Redis 7, if there is one and the manifest knows nothing else: it becomes the
   * base. A crash in between is made good by the next start. @throws AppendOnlyFileError
   */
  upgrade(manifest: Manifest): Manifest {
    const { fileName, oldPath } = this;
    const isInterrupted = manifest.base?.name === fileName && !this.has(fileName);
    const isWanted = manifest.isEmpty || (isInterrupted && manifest.increments.length === 0);
    if (!isWanted || !existsSync(oldPath)) return manifest;
    const upgraded = manifest.withOldFile(fileName);
    if (!this.create() || this.writeManifest(upgraded) !== 'written') {
      throw new AppendOnlyFileError('the append-only file of an older version cannot be taken over');
    }
    const { appenddirname } = this.configuration.values;
    try {
      renameSync(oldPath, this.path(fileName));
      syncDirectoryAtOnce(this.path(fileName));
    } catch (error) {
      this.log.warn(
        `Error trying to move the old AOF file ${fileName} into dir ${appenddirname}: ${systemErrorText(error)}`,
      );
      throw new AppendOnlyFileError('the append-only file of an older version cannot be moved');
    }
    this.log.info(
      `Successfully migrated an old-style AOF file (${fileName}) into the AOF directory (${appenddirname}).`,
    );
    return upgraded;
  }

  private get successorName(): string {
    return `${this.fileName}.successor`;
  }

  private get manifestName(): string {
    return `${this.fileName}.manifest`;
  }

  private reportManifest({ message, line }: ManifestError): void {
    const { log } = this;
    log.warn('\n*** FATAL AOF MANIFEST FILE ERROR ***\n');
    if (line !== undefined) {
      log.warn(`Reading the manifest file, at line ${line.number}\n`);
      log.warn(`>>> '${line.text}'\n`);
    }
    log.warn(`${message}\n`);
  }
}
