/** Commands that delete members of sorted sets. */
import { EVENT_DEL, type KeyEvent, keyEvent, NOTIFY_SORTED_SET } from '../../keyspace/events.js';
import { type RecordReference, TYPE_SORTED_SET } from '../../keyspace/record.js';
import { NULL_REFERENCE } from '../../memory/reference.js';
import { type Command, keyAt } from '../../server/command.js';
import { type CommandContext, WRONG_TYPE } from '../../server/context.js';
import { NO_MEMBER } from '../../types/sorted-set.js';
import { lexRange, readLexRange, readScoreRange, scoreRange } from './range-arguments.js';
import { RankRange } from './rank-range.js';

const EVENT_ZREM = keyEvent(NOTIFY_SORTED_SET, 'zrem');
const EVENT_ZREMRANGEBYRANK = keyEvent(NOTIFY_SORTED_SET, 'zremrangebyrank');
const EVENT_ZREMRANGEBYSCORE = keyEvent(NOTIFY_SORTED_SET, 'zremrangebyscore');
const EVENT_ZREMRANGEBYLEX = keyEvent(NOTIFY_SORTED_SET, 'zremrangebylex');

export const removingCommands: readonly Command[] = [
  {
    name: 'zrem',
    summary: 'Delete members of a sorted set, and the sorted set with its last one.',
    syntax: 'key member...',
    arity: -3,
    flags: ['write', 'fast'],
    categories: ['@sortedset'],
    keys: [keyAt(1, 'RW', 'delete')],
    since: '1.2.0',
    group: 'sorted-set',
    complexity: 'O(M*log(N)) for M members deleted of N',
    history: [['2.4.0', 'several members in one call']],
    handler: removeMembers,
  },
  {
    name: 'zremrangebyrank',
    summary: 'Delete a range of members by position.',
    syntax: 'key start:integer stop:integer',
    arity: 4,
    flags: ['write'],
    categories: ['@sortedset'],
    keys: [keyAt(1, 'RW', 'delete')],
    since: '2.0.0',
    group: 'sorted-set',
    complexity: 'O(log(N)+M) for M members deleted of N',
    handler: removeRanks,
  },
  {
    name: 'zremrangebyscore',
    summary: 'Delete the members in a range of scores.',
    syntax: 'key min:double max:double',
    arity: 4,
    flags: ['write'],
    categories: ['@sortedset'],
    keys: [keyAt(1, 'RW', 'delete')],
    since: '1.2.0',
    group: 'sorted-set',
    complexity: 'O(log(N)+M) for M members deleted of N',
    handler: removeScores,
  },
  {
    name: 'zremrangebylex',
    summary: 'Delete the members in a lexicographical range.',
    syntax: 'key min max',
    arity: 4,
    flags: ['write'],
    categories: ['@sortedset'],
    keys: [keyAt(1, 'RW', 'delete')],
    since: '2.8.9',
    group: 'sorted-set',
    complexity: 'O(log(N)+M) for M members deleted of N',
    handler: removeLexRange,
  },
];

const rankRange = new RankRange();

/** ZREM key member [member ...] */
function removeMembers(context: CommandContext): void {
  const record = context.writeTyped(1, TYPE_SORTED_SET);
  if (record === WRONG_TYPE) return;
  if (record === NULL_REFERENCE) {
    context.reply.integer(0);
    return;
  }
  const { sortedSets } = context.types;
  const { bytes, offsets, lengths, count } = context.arguments;
  const size = sortedSets.count(record);
  let removed = 0;
  for (let index = 2; index < count && removed < size; index++) {
    const member = sortedSets.find(record, bytes, offsets[index], lengths[index]);
    if (member === NO_MEMBER) continue;
    sortedSets.remove(record, member);
    removed++;
  }
  if (removed > 0) {
    if (removed === size) context.keyspace.remove(context.database, record);
    context.changed(EVENT_ZREM, 1, removed);
    if (removed === size) context.notify(EVENT_DEL, 1);
  }
  context.reply.integer(removed);
}

/** ZREMRANGEBYRANK key start stop */
function removeRanks(context: CommandContext): void {
  if (!rankRange.read(context, 2, 3)) return;
  const record = recordToRemoveFrom(context);
  if (record === WRONG_TYPE || record === NULL_REFERENCE) return;
  const { sortedSets, sortedSetCursor } = context.types;
  rankRange.clamp(sortedSets.count(record));
  sortedSetCursor.selectRanks(record, rankRange.start, rankRange.end, false);
  removeSelected(context, record, EVENT_ZREMRANGEBYRANK);
}

/** ZREMRANGEBYSCORE key min max */
function removeScores(context: CommandContext): void {
  if (!readScoreRange(context, 2, 3)) return;
  const record = recordToRemoveFrom(context);
  if (record === WRONG_TYPE || record === NULL_REFERENCE) return;
  context.types.sortedSetCursor.selectScores(record, scoreRange, false);
  removeSelected(context, record, EVENT_ZREMRANGEBYSCORE);
}

/** ZREMRANGEBYLEX key min max */
function removeLexRange(context: CommandContext): void {
  if (!readLexRange(context, 2, 3)) return;
  const record = recordToRemoveFrom(context);
  if (record === WRONG_TYPE || record === NULL_REFERENCE) return;
  context.types.sortedSetCursor.selectMembers(record, lexRange, false);
  removeSelected(context, record, EVENT_ZREMRANGEBYLEX);
}

/** The sorted set of argument 1; without one the reply is 0. */
function recordToRemoveFrom(context: CommandContext): RecordReference {
  const record = context.writeTyped(1, TYPE_SORTED_SET);
  if (record === NULL_REFERENCE) context.reply.integer(0);
  return record;
}

/** Removes the members that the cursor has selected, tells of it, and replies how many they are. */
function removeSelected(context: CommandContext, record: RecordReference, event: KeyEvent): void {
  const removed = context.types.sortedSetCursor.remaining;
  if (removed > 0) {
    const isAll = removeSelectedMembers(context, record);
    context.changed(event, 1, removed);
    if (isAll) context.notify(EVENT_DEL, 1);
  }
  context.reply.integer(removed);
}

/**
 * Removes the members that the cursor selected, read or not, of which there are some. When they are all members, the
 * key is removed, and a large set freed in slices; then this returns true.
 */
export function removeSelectedMembers(context: CommandContext, record: RecordReference): boolean {
  const { keyspace, database, types } = context;
  const { sortedSets, sortedSetCursor } = types;
  const { start, end } = sortedSetCursor;
  const isAll = end - start === sortedSets.count(record);
  if (isAll) keyspace.remove(database, record);
  else sortedSets.removeRange(record, start, end);
  return isAll;
}
