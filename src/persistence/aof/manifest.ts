import { byteStringOf, bytesOf, decodeByteString, encodeByteString } from '../../config/byte-string.js';
import { quoteArgument, splitArguments } from '../../protocol/inline.js';

/** A position in the stream of changes: how many commands or bytes there had been since the data began. */
export type ReplicationOffset = number;

/** What a file of the append-only file is, as the manifest writes it. */
export const BASE_FILE = 'b';
/** Commands since the base, in the order of the numbers. */
export const INCREMENT_FILE = 'i';
/** What a newer base has made superfluous, and is to be removed. */
export const HISTORY_FILE = 'h';

/** One file: a line of the manifest. */
export interface ManifestEntry {
  readonly name: string;
  /** From 1 on, counted apart for bases and increments. */
  readonly sequence: number;
  readonly type: typeof BASE_FILE | typeof INCREMENT_FILE | typeof HISTORY_FILE;
  /** Where in the stream of changes the file begins, if that is known. */
  readonly startOffset: ReplicationOffset | undefined;
  /** Where it ends; known only of a file that was closed in order. */
  readonly endOffset: ReplicationOffset | undefined;
}

/** How a base is written: a snapshot as RDB, or as commands. */
export type BaseFormat = 'rdb' | 'aof';

/** The longest line, its line feed included. */
const LINE_BYTES_MAX = 1024;
const LINE_FEED = 0x0a;
const FIELDS_MIN = 6;

/** Thrown when a manifest cannot be read; the message is Redis's. */
export class ManifestError extends Error {
  override name = 'ManifestError';
  /** The line that is wrong, from 1 on, and its text; undefined when it is not a matter of a line. */
  readonly line: { readonly number: number; readonly text: string } | undefined;

  constructor(reason: string, line?: ManifestError['line']) {
    super(reason);
    this.line = line;
  }
}

/**
 * Which files the append-only file consists of, in which order: a base, and the increments since.
 *
 *     file appendonly.aof.2.base.rdb seq 2 type b
 *     file appendonly.aof.1.incr.aof seq 1 type h
 *     file appendonly.aof.2.incr.aof seq 2 type i startoffset 1234
 *
 * It never changes: what does is a new manifest, which counts once it is on the disk.
 */
export class Manifest {
  readonly base: ManifestEntry | undefined;
  readonly history: readonly ManifestEntry[];
  readonly increments: readonly ManifestEntry[];
  /** The numbers that were given last. */
  readonly baseSequence: number;
  readonly incrementSequence: number;

  private constructor(
    parts: Pick<Manifest, 'base' | 'history' | 'increments' | 'baseSequence' | 'incrementSequence'>,
  ) {
    this.base = parts.base;
    this.history = parts.history;
    this.increments = parts.increments;
    this.baseSequence = parts.baseSequence;
    this.incrementSequence = parts.incrementSequence;
  }

  /** One that names no file. */
  static empty(): Manifest {
    return new Manifest({
      base: undefined,
      history: [],
      increments: [],
      baseSequence: 0,
      incrementSequence: 0,
    });
  }

  /** Reads the bytes of a manifest. @throws ManifestError */
  static parse(bytes: Uint8Array): Manifest {
    if (bytes.length === 0) throw new ManifestError('Found an empty AOF manifest');
    let base: ManifestEntry | undefined;
    const history: ManifestEntry[] = [];
    const increments: ManifestEntry[] = [];
    let number = 0;
    for (let start = 0; start < bytes.length; ) {
      const lineFeed = bytes.indexOf(LINE_FEED, start);
      const end = lineFeed < 0 ? bytes.length : lineFeed;
      const line = bytes.subarray(start, end);
      start = end + 1;
      number++;
      if (line[0] === 0x23 /* # */) continue;
      if (lineFeed < 0 || line.length >= LINE_BYTES_MAX) {
        throw new ManifestError('The AOF manifest file contains too long line');
      }
      const fail = (reason: string) => new ManifestError(reason, { number, text: trimmed(line) });
      const entry = parseEntry(line, fail);
      if (entry.type === BASE_FILE) {
        if (base !== undefined) throw fail('Found duplicate base file information');
        base = entry;
      } else if (entry.type === HISTORY_FILE) {
        history.push(entry);
      } else {
        if (entry.sequence <= (increments.at(-1)?.sequence ?? 0)) {
          throw fail('Found a non-monotonic sequence number');
        }
        increments.push(entry);
      }
    }
    const baseSequence = base?.sequence ?? 0;
    return new Manifest({
      base,
      history,
      increments,
      baseSequence,
      incrementSequence: increments.at(-1)?.sequence ?? 0,
    });
  }

  /** Whether there is nothing to load. */
  get isEmpty(): boolean {
    return this.base === undefined && this.increments.length === 0;
  }

  /** The files that make up the data, in their order. */
  get files(): readonly ManifestEntry[] {
    return this.base === undefined ? this.increments : [this.base, ...this.increments];
  }

  /** The text of the file. */
  format(): Uint8Array {
    const entries = [...(this.base === undefined ? [] : [this.base]), ...this.history, ...this.increments];
    return bytesOf(entries.map(formatEntry).join(''));
  }

  /** This one with a file of before Redis 7 as the base. */
  withOldFile(name: string): Manifest {
    return new Manifest({ ...this, base: entryOf(name, 1, BASE_FILE), baseSequence: 1 });
  }

  /** This one with a new base; the one that there was is history. */
  withNewBase(fileName: string, format: BaseFormat): Manifest {
    const { base } = this;
    const sequence = this.baseSequence + 1;
    const history =
      base === undefined ? this.history : [{ ...base, type: HISTORY_FILE } as const, ...this.history];
    return new Manifest({
      ...this,
      base: entryOf(`${fileName}.${sequence}.base.${format}`, sequence, BASE_FILE),
      history,
      baseSequence: sequence,
    });
  }

  /** This one with another increment at the end. */
  withNewIncrement(fileName: string, startOffset: ReplicationOffset): Manifest {
    const sequence = this.incrementSequence + 1;
    const entry = entryOf(`${fileName}.${sequence}.incr.aof`, sequence, INCREMENT_FILE);
    return new Manifest({
      ...this,
      increments: [...this.increments, { ...entry, startOffset }],
      incrementSequence: sequence,
    });
  }

  /** This one with all increments as history; all but the last when that one is written to. */
  withRewrittenIncrements(keepsLast: boolean): Manifest {
    const count = this.increments.length - (keepsLast ? 1 : 0);
    const rewritten = this.increments
      .slice(0, Math.max(0, count))
      .map((entry) => ({ ...entry, type: HISTORY_FILE }) as const);
    return new Manifest({
      ...this,
      history: [...rewritten, ...this.history],
      increments: this.increments.slice(Math.max(0, count)),
    });
  }

  /** This one with the end of the last increment told, or not told any more. */
  withEndOffset(endOffset: ReplicationOffset | undefined): Manifest {
    const last = this.increments.at(-1);
    if (last === undefined) return this;
    return new Manifest({ ...this, increments: [...this.increments.slice(0, -1), { ...last, endOffset }] });
  }

  /** This one without history. */
  withoutHistory(): Manifest {
    return new Manifest({ ...this, history: [] });
  }
}

function entryOf(name: string, sequence: number, type: ManifestEntry['type']): ManifestEntry {
  return { name, sequence, type, startOffset: undefined, endOffset: undefined };
}

function parseEntry(line: Uint8Array, fail: (reason: string) => ManifestError): ManifestEntry {
  const invalid = 'Invalid AOF manifest file format';
  const values = trimmed(line) === '' ? undefined : splitArguments(line);
  // Redis lets further pairs pass, for versions to come.
  if (values === undefined || values.length < FIELDS_MIN || values.length % 2 !== 0) throw fail(invalid);
  let name: string | undefined;
  let sequence = 0;
  let type = '';
  let startOffset: ReplicationOffset | undefined;
  let endOffset: ReplicationOffset | undefined;
  for (let i = 0; i < values.length; i += 2) {
    const value = byteStringOf(values[i + 1]);
    switch (byteStringOf(values[i]).toLowerCase()) {
      case 'file':
        if (/[/\\]/.test(value)) throw fail("File can't be a path, just a filename");
        name = decodeByteString(value);
        break;
      case 'seq':
        sequence = integerOf(value);
        break;
      case 'type':
        type = value.charAt(0);
        break;
      case 'startoffset':
        startOffset = offsetOf(value);
        break;
      case 'endoffset':
        endOffset = offsetOf(value);
        break;
      default:
    }
  }
  if (name === undefined || sequence === 0 || type === '') throw fail(invalid);
  if (type !== BASE_FILE && type !== INCREMENT_FILE && type !== HISTORY_FILE) {
    throw fail('Unknown AOF file type');
  }
  return { name, sequence, type, startOffset, endOffset };
}

function formatEntry({ name, sequence, type, startOffset, endOffset }: ManifestEntry): string {
  const bytes = encodeByteString(name);
  const isPlain = /^[!#-&(-[\]-~]+$/.test(bytes); // no blank, quote, backslash or anything that is not printed
  let line = `file ${isPlain ? bytes : quoteArgument(bytesOf(bytes))} seq ${sequence} type ${type}`;
  if (startOffset !== undefined) {
    line += ` startoffset ${startOffset}`;
    if (endOffset !== undefined) line += ` endoffset ${endOffset}`;
  }
  return `${line}\n`;
}

/** What C's `atoll` reads. */
function integerOf(text: string): number {
  return Number.parseInt(text, 10) || 0;
}

function offsetOf(text: string): ReplicationOffset | undefined {
  const offset = integerOf(text);
  return offset === -1 ? undefined : offset;
}

function trimmed(line: Uint8Array): string {
  return byteStringOf(line).replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, '');
}
