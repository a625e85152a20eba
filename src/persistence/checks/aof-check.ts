import type { ByteLength, ByteOffset } from '../../memory/reference.js';
import type { LineFile } from './line-file.js';

/** The longest line that announces a length. */
const HEADER_BYTES_MAX = 127;
/** The longest annotation. */
const ANNOTATION_BYTES_MAX = 1023;
const HASH = 0x23;
const ASTERISK = 0x2a;
const CR = 0x0d;
const LF = 0x0a;
/** The longest string that C can allocate the bytes of. */
const STRING_BYTES_MAX = 2 ** 63 - 3;

/** Thrown when commands cannot be read further; the message tells where and why, or is empty at the end of the file. */
class CommandError extends Error {
  override name = 'CommandError';
}

/** What has been found out about the commands of a file. */
export interface CommandsFound {
  /** Up to where they are whole. */
  readonly validBytes: ByteLength;
  /** What is wrong behind it, a line each. */
  readonly problems: readonly string[];
  /** Where the part begins that is to be cut off for its time, if there is one. */
  readonly laterThan: ByteOffset | undefined;
}

/**
 * Reads the commands of append-only files one after the other, as redis-check-aof does: it looks at lengths, line ends,
 * and MULTI and EXEC, not at what the commands are.
 *
 *     #TS:1700000000                      annotation
 *     *2  $3 DEL  $1 a                    each in a line of its own, which ends with CR LF
 */
export class AofCommands {
  /** Lines that were right, in all files so far, plus one: `ok_up_to_line`. */
  line = 1;
  /** What was wrong last. It stays: the tool reports it for each file that follows. */
  private problem = '';
  /** Where the thing began that is being read. */
  private start: ByteOffset = 0;
  private openTransactions = 0;
  private readonly toTimestamp: number;

  /** @param toTimestamp seconds since the epoch behind which files are to be cut off; 0: not */
  constructor(toTimestamp: number) {
    this.toTimestamp = toTimestamp;
  }

  /** Reads a file from where it is. @throws InvalidTimestampError */
  read(file: LineFile, path: string, name: string): CommandsFound {
    const problems: string[] = [];
    let validBytes = file.position;
    let laterThan: ByteOffset | undefined;
    this.openTransactions = 0;
    try {
      for (;;) {
        if (this.openTransactions === 0) validBytes = file.position;
        const first = file.peek();
        if (first === undefined) break;
        if (first === HASH) {
          if (this.isLater(file)) {
            laterThan = this.start;
            break;
          }
        } else if (first === ASTERISK) {
          this.readCommand(file, path);
        } else {
          problems.push(`AOF ${name} format error`);
          break;
        }
      }
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      if (error.message !== '') this.problem = error.message;
    }
    if (laterThan === undefined) {
      if (file.hasMetEnd && this.openTransactions !== 0 && this.problem === '') {
        this.problem = this.located('Reached EOF before reading EXEC for MULTI');
      }
      if (this.problem !== '') problems.push(this.problem);
    }
    return { validBytes, problems, laterThan };
  }

  /** Reads an annotation. Whether it says that what follows is later than what is wanted. */
  private isLater(file: LineFile): boolean {
    this.start = file.position;
    const line = file.line(ANNOTATION_BYTES_MAX)?.toString('latin1') ?? '';
    if (this.toTimestamp === 0 || !line.startsWith('#TS:')) return false;
    const time = /^#TS:[ \t]*([-+]?\d+)?\r/.exec(line);
    if (time === null) throw new InvalidTimestampError('Invalid timestamp annotation');
    return Number(time[1] ?? 0) > this.toTimestamp;
  }

  private readCommand(file: LineFile, path: string): void {
    const count = this.readLength(file, '*');
    for (let i = 0; i < count; i++) {
      const argument = this.readString(file);
      if (i > 0) continue;
      const name = argument.toString('latin1').toLowerCase();
      if (name === 'multi') {
        if (this.openTransactions++ !== 0) throw this.error(`Unexpected MULTI in AOF ${path}`);
      } else if (name === 'exec') {
        if (--this.openTransactions !== 0) throw this.error(`Unexpected EXEC in AOF ${path}`);
      }
    }
  }

  private readLength(file: LineFile, prefix: string): number {
    this.start = file.position;
    const line = file.line(HEADER_BYTES_MAX);
    if (line === undefined) throw new CommandError('');
    if (line[0] !== prefix.charCodeAt(0)) {
      throw this.error(`Expected prefix '${prefix}', got: '${String.fromCharCode(line[0])}'`);
    }
    const digits = /^[ \t\n\v\f\r]*[-+]?\d+/.exec(line.toString('latin1', 1))?.[0] ?? '';
    this.expectLineEnd(line, 1 + digits.length);
    return Number(digits);
  }

  private readString(file: LineFile): Buffer {
    const length = this.readLength(file, '$');
    if (length < 0 || length > STRING_BYTES_MAX) {
      throw this.error(`Expected to read string of ${length} bytes, which is not in the suitable range`);
    }
    this.start = file.position;
    const bytes = file.bytes(length + 2);
    if (bytes.length < length + 2) {
      throw this.error(`Expected to read ${length + 2} bytes, got ${bytes.length} bytes`);
    }
    this.expectLineEnd(bytes, length);
    return bytes.subarray(0, length);
  }

  private expectLineEnd(bytes: Uint8Array, at: ByteOffset): void {
    if (bytes[at] === CR && bytes[at + 1] === LF) {
      this.line++;
      return;
    }
    throw this.error(`Expected \\r\\n, got: ${hexadecimal(bytes[at])}${hexadecimal(bytes[at + 1])}`);
  }

  private error(reason: string): CommandError {
    return new CommandError(this.located(reason));
  }

  private located(reason: string): string {
    return `0x${this.start.toString(16).padStart(16, ' ')}: ${reason}`;
  }
}

/** Thrown when an annotation has no time. */
export class InvalidTimestampError extends Error {
  override name = 'InvalidTimestampError';
}

/** A byte as C prints a signed one; behind the end of what was read there are zeros. */
function hexadecimal(byte: number | undefined): string {
  const value = byte ?? 0;
  return (value < 128 ? '' : 'ffffff') + value.toString(16).padStart(2, '0');
}
