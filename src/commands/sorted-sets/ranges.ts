/** Commands that read a range of a sorted set, or store it in another. */
import { keyEvent, NOTIFY_SORTED_SET } from '../../keyspace/events.js';
import { TYPE_SORTED_SET } from '../../keyspace/record.js';
import { NULL_REFERENCE } from '../../memory/reference.js';
import { type Command, keyAt } from '../../server/command.js';
import { type CommandContext, WRONG_TYPE } from '../../server/context.js';
import { removeDestination, storeResult } from '../stored-result.js';
import { type RangeKind, RangeRequest } from './range-request.js';
import { replySelected } from './replies.js';

const EVENT_ZRANGESTORE = keyEvent(NOTIFY_SORTED_SET, 'zrangestore');

export const rangesCommands: readonly Command[] = [
  {
    name: 'zrange',
    summary: 'Read a range of members by position, score or name.',
    syntax:
      'key start stop [sortby:(BYSCORE | BYLEX)@6.2.0] [REV@6.2.0] [LIMIT {offset count}@6.2.0] [WITHSCORES]',
    arity: -4,
    flags: ['readonly'],
    categories: ['@sortedset'],
    keys: [keyAt(1, 'RO', 'access')],
    since: '1.2.0',
    group: 'sorted-set',
    complexity: 'O(log(N)+M) for M members read of N',
    history: [['6.2.0', 'REV, BYSCORE, BYLEX and LIMIT']],
    handler: (context) => replyRange(context, undefined, undefined),
  },
  {
    name: 'zrangestore',
    summary: 'Store a range of members in another sorted set.',
    syntax: 'dst:key src:key min max [sortby:(BYSCORE | BYLEX)] [REV] [LIMIT {offset count}]',
    arity: -5,
    flags: ['write', 'denyoom'],
    categories: ['@sortedset'],
    keys: [keyAt(1, 'OW', 'update'), keyAt(2, 'RO', 'access')],
    since: '6.2.0',
    group: 'sorted-set',
    complexity: 'O(log(N)+M) for M members stored of N',
    handler: storeRange,
  },
  {
    name: 'zrevrange',
    summary: 'Read a range of members by position, the highest score first.',
    syntax: 'key start:integer stop:integer [WITHSCORES]',
    arity: -4,
    flags: ['readonly'],
    categories: ['@sortedset'],
    keys: [keyAt(1, 'RO', 'access')],
    since: '1.2.0',
    group: 'sorted-set',
    complexity: 'O(log(N)+M) for M members read of N',
    docFlags: ['deprecated'],
    deprecatedSince: '6.2.0',
    replacedBy: '`ZRANGE` with the `REV` argument',
    handler: (context) => replyRange(context, 'ranks', true),
  },
  {
    name: 'zrangebyscore',
    summary: 'Read the members in a range of scores.',
    syntax: 'key min:double max:double [WITHSCORES@2.0.0] [LIMIT {offset count}]',
    arity: -4,
    flags: ['readonly'],
    categories: ['@sortedset'],
    keys: [keyAt(1, 'RO', 'access')],
    since: '1.0.5',
    group: 'sorted-set',
    complexity: 'O(log(N)+M) for M members read of N',
    history: [['2.0.0', 'WITHSCORES']],
    docFlags: ['deprecated'],
    deprecatedSince: '6.2.0',
    replacedBy: '`ZRANGE` with the `BYSCORE` argument',
    handler: (context) => replyRange(context, 'scores', false),
  },
  {
    name: 'zrevrangebyscore',
    summary: 'Read the members in a range of scores, the highest first.',
    syntax: 'key max:double min:double [WITHSCORES] [LIMIT {offset count}]',
    arity: -4,
    flags: ['readonly'],
    categories: ['@sortedset'],
    keys: [keyAt(1, 'RO', 'access')],
    since: '2.2.0',
    group: 'sorted-set',
    complexity: 'O(log(N)+M) for M members read of N',
    history: [['2.1.6', 'exclusive ends of a range']],
    docFlags: ['deprecated'],
    deprecatedSince: '6.2.0',
    replacedBy: '`ZRANGE` with the `REV` and `BYSCORE` arguments',
    handler: (context) => replyRange(context, 'scores', true),
  },
  {
    name: 'zrangebylex',
    summary: 'Read the members in a lexicographical range.',
    syntax: 'key min max [LIMIT {offset count}]',
    arity: -4,
    flags: ['readonly'],
    categories: ['@sortedset'],
    keys: [keyAt(1, 'RO', 'access')],
    since: '2.8.9',
    group: 'sorted-set',
    complexity: 'O(log(N)+M) for M members read of N',
    docFlags: ['deprecated'],
    deprecatedSince: '6.2.0',
    replacedBy: '`ZRANGE` with the `BYLEX` argument',
    handler: (context) => replyRange(context, 'members', false),
  },
  {
    name: 'zrevrangebylex',
    summary: 'Read the members in a lexicographical range, the last first.',
    syntax: 'key max min [LIMIT {offset count}]',
    arity: -4,
    flags: ['readonly'],
    categories: ['@sortedset'],
    keys: [keyAt(1, 'RO', 'access')],
    since: '2.8.9',
    group: 'sorted-set',
    complexity: 'O(log(N)+M) for M members read of N',
    docFlags: ['deprecated'],
    deprecatedSince: '6.2.0',
    replacedBy: '`ZRANGE` with the `REV` and `BYLEX` arguments',
    handler: (context) => replyRange(context, 'members', true),
  },
];

const request = new RangeRequest();

/**
 * ZRANGE key start stop [BYSCORE | BYLEX] [REV] [LIMIT offset count] [WITHSCORES], and the older commands that say by
 * their names what a ZRANGE says with options.
 */
function replyRange(
  context: CommandContext,
  kind: RangeKind | undefined,
  isReverse: boolean | undefined,
): void {
  if (!request.read(context, 2, kind, isReverse, false)) return;
  const record = context.readTyped(1, TYPE_SORTED_SET);
  if (record === WRONG_TYPE) return;
  if (record === NULL_REFERENCE) {
    context.reply.arrayHeader(0);
    return;
  }
  request.select(context, record);
  replySelected(context, request.withScores);
}

/** ZRANGESTORE destination source start stop [BYSCORE | BYLEX] [REV] [LIMIT offset count] */
function storeRange(context: CommandContext): void {
  if (!request.read(context, 3, undefined, undefined, true)) return;
  const record = context.readTyped(2, TYPE_SORTED_SET);
  if (record === WRONG_TYPE) return;
  const { sortedSets, sortedSetCursor: cursor } = context.types;
  if (record !== NULL_REFERENCE) request.select(context, record);
  const count = record === NULL_REFERENCE ? 0 : cursor.remaining;
  if (count === 0) {
    removeDestination(context, 1);
    return;
  }
  const draft = sortedSets.createDraft(request.storedEncoding(context));
  try {
    while (cursor.next()) sortedSets.add(draft, cursor.score, cursor.bytes, cursor.offset, cursor.length);
  } catch (error) {
    context.keyspace.drafts.discard(draft);
    throw error;
  }
  storeResult(context, 1, draft, count, EVENT_ZRANGESTORE);
}
