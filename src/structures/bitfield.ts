import type { ByteLength, ByteOffset } from '../memory/reference.js';
import type { Int32Word, Int64Words } from '../protocol/integers.js';
import type { BitPosition } from './bitmap.js';

/** How many bits an integer has: 1 to 64, or to 63 when it is unsigned, as Redis has no unsigned replies. */
export type BitWidth = number;

/** What becomes of a result that the integer's bits do not hold: one of the OVERFLOW_ constants. */
export type OverflowRule = number;

export const OVERFLOW_WRAP: OverflowRule = 0; // the lowest bits of the result
export const OVERFLOW_SATURATE: OverflowRule = 1; // the nearest that can be held
export const OVERFLOW_FAIL: OverflowRule = 2; // none: nothing is to be changed

const SIGN_BIT = 1 << 31;
const TWO_TO_32 = 2 ** 32;

/**
 * An integer of any width anywhere in a string, as BITFIELD reads and changes it: its bits in the order of the string,
 * the highest first, in two's complement when it is signed.
 *
 *     bit      0         8         16         a u10 at bit 5, with the value 0b1011001110:
 *     string   .....101 1001110. ........
 *
 * The value is that of `low` and `high`, an int64, whatever the width. Nothing is allocated.
 */
export class Bitfield implements Int64Words {
  low: Int32Word = 0;
  high: Int32Word = 0;
  width: BitWidth = 1;
  isSigned = false;

  /** Sets what kind of integer it is. */
  setType(isSigned: boolean, width: BitWidth): void {
    this.isSigned = isSigned;
    this.width = width;
  }

  /** Reads it at a position of a string of `length` bytes, behind whose end there are zeros. */
  read(bytes: Uint8Array, offset: ByteOffset, length: ByteLength, position: BitPosition): void {
    let low = 0;
    let high = 0;
    let index = Math.floor(position / 8);
    let skipped = position & 7;
    let left = this.width;
    while (left > 0) {
      const taken = Math.min(8 - skipped, left);
      const byte = index < length ? bytes[offset + index] : 0;
      const part = (byte >>> (8 - skipped - taken)) & ((1 << taken) - 1);
      high = (high << taken) | (low >>> (32 - taken));
      low = (low << taken) | part;
      left -= taken;
      skipped = 0;
      index++;
    }
    this.low = low;
    this.high = high;
    if (this.isSigned) this.wrap();
  }

  /** Writes it at a position of a string that reaches as far. */
  write(bytes: Uint8Array, offset: ByteOffset, position: BitPosition): void {
    let at = offset + Math.floor(position / 8);
    let skipped = position & 7;
    let left = this.width;
    while (left > 0) {
      const taken = Math.min(8 - skipped, left);
      const shift = 8 - skipped - taken;
      const mask = ((1 << taken) - 1) << shift;
      left -= taken;
      bytes[at] = (bytes[at] & ~mask) | ((this.bitsFrom(left) << shift) & mask);
      skipped = 0;
      at++;
    }
  }

  /** Makes it `value`, as the rule says. False when the rule is to fail and it cannot be held. */
  assign(value: Int64Words, rule: OverflowRule): boolean {
    const { low, high } = value;
    this.low = low;
    this.high = high;
    this.wrap();
    if (this.low === low && this.high === high) return true;
    return this.overflow(rule, this.countsAsAbove(low, high));
  }

  /** Adds `increment`, as the rule says. False when the rule is to fail and the sum cannot be held. */
  add(increment: Int64Words, rule: OverflowRule): boolean {
    const before = this.high;
    const sum = (this.low >>> 0) + (increment.low >>> 0);
    const low = sum | 0;
    const high = (before + increment.high + (sum >= TWO_TO_32 ? 1 : 0)) | 0;
    const exceedsInt64 = ((before ^ high) & (increment.high ^ high)) < 0;
    this.low = low;
    this.high = high;
    this.wrap();
    if (!exceedsInt64 && this.low === low && this.high === high) return true;
    return this.overflow(rule, increment.high >= 0);
  }

  /** Applies a rule when the value has been wrapped. */
  private overflow(rule: OverflowRule, isAbove: boolean): boolean {
    if (rule === OVERFLOW_SATURATE) {
      if (isAbove) this.setGreatest();
      else this.setLeast();
    }
    return rule !== OVERFLOW_FAIL;
  }

  /**
   * Whether Redis takes a value that is set and not held for one above the greatest. That is every one of an unsigned
   * integer. Of a signed one it is also what is nearly -2^63: Redis compares with the greatest minus the value,
   * which overflows.
   */
  private countsAsAbove(low: Int32Word, high: Int32Word): boolean {
    if (!this.isSigned || high >= 0) return true;
    // The distance from -2^63, which must be below 2^(width - 1).
    const distance = high ^ SIGN_BIT;
    if (this.width > 32) return distance >>> (this.width - 33) === 0;
    return distance === 0 && low >>> (this.width - 1) === 0;
  }

  /** Keeps the lowest `width` bits, and extends them to an int64. */
  private wrap(): void {
    const { isSigned, width } = this;
    if (width > 32) {
      const unused = 64 - width;
      this.high = isSigned ? (this.high << unused) >> unused : ((this.high << unused) >>> unused) | 0;
      return;
    }
    const unused = 32 - width;
    this.low = isSigned ? (this.low << unused) >> unused : ((this.low << unused) >>> unused) | 0;
    this.high = isSigned ? this.low >> 31 : 0;
  }

  private setGreatest(): void {
    const bits = this.isSigned ? this.width - 1 : this.width;
    this.low = bits < 32 ? ((1 << bits) - 1) | 0 : -1;
    this.high = bits > 32 ? 2 ** (bits - 32) - 1 : 0;
  }

  private setLeast(): void {
    this.setGreatest();
    // Unsigned: 0. Signed: -greatest - 1, which has all bits turned over.
    this.low = this.isSigned ? ~this.low : 0;
    this.high = this.isSigned ? ~this.high : 0;
  }

  /** The value's bits from bit `shift` on, 32 of them. */
  private bitsFrom(shift: number): number {
    if (shift >= 32) return this.high >>> (shift - 32);
    if (shift === 0) return this.low;
    return (this.low >>> shift) | (this.high << (32 - shift));
  }
}
