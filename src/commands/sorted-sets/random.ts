/** ZRANDMEMBER. */
import { type RecordReference, TYPE_SORTED_SET } from '../../keyspace/record.js';
import { NULL_REFERENCE } from '../../memory/reference.js';
import { type Command, keyAt } from '../../server/command.js';
import { type CommandContext, WRONG_TYPE } from '../../server/context.js';
import { ERROR_SYNTAX } from '../../server/errors.js';
import type { MemberHandle } from '../../types/sorted-set.js';
import { checkPicks, endsPicks, randomCount } from '../random-count.js';
import { replyArrayHeader, replyCurrent, replySelected } from './replies.js';

export const randomCommands: readonly Command[] = [
  {
    name: 'zrandmember',
    summary: 'Some members of a sorted set, picked at random.',
    syntax: 'key [options:{count [WITHSCORES]}]',
    arity: -2,
    flags: ['readonly'],
    categories: ['@sortedset'],
    keys: [keyAt(1, 'RO', 'access')],
    since: '6.2.0',
    group: 'sorted-set',
    complexity: 'O(N) for N members returned',
    hints: ['nondeterministic_output'],
    handler: pickRandom,
  },
];

/** When a skiplist has at least so many members for each that is wanted, they are picked one by one. */
const MEMBERS_PER_PICK = 3;
/** So many different picks are made at most: V8's sets hold no more than 2^24 values. */
const DIFFERENT_PICKS_MAX = 1 << 20;

/** The members that were picked already. */
const picked = new Set<MemberHandle>();

/** ZRANDMEMBER key [count [WITHSCORES]] */
function pickRandom(context: CommandContext): void {
  if (context.arguments.count > 2) {
    replyRandomMembers(context);
    return;
  }
  const record = context.readTyped(1, TYPE_SORTED_SET);
  if (record === WRONG_TYPE) return;
  if (record === NULL_REFERENCE) context.reply.nullBulk();
  else replyPick(context, record, context.types.sortedSets.random(record), false);
}

function replyRandomMembers(context: CommandContext): void {
  const { arguments: call, reply } = context;
  const withScores = call.count === 4 && call.is(3, 'WITHSCORES');
  const count = randomCount(context, 2, withScores);
  if (Number.isNaN(count)) return;
  if (call.count > 4 || (call.count === 4 && !withScores)) {
    reply.error(ERROR_SYNTAX);
    return;
  }
  const record = context.readTyped(1, TYPE_SORTED_SET);
  if (record === WRONG_TYPE) return;
  if (record === NULL_REFERENCE || count === 0) reply.arrayHeader(0);
  else if (count < 0 || count === 1) replyPicks(context, record, Math.abs(count), withScores);
  else replyDifferent(context, record, count, withScores);
}

/** Replies members picked one by one, the same again and again if so it happens. */
function replyPicks(
  context: CommandContext,
  record: RecordReference,
  count: number,
  withScores: boolean,
): void {
  checkPicks(context, count);
  const { sortedSets } = context.types;
  replyArrayHeader(context, count, withScores);
  for (let i = 0; i < count && !endsPicks(context, i); i++) {
    replyPick(context, record, sortedSets.random(record), withScores);
  }
}

/** Replies `count` different members, or all if there are no more. */
function replyDifferent(
  context: CommandContext,
  record: RecordReference,
  count: number,
  withScores: boolean,
): void {
  const { sortedSets, sortedSetCursor: cursor } = context.types;
  const size = sortedSets.count(record);
  if (count >= size) {
    // As in Redis, the highest first.
    cursor.selectRanks(record, 0, size, true);
    replySelected(context, withScores);
    return;
  }
  replyArrayHeader(context, count, withScores);
  if (!sortedSets.isListpack(record) && count * MEMBERS_PER_PICK <= size && count <= DIFFERENT_PICKS_MAX) {
    replyDifferentPicks(context, record, count, withScores);
    return;
  }
  let wanted = count;
  cursor.selectRanks(record, 0, size, false);
  while (wanted > 0 && cursor.next()) {
    if (Math.random() * (cursor.remaining + 1) >= wanted) continue;
    replyCurrent(context, withScores);
    wanted--;
  }
}

/** Replies `count` different members of a skiplist that has many more, picked one by one. */
function replyDifferentPicks(
  context: CommandContext,
  record: RecordReference,
  count: number,
  withScores: boolean,
): void {
  const { sortedSets } = context.types;
  while (picked.size < count) {
    const member = sortedSets.random(record);
    if (picked.has(member)) continue;
    picked.add(member);
    replyPick(context, record, member, withScores);
  }
  picked.clear();
}

function replyPick(
  context: CommandContext,
  record: RecordReference,
  member: MemberHandle,
  withScores: boolean,
): void {
  context.types.sortedSetCursor.read(record, member);
  replyCurrent(context, withScores);
}
