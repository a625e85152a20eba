/** Commands that take the members with the lowest or highest scores out of sorted sets, and wait for some if need be. */
import { EVENT_DEL, keyEvent, NOTIFY_SORTED_SET } from '../../keyspace/events.js';
import { type RecordReference, TYPE_SORTED_SET } from '../../keyspace/record.js';
import { NULL_REFERENCE } from '../../memory/reference.js';
import type { ReplyWriter } from '../../protocol/reply-writer.js';
import { blockingTimeoutMs } from '../../server/blocking.js';
import { type Command, keyAt, keysCountedAt, keysFromButLast } from '../../server/command.js';
import { type CommandContext, WRONG_TYPE } from '../../server/context.js';
import { ERROR_NOT_POSITIVE, ERROR_SYNTAX } from '../../server/errors.js';
import { findCountedKeys } from '../../server/key-specs.js';
import { ZPOPMAX, ZPOPMIN } from '../../server/propagated-words.js';
import { removeSelectedMembers } from './removing.js';
import { replyMembersAndScores, replySelected, replySelectedPairs } from './replies.js';

const EVENT_ZPOPMIN = keyEvent(NOTIFY_SORTED_SET, 'zpopmin');
const EVENT_ZPOPMAX = keyEvent(NOTIFY_SORTED_SET, 'zpopmax');

const ERROR_KEY_COUNT = 'ERR numkeys should be greater than 0';
const ERROR_COUNT = 'ERR count should be greater than 0';

export const poppingCommands: readonly Command[] = [
  {
    name: 'zpopmin',
    summary: 'Take the members with the lowest scores.',
    syntax: 'key [count]',
    arity: -2,
    flags: ['write', 'fast'],
    categories: ['@sortedset'],
    keys: [keyAt(1, 'RW', 'access', 'delete')],
    since: '5.0.0',
    group: 'sorted-set',
    complexity: 'O(M*log(N)) for M members taken of N',
    handler: (context) => pop(context, false),
  },
  {
    name: 'zpopmax',
    summary: 'Take the members with the highest scores.',
    syntax: 'key [count]',
    arity: -2,
    flags: ['write', 'fast'],
    categories: ['@sortedset'],
    keys: [keyAt(1, 'RW', 'access', 'delete')],
    since: '5.0.0',
    group: 'sorted-set',
    complexity: 'O(M*log(N)) for M members taken of N',
    handler: (context) => pop(context, true),
  },
  {
    name: 'zmpop',
    summary: 'Take the lowest or highest members of the first sorted set that has any.',
    syntax: 'numkeys key... where:(MIN | MAX) [COUNT count]',
    arity: -4,
    flags: ['write'],
    categories: ['@sortedset'],
    keys: [keysCountedAt(1, 'RW', 'access', 'delete')],
    findKeys: findCountedKeys(1),
    since: '7.0.0',
    group: 'sorted-set',
    complexity: 'O(K)+O(M*log(N)) for K keys and M members taken of N',
    handler: popFirst,
  },
  {
    name: 'bzpopmin',
    summary: 'Take the member with the lowest score, waiting for one.',
    syntax: 'key... timeout:double',
    arity: -3,
    flags: ['write', 'blocking', 'fast'],
    categories: ['@sortedset'],
    keys: [keysFromButLast(1, 'RW', 'access', 'delete')],
    since: '5.0.0',
    group: 'sorted-set',
    complexity: 'O(log(N)) for N members in the sorted set',
    history: [['6.0.0', 'fractions of a second in the timeout']],
    handler: (context) => popBlocking(context, false),
  },
  {
    name: 'bzpopmax',
    summary: 'Take the member with the highest score, waiting for one.',
    syntax: 'key... timeout:double',
    arity: -3,
    flags: ['write', 'blocking', 'fast'],
    categories: ['@sortedset'],
    keys: [keysFromButLast(1, 'RW', 'access', 'delete')],
    since: '5.0.0',
    group: 'sorted-set',
    complexity: 'O(log(N)) for N members in the sorted set',
    history: [['6.0.0', 'fractions of a second in the timeout']],
    handler: (context) => popBlocking(context, true),
  },
  {
    name: 'bzmpop',
    summary: 'Take the lowest or highest members of the first sorted set that has any, waiting for some.',
    syntax: 'timeout:double numkeys key... where:(MIN | MAX) [COUNT count]',
    arity: -5,
    flags: ['write', 'blocking'],
    categories: ['@sortedset'],
    keys: [keysCountedAt(2, 'RW', 'access', 'delete')],
    findKeys: findCountedKeys(2),
    since: '7.0.0',
    group: 'sorted-set',
    complexity: 'O(K)+O(M*log(N)) for K keys and M members taken of N',
    handler: popFirstBlocking,
  },
];

/** ZPOPMIN and ZPOPMAX key [count] */
function pop(context: CommandContext, fromHighest: boolean): void {
  const { reply } = context;
  const { count: argumentCount } = context.arguments;
  if (argumentCount > 3) {
    reply.error(ERROR_SYNTAX);
    return;
  }
  const hasCount = argumentCount === 3;
  const count = hasCount ? context.integer(2, ERROR_NOT_POSITIVE) : 1;
  if (Number.isNaN(count)) return;
  if (count < 0) {
    reply.error(ERROR_NOT_POSITIVE);
    return;
  }
  const record = context.writeTyped(1, TYPE_SORTED_SET);
  if (record === WRONG_TYPE) return;
  if (record === NULL_REFERENCE || count === 0) {
    reply.arrayHeader(0);
    return;
  }
  selectToPop(context, record, fromHighest, count);
  if (hasCount) {
    replySelected(context, true);
  } else {
    // Of a single member RESP3 has no pair either.
    reply.arrayHeader(2);
    replyMembersAndScores(context);
  }
  removePopped(context, 1, record, fromHighest);
}

/** ZMPOP numkeys key [key ...] MIN | MAX [COUNT count] */
function popFirst(context: CommandContext): void {
  if (!popRequest.read(context, 1)) return;
  const { firstKey, lastKey } = popRequest;
  if (!popPairs(context, firstKey, lastKey)) context.reply.nullArray();
}

/** BZMPOP timeout numkeys key [key ...] MIN | MAX [COUNT count] */
function popFirstBlocking(context: CommandContext): void {
  if (!popRequest.read(context, 2)) return;
  const timeoutMs = blockingTimeoutMs(context, 1);
  if (Number.isNaN(timeoutMs)) return;
  const { firstKey, lastKey } = popRequest;
  if (popPairs(context, firstKey, lastKey)) return;
  context.server.blocking.block(context, firstKey, lastKey, TYPE_SORTED_SET, timeoutMs, replyNothing);
}

/** BZPOPMIN and BZPOPMAX key [key ...] timeout */
function popBlocking(context: CommandContext, fromHighest: boolean): void {
  const { reply } = context;
  const lastKey = context.arguments.count - 2;
  const timeoutMs = blockingTimeoutMs(context, lastKey + 1);
  if (Number.isNaN(timeoutMs)) return;
  for (let index = 1; index <= lastKey; index++) {
    const record = context.writeTyped(index, TYPE_SORTED_SET);
    if (record === WRONG_TYPE) return;
    if (record === NULL_REFERENCE) continue;
    selectToPop(context, record, fromHighest, 1);
    reply.arrayHeader(3);
    replyKey(context, index);
    replyMembersAndScores(context);
    removePopped(context, index, record, fromHighest);
    context.propagateAs(fromHighest ? ZPOPMAX : ZPOPMIN, index);
    return;
  }
  context.server.blocking.block(context, 1, lastKey, TYPE_SORTED_SET, timeoutMs, replyNothing);
}

/** What ZMPOP and BZMPOP are told. Reused for every call. */
class PopRequest {
  firstKey = 0;
  lastKey = 0;
  fromHighest = false;
  count = 1;

  /** Reads it from the argument with the number of keys on; false when it is wrong and the error is replied. */
  read(context: CommandContext, keyCountIndex: number): boolean {
    const { options, reply } = context;
    const keyCount = positiveInteger(context, keyCountIndex, ERROR_KEY_COUNT);
    if (Number.isNaN(keyCount)) return false;
    this.firstKey = keyCountIndex + 1;
    this.lastKey = keyCountIndex + keyCount;
    options.begin(context.arguments, this.lastKey + 1);
    if (options.hasMore && options.take('MIN')) this.fromHighest = false;
    else if (options.hasMore && options.take('MAX')) this.fromHighest = true;
    else {
      reply.error(ERROR_SYNTAX);
      return false;
    }
    return this.readCount(context);
  }

  private readCount(context: CommandContext): boolean {
    const { options } = context;
    this.count = 1;
    if (options.hasMore && options.takeWithArgument('COUNT')) {
      this.count = positiveInteger(context, options.argument, ERROR_COUNT);
      if (Number.isNaN(this.count)) return false;
    }
    if (options.hasMore) context.reply.error(ERROR_SYNTAX);
    return !options.hasMore;
  }
}

const popRequest = new PopRequest();

/**
 * Does what `popRequest` says to the first of the keys that has a sorted set. False when there is none; true when the
 * reply is written, be it an error.
 */
function popPairs(context: CommandContext, firstKey: number, lastKey: number): boolean {
  const { fromHighest, count } = popRequest;
  for (let index = firstKey; index <= lastKey; index++) {
    const record = context.writeTyped(index, TYPE_SORTED_SET);
    if (record === WRONG_TYPE) return true;
    if (record === NULL_REFERENCE) continue;
    selectToPop(context, record, fromHighest, count);
    context.reply.arrayHeader(2);
    replyKey(context, index);
    replySelectedPairs(context);
    const popped = Math.min(count, context.types.sortedSets.count(record));
    removePopped(context, index, record, fromHighest);
    context.propagateAs(fromHighest ? ZPOPMAX : ZPOPMIN, index, popped);
    return true;
  }
  return false;
}

/** Argument `index` as an integer above 0; NaN when it is none and the error is replied. */
function positiveInteger(context: CommandContext, index: number, error: string): number {
  const value = context.integer(index, error);
  if (!(value < 1)) return value;
  context.reply.error(error);
  return NaN;
}

/** Makes the cursor select the first or last members. */
function selectToPop(
  { types }: CommandContext,
  record: RecordReference,
  fromHighest: boolean,
  count: number,
): void {
  const { sortedSets, sortedSetCursor } = types;
  const members = sortedSets.count(record);
  const popped = Math.min(count, members);
  if (fromHighest) sortedSetCursor.selectRanks(record, members - popped, members, true);
  else sortedSetCursor.selectRanks(record, 0, popped, false);
}

/** Removes the members that were selected and replied from the sorted set of a key, and tells of it. */
function removePopped(
  context: CommandContext,
  keyIndex: number,
  record: RecordReference,
  fromHighest: boolean,
): void {
  const { start, end } = context.types.sortedSetCursor;
  const isAll = removeSelectedMembers(context, record);
  context.changed(fromHighest ? EVENT_ZPOPMAX : EVENT_ZPOPMIN, keyIndex, end - start);
  if (isAll) context.notify(EVENT_DEL, keyIndex);
}

function replyKey({ arguments: call, reply }: CommandContext, index: number): void {
  reply.bulk(call.bytes, call.offsets[index], call.lengths[index]);
}

function replyNothing(reply: ReplyWriter): void {
  reply.nullArray();
}
