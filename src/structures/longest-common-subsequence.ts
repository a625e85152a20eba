/**
 * The longest common subsequence of two byte strings, for the LCS command.
 *
 * Redis fills a table of lengths, L(i, j) for the first i bytes of `a` and the first j of `b`, four bytes a cell, and
 * walks back from its end. Neighbouring lengths differ by 0 or 1, so a bit a cell says it all:
 *
 *     row i:  bit j-1 = 0 where L(i, j) = L(i, j-1) + 1, and 1 where they are equal       (32 cells a word)
 *
 * A row follows from the one before it with an addition whose carries do the work of the table's recursion, 32 cells at
 * a time (Heikki Hyyrö, "Bit-Parallel LCS-length Computation Revisited", 2004):
 *
 *     row' = (row + (row & M)) | (row & ~M)       M: the positions in `b` of the i-th byte of `a`
 *
 * which makes it some thirty times faster than the table, and the table thirty-two times smaller. The walk back makes the
 * choices that Redis makes, so among the many longest subsequences it finds the same one, and the same ranges.
 */

/** A run of bytes that both strings have. Positions count from 0, and the ends are the last bytes of the run. */
export interface MatchRange {
  readonly aStart: number;
  readonly aEnd: number;
  readonly bStart: number;
  readonly bEnd: number;
  readonly length: number;
}

/**
 * The bytes that Redis's table for strings of these lengths takes. Beyond `proto-max-bulk-len` of them, LCS is refused
 * whatever its options: "Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len".
 */
export function transientTableBytes(aLength: number, bLength: number): number {
  return (aLength + 1) * (bLength + 1) * Uint32Array.BYTES_PER_ELEMENT;
}

/** The length of the longest common subsequence, with memory only for the shorter of the two strings. */
export function longestCommonSubsequenceLength(a: Uint8Array, b: Uint8Array): number {
  const [longer, shorter] = a.length < b.length ? [b, a] : [a, b];
  const positions = new BytePositions(longer, shorter);
  const row = new Int32Array(positions.words).fill(-1);
  for (const byte of longer) positions.advance(row, 0, byte, row, 0);
  return countZeroBits(row, 0, row.length);
}

/** The longest common subsequence that Redis finds, and where it lies in either string. */
export class LongestCommonSubsequence {
  readonly length: number;
  readonly #a: Uint8Array;
  readonly #b: Uint8Array;
  /** Row i begins at word `i * #words`; row 0 is all ones. */
  readonly #rows: Int32Array;
  readonly #words: number;

  constructor(a: Uint8Array, b: Uint8Array) {
    const positions = new BytePositions(a, b);
    const { words } = positions;
    const rows = new Int32Array((a.length + 1) * words);
    rows.fill(-1, 0, words);
    for (let i = 0; i < a.length; i++) positions.advance(rows, i * words, a[i], rows, (i + 1) * words);
    this.length = countZeroBits(rows, a.length * words, words);
    this.#a = a;
    this.#b = b;
    this.#rows = rows;
    this.#words = words;
  }

  /** The bytes of the subsequence. */
  bytes(): Uint8Array {
    const bytes = new Uint8Array(this.length);
    let end = this.length;
    for (const { aEnd, length } of this.matches(0)) {
      end -= length;
      for (let index = 0; index < length; index++) bytes[end + index] = this.#a[aEnd - length + 1 + index];
    }
    return bytes;
  }

  /** The runs of matching bytes of at least `lengthMin`, from the end of the strings to their start, as LCS IDX replies. */
  matches(lengthMin: number): MatchRange[] {
    const matches: MatchRange[] = [];
    let i = this.#a.length;
    let j = this.#b.length;
    while (i > 0 && j > 0) {
      let length = 0;
      while (i > 0 && j > 0 && this.#a[i - 1] === this.#b[j - 1]) {
        i--;
        j--;
        length++;
      }
      if (length > 0 && length >= lengthMin) {
        matches.push({ aStart: i, aEnd: i + length - 1, bStart: j, bEnd: j + length - 1, length });
      }
      if (i > 0 && j > 0 && length === 0) {
        if (this.#isLongerThanWithoutLast(i, j)) i--;
        else j--;
      }
    }
    return matches;
  }

  /** Whether the first i bytes of `a` have more in common with the first j bytes of `b` than with the first j - 1. */
  #isLongerThanWithoutLast(i: number, j: number): boolean {
    const bit = j - 1;
    return ((this.#rows[i * this.#words + (bit >>> 5)] >>> (bit & 31)) & 1) === 0;
  }
}

/** For every byte value of one string, a bit set of its positions in another one. */
class BytePositions {
  /** Words of a row: one bit for every byte of the other string. */
  readonly words: number;
  /** The bit set of byte value v begins at word `#starts[v]`; bytes that the first string lacks have none. */
  readonly #starts = new Int32Array(256).fill(-1);
  readonly #sets: Int32Array;

  constructor(first: Uint8Array, other: Uint8Array) {
    this.words = Math.ceil(other.length / 32);
    let values = 0;
    for (const byte of first) if (this.#starts[byte] < 0) this.#starts[byte] = values++ * this.words;
    this.#sets = new Int32Array(values * this.words);
    for (let position = 0; position < other.length; position++) {
      const start = this.#starts[other[position]];
      if (start >= 0) this.#sets[start + (position >>> 5)] |= 1 << (position & 31);
    }
  }

  /** Sets the row at `target` to the one that follows the row at `source` when the first string's next byte is `byte`. */
  advance(
    source: Int32Array,
    sourceStart: number,
    byte: number,
    target: Int32Array,
    targetStart: number,
  ): void {
    const setStart = this.#starts[byte];
    let carry = 0;
    for (let word = 0; word < this.words; word++) {
      const row = source[sourceStart + word];
      const matching = row & this.#sets[setStart + word];
      const sum = (row + matching + carry) | 0;
      // The carry out of bit 31: set where both have the bit, or either has it and the sum has lost it.
      carry = ((row & matching) | ((row | matching) & ~sum)) >>> 31;
      target[targetStart + word] = sum | (row ^ matching);
    }
  }
}

/** The number of zero bits in some words. Bits behind the end of a row's string stay ones. */
function countZeroBits(words: Int32Array, start: number, count: number): number {
  let zeros = 0;
  for (let index = start; index < start + count; index++) {
    let ones = ~words[index];
    ones -= (ones >>> 1) & 0x55555555;
    ones = (ones & 0x33333333) + ((ones >>> 2) & 0x33333333);
    zeros += Math.imul((ones + (ones >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
  }
  return zeros;
}
