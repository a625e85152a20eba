import { copyBytes } from '../memory/bytes.js';
import type { ByteLength, ByteOffset } from '../memory/reference.js';
import { DOUBLE_LENGTH_MAX, writeDouble } from './doubles.js';
import { writeSafeInteger } from './integers.js';

/** The protocol version of a connection, as HELLO sets it. */
export type RespVersion = 2 | 3;

/** What `deferredArray` and its like return, for `endDeferred`. */
export type DeferredStart = ByteOffset;

const INITIAL_BYTES = 64 * 1024;
/** The longest header: a type byte, 20 digits and CRLF. */
const HEADER_BYTES_MAX = 23;

const CR = 0x0d;
const LF = 0x0a;
const ARRAY = 0x2a; // *
const BULK = 0x24; // $
const INTEGER = 0x3a; // :
const SIMPLE = 0x2b; // +
const ERROR = 0x2d; // -
const MAP = 0x25; // %
const SET = 0x7e; // ~
const PUSH = 0x3e; // >
const ATTRIBUTE = 0x7c; // |
const NULL = 0x5f; // _
const BOOLEAN = 0x23; // #
const DOUBLE = 0x2c; // ,
const BIG_NUMBER = 0x28; // (
const VERBATIM = 0x3d; // =
const ZERO = 0x30;

/**
 * Writes replies, in the form that the client's protocol version has for each, into one growing buffer.
 *
 * The replies of all clients of a turn follow each other in `bytes`; whoever runs the turn notes where each
 * client's begin and end. Types that RESP2 lacks are written as what Redis replies there.
 */
export class ReplyWriter {
  bytes: Buffer = Buffer.allocUnsafeSlow(INITIAL_BYTES);
  /** The same as `bytes`, for those who write several bytes at a time. */
  view: DataView = viewOf(this.bytes);
  position: ByteOffset = 0;
  /** The protocol version of the client that is being replied to. */
  resp: RespVersion = 2;
  /** How many error replies were ever written; the dispatcher compares it before and after a command. */
  errorCount = 0;
  /** The text of the last error reply, without the leading '-'. */
  lastError = '';
  /** The text of a double whose length must be written before it. */
  private readonly doubleText = new Uint8Array(DOUBLE_LENGTH_MAX);

  /** A status such as `OK`: text without CR or LF. */
  simpleString(text: string): void {
    this.reserve(text.length + 3);
    this.bytes[this.position++] = SIMPLE;
    this.ascii(text);
    this.endLine();
  }

  /** The status `OK`, the most frequent of all replies to a write. */
  ok(): void {
    this.reserve(5);
    const { bytes, position } = this;
    bytes[position] = SIMPLE;
    bytes[position + 1] = 0x4f;
    bytes[position + 2] = 0x4b;
    bytes[position + 3] = CR;
    bytes[position + 4] = LF;
    this.position = position + 5;
  }

  /** An error: its code, a space and a message (latin1). Line breaks become spaces, as they end the reply. */
  error(text: string): void {
    const line = /[\r\n]/.test(text) ? text.replace(/[\r\n]/g, ' ') : text;
    this.reserve(line.length + 3);
    this.bytes[this.position++] = ERROR;
    this.position += this.bytes.write(line, this.position, 'latin1');
    this.endLine();
    this.errorCount++;
    this.lastError = line;
  }

  /** An integer that a double holds exactly. */
  integer(value: number): void {
    this.header(INTEGER, value);
  }

  /** An integer of up to 64 bits. */
  bigInteger(value: bigint): void {
    this.line(INTEGER, value.toString());
  }

  /** A string of bytes. */
  bulk(source: Uint8Array, offset: ByteOffset, length: ByteLength): void {
    this.reserve(length + HEADER_BYTES_MAX + 2);
    // Spelled out, because replies mostly consist of these.
    const { bytes } = this;
    let { position } = this;
    bytes[position++] = BULK;
    if (length < 100) {
      const tens = (length / 10) | 0;
      if (tens > 0) bytes[position++] = ZERO + tens;
      bytes[position++] = ZERO + length - tens * 10;
    } else {
      position = writeSafeInteger(bytes, position, length);
    }
    bytes[position++] = CR;
    bytes[position++] = LF;
    copyBytes(source, offset, bytes, position, length);
    position += length;
    bytes[position] = CR;
    bytes[position + 1] = LF;
    this.position = position + 2;
  }

  /** All of `bytes` as a bulk string. */
  bulkBytes(bytes: Uint8Array): void {
    this.bulk(bytes, 0, bytes.length);
  }

  /** A bulk string of text, a byte a character (latin1). */
  bulkText(text: string): void {
    this.reserve(text.length + HEADER_BYTES_MAX + 2);
    this.header(BULK, text.length);
    this.position += this.bytes.write(text, this.position, 'latin1');
    this.endLine();
  }

  /** A safe integer as a bulk string of its digits. */
  bulkInteger(value: number): void {
    this.reserve(HEADER_BYTES_MAX * 2 + 2);
    // The digits come after a header whose length depends on them: written first, then moved.
    const start = this.position;
    const digits = start + HEADER_BYTES_MAX;
    const end = writeSafeInteger(this.bytes, digits, value);
    this.header(BULK, end - digits);
    for (let i = digits; i < end; i++) this.bytes[this.position++] = this.bytes[i];
    this.endLine();
  }

  /** No value: RESP3's null, RESP2's null bulk string. */
  nullBulk(): void {
    if (this.resp === 3) this.line(NULL, '');
    else this.line(BULK, '-1');
  }

  /** No array: RESP3's null, RESP2's null array. */
  nullArray(): void {
    if (this.resp === 3) this.line(NULL, '');
    else this.line(ARRAY, '-1');
  }

  /** The start of an array of `length` replies. */
  arrayHeader(length: number): void {
    this.header(ARRAY, length);
  }

  /** The start of a map of `length` pairs; in RESP2 an array of twice as many. */
  mapHeader(length: number): void {
    if (this.resp === 3) this.header(MAP, length);
    else this.header(ARRAY, length * 2);
  }

  /** The start of a set of `length` members; in RESP2 an array. */
  setHeader(length: number): void {
    this.header(this.resp === 3 ? SET : ARRAY, length);
  }

  /** The start of an out-of-band message; in RESP2 an array. */
  pushHeader(length: number): void {
    this.header(this.resp === 3 ? PUSH : ARRAY, length);
  }

  /** The start of `length` attribute pairs before a reply. RESP3 only: the caller leaves them out in RESP2. */
  attributeHeader(length: number): void {
    this.header(ATTRIBUTE, length);
  }

  /** A double; in RESP2 a bulk string. */
  double(value: number): void {
    if (this.resp === 2) {
      this.bulk(this.doubleText, 0, writeDouble(this.doubleText, 0, value));
      return;
    }
    this.reserve(DOUBLE_LENGTH_MAX + 3);
    this.bytes[this.position++] = DOUBLE;
    this.position = writeDouble(this.bytes, this.position, value);
    this.endLine();
  }

  /** A truth; in RESP2 the integer 1 or 0. */
  boolean(value: boolean): void {
    if (this.resp === 3) this.line(BOOLEAN, value ? 't' : 'f');
    else this.integer(value ? 1 : 0);
  }

  /** An integer of any size, given as its digits; in RESP2 a bulk string. */
  bigNumber(digits: string): void {
    if (this.resp === 3) this.line(BIG_NUMBER, digits);
    else this.bulkText(digits);
  }

  /** Text (latin1) with a format of three characters (`txt`, `mkd`); in RESP2 a bulk string. */
  verbatim(format: string, text: string): void {
    if (this.resp === 2) {
      this.bulkText(text);
      return;
    }
    this.reserve(text.length + HEADER_BYTES_MAX + 6);
    this.header(VERBATIM, text.length + 4);
    this.position += this.bytes.write(`${format}:${text}`, this.position, 'latin1');
    this.endLine();
  }

  /**
   * Begins an array, map or set whose length is not known yet. What is written until `endDeferred…` is its
   * content. They nest.
   */
  beginDeferred(): DeferredStart {
    return this.position;
  }

  /** Puts the header of an array of `length` replies before what was written since `start`. */
  endDeferredArray(start: DeferredStart, length: number): void {
    this.insertHeader(start, ARRAY, length);
  }

  /** Puts the header of a map of `length` pairs before what was written since `start`. */
  endDeferredMap(start: DeferredStart, length: number): void {
    if (this.resp === 3) this.insertHeader(start, MAP, length);
    else this.insertHeader(start, ARRAY, length * 2);
  }

  /** Puts the header of a set of `length` members before what was written since `start`. */
  endDeferredSet(start: DeferredStart, length: number): void {
    this.insertHeader(start, this.resp === 3 ? SET : ARRAY, length);
  }

  /** Bytes that are replies already. */
  raw(source: Uint8Array, offset: ByteOffset, length: ByteLength): void {
    this.reserve(length);
    copyBytes(source, offset, this.bytes, this.position, length);
    this.position += length;
  }

  /** Makes room for `length` more bytes. */
  reserve(length: ByteLength): void {
    if (this.position + length > this.bytes.length) this.grow(length);
  }

  /** Forgets all that is written. A buffer that one large reply made grow is let go. */
  reset(): void {
    this.position = 0;
    if (this.bytes.length > INITIAL_BYTES * 16) this.setBytes(Buffer.allocUnsafeSlow(INITIAL_BYTES));
  }

  private header(type: number, value: number): void {
    this.reserve(HEADER_BYTES_MAX);
    const { bytes } = this;
    let { position } = this;
    bytes[position++] = type;
    if (value >= 0 && value < 10) bytes[position++] = ZERO + value;
    else position = writeSafeInteger(bytes, position, value);
    bytes[position] = CR;
    bytes[position + 1] = LF;
    this.position = position + 2;
  }

  private insertHeader(start: DeferredStart, type: number, length: number): void {
    this.reserve(HEADER_BYTES_MAX);
    const end = this.position;
    this.header(type, length);
    const headerBytes = this.position - end;
    if (end === start) return;
    this.reserve(headerBytes);
    const header = this.bytes.subarray(end, end + headerBytes);
    const kept = Uint8Array.prototype.slice.call(header);
    this.bytes.copyWithin(start + headerBytes, start, end);
    this.bytes.set(kept, start);
  }

  private line(type: number, text: string): void {
    this.reserve(text.length + 3);
    this.bytes[this.position++] = type;
    this.ascii(text);
    this.endLine();
  }

  private ascii(text: string): void {
    for (let i = 0; i < text.length; i++) this.bytes[this.position++] = text.charCodeAt(i);
  }

  private endLine(): void {
    this.bytes[this.position++] = CR;
    this.bytes[this.position++] = LF;
  }

  private grow(length: ByteLength): void {
    const needed = this.position + length;
    const larger = Buffer.allocUnsafeSlow(
      Math.max(needed, Math.min(this.bytes.length * 2, needed + (64 << 20))),
    );
    larger.set(this.bytes.subarray(0, this.position));
    this.setBytes(larger);
  }

  private setBytes(bytes: Buffer): void {
    this.bytes = bytes;
    this.view = viewOf(bytes);
  }
}

function viewOf(bytes: Buffer): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}
