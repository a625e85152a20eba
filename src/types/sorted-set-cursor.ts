import type { RecordReference } from '../keyspace/record.js';
import { type ByteLength, type ByteOffset, NULL_REFERENCE } from '../memory/reference.js';
import { INT64_DECIMAL_LENGTH_MAX, writeInt64FromWords } from '../protocol/integers.js';
import type { Listpacks } from '../structures/listpack.js';
import type { ListpackPosition, ListpackReference } from '../structures/listpack-reader.js';
import type { Rank } from '../structures/skiplist.js';
import type { LexRange, ScoreRange } from '../structures/sorted-ranges.js';
import { MEMBERS_MAX, type MemberHandle, NO_MEMBER, type SortedSets } from './sorted-set.js';

/**
 * A range of which no more members are wanted than this is counted by walking: they are about to be read anyway. For
 * others a second search finds the end.
 */
const COUNTED_ONE_BY_ONE_MAX = 32;

/**
 * Reads the members of a sorted set that a range selects, in either direction, without allocation.
 *
 *     cursor.selectScores(record, range, false, 10, 5);
 *     reply.array(cursor.remaining);
 *     while (cursor.next()) reply.bulk(cursor.bytes, cursor.offset, cursor.length);
 *
 * Every range becomes the ranks from `start` to below `end`, so that how many members it has is known before the first
 * is read, and `SortedSets.removeRange` can remove them. One instance serves one walk at a time, again and again.
 * A selection is valid until the set changes.
 */
export class SortedSetCursor {
  /** The rank of the first selected member. */
  start: Rank = 0;
  /** The rank behind the last selected member; `start` when none is selected. */
  end: Rank = 0;
  /** How many members `next` has yet to read. */
  remaining = 0;

  /** What the member that was read last is in, from `offset` on. */
  bytes: Uint8Array;
  /** Where the member starts in `bytes`. */
  offset: ByteOffset = 0;
  /** The length of the member. */
  length: ByteLength = 0;

  private readonly sets: SortedSets;
  private readonly listpacks: Listpacks;
  private readonly decimal = new Uint8Array(INT64_DECIMAL_LENGTH_MAX);
  private record: RecordReference = NULL_REFERENCE;
  private reverse = false;
  private current: MemberHandle = NO_MEMBER;
  /** The member that `next` reads, or NO_MEMBER if only its rank is known. */
  private upcoming: MemberHandle = NO_MEMBER;

  constructor(sets: SortedSets, listpacks: Listpacks) {
    this.sets = sets;
    this.listpacks = listpacks;
    this.bytes = this.decimal;
  }

  /** Where the member is that was read last. */
  get member(): MemberHandle {
    return this.current;
  }

  /** The score of the member that was read last. Read from the set when it is asked for: text takes time to parse. */
  get score(): number {
    return this.sets.score(this.record, this.current);
  }

  /** Selects the members from rank `start` to below rank `end`: 0 ≤ start ≤ end ≤ count. */
  selectRanks(record: RecordReference, start: Rank, end: Rank, reverse: boolean): void {
    this.select(record, start, end, NO_MEMBER, reverse);
  }

  /**
   * Selects the members in a range of scores; of these, in reading order, not the first `skipped`, but the next `count`.
   */
  selectScores(
    record: RecordReference,
    range: ScoreRange,
    reverse: boolean,
    skipped = 0,
    count = MEMBERS_MAX,
  ): void {
    const value = this.sets.records.slot(record);
    const { ranges, listpackRanges } = this.sets;
    if (this.sets.isListpack(record)) {
      listpackRanges.findScores(value, range);
      this.selectListpackRange(record, reverse);
    } else if (skipped + count > COUNTED_ONE_BY_ONE_MAX) {
      const start = ranges.scoreRangeStart(value, range);
      const first = ranges.node;
      const end = ranges.scoreRangeEnd(value, range);
      this.select(record, start, end, reverse ? ranges.node : first, reverse);
    } else {
      const edge = reverse ? ranges.scoreRangeEnd(value, range) : ranges.scoreRangeStart(value, range);
      const found = ranges.countScores(ranges.node, range, reverse, skipped + count);
      this.selectFromEdge(record, edge, found, ranges.node, reverse);
    }
    this.limit(skipped, count);
  }

  /**
   * The same for a range of members. If they do not all have the same score, what is selected is what Redis finds from
   * the end that is read first, for a listpack; and up to chance, as in Redis, for a skiplist.
   */
  selectMembers(
    record: RecordReference,
    range: LexRange,
    reverse: boolean,
    skipped = 0,
    count = MEMBERS_MAX,
  ): void {
    const value = this.sets.records.slot(record);
    const { ranges, listpackRanges } = this.sets;
    if (this.sets.isListpack(record)) {
      listpackRanges.findMembers(value, range, reverse);
      this.selectListpackRange(record, reverse);
    } else if (skipped + count > COUNTED_ONE_BY_ONE_MAX) {
      const start = ranges.lexRangeStart(value, range);
      const first = ranges.node;
      const end = ranges.lexRangeEnd(value, range);
      this.select(record, start, end, reverse ? ranges.node : first, reverse);
    } else {
      const edge = reverse ? ranges.lexRangeEnd(value, range) : ranges.lexRangeStart(value, range);
      const found = ranges.countMembers(ranges.node, range, reverse, skipped + count);
      this.selectFromEdge(record, edge, found, ranges.node, reverse);
    }
    this.limit(skipped, count);
  }

  /** Reads the next selected member. False when there is none. */
  next(): boolean {
    if (!this.advance()) return false;
    this.readCurrent(this.current);
    return true;
  }

  /** As `next`, for whoever wants only `member` and `score`: the member itself is not read. */
  advance(): boolean {
    if (this.remaining === 0) return false;
    const member = this.upcoming !== NO_MEMBER ? this.upcoming : this.locate();
    this.remaining--;
    this.upcoming = this.remaining === 0 ? NO_MEMBER : this.neighbour(member);
    this.current = member;
    return true;
  }

  /** Reads one member, and ends what was selected before. */
  read(record: RecordReference, member: MemberHandle): void {
    this.record = record;
    this.remaining = 0;
    this.readCurrent(member);
  }

  private readCurrent(member: MemberHandle): void {
    this.current = member;
    if (this.sets.isListpack(this.record)) {
      this.readListpack(this.sets.records.slot(this.record), member);
      return;
    }
    const { skiplist } = this.sets;
    this.bytes = skiplist.memberBytes(member);
    this.offset = skiplist.memberOffset(member);
    this.length = skiplist.memberLength(member);
  }

  /** @param upcoming the member to be read first, or NO_MEMBER; anything when no member is selected. */
  private select(
    record: RecordReference,
    start: Rank,
    end: Rank,
    upcoming: MemberHandle,
    reverse: boolean,
  ): void {
    this.record = record;
    this.start = start;
    this.end = Math.max(start, end);
    this.remaining = this.end - start;
    this.upcoming = upcoming;
    this.reverse = reverse;
  }

  /** Selects `count` members from where a range starts, or ends when `reverse` is set, with `upcoming` on. */
  private selectFromEdge(
    record: RecordReference,
    edge: Rank,
    count: number,
    upcoming: MemberHandle,
    reverse: boolean,
  ): void {
    if (reverse) this.select(record, edge - count, edge, upcoming, true);
    else this.select(record, edge, edge + count, upcoming, false);
  }

  private limit(skipped: number, count: number): void {
    const left = Math.max(0, Math.min(this.remaining - skipped, count));
    if (skipped > 0) this.upcoming = NO_MEMBER;
    if (this.reverse) {
      this.end = Math.max(this.start, this.end - skipped);
      this.start = this.end - left;
    } else {
      this.start = Math.min(this.end, this.start + skipped);
      this.end = this.start + left;
    }
    this.remaining = left;
  }

  private selectListpackRange(record: RecordReference, reverse: boolean): void {
    const { listpackRanges } = this.sets;
    const upcoming = reverse ? listpackRanges.last : listpackRanges.first;
    this.select(record, listpackRanges.start, listpackRanges.end, upcoming, reverse);
  }

  private readListpack(listpack: ListpackReference, position: ListpackPosition): void {
    const { listpacks } = this;
    listpacks.read(listpack, position);
    const { element } = listpacks;
    if (element.isInteger) {
      // Text of our own: another cursor may read before this member is used.
      this.bytes = this.decimal;
      this.offset = 0;
      this.length = writeInt64FromWords(this.decimal, 0, element.low, element.high);
    } else {
      this.bytes = element.bytes;
      this.offset = element.offset;
      this.length = element.length;
    }
  }

  private locate(): MemberHandle {
    return this.sets.atRank(this.record, this.reverse ? this.end - 1 : this.start);
  }

  private neighbour(member: MemberHandle): MemberHandle {
    if (this.sets.isListpack(this.record)) {
      const value = this.sets.records.slot(this.record);
      const { listpack } = this.sets;
      return this.reverse ? listpack.previous(value, member) : listpack.next(value, member);
    }
    const { skiplist } = this.sets;
    return this.reverse ? skiplist.previous(member) : skiplist.next(member);
  }
}
