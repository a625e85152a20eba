/** Commands that read the elements of a list. */
import { type RecordReference, TYPE_LIST } from '../../keyspace/record.js';
import { NULL_REFERENCE } from '../../memory/reference.js';
import { type Command, keyAt } from '../../server/command.js';
import { type CommandContext, WRONG_TYPE } from '../../server/context.js';
import { replyElements as replyListpackElements } from '../listpack-replies.js';

export const readingCommands: readonly Command[] = [
  {
    name: 'llen',
    summary: 'How many elements a list has.',
    syntax: 'key',
    arity: 2,
    flags: ['readonly', 'fast'],
    categories: ['@list'],
    keys: [keyAt(1, 'RO')],
    since: '1.0.0',
    group: 'list',
    complexity: 'O(1)',
    handler: replyLength,
  },
  {
    name: 'lindex',
    summary: 'Read the element at an index of a list.',
    syntax: 'key index',
    arity: 3,
    flags: ['readonly'],
    categories: ['@list'],
    keys: [keyAt(1, 'RO', 'access')],
    since: '1.0.0',
    group: 'list',
    complexity: 'O(N) for N elements passed on the way; O(1) at either end',
    handler: replyElementAt,
  },
  {
    name: 'lrange',
    summary: 'Read a range of a list.',
    syntax: 'key start:integer stop:integer',
    arity: 4,
    flags: ['readonly'],
    categories: ['@list'],
    keys: [keyAt(1, 'RO', 'access')],
    since: '1.0.0',
    group: 'list',
    complexity: 'O(S+N) for N elements read, S elements from the nearer end',
    handler: replyRange,
  },
];

/** LLEN key */
function replyLength(context: CommandContext): void {
  const record = context.readTyped(1, TYPE_LIST);
  if (record === WRONG_TYPE) return;
  context.reply.integer(record === NULL_REFERENCE ? 0 : context.types.lists.length(record));
}

/** LINDEX key index */
function replyElementAt(context: CommandContext): void {
  const { reply } = context;
  const { listCursor: cursor } = context.types;
  const record = context.readTyped(1, TYPE_LIST);
  if (record === WRONG_TYPE) return;
  if (record === NULL_REFERENCE) {
    reply.nullBulk();
    return;
  }
  const index = context.integer(2);
  if (Number.isNaN(index)) return;
  cursor.start(record, index, true);
  if (cursor.next()) replyElement(context);
  else reply.nullBulk();
  cursor.end();
}

/** LRANGE key start stop */
function replyRange(context: CommandContext): void {
  const first = context.integer(2);
  if (Number.isNaN(first)) return;
  const last = context.integer(3);
  if (Number.isNaN(last)) return;
  const record = context.readTyped(1, TYPE_LIST);
  if (record === WRONG_TYPE) return;
  if (record === NULL_REFERENCE) {
    context.reply.arrayHeader(0);
    return;
  }
  const length = context.types.lists.length(record);
  const start = Math.max(0, first < 0 ? first + length : first);
  const end = Math.min(length, (last < 0 ? last + length : last) + 1);
  if (start >= end) context.reply.arrayHeader(0);
  else replyElements(context, record, start, end - start, true);
}

/**
 * Replies an array of `count` elements from `index` on, towards the end or the start of the list, which has as many. The
 * index counts from the end when it is negative.
 */
export function replyElements(
  context: CommandContext,
  record: RecordReference,
  index: number,
  count: number,
  isForward: boolean,
): void {
  const { types, reply } = context;
  const { listCursor: cursor } = types;
  reply.arrayHeader(count);
  cursor.start(record, index, isForward);
  let left = count;
  while (left > 0 && cursor.next()) left -= isForward ? replyForward(context, left) : replyElement(context);
  cursor.end();
}

/** Replies the element at the cursor, and up to `count` altogether of those behind it in its listpack. Returns how many. */
function replyForward(context: CommandContext, count: number): number {
  const { types, reply, keyspace } = context;
  const { listCursor: cursor } = types;
  const listpack = cursor.presentListpack;
  if (listpack === NULL_REFERENCE) return replyElement(context);
  const { memory } = keyspace;
  const replied = replyListpackElements(reply, memory, listpack, cursor.presentPosition, count, count, 0);
  if (replied < count) cursor.skipListpack();
  return replied;
}

/** Replies the element at the cursor. Returns how many that is. */
function replyElement({ types, reply }: CommandContext): number {
  const { element } = types.lists;
  types.listCursor.read();
  element.spell();
  reply.bulk(element.bytes, element.offset, element.length);
  return 1;
}
