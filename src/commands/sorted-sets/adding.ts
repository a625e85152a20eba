/** Commands that add members to sorted sets and change their scores. */
import { keyEvent, NOTIFY_SORTED_SET } from '../../keyspace/events.js';
import { ENCODING_LISTPACK, type RecordReference, TYPE_SORTED_SET } from '../../keyspace/record.js';
import { NULL_REFERENCE } from '../../memory/reference.js';
import { type Command, keyAt } from '../../server/command.js';
import { type CommandContext, WRONG_TYPE } from '../../server/context.js';
import { ERROR_NOT_FLOAT, ERROR_SYNTAX } from '../../server/errors.js';
import { NO_MEMBER, type SortedSets } from '../../types/sorted-set.js';
import { ScoreArguments } from './score-arguments.js';

const EVENT_ZADD = keyEvent(NOTIFY_SORTED_SET, 'zadd');
const EVENT_ZINCR = keyEvent(NOTIFY_SORTED_SET, 'zincr');

const ERROR_NX_XX = 'ERR XX and NX options at the same time are not compatible';
const ERROR_GT_LT_NX = 'ERR GT, LT, and/or NX options at the same time are not compatible';
const ERROR_ONE_INCREMENT = 'ERR INCR option supports a single increment-element pair';
const ERROR_NOT_A_NUMBER = 'ERR resulting score is not a number (NaN)';

export const addingCommands: readonly Command[] = [
  {
    name: 'zadd',
    summary: 'Add members to a sorted set, or change their scores.',
    syntax:
      'key [condition:(NX | XX)@3.0.2] [comparison:(GT | LT)@6.2.0] [change:CH@3.0.2] [increment:INCR@3.0.2] data:{score member}...',
    arity: -4,
    flags: ['write', 'denyoom', 'fast'],
    categories: ['@sortedset'],
    keys: [keyAt(1, 'RW', 'update')],
    since: '1.2.0',
    group: 'sorted-set',
    complexity: 'O(log(N)) for each member, N members in the sorted set',
    history: [
      ['2.4.0', 'several members in one call'],
      ['3.0.2', 'XX, NX, CH and INCR'],
      ['6.2.0', 'GT and LT'],
    ],
    handler: (context) => addScores(context, false),
  },
  {
    name: 'zincrby',
    summary: 'Add to the score of a member.',
    syntax: 'key increment:integer member',
    arity: 4,
    flags: ['write', 'denyoom', 'fast'],
    categories: ['@sortedset'],
    keys: [keyAt(1, 'RW', 'access', 'update')],
    since: '1.2.0',
    group: 'sorted-set',
    complexity: 'O(log(N)) for N members in the sorted set',
    // Whoever calls a member of ZINCRBY "NX" gets what ZADD would say to it: Redis reads the arguments of both alike.
    handler: (context) => addScores(context, true),
  },
];

/** What a ZADD is to do: its options, and its pairs of a score and a member. */
class AddOptions {
  addsOnly = false;
  updatesOnly = false;
  raisesOnly = false;
  lowersOnly = false;
  /** CH: members whose score changed are counted too. */
  countsUpdates = false;
  /** INCR: the score is added to that of the member, and the sum is replied. */
  increments = false;
  /** The argument that is the first score. */
  first = 0;
  pairs = 0;

  /** Reads the options and finds the pairs; false when they are wrong and the error is replied. */
  read(context: CommandContext, increments: boolean): boolean {
    const { options, reply } = context;
    this.addsOnly = false;
    this.updatesOnly = false;
    this.raisesOnly = false;
    this.lowersOnly = false;
    this.countsUpdates = false;
    this.increments = increments;
    options.begin(context.arguments, 2);
    while (options.hasMore) {
      if (options.take('NX')) this.addsOnly = true;
      else if (options.take('XX')) this.updatesOnly = true;
      else if (options.take('CH')) this.countsUpdates = true;
      else if (options.take('INCR')) this.increments = true;
      else if (options.take('GT')) this.raisesOnly = true;
      else if (options.take('LT')) this.lowersOnly = true;
      else break;
    }
    this.first = options.position;
    const { count } = context.arguments;
    this.pairs = (count - this.first) / 2;
    const error = this.mistake();
    if (error === '') return true;
    reply.error(error);
    return false;
  }

  private mistake(): string {
    const { addsOnly, raisesOnly, lowersOnly, pairs } = this;
    if (pairs === 0 || !Number.isInteger(pairs)) return ERROR_SYNTAX;
    if (addsOnly && this.updatesOnly) return ERROR_NX_XX;
    if ((raisesOnly && addsOnly) || (lowersOnly && addsOnly) || (raisesOnly && lowersOnly)) {
      return ERROR_GT_LT_NX;
    }
    return this.increments && pairs > 1 ? ERROR_ONE_INCREMENT : '';
  }
}

const addOptions = new AddOptions();
const scores = new ScoreArguments();

/** What became of a pair: the options forbade it … */
const SKIPPED = 0;
/** … or the member has that score already … */
const UNCHANGED = 1;
const ADDED = 2;
const UPDATED = 3;
/** … or the sum of two scores is none, so that nothing can be done. */
const NOT_A_NUMBER = 4;

/** For each pair that was dealt with, the score that its member had; NaN: none. */
let formerScores = new Float64Array(64);
/** How many pairs were dealt with. */
let pairsDone = 0;

/**
 * ZADD key [NX | XX] [GT | LT] [CH] [INCR] score member [score member ...]
 * ZINCRBY key increment member
 */
function addScores(context: CommandContext, increments: boolean): void {
  if (!addOptions.read(context, increments)) return;
  const { first, pairs } = addOptions;
  if (!scores.read(context, first, 2, pairs, ERROR_NOT_FLOAT)) return;
  const record = context.writeTyped(1, TYPE_SORTED_SET);
  if (record === WRONG_TYPE) return;
  if (record !== NULL_REFERENCE) {
    context.types.sortedSets.expect(record, pairs);
    if (pairs === 1) addPairs(context, record);
    else addAllPairs(context, record);
  } else if (addOptions.updatesOnly) {
    if (addOptions.increments) context.reply.nullBulk();
    else context.reply.integer(0);
  } else {
    const created = addSortedSet(context);
    try {
      addPairs(context, created);
    } catch (error) {
      context.keyspace.remove(context.database, created);
      throw error;
    }
  }
}

/** An empty sorted set for the key that the last lookup did not find. */
function addSortedSet(context: CommandContext): RecordReference {
  const { sortedSets } = context.types;
  const { first, pairs } = addOptions;
  const encoding = sortedSets.encodingFor(pairs, context.arguments.lengths[first + 1]);
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
function addAllPairs(context: CommandContext, record: RecordReference): void {
  const { sortedSets } = context.types;
  const { records } = sortedSets;
  if (!sortedSets.isListpack(record)) {
    try {
      addPairs(context, record);
    } catch (error) {
      takeBack(context, record);
      throw error;
    }
    return;
  }
  // To give a member of a listpack its score back may take memory. A copy is there already.
  const copy = sortedSets.duplicate(records.slot(record), 0, ENCODING_LISTPACK);
  try {
    addPairs(context, record);
  } catch (error) {
    sortedSets.replaceValue(record, copy, ENCODING_LISTPACK);
    throw error;
  }
  sortedSets.release(copy, 0, ENCODING_LISTPACK, 1);
}

/**
 * Adds the pairs to a sorted set, tells of it and replies.
 * @throws OutOfMemoryError, when the pairs before `pairsDone` are added.
 */
function addPairs(context: CommandContext, record: RecordReference): void {
  const { reply, types } = context;
  const { sortedSets } = types;
  const { pairs } = addOptions;
  if (pairs > formerScores.length) formerScores = new Float64Array(pairs * 2);
  let added = 0;
  let updated = 0;
  let outcome = UNCHANGED;
  for (pairsDone = 0; pairsDone < pairs; pairsDone++) {
    outcome = addPair(context, sortedSets, record, pairsDone);
    if (outcome === ADDED) added++;
    else if (outcome === UPDATED) updated++;
  }
  if (outcome === NOT_A_NUMBER) {
    reply.error(ERROR_NOT_A_NUMBER);
    return;
  }
  const { increments, countsUpdates } = addOptions;
  if (added + updated > 0) context.changed(increments ? EVENT_ZINCR : EVENT_ZADD, 1, added + updated);
  if (!increments) reply.integer(countsUpdates ? added + updated : added);
  else if (outcome === SKIPPED) reply.nullBulk();
  else reply.double(scores.values[0]);
}

/** Does what the options say with a pair, and puts the score that its member has then in the place of the one given. */
function addPair(
  { arguments: call }: CommandContext,
  sortedSets: SortedSets,
  record: RecordReference,
  pair: number,
): number {
  const index = addOptions.first + 1 + 2 * pair;
  const offset = call.offsets[index];
  const length = call.lengths[index];
  const given = scores.values[pair];
  formerScores[pair] = NaN;
  const member = sortedSets.find(record, call.bytes, offset, length);
  if (member === NO_MEMBER) {
    if (addOptions.updatesOnly) return SKIPPED;
    sortedSets.add(record, given, call.bytes, offset, length);
    return ADDED;
  }
  const former = sortedSets.score(record, member);
  formerScores[pair] = former;
  if (addOptions.addsOnly) return SKIPPED;
  const score = addOptions.increments ? former + given : given;
  if (Number.isNaN(score)) return NOT_A_NUMBER;
  if (addOptions.lowersOnly ? score >= former : addOptions.raisesOnly && score <= former) return SKIPPED;
  scores.values[pair] = score;
  if (score === former) return UNCHANGED;
  sortedSets.update(record, member, score);
  return UPDATED;
}

/** Takes the pairs back that were added to a skiplist, which takes no memory. */
function takeBack({ arguments: call, types }: CommandContext, record: RecordReference): void {
  const { sortedSets } = types;
  for (let pair = pairsDone - 1; pair >= 0; pair--) {
    const index = addOptions.first + 1 + 2 * pair;
    const member = sortedSets.find(record, call.bytes, call.offsets[index], call.lengths[index]);
    if (member === NO_MEMBER) continue;
    const former = formerScores[pair];
    if (Number.isNaN(former)) sortedSets.remove(record, member);
    else if (former !== sortedSets.score(record, member)) sortedSets.update(record, member, former);
  }
}
