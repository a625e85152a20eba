import { compareBytes } from '../memory/bytes.js';
import type { ByteLength, ByteOffset } from '../memory/reference.js';

/**
 * The two kinds of interval that a sorted set is asked for. A command keeps one instance of each and fills it
 * anew for every call, so that a range costs no allocation.
 */

/** An interval of scores: `min` to `max`, each end included or not. An end may be infinite, but never NaN. */
export class ScoreRange {
  min = Number.NEGATIVE_INFINITY;
  max = Number.POSITIVE_INFINITY;
  minExclusive = false;
  maxExclusive = false;

  /** Whether a score is not below the range. */
  reachesMin(score: number): boolean {
    return this.minExclusive ? score > this.min : score >= this.min;
  }

  /** Whether a score is not above the range. */
  reachesMax(score: number): boolean {
    return this.maxExclusive ? score < this.max : score <= this.max;
  }

  /** Whether there are scores above the range. */
  get hasMax(): boolean {
    return this.maxExclusive || this.max !== Number.POSITIVE_INFINITY;
  }
}

/** An end of a `LexRange`: before every member (`-`), behind every member (`+`), or at some bytes. */
export const LEX_LOWEST = 0;
/** The end is at some bytes, which are part of the range. */
export const LEX_INCLUSIVE = 1;
/** The end is at some bytes, which are not part of the range. */
export const LEX_EXCLUSIVE = 2;
/** Behind every member (`+`). */
export const LEX_HIGHEST = 3;

/** Which kind of end a lexicographic range has. */
export type LexEnd = typeof LEX_LOWEST | typeof LEX_INCLUSIVE | typeof LEX_EXCLUSIVE | typeof LEX_HIGHEST;

/**
 * An interval of members, compared as memcmp does. Its bytes are borrowed from the arguments of a command.
 * It says which members of a sorted set are meant only when all of them have the same score.
 */
export class LexRange {
  min: LexEnd = LEX_LOWEST;
  minOffset: ByteOffset = 0;
  minLength: ByteLength = 0;
  max: LexEnd = LEX_HIGHEST;
  maxOffset: ByteOffset = 0;
  maxLength: ByteLength = 0;
  /** What both pairs of offset and length are positions in. */
  bytes: Uint8Array = new Uint8Array(0);

  /** Whether a member is not below the range. */
  reachesMin(member: Uint8Array, offset: ByteOffset, length: ByteLength): boolean {
    const { min } = this;
    if (min === LEX_LOWEST) return true;
    if (min === LEX_HIGHEST) return false;
    const order = compareBytes(member, offset, length, this.bytes, this.minOffset, this.minLength);
    return min === LEX_INCLUSIVE ? order >= 0 : order > 0;
  }

  /** Whether a member is not above the range. */
  reachesMax(member: Uint8Array, offset: ByteOffset, length: ByteLength): boolean {
    const { max } = this;
    if (max === LEX_HIGHEST) return true;
    if (max === LEX_LOWEST) return false;
    const order = compareBytes(member, offset, length, this.bytes, this.maxOffset, this.maxLength);
    return max === LEX_INCLUSIVE ? order <= 0 : order < 0;
  }

  /** Whether no member at all can be in the range. */
  isEmpty(): boolean {
    const { min, max, bytes } = this;
    if (min === LEX_HIGHEST || max === LEX_LOWEST) return true;
    if (min === LEX_LOWEST || max === LEX_HIGHEST) return false;
    const order = compareBytes(bytes, this.minOffset, this.minLength, bytes, this.maxOffset, this.maxLength);
    return order > 0 || (order === 0 && (min === LEX_EXCLUSIVE || max === LEX_EXCLUSIVE));
  }
}
