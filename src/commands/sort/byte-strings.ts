import { compareBytes, copyBytes } from '../../memory/bytes.js';
import { OutOfMemoryError } from '../../memory/memory.js';
import type { ByteLength, ByteOffset } from '../../memory/reference.js';

/** All strings of a list together are shorter than this. */
const BYTES_MAX: ByteLength = 2 ** 31 - 1;
/** The length of what is missing. */
const MISSING = -1;

/**
 * A growing list of strings of bytes, copied into one buffer: what SORT sorts, and sorts by.
 *
 *     bytes    │ apple │ fig │ orange │
 *     offsets    0       5     5   8          lengths  5  3  -1  6       (the third is missing)
 */
export class ByteStrings {
  bytes = new Uint8Array(1024);
  offsets = new Int32Array(32);
  lengths = new Int32Array(32);
  count = 0;

  private end: ByteOffset = 0;

  /**
   * Appends a copy of a string.
   * @throws OutOfMemoryError when the list gets too long
   */
  push(bytes: Uint8Array, offset: ByteOffset, length: ByteLength): void {
    if (this.end + length > this.bytes.length) this.growBytes(length);
    copyBytes(bytes, offset, this.bytes, this.end, length);
    this.append(length);
    this.end += length;
  }

  /** Appends nothing: a string that is missing. */
  pushMissing(): void {
    this.append(MISSING);
  }

  isMissing(index: number): boolean {
    return this.lengths[index] === MISSING;
  }

  /** Orders two strings byte by byte. */
  compare(a: number, b: number): number {
    const { bytes, offsets, lengths } = this;
    return compareBytes(bytes, offsets[a], lengths[a], bytes, offsets[b], lengths[b]);
  }

  /** Orders two strings as strcmp does, for which a NUL byte is the end. */
  compareText(a: number, b: number): number {
    const { bytes, offsets } = this;
    return compareBytes(bytes, offsets[a], this.textLength(a), bytes, offsets[b], this.textLength(b));
  }

  private textLength(index: number): ByteLength {
    const { bytes } = this;
    const offset = this.offsets[index];
    const length = this.lengths[index];
    let end = offset;
    while (end < offset + length && bytes[end] !== 0) end++;
    return end - offset;
  }

  private append(length: ByteLength): void {
    if (this.count === this.offsets.length) this.growIndex();
    this.offsets[this.count] = this.end;
    this.lengths[this.count] = length;
    this.count++;
  }

  private growBytes(length: ByteLength): void {
    const needed = this.end + length;
    if (needed > BYTES_MAX) throw new OutOfMemoryError('too much to sort at once');
    const larger = new Uint8Array(Math.min(needed * 2, BYTES_MAX));
    larger.set(this.bytes.subarray(0, this.end));
    this.bytes = larger;
  }

  private growIndex(): void {
    const offsets = new Int32Array(this.offsets.length * 2);
    const lengths = new Int32Array(offsets.length);
    offsets.set(this.offsets);
    lengths.set(this.lengths);
    this.offsets = offsets;
    this.lengths = lengths;
  }
}
