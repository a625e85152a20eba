/**
 * The quoting rules that inline commands and redis.conf share (Redis's `sdssplitargs` and `sdscatrepr`).
 *
 * Arguments are parted by white space. An argument may be quoted, wholly or in part:
 *
 *     "…"   with \xHH for a byte, \n \r \t \b \a, and \ before any other byte for that byte
 *     '…'   with \' only
 *
 * A closing quote must be followed by white space or the end of the line. A NUL byte ends the line.
 */

const NUL = 0x00;
const BELL = 0x07;
const BACKSPACE = 0x08;
const TAB = 0x09;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const SPACE = 0x20;
const DOUBLE_QUOTE = 0x22;
const SINGLE_QUOTE = 0x27;
const BACKSLASH = 0x5c;
const LETTER_X = 0x78;

/** Bytes that `\` and a letter stand for between double quotes; any other letter stands for itself. */
const ESCAPED_BYTES: ReadonlyMap<number, number> = new Map([
  [0x6e, LINE_FEED],
  [0x72, CARRIAGE_RETURN],
  [0x74, TAB],
  [0x62, BACKSPACE],
  [0x61, BELL],
]);

const ESCAPE_TEXTS: ReadonlyMap<number, string> = new Map([
  [BACKSLASH, '\\\\'],
  [DOUBLE_QUOTE, '\\"'],
  [LINE_FEED, '\\n'],
  [CARRIAGE_RETURN, '\\r'],
  [TAB, '\\t'],
  [BELL, '\\a'],
  [BACKSPACE, '\\b'],
]);

/** C's isspace(): blanks between arguments, and what may follow a closing quote. */
function isSpace(byte: number): boolean {
  return byte === SPACE || (byte >= TAB && byte <= CARRIAGE_RETURN);
}

/** What ends an argument outside quotes: fewer bytes than isSpace(), so `a\vb` is one argument (as in Redis). */
function endsArgument(byte: number): boolean {
  return byte === SPACE || byte === LINE_FEED || byte === CARRIAGE_RETURN || byte === TAB;
}

function hexDigitValue(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

/** Walks over one line; `argument` collects the bytes of the argument being read. */
class LineReader {
  private readonly line: Uint8Array;
  private readonly end: number;
  private readonly argument: Uint8Array;
  private length = 0;
  private at = 0;

  constructor(line: Uint8Array) {
    const nulAt = line.indexOf(NUL);
    this.line = line;
    this.end = nulAt < 0 ? line.length : nulAt;
    this.argument = new Uint8Array(this.end);
  }

  /** Moves to the next argument; false when there is none. */
  skipSpaces(): boolean {
    while (isSpace(this.peek())) this.at++;
    return this.at < this.end;
  }

  /** Reads the argument that starts here; undefined when its quotes are unbalanced. */
  readArgument(): Uint8Array | undefined {
    this.length = 0;
    while (this.at < this.end && !endsArgument(this.peek())) {
      const byte = this.next();
      if (byte === DOUBLE_QUOTE || byte === SINGLE_QUOTE) {
        // A closing quote ends the argument, also one that was opened in its middle.
        if (!this.readQuoted(byte)) return undefined;
        if (this.at < this.end && !isSpace(this.peek())) return undefined;
        break;
      }
      this.append(byte);
    }
    return this.argument.slice(0, this.length);
  }

  /** Reads up to and over the closing quote; false when there is none. */
  private readQuoted(quote: number): boolean {
    while (this.at < this.end) {
      const byte = this.next();
      if (byte === quote) return true;
      if (byte !== BACKSLASH || this.at === this.end) this.append(byte);
      else if (quote === DOUBLE_QUOTE) this.append(this.readEscape());
      else this.append(this.peek() === SINGLE_QUOTE ? this.next() : BACKSLASH);
    }
    return false;
  }

  /** Reads what follows a backslash between double quotes. */
  private readEscape(): number {
    const escaped = this.next();
    if (escaped === LETTER_X && this.at + 1 < this.end) {
      const high = hexDigitValue(this.peek());
      const low = hexDigitValue(this.line[this.at + 1]);
      if (high >= 0 && low >= 0) {
        this.at += 2;
        return high * 16 + low;
      }
    }
    return ESCAPED_BYTES.get(escaped) ?? escaped;
  }

  /** The byte here; NUL, which no line contains, at its end. */
  private peek(): number {
    return this.at < this.end ? this.line[this.at] : NUL;
  }

  private next(): number {
    return this.line[this.at++];
  }

  private append(byte: number): void {
    this.argument[this.length++] = byte;
  }
}

/**
 * Splits a line into its arguments, each a copy. An empty or blank line has none.
 * Returns undefined when a quote is not closed or its closing quote is followed by something else than white space.
 */
export function splitArguments(line: Uint8Array): Uint8Array[] | undefined {
  const reader = new LineReader(line);
  const result: Uint8Array[] = [];
  while (reader.skipSpaces()) {
    const argument = reader.readArgument();
    if (argument === undefined) return undefined;
    result.push(argument);
  }
  return result;
}

/**
 * Writes an argument between double quotes so that `splitArguments` reads it back: the form of CONFIG REWRITE, MONITOR
 * and log lines. The result is printable ASCII.
 */
export function quoteArgument(argument: Uint8Array): string {
  let result = '"';
  for (const byte of argument) {
    const escaped = ESCAPE_TEXTS.get(byte);
    if (escaped !== undefined) result += escaped;
    else if (byte >= SPACE && byte < 0x7f) result += String.fromCharCode(byte);
    else result += `\\x${byte.toString(16).padStart(2, '0')}`;
  }
  return `${result}"`;
}
