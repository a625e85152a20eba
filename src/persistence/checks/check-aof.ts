import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { encodeByteString } from '../../config/byte-string.js';
import { systemErrorText } from '../../config/system-error.js';
import { Manifest, ManifestError } from '../aof/manifest.js';
import { AofCommands, type CommandsFound, InvalidTimestampError } from './aof-check.js';
import { CheckFailedError, type CheckTerminal, versionText } from './check-program.js';
import { checkRdbIn } from './check-rdb.js';
import { LineFile } from './line-file.js';

/** The longest path of Linux. */
const PATH_BYTES_MAX = 4096;
const SIGNATURE = 'REDIS';
/** Shorter files have no room for the header of RDB. */
const RDB_BYTES_MIN = 8;

/** How the check of a file ended that did not end the program. */
type FileResult = 'valid' | 'empty' | 'truncated' | 'truncated to timestamp';

/** What the user wants. */
interface CheckRequest {
  readonly path: string;
  /** Whether to cut off what is not valid. */
  readonly fixes: boolean;
  /** Seconds since the epoch behind which to cut the last file off; 0: not. */
  readonly toTimestamp: number;
}

/**
 * The program respite-check-aof: checks an append-only file, of one part or named by a manifest, with the output of
 * redis-check-aof. Returns the exit code.
 * @param argv what the program was called with, its own name first, a character a byte
 */
export function checkAof(argv: readonly string[], terminal: CheckTerminal): number {
  const [program, ...options] = argv;
  if (options.length === 1 && (options[0] === '-v' || options[0] === '--version')) {
    terminal.print(`redis-check-aof ${versionText()}\n`);
    return 0;
  }
  try {
    const request = parseRequest(options, terminal);
    if (request === undefined) {
      terminal.print(
        `Usage: ${program} [--fix|--truncate-to-timestamp $timestamp] <file.manifest|file.aof>\n`,
      );
      return 1;
    }
    new AofCheck(request, terminal).run();
    return 0;
  } catch (error) {
    if (error instanceof CheckFailedError) return 1;
    throw error;
  }
}

function parseRequest(options: readonly string[], terminal: CheckTerminal): CheckRequest | undefined {
  const [first, second] = options;
  let request: CheckRequest | undefined;
  if (options.length === 1) {
    request = { path: first, fixes: false, toTimestamp: 0 };
  } else if (options.length === 2 && first === '--fix') {
    request = { path: second, fixes: true, toTimestamp: 0 };
  } else if (options.length === 3 && first === '--truncate-to-timestamp') {
    if (!/^[ \t]*[-+]?\d*$/.test(second)) {
      terminal.print('Invalid timestamp, aborting...\n');
      throw new CheckFailedError('timestamp');
    }
    request = { path: options[2], fixes: false, toTimestamp: Number(second) };
  }
  if (request === undefined || request.path.length <= PATH_BYTES_MAX) return request;
  terminal.print('Error: filepath is too long (exceeds PATH_MAX)\n');
  return undefined;
}

/** One run of the program. */
class AofCheck {
  private readonly request: CheckRequest;
  private readonly terminal: CheckTerminal;
  private readonly commands: AofCommands;

  constructor(request: CheckRequest, terminal: CheckTerminal) {
    this.request = request;
    this.terminal = terminal;
    this.commands = new AofCommands(request.toTimestamp);
  }

  /** @throws CheckFailedError */
  run(): void {
    const { path } = this.request;
    if (this.isManifest(path)) {
      this.say('Start checking Multi Part AOF');
      this.checkParts(this.readManifest(path), dirname(path));
      this.say('All AOF files and manifest are valid');
      return;
    }
    const hasPreamble = this.isRdb(path);
    this.say('Start checking Old-Style AOF');
    this.conclude(this.checkFile(path, path, true, hasPreamble), 'AOF', path);
  }

  private checkParts({ base, increments }: Manifest, directory: string): void {
    if (base !== undefined) {
      const name = encodeByteString(base.name);
      const path = `${directory}/${name}`;
      const isRdb = this.isRdb(path);
      this.say(`Start to check BASE AOF (${isRdb ? 'RDB' : 'RESP'} format).`);
      const result = this.checkFile(name, path, increments.length === 0, isRdb);
      this.conclude(result, 'BASE AOF', name);
    }
    if (increments.length > 0) this.say('Start to check INCR files.');
    increments.forEach((entry, index) => {
      const name = encodeByteString(entry.name);
      const isLast = index === increments.length - 1;
      this.conclude(this.checkFile(name, `${directory}/${name}`, isLast, false), 'INCR AOF', name);
    });
  }

  /** @param isLast whether it may be cut off */
  private checkFile(name: string, path: string, isLast: boolean, hasPreamble: boolean): FileResult {
    const file = this.open(path, 'r+', ', aborting...');
    try {
      if (file.size === 0) return 'empty';
      if (hasPreamble) this.checkPreamble(file, path);
      const found = this.readCommands(file, path, name);
      if (found.laterThan !== undefined) return this.cutToTimestamp(file, path, found.laterThan, isLast);
      for (const problem of found.problems) this.say(problem);
      return this.judge(file, name, found, isLast);
    } finally {
      file.close();
    }
  }

  private checkPreamble(file: LineFile, path: string): void {
    const result = checkRdbIn(file, path, this.terminal);
    if (result === 'broken') this.fail('RDB preamble of AOF file is not sane, aborting.');
    if (result === 'corrupt') throw new CheckFailedError('the preamble');
    this.say('RDB preamble is OK, proceeding with AOF tail...');
  }

  private readCommands(file: LineFile, path: string, name: string): CommandsFound {
    try {
      return this.commands.read(file, path, name);
    } catch (error) {
      if (error instanceof InvalidTimestampError) this.fail(error.message);
      throw error;
    }
  }

  /** Says what is valid of a file, and cuts off the rest if that is wanted. */
  private judge(file: LineFile, name: string, { validBytes }: CommandsFound, isLast: boolean): FileResult {
    const { size } = file;
    const surplus = size - validBytes;
    const { fixes, toTimestamp } = this.request;
    if (surplus === 0 && toTimestamp !== 0) {
      this.say(`Truncate nothing in AOF ${name} to timestamp ${toTimestamp}`);
      return 'valid';
    }
    this.say(
      `AOF analyzed: filename=${name}, size=${size}, ok_up_to=${validBytes}, ` +
        `ok_up_to_line=${this.commands.line}, diff=${surplus}`,
    );
    if (surplus === 0) return 'valid';
    if (!fixes) this.fail(`AOF ${name} is not valid. Use the --fix option to try fixing it.`);
    if (!isLast) this.fail(`Failed to truncate AOF ${name} because it is not the last file`);
    this.say(
      `This will shrink the AOF ${name} from ${size} bytes, with ${surplus} bytes, to ${validBytes} bytes`,
    );
    this.terminal.print('Continue? [y/N]: ');
    if (this.terminal.readAnswer().toLowerCase() !== 'y') this.fail('Aborting...');
    this.truncate(file, validBytes, `Failed to truncate AOF ${name}`);
    return 'truncated';
  }

  private cutToTimestamp(file: LineFile, path: string, at: number, isLast: boolean): FileResult {
    const { toTimestamp } = this.request;
    if (at === 0) this.fail(`AOF ${path} has nothing before timestamp ${toTimestamp}, aborting...`);
    if (!isLast) {
      this.say(
        `Failed to truncate AOF ${path} to timestamp ${toTimestamp} to offset ${at} because it is not the last file.`,
      );
      this.fail(
        'If you insist, please delete all files after this file according to the manifest file and delete the ' +
          'corresponding records in manifest file manually. Then re-run redis-check-aof.',
      );
    }
    this.truncate(file, at, `Failed to truncate AOF ${path} to timestamp ${toTimestamp}`);
    return 'truncated to timestamp';
  }

  private truncate(file: LineFile, length: number, complaint: string): void {
    try {
      file.truncate(length);
    } catch {
      this.fail(complaint);
    }
  }

  private conclude(result: FileResult, kind: string, name: string): void {
    if (result === 'valid') this.say(`${kind} ${name} is valid`);
    else if (result === 'empty') this.say(`${kind} ${name} is empty`);
    else if (result === 'truncated') this.say(`Successfully truncated AOF ${name}`);
    else this.say(`Successfully truncated AOF ${name} to timestamp ${this.request.toTimestamp}`);
  }

  /** A manifest has nothing but comments before the first line that begins with the word `file`. */
  private isManifest(path: string): boolean {
    const file = this.open(path, 'r', '');
    try {
      for (let line = file.line(1024); line !== undefined; line = file.line(1024)) {
        if (line[0] !== 0x23 /* # */) return line.toString('latin1').startsWith('file');
      }
      return false;
    } catch {
      return this.fail(`Cannot read file: ${path}`);
    } finally {
      file.close();
    }
  }

  private isRdb(path: string): boolean {
    const file = this.open(path, 'r', '');
    try {
      return file.size >= RDB_BYTES_MIN && file.bytes(SIGNATURE.length).toString('latin1') === SIGNATURE;
    } finally {
      file.close();
    }
  }

  private readManifest(path: string): Manifest {
    try {
      return Manifest.parse(readFileSync(Buffer.from(path, 'latin1')));
    } catch (error) {
      if (!(error instanceof ManifestError)) throw error;
      this.terminal.warn('\n*** FATAL AOF MANIFEST FILE ERROR ***\n');
      if (error.line !== undefined) {
        this.terminal.warn(`Reading the manifest file, at line ${error.line.number}\n`);
        this.terminal.warn(`>>> '${error.line.text}'\n`);
      }
      this.terminal.warn(`${error.message}\n`);
      throw new CheckFailedError('the manifest');
    }
  }

  private open(path: string, mode: 'r' | 'r+', ending: string): LineFile {
    try {
      return new LineFile(path, mode);
    } catch (error) {
      return this.fail(`Cannot open file ${path}: ${systemErrorText(error)}${ending}`);
    }
  }

  private say(line: string): void {
    this.terminal.print(`${line}\n`);
  }

  private fail(line: string): never {
    this.say(line);
    throw new CheckFailedError(line);
  }
}
