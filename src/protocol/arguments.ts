import type { ByteLength, ByteOffset } from '../memory/reference.js';

const INITIAL_CAPACITY = 16;

/**
 * The arguments of one command: offsets and lengths into the buffer that the request arrived in.
 *
 * One instance is reused for every command of a connection's batch, so nothing is allocated per command.
 * Argument 0 is the command name. The bytes are only valid until the handler returns: whoever keeps an
 * argument copies it.
 *
 *     bytes    *2\r\n$3\r\nGET\r\n$3\r\nfoo\r\n
 *                          ^offsets[0]  ^offsets[1]      lengths = [3, 3], count = 2
 */
export class Arguments {
  bytes: Uint8Array = new Uint8Array(0);
  offsets: Int32Array = new Int32Array(INITIAL_CAPACITY);
  lengths: Int32Array = new Int32Array(INITIAL_CAPACITY);
  count = 0;

  /** Appends the argument at `offset`, growing the index when a command has more than ever seen. */
  push(offset: ByteOffset, length: ByteLength): void {
    if (this.count === this.offsets.length) this.grow();
    this.offsets[this.count] = offset;
    this.lengths[this.count] = length;
    this.count++;
  }

  /** Frees the index of an unusually long command, so that one MSET of a million keys is not kept for ever. */
  clear(): void {
    this.count = 0;
    if (this.offsets.length > 1024) {
      this.offsets = new Int32Array(INITIAL_CAPACITY);
      this.lengths = new Int32Array(INITIAL_CAPACITY);
    }
  }

  /** Argument `index` as text, a byte a character (latin1), so that every byte survives. Cold paths only. */
  text(index: number): string {
    return latin1(this.bytes, this.offsets[index], this.lengths[index]);
  }

  /** The same up to the first NUL byte: what Redis, to which this is a C string, sees or shows of it. */
  cString(index: number): string {
    return this.text(index).split('\0', 1)[0];
  }

  /** Argument `index` as its own copy. Cold paths only. */
  copy(index: number): Uint8Array {
    const offset = this.offsets[index];
    return this.bytes.slice(offset, offset + this.lengths[index]);
  }

  /**
   * Whether argument `index` is the option `word`, in any case. `word` is upper-case ASCII letters, digits
   * and punctuation that case does not change. Like Redis, which compares C strings here, this takes a NUL
   * byte for the end of the argument.
   */
  is(index: number, word: string): boolean {
    const { bytes } = this;
    const length = word.length;
    const offset = this.offsets[index];
    const isLonger = this.lengths[index] > length;
    if (this.lengths[index] < length || (isLonger && bytes[offset + length] !== 0)) return false;
    for (let i = 0; i < length; i++) {
      let byte = bytes[offset + i];
      if (byte >= 0x61 && byte <= 0x7a) byte -= 0x20;
      if (byte !== word.charCodeAt(i)) return false;
    }
    return true;
  }

  /** Makes this the arguments given as byte arrays, copied into a buffer of their own. Cold paths only. */
  assign(values: readonly Uint8Array[]): void {
    let size = 0;
    for (const value of values) size += value.length;
    const bytes = new Uint8Array(size);
    this.clear();
    let offset = 0;
    for (const value of values) {
      bytes.set(value, offset);
      this.push(offset, value.length);
      offset += value.length;
    }
    this.bytes = bytes;
  }

  private grow(): void {
    const offsets = new Int32Array(this.offsets.length * 2);
    const lengths = new Int32Array(offsets.length);
    offsets.set(this.offsets);
    lengths.set(this.lengths);
    this.offsets = offsets;
    this.lengths = lengths;
  }
}

/** What Buffer's `toString('latin1')` calls; like this, no Buffer has to be made (a third of the time). */
const { latin1Slice } = Buffer.prototype as unknown as {
  latin1Slice(this: Uint8Array, start: number, end: number): string;
};

/** The bytes as text, a byte a character. */
export function latin1(bytes: Uint8Array, offset: ByteOffset, length: ByteLength): string {
  return latin1Slice.call(bytes, offset, offset + length);
}
