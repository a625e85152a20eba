import { compareBytes } from '../memory/bytes.js';
import { byteOffset, type Memory } from '../memory/memory.js';
import { type ByteLength, type ByteOffset, SEGMENT_SHIFT } from '../memory/reference.js';
import {
  DOUBLE_LENGTH_MAX,
  parseDoubleLeniently,
  parseLeadingDouble,
  writeDouble,
} from '../protocol/doubles.js';
import { highWord, INT64_DECIMAL_LENGTH_MAX, lowWord, writeInt64FromWords } from '../protocol/integers.js';
import type { Listpacks } from '../structures/listpack.js';
import {
  encodedIntegerLength,
  entryLength,
  entryLengthAt,
  LISTPACK_END,
} from '../structures/listpack-encoding.js';
import {
  FIRST_POSITION,
  type ListpackPosition,
  type ListpackReference,
  NO_POSITION,
} from '../structures/listpack-reader.js';
import type { Rank } from '../structures/skiplist.js';

/** The largest magnitude that is stored as an integer (`double2ll` of Redis's util.c). */
const INTEGER_SCORE_MAX = 2 ** 62;

/**
 * A small sorted set in a listpack: pairs of a member and its score, ordered by score and then by the bytes of the
 * member. The bytes are Redis's (`zzlInsertAt` of its t_zset.c):
 *
 *     ┌──────────┬─────────┬──────────┬─────────┬ ─ ─
 *     │ member 0 │ score 0 │ member 1 │ score 1 │         score: an integer if it is one (-0 becomes 0),
 *     └──────────┴─────────┴──────────┴─────────┴ ─ ─     else the text that a client would get
 *
 * A position is that of a member. What changes the listpack returns the block that it is in then.
 */
export class SortedSetListpacks {
  /** What `index` listed. */
  positions: Int32Array = new Int32Array(128);

  private readonly memory: Memory;
  private readonly listpacks: Listpacks;

  /** The score that is about to be written: the integer of two words, or text. */
  private stagedIsInteger = false;
  private stagedLow = 0;
  private stagedHigh = 0;
  private readonly stagedText = new Uint8Array(DOUBLE_LENGTH_MAX);
  private stagedTextLength: ByteLength = 0;
  /** The decimal text of a member that is an integer. */
  private readonly decimal = new Uint8Array(INT64_DECIMAL_LENGTH_MAX);

  constructor(memory: Memory, listpacks: Listpacks) {
    this.memory = memory;
    this.listpacks = listpacks;
  }

  /** The number of members. */
  count(listpack: ListpackReference): number {
    return this.listpacks.length(listpack) >> 1;
  }

  /** The position of a member, or NO_POSITION. */
  find(
    listpack: ListpackReference,
    bytes: Uint8Array,
    offset: ByteOffset,
    length: ByteLength,
  ): ListpackPosition {
    return this.listpacks.find(listpack, FIRST_POSITION, bytes, offset, length, 1);
  }

  /** The score of the member at a position. */
  score(listpack: ListpackReference, position: ListpackPosition): number {
    const { listpacks } = this;
    const { element } = listpacks;
    listpacks.read(listpack, listpacks.next(listpack, position));
    if (element.isInteger) return element.high * 2 ** 32 + (element.low >>> 0);
    const { bytes, offset, length } = element;
    return parseDoubleLeniently(bytes, offset, length) ?? parseLeadingDouble(bytes, offset, length);
  }

  /** The position of the first member; NO_POSITION when there is none. */
  first(listpack: ListpackReference): ListpackPosition {
    return this.listpacks.first(listpack);
  }

  /** The position of the last member; NO_POSITION when there is none. */
  last(listpack: ListpackReference): ListpackPosition {
    return this.listpacks.seek(listpack, -2);
  }

  /** The position of the member behind the one at a position; NO_POSITION behind the last. */
  next(listpack: ListpackReference, position: ListpackPosition): ListpackPosition {
    return this.listpacks.next(listpack, this.listpacks.next(listpack, position));
  }

  /** The position of the member before the one at a position; NO_POSITION before the first. */
  previous(listpack: ListpackReference, position: ListpackPosition): ListpackPosition {
    const score = this.listpacks.previous(listpack, position);
    return score === NO_POSITION ? NO_POSITION : this.listpacks.previous(listpack, score);
  }

  /** The position of the member before which there are `rank` others; NO_POSITION when there are not so many. */
  positionAtRank(listpack: ListpackReference, rank: Rank): ListpackPosition {
    return rank < 0 ? NO_POSITION : this.listpacks.seek(listpack, rank * 2);
  }

  /** How many members come before the one at a position. */
  rank(listpack: ListpackReference, position: ListpackPosition): Rank {
    let rank = 0;
    for (let at = FIRST_POSITION; at !== position; at = this.next(listpack, at)) rank++;
    return rank;
  }

  /**
   * Adds a member that the listpack does not have.
   * @throws OutOfMemoryError, and the listpack is as it was.
   */
  insert(
    listpack: ListpackReference,
    score: number,
    bytes: Uint8Array,
    offset: ByteOffset,
    length: ByteLength,
  ): ListpackReference {
    const { listpacks } = this;
    const position = this.placeOf(listpack, NO_POSITION, score, bytes, offset, length);
    this.stageScore(score);
    const added = listpacks.entryLength(bytes, offset, length) + this.stagedEntryLength();
    const roomy = this.reserve(listpack, added);
    // The pair is written from behind: each entry moves what follows once.
    const withScore = this.insertStagedScore(roomy, position);
    return listpacks.insertBefore(withScore, position, bytes, offset, length);
  }

  /**
   * Gives the member at a position another score and its place in the order.
   * @throws OutOfMemoryError, and the listpack is as it was.
   */
  update(listpack: ListpackReference, position: ListpackPosition, score: number): ListpackReference {
    const { listpacks } = this;
    this.stageScore(score);
    const changed = this.replaceStagedScore(listpack, listpacks.next(listpack, position));
    listpacks.read(changed, position);
    const { element } = listpacks;
    const offset = element.isInteger ? 0 : element.offset;
    const bytes = element.isInteger ? this.decimal : element.bytes;
    const length = element.isInteger
      ? writeInt64FromWords(this.decimal, 0, element.low, element.high)
      : element.length;
    const place = this.placeOf(changed, position, score, bytes, offset, length);
    const pairLength =
      listpacks.entryLengthAt(changed, position) +
      listpacks.entryLengthAt(changed, listpacks.next(changed, position));
    if (place < position) listpacks.rotate(changed, position, pairLength, place);
    else if (place > position) listpacks.rotate(changed, position, pairLength, place - pairLength);
    return changed;
  }

  /** Removes the member at a position. */
  remove(listpack: ListpackReference, position: ListpackPosition): ListpackReference {
    return this.listpacks.removeFrom(listpack, position, 2);
  }

  /** Removes the members from rank `start` to below rank `end`. */
  removeRange(listpack: ListpackReference, start: Rank, end: Rank): ListpackReference {
    return this.listpacks.removeRange(listpack, start * 2, (end - start) * 2);
  }

  /**
   * Adds a member at the end, which is its place.
   * @throws OutOfMemoryError, and the listpack is as it was.
   */
  append(
    listpack: ListpackReference,
    score: number,
    bytes: Uint8Array,
    offset: ByteOffset,
    length: ByteLength,
  ): ListpackReference {
    const { listpacks } = this;
    this.stageScore(score);
    const added = listpacks.entryLength(bytes, offset, length) + this.stagedEntryLength();
    const withMember = listpacks.append(this.reserve(listpack, added), bytes, offset, length);
    return this.insertStagedScore(withMember, listpacks.endPosition(withMember));
  }

  /**
   * Lists the positions of all members in `positions`, but that of the one at `except`, and returns how many they are.
   * Walking is much cheaper than reading scores: what is sought is found among the positions by bisection.
   */
  index(listpack: ListpackReference, except: ListpackPosition): number {
    const members = this.count(listpack);
    if (members > this.positions.length) this.positions = new Int32Array(members * 2);
    const { positions } = this;
    const bytes = this.memory.bytes[listpack >>> SEGMENT_SHIFT];
    const start = byteOffset(listpack);
    let count = 0;
    let at = start + FIRST_POSITION;
    while (bytes[at] !== LISTPACK_END) {
      const position = at - start;
      if (position !== except) positions[count++] = position;
      at += entryLengthAt(bytes, at);
      at += entryLengthAt(bytes, at);
    }
    return count;
  }

  /**
   * Where a score and member belong: the position of the first pair behind them, or the end. The pair at `except`
   * does not count, but if it already stands where it belongs, its own position is returned.
   */
  private placeOf(
    listpack: ListpackReference,
    except: ListpackPosition,
    score: number,
    bytes: Uint8Array,
    offset: ByteOffset,
    length: ByteLength,
  ): ListpackPosition {
    const count = this.index(listpack, except);
    const { positions } = this;
    let low = 0;
    let high = count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const position = positions[middle];
      const other = this.score(listpack, position);
      const isBehind =
        other > score ||
        (other === score && this.compareMember(listpack, position, bytes, offset, length) > 0);
      if (isBehind) high = middle;
      else low = middle + 1;
    }
    const isAfterExcept = except !== NO_POSITION && (low === 0 || positions[low - 1] < except);
    if (isAfterExcept && (low === count || positions[low] > except)) return except;
    return low < count ? positions[low] : this.listpacks.endPosition(listpack);
  }

  private compareMember(
    listpack: ListpackReference,
    position: ListpackPosition,
    bytes: Uint8Array,
    offset: ByteOffset,
    length: ByteLength,
  ): number {
    const { element } = this.listpacks;
    this.listpacks.read(listpack, position);
    element.spell();
    return compareBytes(element.bytes, element.offset, element.length, bytes, offset, length);
  }

  /** The listpack in a block with room for `added` bytes more, so that adding them cannot fail half-way. */
  private reserve(listpack: ListpackReference, added: ByteLength): ListpackReference {
    const total = this.listpacks.byteLength(listpack);
    if (total + added <= this.memory.blockBytes(listpack)) return listpack;
    return this.memory.reallocate(listpack, total, total + added);
  }

  private stageScore(score: number): void {
    if (Number.isNaN(score)) throw new Error('NaN as a score of a sorted set');
    this.stagedIsInteger = Number.isInteger(score) && Math.abs(score) <= INTEGER_SCORE_MAX;
    if (this.stagedIsInteger) {
      this.stagedLow = lowWord(score);
      this.stagedHigh = highWord(score);
    } else {
      this.stagedTextLength = writeDouble(this.stagedText, 0, score);
    }
  }

  private stagedEntryLength(): ByteLength {
    return this.stagedIsInteger
      ? entryLength(encodedIntegerLength(this.stagedLow, this.stagedHigh))
      : this.listpacks.entryLength(this.stagedText, 0, this.stagedTextLength);
  }

  private insertStagedScore(listpack: ListpackReference, position: ListpackPosition): ListpackReference {
    return this.stagedIsInteger
      ? this.listpacks.insertIntegerBefore(listpack, position, this.stagedLow, this.stagedHigh)
      : this.listpacks.insertBefore(listpack, position, this.stagedText, 0, this.stagedTextLength);
  }

  private replaceStagedScore(listpack: ListpackReference, position: ListpackPosition): ListpackReference {
    return this.stagedIsInteger
      ? this.listpacks.replaceInteger(listpack, position, this.stagedLow, this.stagedHigh)
      : this.listpacks.replace(listpack, position, this.stagedText, 0, this.stagedTextLength);
  }
}
