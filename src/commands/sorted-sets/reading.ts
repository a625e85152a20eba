/** Commands that look at sorted sets: sizes, scores, positions, and a walk. */
import { type RecordReference, TYPE_SORTED_SET } from '../../keyspace/record.js';
import { NULL_REFERENCE } from '../../memory/reference.js';
import { ReferenceList } from '../../memory/reference-list.js';
import { formatDouble, formatDoubleSeventeen } from '../../protocol/doubles.js';
import { type Command, keyAt } from '../../server/command.js';
import { type CommandContext, WRONG_TYPE } from '../../server/context.js';
import { ERROR_SYNTAX, wrongArity } from '../../server/errors.js';
import { NO_MEMBER } from '../../types/sorted-set.js';
import { ScanOptions } from '../scan-options.js';
import { lexRange, readLexRange, readScoreRange, scoreRange } from './range-arguments.js';

export const readingCommands: readonly Command[] = [
  {
    name: 'zcard',
    summary: 'How many members a sorted set has.',
    syntax: 'key',
    arity: 2,
    flags: ['readonly', 'fast'],
    categories: ['@sortedset'],
    keys: [keyAt(1, 'RO')],
    since: '1.2.0',
    group: 'sorted-set',
    complexity: 'O(1)',
    handler: replyCount,
  },
  {
    name: 'zscore',
    summary: 'The score of a member.',
    syntax: 'key member',
    arity: 3,
    flags: ['readonly', 'fast'],
    categories: ['@sortedset'],
    keys: [keyAt(1, 'RO', 'access')],
    since: '1.2.0',
    group: 'sorted-set',
    complexity: 'O(1)',
    handler: replyScore,
  },
  {
    name: 'zmscore',
    summary: 'The scores of members.',
    syntax: 'key member...',
    arity: -3,
    flags: ['readonly', 'fast'],
    categories: ['@sortedset'],
    keys: [keyAt(1, 'RO', 'access')],
    since: '6.2.0',
    group: 'sorted-set',
    complexity: 'O(N) for N members given',
    handler: replyScores,
  },
  {
    name: 'zrank',
    summary: 'The position of a member, the lowest score first.',
    syntax: 'key member [WITHSCORE]',
    arity: -3,
    flags: ['readonly', 'fast'],
    categories: ['@sortedset'],
    keys: [keyAt(1, 'RO', 'access')],
    since: '2.0.0',
    group: 'sorted-set',
    complexity: 'O(log(N)) for N members in the sorted set',
    history: [['7.2.0', 'WITHSCORE']],
    handler: (context) => replyRank(context, false),
  },
  {
    name: 'zrevrank',
    summary: 'The position of a member, the highest score first.',
    syntax: 'key member [WITHSCORE]',
    arity: -3,
    flags: ['readonly', 'fast'],
    categories: ['@sortedset'],
    keys: [keyAt(1, 'RO', 'access')],
    since: '2.0.0',
    group: 'sorted-set',
    complexity: 'O(log(N)) for N members in the sorted set',
    history: [['7.2.0', 'WITHSCORE']],
    handler: (context) => replyRank(context, true),
  },
  {
    name: 'zcount',
    summary: 'How many members have scores in a range.',
    syntax: 'key min:double max:double',
    arity: 4,
    flags: ['readonly', 'fast'],
    categories: ['@sortedset'],
    keys: [keyAt(1, 'RO', 'access')],
    since: '2.0.0',
    group: 'sorted-set',
    complexity: 'O(log(N)) for N members in the sorted set',
    handler: countScores,
  },
  {
    name: 'zlexcount',
    summary: 'How many members lie in a lexicographical range.',
    syntax: 'key min max',
    arity: 4,
    flags: ['readonly', 'fast'],
    categories: ['@sortedset'],
    keys: [keyAt(1, 'RO', 'access')],
    since: '2.8.9',
    group: 'sorted-set',
    complexity: 'O(log(N)) for N members in the sorted set',
    handler: countMembers,
  },
  {
    name: 'zscan',
    summary: 'Walk the members and scores of a sorted set, some at a time.',
    syntax: 'key cursor [MATCH pattern] [COUNT count]',
    arity: -3,
    flags: ['readonly'],
    categories: ['@sortedset'],
    keys: [keyAt(1, 'RO', 'access')],
    since: '2.8.0',
    group: 'sorted-set',
    complexity: 'O(1) for a call, O(N) for a walk over N members',
    hints: ['nondeterministic_output'],
    handler: scan,
  },
];

const scanOptions = new ScanOptions();
/** The members that a ZSCAN replies: its cursor, which is known last, comes before them. */
const scannedMembers = new ReferenceList();

/** ZCARD key */
function replyCount(context: CommandContext): void {
  const record = context.readTyped(1, TYPE_SORTED_SET);
  if (record === WRONG_TYPE) return;
  context.reply.integer(record === NULL_REFERENCE ? 0 : context.types.sortedSets.count(record));
}

/** ZSCORE key member */
function replyScore(context: CommandContext): void {
  const record = context.readTyped(1, TYPE_SORTED_SET);
  if (record === WRONG_TYPE) return;
  replyScoreOf(context, record, 2);
}

/** ZMSCORE key member [member ...] */
function replyScores(context: CommandContext): void {
  const record = context.readTyped(1, TYPE_SORTED_SET);
  if (record === WRONG_TYPE) return;
  const { count } = context.arguments;
  context.reply.arrayHeader(count - 2);
  for (let index = 2; index < count; index++) replyScoreOf(context, record, index);
}

/** Replies the score of the member in argument `index`; nothing when the sorted set, or the member, is not there. */
function replyScoreOf(
  { arguments: call, reply, types }: CommandContext,
  record: RecordReference,
  index: number,
): void {
  const { sortedSets } = types;
  const member =
    record === NULL_REFERENCE
      ? NO_MEMBER
      : sortedSets.find(record, call.bytes, call.offsets[index], call.lengths[index]);
  if (member === NO_MEMBER) reply.nullBulk();
  else reply.double(sortedSets.score(record, member));
}

/** ZRANK and ZREVRANK key member [WITHSCORE] */
function replyRank(context: CommandContext, reverse: boolean): void {
  const { reply, types } = context;
  const { bytes, offsets, lengths, count } = context.arguments;
  if (count > 4) {
    reply.error(wrongArity(context.command.fullName));
    return;
  }
  const withScore = count === 4;
  if (withScore && !context.arguments.is(3, 'WITHSCORE')) {
    reply.error(ERROR_SYNTAX);
    return;
  }
  const record = context.readTyped(1, TYPE_SORTED_SET);
  if (record === WRONG_TYPE) return;
  const { sortedSets } = types;
  const member =
    record === NULL_REFERENCE ? NO_MEMBER : sortedSets.find(record, bytes, offsets[2], lengths[2]);
  if (member === NO_MEMBER) {
    if (withScore) reply.nullArray();
    else reply.nullBulk();
    return;
  }
  if (withScore) reply.arrayHeader(2);
  const rank = sortedSets.rank(record, member);
  reply.integer(reverse ? sortedSets.count(record) - 1 - rank : rank);
  if (withScore) reply.double(sortedSets.score(record, member));
}

/** ZCOUNT key min max */
function countScores(context: CommandContext): void {
  if (!readScoreRange(context, 2, 3)) return;
  const record = context.readTyped(1, TYPE_SORTED_SET);
  if (record === WRONG_TYPE) return;
  const { sortedSetCursor } = context.types;
  if (record !== NULL_REFERENCE) sortedSetCursor.selectScores(record, scoreRange, false);
  context.reply.integer(record === NULL_REFERENCE ? 0 : sortedSetCursor.remaining);
}

/** ZLEXCOUNT key min max */
function countMembers(context: CommandContext): void {
  if (!readLexRange(context, 2, 3)) return;
  const record = context.readTyped(1, TYPE_SORTED_SET);
  if (record === WRONG_TYPE) return;
  const { sortedSetCursor } = context.types;
  if (record !== NULL_REFERENCE) sortedSetCursor.selectMembers(record, lexRange, false);
  context.reply.integer(record === NULL_REFERENCE ? 0 : sortedSetCursor.remaining);
}

/** ZSCAN key cursor [MATCH pattern] [COUNT count] */
function scan(context: CommandContext): void {
  if (!scanOptions.readCursor(context, 2)) return;
  const record = context.readTyped(1, TYPE_SORTED_SET);
  if (record === WRONG_TYPE) return;
  const { reply, types } = context;
  if (record === NULL_REFERENCE) {
    reply.arrayHeader(2);
    reply.bulkInteger(0);
    reply.arrayHeader(0);
    return;
  }
  if (!scanOptions.read(context, 3, 'sorted set')) return;
  const { sortedSets, sortedSetCursor: member } = types;
  const isListpack = sortedSets.isListpack(record);
  const { count } = scanOptions;
  scannedMembers.clear();
  // Small sets are replied whole, whatever the cursor and count.
  let cursor = isListpack ? 0 : scanOptions.cursor;
  let steps = 0;
  do {
    cursor = sortedSets.scan(record, cursor, scannedMembers);
    // As in Redis: about `count` members are looked at, and a table that is nearly empty does not make it long.
  } while (cursor !== 0 && scannedMembers.count < count && ++steps <= count * 10);
  reply.arrayHeader(2);
  reply.bulkInteger(cursor);
  const start = reply.beginDeferred();
  let replied = 0;
  for (let i = 0; i < scannedMembers.count; i++) {
    member.read(record, scannedMembers.items[i]);
    if (!scanOptions.matches(context, member.bytes, member.offset, member.length)) continue;
    reply.bulk(member.bytes, member.offset, member.length);
    // Redis replies what a listpack has as it is, and prints what a skiplist has in another way.
    reply.bulkText(isListpack ? formatDouble(member.score) : formatDoubleSeventeen(member.score));
    replied++;
  }
  reply.endDeferredArray(start, replied * 2);
}
