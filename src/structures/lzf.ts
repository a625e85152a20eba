import type { ByteLength, ByteOffset } from '../memory/reference.js';

/**
 * LZF, the compression that Redis uses for strings in RDB files and for the inner nodes of lists (liblzf by Marc
 * Lehmann). What this writes any liblzf reads, and the other way round.
 *
 *     000LLLLL  content                      L + 1 bytes as they are, 1 to 32
 *     LLLooooo oooooooo                      back reference: L + 2 bytes, 3 to 8, from o + 1 bytes before
 *     111ooooo LLLLLLLL oooooooo             back reference: L + 9 bytes, 9 to 264, from o + 1 bytes before
 *
 * The offset o has 13 bits, high bits first. A reference may reach into what it writes itself, which repeats it.
 *
 * Like liblzf, the compressor looks for a match only where the same three bytes were met last, and is greedy.
 */

/** The most bytes of one run of literals. */
const LITERALS_MAX = 32;
/** How far back a reference can reach. */
const DISTANCE_MAX = 1 << 13;
const MATCH_LENGTH_MIN = 3;
const MATCH_LENGTH_MAX = 264;
/** References of this length and above have a byte for the length. */
const LONG_MATCH_LENGTH = 9;

const HASH_BITS = 16;

/**
 * By the hash of three bytes, `tableStart` plus the position where they were met. Each call has numbers of its own, so
 * that the table need not be cleared: what an earlier call left is below `tableStart`.
 */
const table = new Int32Array(1 << HASH_BITS);
let tableStart = 0;

/**
 * A compression that goes on a slice at a time, so that a long string holds nobody up; others may be begun and ended
 * meanwhile. The source must not change until it is over.
 */
export class LzfCompression {
  private source: Uint8Array = new Uint8Array(0);
  private sourceOffset: ByteOffset = 0;
  private sourceEnd: ByteOffset = 0;
  private target: Uint8Array = new Uint8Array(0);
  private targetOffset: ByteOffset = 0;
  private targetEnd: ByteOffset = 0;
  private base = 0;
  private input: ByteOffset = 0;
  private output: ByteOffset = 0;
  /** Where the literals start that are not written yet. */
  private literals: ByteOffset = 0;
  private size: ByteLength = 0;

  /** Begins with `sourceLength` bytes, at most 2^30, that shall take no more than `capacity` in `target`. */
  begin(
    source: Uint8Array,
    sourceOffset: ByteOffset,
    sourceLength: ByteLength,
    target: Uint8Array,
    targetOffset: ByteOffset,
    capacity: ByteLength,
  ): void {
    this.source = source;
    this.sourceOffset = sourceOffset;
    this.sourceEnd = sourceOffset + sourceLength;
    this.target = target;
    this.targetOffset = targetOffset;
    this.targetEnd = targetOffset + capacity;
    this.base = claimNumbers(sourceLength) - sourceOffset;
    this.input = sourceOffset;
    this.output = targetOffset;
    this.literals = sourceOffset;
    this.size = 0;
  }

  /** How many bytes it took, once it is over; 0 if that would have been more than the capacity. */
  get compressedLength(): ByteLength {
    return this.size;
  }

  /** Goes on for about `length` bytes of the source. Returns whether there is more to do. */
  step(length: ByteLength): boolean {
    const { source, target, base, sourceOffset, sourceEnd, targetEnd } = this;
    const end = Math.min(sourceEnd - 2, this.input + length);
    let { input, output, literals } = this;
    while (input < end) {
      const slot = hashAt(source, input);
      const candidate = table[slot] - base;
      table[slot] = base + input;
      const distance = input - candidate;
      if (
        candidate < sourceOffset ||
        // What is not before this position is the number of another compression.
        (distance - 1) >>> 0 >= DISTANCE_MAX ||
        source[candidate] !== source[input] ||
        source[candidate + 1] !== source[input + 1] ||
        source[candidate + 2] !== source[input + 2]
      ) {
        input++;
        continue;
      }
      const lengthMax = Math.min(sourceEnd - input, MATCH_LENGTH_MAX);
      let match = MATCH_LENGTH_MIN;
      while (match < lengthMax && source[candidate + match] === source[input + match]) match++;

      const referenceLength = match < LONG_MATCH_LENGTH ? 2 : 3;
      if (output + literalsLength(input - literals) + referenceLength > targetEnd) return false;
      output = writeLiterals(source, literals, input, target, output);
      output = writeReference(target, output, match, distance - 1);
      input += match;
      literals = input;
      // Of the positions inside the match, only the last two are remembered: a matter of speed.
      for (let inside = input - 2; inside < input && inside < sourceEnd - 2; inside++) {
        table[hashAt(source, inside)] = base + inside;
      }
    }
    this.input = input;
    this.output = output;
    this.literals = literals;
    if (input < sourceEnd - 2) return output + literalsLength(input - literals) <= targetEnd;
    if (output + literalsLength(sourceEnd - literals) > targetEnd) return false;
    this.size = writeLiterals(source, literals, sourceEnd, target, output) - this.targetOffset;
    return false;
  }
}

/** The one that is begun and ended in one call. */
const atOnce = new LzfCompression();

/**
 * Compresses `sourceLength` bytes, at most 2^30, into `target` and returns how many bytes that took, or 0 if it would
 * have taken more than `capacity`.
 */
export function lzfCompress(
  source: Uint8Array,
  sourceOffset: ByteOffset,
  sourceLength: ByteLength,
  target: Uint8Array,
  targetOffset: ByteOffset,
  capacity: ByteLength,
): ByteLength {
  atOnce.begin(source, sourceOffset, sourceLength, target, targetOffset, capacity);
  atOnce.step(sourceLength);
  return atOnce.compressedLength;
}

/**
 * Decompresses `sourceLength` bytes into `target` and returns how many bytes they gave, or 0 if they are malformed or
 * would have given more than `capacity`.
 */
export function lzfDecompress(
  source: Uint8Array,
  sourceOffset: ByteOffset,
  sourceLength: ByteLength,
  target: Uint8Array,
  targetOffset: ByteOffset,
  capacity: ByteLength,
): ByteLength {
  const sourceEnd = sourceOffset + sourceLength;
  const targetEnd = targetOffset + capacity;
  let input = sourceOffset;
  let output = targetOffset;
  while (input < sourceEnd) {
    const control = source[input++];
    if (control < LITERALS_MAX) {
      const end = input + control + 1;
      if (end > sourceEnd || output + control + 1 > targetEnd) return 0;
      while (input < end) target[output++] = source[input++];
      continue;
    }
    let length = (control >> 5) + 2;
    if (length === LONG_MATCH_LENGTH) {
      if (input >= sourceEnd) return 0;
      length += source[input++];
    }
    if (input >= sourceEnd) return 0;
    let copied = output - (((control & 0x1f) << 8) | source[input++]) - 1;
    const end = output + length;
    if (end > targetEnd || copied < targetOffset) return 0;
    while (output < end) target[output++] = target[copied++];
  }
  return output - targetOffset;
}

/** The number in `table` of the first of `length` positions, none of which an earlier call used. */
function claimNumbers(length: ByteLength): number {
  if (tableStart > 2 ** 30 - 1) {
    table.fill(0);
    tableStart = 0;
  }
  // 0 is what an unused slot has, so it is nobody's number.
  const first = tableStart + 1;
  tableStart += length;
  return first;
}

function hashAt(bytes: Uint8Array, at: ByteOffset): number {
  const three = (bytes[at] << 16) | (bytes[at + 1] << 8) | bytes[at + 2];
  return ((three >> (24 - HASH_BITS)) - three * 5) & ((1 << HASH_BITS) - 1);
}

/** How many bytes literals take with the bytes that introduce their runs. */
function literalsLength(count: number): ByteLength {
  return count + Math.ceil(count / LITERALS_MAX);
}

function writeLiterals(
  source: Uint8Array,
  start: ByteOffset,
  end: ByteOffset,
  target: Uint8Array,
  targetOffset: ByteOffset,
): ByteOffset {
  let input = start;
  let output = targetOffset;
  while (input < end) {
    const runEnd = Math.min(input + LITERALS_MAX, end);
    target[output++] = runEnd - input - 1;
    while (input < runEnd) target[output++] = source[input++];
  }
  return output;
}

function writeReference(target: Uint8Array, at: ByteOffset, length: ByteLength, offset: number): ByteOffset {
  let output = at;
  if (length < LONG_MATCH_LENGTH) {
    target[output++] = ((length - 2) << 5) | (offset >> 8);
  } else {
    target[output++] = 0xe0 | (offset >> 8);
    target[output++] = length - LONG_MATCH_LENGTH;
  }
  target[output++] = offset;
  return output;
}
