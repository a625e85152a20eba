import type { RecordReference } from '../keyspace/record.js';
import { type ByteLength, type ByteOffset, NULL_REFERENCE } from '../memory/reference.js';
import { INT64_DECIMAL_LENGTH_MAX, writeInt64FromWords } from '../protocol/integers.js';
import type { Listpacks } from '../structures/listpack.js';
import { type ListpackPosition, type ListpackReference, NO_POSITION } from '../structures/listpack-reader.js';
import type { Rank } from '../structures/skiplist.js';
import type { LexRange, ScoreRange } from '../structures/sorted-ranges.js';
import { type MemberHandle, NO_MEMBER, type SortedSets } from './sorted-set.js';

/**
 * Reads the members of a sorted set that a range selects, in either direction, without allocation.
 *
 *     cursor.selectScores(record, range, false);
 *     cursor.limit(10, 5);
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
  /** The score of the member. */
  score = 0;

  private readonly sets: SortedSets;
  private readonly listpacks: Listpacks;
  private readonly decimal = new Uint8Array(INT64_DECIMAL_LENGTH_MAX);
  private record: RecordReference = NULL_REFERENCE;
  private reverse = false;
  /** The member that `next` reads, or NO_MEMBER if only its rank is known. */
  private upcoming: MemberHandle = NO_MEMBER;

  constructor(sets: SortedSets, listpacks: Listpacks) {
    this.sets = sets;
    this.listpacks = listpacks;
    this.bytes = this.decimal;
  }

  /** Selects the members from rank `start` to below rank `end`: 0 ≤ start ≤ end ≤ count. */
  selectRanks(record: RecordReference, start: Rank, end: Rank, reverse: boolean): void {
    this.select(record, start, end, NO_MEMBER, reverse);
  }

  /** Selects the members in a range of scores. */
  selectScores(record: RecordReference, range: ScoreRange, reverse: boolean): void {
    const value = this.sets.records.slot(record);
    if (this.sets.isListpack(record)) {
      this.selectListpackScores(record, value, range, reverse);
      return;
    }
    const { ranges } = this.sets;
    const start = ranges.scoreRangeStart(value, range);
    const first = ranges.node;
    const end = ranges.scoreRangeEnd(value, range);
    this.select(record, start, end, reverse ? ranges.node : first, reverse);
  }

  /**
   * Selects the members in a range of members. If they do not all have the same score, what is selected is what Redis
   * finds from the end that is read first, for a listpack; and up to chance, as in Redis, for a skiplist.
   */
  selectMembers(record: RecordReference, range: LexRange, reverse: boolean): void {
    const value = this.sets.records.slot(record);
    if (this.sets.isListpack(record)) {
      this.selectListpackMembers(record, value, range, reverse);
      return;
    }
    const { ranges } = this.sets;
    const start = ranges.lexRangeStart(value, range);
    const first = ranges.node;
    const end = ranges.lexRangeEnd(value, range);
    this.select(record, start, end, reverse ? ranges.node : first, reverse);
  }

  /** Leaves out the first `skipped` of the selected members, in reading order, and all but `count` of the others. */
  limit(skipped: number, count: number): void {
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

  /** Reads the next selected member. False when there is none. */
  next(): boolean {
    if (this.remaining === 0) return false;
    const member = this.upcoming !== NO_MEMBER ? this.upcoming : this.locate();
    this.remaining--;
    this.upcoming = this.remaining === 0 ? NO_MEMBER : this.neighbour(member);
    this.read(this.record, member);
    return true;
  }

  /** Reads one member. */
  read(record: RecordReference, member: MemberHandle): void {
    if (this.sets.isListpack(record)) {
      this.readListpack(this.sets.records.slot(record), member);
      return;
    }
    const { skiplist } = this.sets;
    this.bytes = skiplist.memberBytes(member);
    this.offset = skiplist.memberOffset(member);
    this.length = skiplist.memberLength(member);
    this.score = skiplist.score(member);
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

  private selectListpackScores(
    record: RecordReference,
    listpack: ListpackReference,
    range: ScoreRange,
    reverse: boolean,
  ): void {
    const { listpack: pairs } = this.sets;
    let rank = 0;
    let position = pairs.first(listpack);
    while (position !== NO_POSITION && !range.reachesMin(pairs.score(listpack, position))) {
      position = pairs.next(listpack, position);
      rank++;
    }
    const start = rank;
    const first = position;
    let last = NO_POSITION;
    while (position !== NO_POSITION && range.reachesMax(pairs.score(listpack, position))) {
      last = position;
      position = pairs.next(listpack, position);
      rank++;
    }
    this.select(record, start, rank, reverse ? last : first, reverse);
  }

  /** As `zzlFirstInLexRange` and `zzlLastInLexRange` of Redis search, and the walks that start from there. */
  private selectListpackMembers(
    record: RecordReference,
    listpack: ListpackReference,
    range: LexRange,
    reverse: boolean,
  ): void {
    const { listpack: pairs } = this.sets;
    const first = pairs.first(listpack);
    const last = pairs.last(listpack);
    if (
      first === NO_POSITION ||
      range.isEmpty() ||
      !this.reachesMin(listpack, last, range) ||
      !this.reachesMax(listpack, first, range)
    ) {
      this.select(record, 0, 0, NO_MEMBER, reverse);
    } else if (reverse) {
      this.selectListpackMembersBackwards(record, listpack, range, last);
    } else {
      this.selectListpackMembersForwards(record, listpack, range, first);
    }
  }

  private selectListpackMembersForwards(
    record: RecordReference,
    listpack: ListpackReference,
    range: LexRange,
    from: ListpackPosition,
  ): void {
    const { listpack: pairs } = this.sets;
    let rank = 0;
    let position = from;
    while (position !== NO_POSITION && !this.reachesMin(listpack, position, range)) {
      position = pairs.next(listpack, position);
      rank++;
    }
    const start = rank;
    const first = position;
    while (position !== NO_POSITION && this.reachesMax(listpack, position, range)) {
      position = pairs.next(listpack, position);
      rank++;
    }
    this.select(record, start, rank, first, false);
  }

  private selectListpackMembersBackwards(
    record: RecordReference,
    listpack: ListpackReference,
    range: LexRange,
    from: ListpackPosition,
  ): void {
    const { listpack: pairs } = this.sets;
    let rank = pairs.count(listpack);
    let position = from;
    while (position !== NO_POSITION && !this.reachesMax(listpack, position, range)) {
      position = pairs.previous(listpack, position);
      rank--;
    }
    const end = rank;
    const last = position;
    while (position !== NO_POSITION && this.reachesMin(listpack, position, range)) {
      position = pairs.previous(listpack, position);
      rank--;
    }
    this.select(record, rank, end, last, true);
  }

  private reachesMin(listpack: ListpackReference, position: ListpackPosition, range: LexRange): boolean {
    this.readListpackMember(listpack, position);
    return range.reachesMin(this.bytes, this.offset, this.length);
  }

  private reachesMax(listpack: ListpackReference, position: ListpackPosition, range: LexRange): boolean {
    this.readListpackMember(listpack, position);
    return range.reachesMax(this.bytes, this.offset, this.length);
  }

  private readListpack(listpack: ListpackReference, position: ListpackPosition): void {
    this.readListpackMember(listpack, position);
    this.score = this.sets.listpack.score(listpack, position);
  }

  private readListpackMember(listpack: ListpackReference, position: ListpackPosition): void {
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
    const rank = this.reverse ? this.end - 1 : this.start;
    const value = this.sets.records.slot(this.record);
    return this.sets.isListpack(this.record)
      ? this.sets.listpack.positionAtRank(value, rank)
      : this.sets.skiplist.nodeAtRank(value, rank);
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
