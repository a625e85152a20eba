/** Commands that make one sorted set of several: unions, intersections and differences. */
import { type KeyEvent, keyEvent, NOTIFY_SORTED_SET } from '../../keyspace/events.js';
import { ENCODING_SKIPLIST, type RecordReference } from '../../keyspace/record.js';
import { type Command, keyAt, keysCountedAt } from '../../server/command.js';
import type { CommandContext } from '../../server/context.js';
import { findCountedKeys } from '../../server/key-specs.js';
import { storeResult } from '../stored-result.js';
import { type Combination, CombinationRequest } from './combination-request.js';
import { addDifference, addIntersection, addUnion, countIntersection } from './combinations.js';
import { replySelected } from './replies.js';

const EVENT_ZUNIONSTORE = keyEvent(NOTIFY_SORTED_SET, 'zunionstore');
const EVENT_ZINTERSTORE = keyEvent(NOTIFY_SORTED_SET, 'zinterstore');
const EVENT_ZDIFFSTORE = keyEvent(NOTIFY_SORTED_SET, 'zdiffstore');

export const combiningCommands: readonly Command[] = [
  {
    name: 'zunion',
    summary: 'The members that any of the sorted sets has, their scores combined.',
    syntax: 'numkeys key... [WEIGHTS weight:integer...] [AGGREGATE (SUM | MIN | MAX)] [WITHSCORES]',
    arity: -3,
    flags: ['readonly'],
    categories: ['@sortedset'],
    keys: [keysCountedAt(1, 'RO', 'access')],
    findKeys: findCountedKeys(1),
    since: '6.2.0',
    group: 'sorted-set',
    complexity: 'O(N)+O(M*log(M)) for N members in all, M in the result',
    handler: (context) => replyCombination(context, 'union'),
  },
  {
    name: 'zunionstore',
    summary: 'Store the members that any of the sorted sets has, their scores combined.',
    syntax: 'destination numkeys key... [WEIGHTS weight:integer...] [AGGREGATE (SUM | MIN | MAX)]',
    arity: -4,
    flags: ['write', 'denyoom'],
    categories: ['@sortedset'],
    keys: [keyAt(1, 'OW', 'update'), keysCountedAt(2, 'RO', 'access')],
    findKeys: findCountedKeys(2, 1),
    since: '2.0.0',
    group: 'sorted-set',
    complexity: 'O(N)+O(M*log(M)) for N members in all, M in the result',
    handler: (context) => storeCombination(context, 'union', EVENT_ZUNIONSTORE),
  },
  {
    name: 'zinter',
    summary: 'The members that all of the sorted sets have, their scores combined.',
    syntax: 'numkeys key... [WEIGHTS weight:integer...] [AGGREGATE (SUM | MIN | MAX)] [WITHSCORES]',
    arity: -3,
    flags: ['readonly'],
    categories: ['@sortedset'],
    keys: [keysCountedAt(1, 'RO', 'access')],
    findKeys: findCountedKeys(1),
    since: '6.2.0',
    group: 'sorted-set',
    complexity: 'O(N*K)+O(M*log(M)) at worst, N members in the smallest of K, M in the result',
    handler: (context) => replyCombination(context, 'intersection'),
  },
  {
    name: 'zintercard',
    summary: 'How many members all of the sorted sets have.',
    syntax: 'numkeys key... [LIMIT limit:integer]',
    arity: -3,
    flags: ['readonly'],
    categories: ['@sortedset'],
    keys: [keysCountedAt(1, 'RO', 'access')],
    findKeys: findCountedKeys(1),
    since: '7.0.0',
    group: 'sorted-set',
    complexity: 'O(N*K) at worst, N members in the smallest of K',
    handler: replyIntersectionCount,
  },
  {
    name: 'zinterstore',
    summary: 'Store the members that all of the sorted sets have, their scores combined.',
    syntax: 'destination numkeys key... [WEIGHTS weight:integer...] [AGGREGATE (SUM | MIN | MAX)]',
    arity: -4,
    flags: ['write', 'denyoom'],
    categories: ['@sortedset'],
    keys: [keyAt(1, 'OW', 'update'), keysCountedAt(2, 'RO', 'access')],
    findKeys: findCountedKeys(2, 1),
    since: '2.0.0',
    group: 'sorted-set',
    complexity: 'O(N*K)+O(M*log(M)) at worst, N members in the smallest of K, M in the result',
    handler: (context) => storeCombination(context, 'intersection', EVENT_ZINTERSTORE),
  },
  {
    name: 'zdiff',
    summary: 'The members of the first sorted set that no other has.',
    syntax: 'numkeys key... [WITHSCORES]',
    arity: -3,
    flags: ['readonly'],
    categories: ['@sortedset'],
    keys: [keysCountedAt(1, 'RO', 'access')],
    findKeys: findCountedKeys(1),
    since: '6.2.0',
    group: 'sorted-set',
    complexity: 'O(L+(N-K)*log(N)) at worst, L members in all, N in the first, K in the result',
    handler: (context) => replyCombination(context, 'difference'),
  },
  {
    name: 'zdiffstore',
    summary: 'Store the members of the first sorted set that no other has.',
    syntax: 'destination numkeys key...',
    arity: -4,
    flags: ['write', 'denyoom'],
    categories: ['@sortedset'],
    keys: [keyAt(1, 'OW', 'update'), keysCountedAt(2, 'RO', 'access')],
    findKeys: findCountedKeys(2, 1),
    since: '6.2.0',
    group: 'sorted-set',
    complexity: 'O(L+(N-K)*log(N)) at worst, L members in all, N in the first, K in the result',
    handler: (context) => storeCombination(context, 'difference', EVENT_ZDIFFSTORE),
  },
];

const request = new CombinationRequest();

/**
 * ZUNION and ZINTER numkeys key [key ...] [WEIGHTS weight [weight ...]] [AGGREGATE SUM | MIN | MAX] [WITHSCORES]
 * ZDIFF numkeys key [key ...] [WITHSCORES]
 */
function replyCombination(context: CommandContext, combination: Combination): void {
  if (!request.read(context, 1, combination, 'reply')) return;
  const draft = combine(context, combination);
  try {
    const { sortedSets, sortedSetCursor } = context.types;
    sortedSetCursor.selectRanks(draft, 0, sortedSets.count(draft), false);
    replySelected(context, request.withScores);
  } finally {
    context.keyspace.drafts.discard(draft);
  }
}

/**
 * ZUNIONSTORE and ZINTERSTORE destination numkeys key [key ...] [WEIGHTS weight [weight ...]] [AGGREGATE SUM | MIN | MAX]
 * ZDIFFSTORE destination numkeys key [key ...]
 */
function storeCombination(context: CommandContext, combination: Combination, event: KeyEvent): void {
  if (!request.read(context, 2, combination, 'store')) return;
  const { sortedSets } = context.types;
  const draft = combine(context, combination);
  try {
    sortedSets.compact(draft);
  } catch (error) {
    context.keyspace.drafts.discard(draft);
    throw error;
  }
  storeResult(context, 1, draft, sortedSets.count(draft), event);
}

/** ZINTERCARD numkeys key [key ...] [LIMIT limit] */
function replyIntersectionCount(context: CommandContext): void {
  if (!request.read(context, 1, 'intersection', 'count')) return;
  context.reply.integer(countIntersection(context.types, request));
}

/**
 * The combination of what the request names, in a skiplist.
 * @throws OutOfMemoryError, with nothing left over.
 */
function combine({ types, keyspace }: CommandContext, combination: Combination): RecordReference {
  const draft = types.sortedSets.createDraft(ENCODING_SKIPLIST);
  try {
    if (combination === 'union') addUnion(types, request, draft);
    else if (combination === 'intersection') addIntersection(types, request, draft);
    else addDifference(types, request, draft);
  } catch (error) {
    keyspace.drafts.discard(draft);
    throw error;
  }
  return draft;
}
