import type { Encoding, RecordReference } from '../../keyspace/record.js';
import type { CommandContext } from '../../server/context.js';
import { ERROR_SYNTAX } from '../../server/errors.js';
import { MEMBERS_MAX } from '../../types/sorted-set.js';
import type { SortedSetCursor } from '../../types/sorted-set-cursor.js';
import { lexRange, readLexRange, readScoreRange, scoreRange } from './range-arguments.js';
import { RankRange } from './rank-range.js';

/** What the two arguments are that give a range. */
export type RangeKind = 'ranks' | 'scores' | 'members';

const ERROR_LIMIT_OF_RANKS =
  'ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX';
const ERROR_SCORES_BY_LEX = 'ERR syntax error, WITHSCORES not supported in combination with BYLEX';

/** A range of a sorted set, with the options that go with it. Reused for every call. */
export class RangeRequest {
  withScores = false;

  private kind: RangeKind = 'ranks';
  private isReverse = false;
  /** How many members of the range are skipped; for a negative number see `select`. */
  private offset = 0;
  /** How many members are wanted; a negative number: all. */
  private count = -1;
  private readonly ranks = new RankRange();

  /**
   * Reads a range from argument `first` on, and the options behind it. False when they are wrong and the error is
   * replied.
   * @param kind undefined when it is for options to say, and so `isReverse`
   * @param stores whether the range is to be stored, which it is with its scores: WITHSCORES is no option then
   */
  read(
    context: CommandContext,
    first: number,
    kind: RangeKind | undefined,
    isReverse: boolean | undefined,
    stores: boolean,
  ): boolean {
    if (!this.readOptions(context, first + 2, kind, isReverse, stores)) return false;
    if (this.count !== -1 && this.kind === 'ranks') {
      context.reply.error(ERROR_LIMIT_OF_RANKS);
      return false;
    }
    if (this.withScores && this.kind === 'members') {
      context.reply.error(ERROR_SCORES_BY_LEX);
      return false;
    }
    if (this.kind === 'ranks') return this.ranks.read(context, first, first + 1);
    const min = this.isReverse ? first + 1 : first;
    const max = this.isReverse ? first : first + 1;
    return this.kind === 'scores' ? readScoreRange(context, min, max) : readLexRange(context, min, max);
  }

  /** Makes the cursor select the range in a sorted set. */
  select({ types }: CommandContext, record: RecordReference): void {
    const { sortedSets, sortedSetCursor: cursor } = types;
    const { offset } = this;
    const count = this.count < 0 ? MEMBERS_MAX : Math.min(this.count, MEMBERS_MAX);
    if (this.kind === 'ranks') {
      this.selectRanks(cursor, record, sortedSets.count(record));
    } else if (offset >= 0) {
      this.selectValues(cursor, record, Math.min(offset, MEMBERS_MAX), count);
    } else if (sortedSets.isListpack(record)) {
      cursor.selectRanks(record, 0, 0, false);
    } else {
      // In a skiplist, as Redis has it, a negative offset counts from the end that is read last.
      this.selectValues(cursor, record, 0, MEMBERS_MAX);
      const skipped = cursor.remaining + offset;
      if (skipped >= 0) this.selectValues(cursor, record, skipped, count);
      else cursor.selectRanks(record, 0, 0, false);
    }
  }

  /** The encoding of a new sorted set for what the cursor has selected. */
  storedEncoding({ types }: CommandContext): Encoding {
    const { sortedSets, sortedSetCursor } = types;
    // Redis counts only ranks before it reads them; of other ranges it makes a small set, which may have to grow.
    return sortedSets.encodingFor(this.kind === 'ranks' ? sortedSetCursor.remaining : 0, 0);
  }

  private readOptions(
    context: CommandContext,
    first: number,
    kind: RangeKind | undefined,
    isReverse: boolean | undefined,
    stores: boolean,
  ): boolean {
    const { options } = context;
    let givenKind = kind;
    let givenReverse = isReverse;
    this.withScores = false;
    this.offset = 0;
    this.count = -1;
    options.begin(context.arguments, first);
    while (options.hasMore) {
      if (!stores && options.take('WITHSCORES')) this.withScores = true;
      else if (options.takeWithArguments('LIMIT', 2)) {
        this.offset = context.integer(options.argument);
        if (Number.isNaN(this.offset)) return false;
        this.count = context.integer(options.argument + 1);
        if (Number.isNaN(this.count)) return false;
      } else if (givenReverse === undefined && options.take('REV')) givenReverse = true;
      else if (givenKind === undefined && options.take('BYLEX')) givenKind = 'members';
      else if (givenKind === undefined && options.take('BYSCORE')) givenKind = 'scores';
      else {
        context.reply.error(ERROR_SYNTAX);
        return false;
      }
    }
    this.kind = givenKind ?? 'ranks';
    this.isReverse = givenReverse ?? false;
    return true;
  }

  private selectRanks(cursor: SortedSetCursor, record: RecordReference, members: number): void {
    const { ranks, isReverse } = this;
    ranks.clamp(members);
    // Ranks of a reverse range count from the highest score.
    const start = isReverse ? members - ranks.end : ranks.start;
    const end = isReverse ? members - ranks.start : ranks.end;
    cursor.selectRanks(record, start, end, isReverse);
  }

  private selectValues(
    cursor: SortedSetCursor,
    record: RecordReference,
    skipped: number,
    count: number,
  ): void {
    if (this.kind === 'scores') cursor.selectScores(record, scoreRange, this.isReverse, skipped, count);
    else cursor.selectMembers(record, lexRange, this.isReverse, skipped, count);
  }
}
