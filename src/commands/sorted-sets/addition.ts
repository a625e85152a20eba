import { keyEvent, NOTIFY_SORTED_SET } from '../../keyspace/events.js';
import { ENCODING_LISTPACK, type RecordReference, TYPE_SORTED_SET } from '../../keyspace/record.js';
import { NULL_REFERENCE } from '../../memory/reference.js';
import { type CommandContext, WRONG_TYPE } from '../../server/context.js';
import { NO_MEMBER, type SortedSets } from '../../types/sorted-set.js';
import { ScoreArguments } from './score-arguments.js';

const EVENT_ZADD = keyEvent(NOTIFY_SORTED_SET, 'zadd');
const EVENT_ZINCR = keyEvent(NOTIFY_SORTED_SET, 'zincr');

const ERROR_NOT_A_NUMBER = 'ERR resulting score is not a number (NaN)';

/** What became of a pair: the options forbade it … */
const SKIPPED = 0;
/** … or the member has that score already … */
const UNCHANGED = 1;
const ADDED = 2;
const UPDATED = 3;
/** … or the sum of two scores is none, so that nothing can be done. */
const NOT_A_NUMBER = 4;

/**
 * The addition of pairs of a score and a member to the sorted set under argument 1: what ZADD, ZINCRBY and GEOADD do
 * once they have read their arguments. There is one instance, reset by each command.
 */
class Addition {
  addsOnly = false;
  updatesOnly = false;
  raisesOnly = false;
  lowersOnly = false;
  /** CH: members whose score changed are counted too. */
  countsUpdates = false;
  /** INCR: the score is added to that of the member, and the sum is replied. */
  increments = false;
  pairs = 0;
  /** The argument that is the first member; each further one is `memberStep` behind the one before. */
  firstMember = 0;
  memberStep = 2;
  /** The scores; those of pairs that were dealt with become what their members have then. */
  readonly scores = new ScoreArguments();

  /** For each pair that was dealt with, the score that its member had; NaN: none. */
  private formerScores = new Float64Array(64);
  /** How many pairs were dealt with. */
  private pairsDone = 0;

  /** Forgets the options of the command before. */
  reset(): void {
    this.addsOnly = false;
    this.updatesOnly = false;
    this.raisesOnly = false;
    this.lowersOnly = false;
    this.countsUpdates = false;
    this.increments = false;
  }

  /**
   * Adds the pairs, all of them or none, tells of it and replies. Returns how many members were added or changed.
   * @throws OutOfMemoryError, and the sorted set is as it was.
   */
  run(context: CommandContext): number {
    const record = context.writeTyped(1, TYPE_SORTED_SET);
    if (record === WRONG_TYPE) return 0;
    if (record === NULL_REFERENCE) return this.addToNew(context);
    context.types.sortedSets.expect(record, this.pairs);
    return this.pairs === 1 ? this.addPairs(context, record) : this.addAllPairs(context, record);
  }

  /** As `run`, for a key that the last lookup did not find. */
  private addToNew(context: CommandContext): number {
    if (this.updatesOnly) {
      if (this.increments) context.reply.nullBulk();
      else context.reply.integer(0);
      return 0;
    }
    const created = this.addSortedSet(context);
    try {
      return this.addPairs(context, created);
    } catch (error) {
      context.keyspace.remove(context.database, created);
      throw error;
    }
  }

  /** An empty sorted set for the key that the last lookup did not find. */
  private addSortedSet(context: CommandContext): RecordReference {
    const { sortedSets } = context.types;
    const encoding = sortedSets.encodingFor(this.pairs, context.arguments.lengths[this.firstMember]);
    const value = sortedSets.create(encoding);
    try {
      return context.add(1, TYPE_SORTED_SET, encoding, value, 0);
    } catch (error) {
      sortedSets.release(value, 0, encoding, Number.POSITIVE_INFINITY);
      throw error;
    }
  }

  /**
   * As `addPairs`, but all of several pairs or none.
   * @throws OutOfMemoryError, and the sorted set is as it was.
   */
  private addAllPairs(context: CommandContext, record: RecordReference): number {
    const { sortedSets } = context.types;
    const { records } = sortedSets;
    if (!sortedSets.isListpack(record)) {
      try {
        return this.addPairs(context, record);
      } catch (error) {
        this.takeBack(context, record);
        throw error;
      }
    }
    // To give a member of a listpack its score back may take memory. A copy is there already.
    const copy = sortedSets.duplicate(records.slot(record), 0, ENCODING_LISTPACK);
    let changes: number;
    try {
      changes = this.addPairs(context, record);
    } catch (error) {
      sortedSets.replaceValue(record, copy, ENCODING_LISTPACK);
      throw error;
    }
    sortedSets.release(copy, 0, ENCODING_LISTPACK, 1);
    return changes;
  }

  /**
   * Adds the pairs to a sorted set, tells of it and replies.
   * @throws OutOfMemoryError, when the pairs before `pairsDone` are added.
   */
  private addPairs(context: CommandContext, record: RecordReference): number {
    const { reply, types } = context;
    const { sortedSets } = types;
    const { pairs, increments } = this;
    if (pairs > this.formerScores.length) this.formerScores = new Float64Array(pairs * 2);
    let added = 0;
    let updated = 0;
    let outcome = UNCHANGED;
    for (this.pairsDone = 0; this.pairsDone < pairs; this.pairsDone++) {
      outcome = this.addPair(context, sortedSets, record, this.pairsDone);
      if (outcome === ADDED) added++;
      else if (outcome === UPDATED) updated++;
    }
    if (outcome === NOT_A_NUMBER) {
      reply.error(ERROR_NOT_A_NUMBER);
      return 0;
    }
    const changes = added + updated;
    if (changes > 0) context.changed(increments ? EVENT_ZINCR : EVENT_ZADD, 1, changes);
    if (!increments) reply.integer(this.countsUpdates ? changes : added);
    else if (outcome === SKIPPED) reply.nullBulk();
    else reply.double(this.scores.values[0]);
    return changes;
  }

  /** Does what the options say with a pair, and puts the score that its member has then in the place of the one given. */
  private addPair(
    { arguments: call }: CommandContext,
    sortedSets: SortedSets,
    record: RecordReference,
    pair: number,
  ): number {
    const { formerScores, scores } = this;
    const index = this.firstMember + this.memberStep * pair;
    const offset = call.offsets[index];
    const length = call.lengths[index];
    const given = scores.values[pair];
    formerScores[pair] = NaN;
    const member = sortedSets.find(record, call.bytes, offset, length);
    if (member === NO_MEMBER) {
      if (this.updatesOnly) return SKIPPED;
      sortedSets.add(record, given, call.bytes, offset, length);
      return ADDED;
    }
    const former = sortedSets.score(record, member);
    formerScores[pair] = former;
    if (this.addsOnly) return SKIPPED;
    const score = this.increments ? former + given : given;
    if (Number.isNaN(score)) return NOT_A_NUMBER;
    if (this.lowersOnly ? score >= former : this.raisesOnly && score <= former) return SKIPPED;
    scores.values[pair] = score;
    if (score === former) return UNCHANGED;
    sortedSets.update(record, member, score);
    return UPDATED;
  }

  /** Takes the pairs back that were added to a skiplist, which takes no memory. */
  private takeBack({ arguments: call, types }: CommandContext, record: RecordReference): void {
    const { sortedSets } = types;
    for (let pair = this.pairsDone - 1; pair >= 0; pair--) {
      const index = this.firstMember + this.memberStep * pair;
      const member = sortedSets.find(record, call.bytes, call.offsets[index], call.lengths[index]);
      if (member === NO_MEMBER) continue;
      const former = this.formerScores[pair];
      if (Number.isNaN(former)) sortedSets.remove(record, member);
      else if (former !== sortedSets.score(record, member)) sortedSets.update(record, member, former);
    }
  }
}

/** The addition that is under way. */
export const addition = new Addition();
