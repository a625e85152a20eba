import { closeSync, fstatSync, ftruncateSync, openSync, readSync } from 'node:fs';
import type { ByteLength, ByteOffset } from '../../memory/reference.js';

const BUFFER_BYTES = 64 * 1024;
const LINE_FEED = 0x0a;

/** A file that is read by lines and by bytes, by turns. */
export class LineFile {
  /** Where reading goes on. */
  position: ByteOffset = 0;
  /** Whether something was asked for that is behind the end. */
  hasMetEnd = false;
  /** Bytes in the file when it was opened. */
  readonly size: ByteLength;

  private readonly fd: number;
  private readonly buffer = Buffer.alloc(BUFFER_BYTES);
  /** What of the file is in the buffer. */
  private bufferStart: ByteOffset = 0;
  private bufferEnd: ByteOffset = 0;

  /**
   * @param path a character a byte
   * @throws Error of the system when the file cannot be opened so, or has no size
   */
  constructor(path: string, mode: 'r' | 'r+') {
    this.fd = openSync(Buffer.from(path, 'latin1'), mode);
    this.size = fstatSync(this.fd).size;
  }

  /** Reads from anywhere, without a buffer. Returns how many bytes there were. */
  readAt(target: Uint8Array, offset: ByteOffset, length: ByteLength, position: ByteOffset): ByteLength {
    return readSync(this.fd, target, offset, length, position);
  }

  /** The next line with its line feed, or its first `most` bytes; undefined at the end. */
  line(most: ByteLength): Buffer | undefined {
    const available = this.fill(most);
    if (available === 0) return undefined;
    const start = this.position - this.bufferStart;
    const whole = this.buffer.subarray(start, start + Math.min(available, most));
    const lineFeed = whole.indexOf(LINE_FEED);
    // A line that the end of the file ends: C has looked behind it.
    if (lineFeed < 0 && available < most) this.hasMetEnd = true;
    const line = whole.subarray(0, lineFeed < 0 ? whole.length : lineFeed + 1);
    this.position += line.length;
    return Buffer.from(line);
  }

  /** The next byte, which stays the next; undefined at the end. */
  peek(): number | undefined {
    return this.fill(1) === 0 ? undefined : this.buffer[this.position - this.bufferStart];
  }

  /** The next `length` bytes, or those that there are. */
  bytes(length: ByteLength): Buffer {
    const left = Math.max(0, Math.min(length, this.size - this.position));
    const bytes = Buffer.alloc(left);
    let count = 0;
    while (count < left) {
      const read = readSync(this.fd, bytes, count, left - count, this.position + count);
      if (read === 0) break;
      count += read;
    }
    if (count < length) this.hasMetEnd = true;
    this.position += count;
    return bytes.subarray(0, count);
  }

  /** Cuts the file off. @throws Error of the system */
  truncate(length: ByteLength): void {
    ftruncateSync(this.fd, length);
  }

  close(): void {
    closeSync(this.fd);
  }

  /** Has up to `wanted` bytes in the buffer. Returns how many there are. */
  private fill(wanted: ByteLength): ByteLength {
    const isInside = this.position >= this.bufferStart && this.position <= this.bufferEnd;
    if (isInside && this.bufferEnd - this.position >= wanted) return this.bufferEnd - this.position;
    this.bufferStart = this.position;
    this.bufferEnd = this.position + readSync(this.fd, this.buffer, 0, BUFFER_BYTES, this.position);
    const available = this.bufferEnd - this.position;
    if (available === 0) this.hasMetEnd = true;
    return available;
  }
}
