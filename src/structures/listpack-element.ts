import { equalBytes } from '../memory/bytes.js';
import type { ByteLength, ByteOffset } from '../memory/reference.js';
import {
  INT64_DECIMAL_LENGTH_MAX,
  type Int32Word,
  type Int64Words,
  parseInt64Words,
  safeIntegerFromWords,
  writeInt64FromWords,
} from '../protocol/integers.js';

/**
 * An element that was read: an integer, or a range of bytes where they lie. One instance is filled again and again, so
 * reading allocates nothing; what it says is valid until the next read and until the structure that it lies in changes.
 */
export class ListpackElement {
  /** Whether `low` and `high` are the element; else `bytes`, `offset` and `length` are. */
  isInteger = false;
  /** The low word of an integer. */
  low: Int32Word = 0;
  /** The high word of an integer. */
  high: Int32Word = 0;
  /** What the content of a string is in. After `spell`, of an integer too. */
  bytes: Uint8Array = new Uint8Array(0);
  /** Where the content starts in `bytes`. */
  offset: ByteOffset = 0;
  /** The length of the content. */
  length: ByteLength = 0;

  private readonly decimal = new Uint8Array(INT64_DECIMAL_LENGTH_MAX);
  private readonly other: Int64Words = { low: 0, high: 0 };

  /** The integer as a number, or NaN when it is beyond 2^53 - 1 either way. Only for integers. */
  get integer(): number {
    return safeIntegerFromWords(this.low, this.high);
  }

  /** Makes `bytes`, `offset` and `length` the content in any case: an integer becomes its decimal text. */
  spell(): void {
    if (!this.isInteger) return;
    this.length = writeInt64FromWords(this.decimal, 0, this.low, this.high);
    this.bytes = this.decimal;
    this.offset = 0;
  }

  /** Whether the element is these bytes: an integer is what spells it. */
  equals(source: Uint8Array, offset: ByteOffset, length: ByteLength): boolean {
    if (!this.isInteger) {
      return length === this.length && equalBytes(this.bytes, this.offset, source, offset, length);
    }
    const { other } = this;
    return (
      parseInt64Words(source, offset, length, other) && other.low === this.low && other.high === this.high
    );
  }

  /** Makes this the string that is these bytes. */
  setBytes(bytes: Uint8Array, offset: ByteOffset, length: ByteLength): void {
    this.isInteger = false;
    this.bytes = bytes;
    this.offset = offset;
    this.length = length;
  }

  /** Makes this the integer of two words. */
  setInteger(low: Int32Word, high: Int32Word): void {
    this.isInteger = true;
    this.low = low;
    this.high = high;
  }
}
