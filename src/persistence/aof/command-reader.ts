import { readSync } from 'node:fs';
import type { ByteLength, ByteOffset } from '../../memory/reference.js';
import type { Arguments } from '../../protocol/arguments.js';
import {
  COMMAND as DECODED,
  type DecoderLimits,
  PROTOCOL_ERROR,
  RequestDecoder,
} from '../../protocol/request-decoder.js';

/** What `CommandReader.next` found: the end of the file, behind a whole command. */
export const END = 0;
/** A command, which is in `arguments`. */
export const COMMAND = 1;
/** The file ends in the middle of a command. */
export const TRUNCATED = 2;
/** Something that is no command. */
export const BAD_FORMAT = 3;

const BUFFER_BYTES = 256 * 1024;
const LIMITS: DecoderLimits = { bulkBytesMax: 2 ** 31 - 1 - BUFFER_BYTES, isUnauthenticated: false };

/** What precedes the first argument: `*count\r\n$length\r\n` with 64-bit numbers. `hasWholeLines` looks at it. */
const HEADER_BYTES_MAX = 46;

const HASH = 0x23;
const ASTERISK = 0x2a;
const DOLLAR = 0x24;
const LINE_FEED = 0x0a;

/**
 * Reads the commands of a file one after the other, with a buffer as large as the longest. Annotations, lines that begin
 * with `#`, are skipped.
 */
export class CommandReader {
  private readonly fd: number;
  private readonly fileBytes: ByteLength;
  private readonly decoder = new RequestDecoder();
  private buffer = new Uint8Array(new ArrayBuffer(BUFFER_BYTES));
  private end: ByteOffset = 0;
  /** The position in the file of `buffer[0]`, and of what is read next. */
  private bufferPosition: ByteOffset;
  private readPosition: ByteOffset;

  /** @param position where the commands begin */
  constructor(fd: number, fileBytes: ByteLength, position: ByteOffset) {
    this.fd = fd;
    this.fileBytes = fileBytes;
    this.bufferPosition = position;
    this.readPosition = position;
  }

  /** The command that was read last; valid until the next is. */
  get arguments(): Arguments {
    return this.decoder.arguments;
  }

  /** The position in the file behind what was read. */
  get position(): ByteOffset {
    return this.bufferPosition + this.decoder.position;
  }

  /** Reads the next command. Returns END, COMMAND, TRUNCATED or BAD_FORMAT. @throws Error of the system */
  next(): number {
    const { decoder } = this;
    for (;;) {
      if (!decoder.isInRequest) {
        if (decoder.position === this.end && !this.fill()) return END;
        const first = this.buffer[decoder.position];
        if (first === HASH) {
          if (!this.skipLine()) return TRUNCATED;
          continue;
        }
        if (first !== ASTERISK) return BAD_FORMAT;
      }
      const status = decoder.decode(this.buffer, this.end, LIMITS);
      if (status === DECODED) return this.hasWholeLines() ? COMMAND : BAD_FORMAT;
      if (status === PROTOCOL_ERROR) return BAD_FORMAT;
      const missing = decoder.missingBytes(this.end);
      if (missing > this.fileBytes - this.readPosition) return TRUNCATED;
      if (!this.fill()) return this.isAtBadLength(missing) ? BAD_FORMAT : TRUNCATED;
    }
  }

  /**
   * Whether the lines that say how many arguments there are, and how long they are, end with line feeds. The decoder
   * takes any byte there, as Redis does of a client; in a file it is a sign of damage, as for Redis.
   */
  private hasWholeLines(): boolean {
    const { bytes, offsets, count } = this.decoder.arguments;
    if (count === 0) return false;
    for (let i = 0; i < count; i++) if (bytes[offsets[i] - 1] !== LINE_FEED) return false;
    let dollar = offsets[0] - 1;
    while (bytes[dollar] !== DOLLAR) dollar--;
    return bytes[dollar - 1] === LINE_FEED;
  }

  /** At the end of the file, whether what stands where the length of an argument should be is none. */
  private isAtBadLength(missing: ByteLength): boolean {
    const { decoder } = this;
    if (!decoder.isInRequest || missing > 0 || decoder.position === this.end) return false;
    return this.buffer[decoder.position] !== DOLLAR;
  }

  /** Goes on behind the line that begins here. False when the file ends before it does. */
  private skipLine(): boolean {
    const { decoder } = this;
    for (;;) {
      const lineFeed = this.buffer.subarray(0, this.end).indexOf(LINE_FEED, decoder.position);
      if (lineFeed >= 0) {
        decoder.position = lineFeed + 1;
        return true;
      }
      if (!this.fill()) return false;
    }
  }

  /** Reads on, keeping the command at hand. False when nothing more is there. */
  private fill(): boolean {
    const { decoder } = this;
    const start = decoder.isInRequest
      ? Math.max(0, decoder.requestStart() - HEADER_BYTES_MAX)
      : decoder.position;
    const missing = decoder.missingBytes(this.end);
    const kept = this.end - start;
    const needed = kept + Math.max(missing, 1);
    let target = this.buffer;
    if (needed > target.length) {
      target = new Uint8Array(new ArrayBuffer(Math.max(needed, target.length * 2)));
      target.set(this.buffer.subarray(start, this.end));
    } else if (start > 0) {
      target.copyWithin(0, start, this.end);
    }
    decoder.rebase(this.buffer, target, start);
    this.buffer = target;
    this.bufferPosition += start;
    this.end = kept;
    const count = readSync(this.fd, target, kept, target.length - kept, this.readPosition);
    this.end += count;
    this.readPosition += count;
    return count > 0;
  }
}
