/** Commands that change the elements within a list. */
import { EVENT_DEL, keyEvent, NOTIFY_LIST } from '../../keyspace/events.js';
import { type RecordReference, TYPE_LIST } from '../../keyspace/record.js';
import { NULL_REFERENCE } from '../../memory/reference.js';
import { type Int64Words, parseInt64Words } from '../../protocol/integers.js';
import { type Command, keyAt } from '../../server/command.js';
import { type CommandContext, WRONG_TYPE } from '../../server/context.js';
import {
  ERROR_NO_SUCH_KEY,
  ERROR_NOT_INTEGER,
  ERROR_OUT_OF_RANGE,
  ERROR_SYNTAX,
} from '../../server/errors.js';

const EVENT_LSET = keyEvent(NOTIFY_LIST, 'lset');
const EVENT_LINSERT = keyEvent(NOTIFY_LIST, 'linsert');
const EVENT_LREM = keyEvent(NOTIFY_LIST, 'lrem');
const EVENT_LTRIM = keyEvent(NOTIFY_LIST, 'ltrim');

export const editingCommands: readonly Command[] = [
  {
    name: 'lset',
    summary: 'Replace the element at an index of a list.',
    syntax: 'key index element',
    arity: 4,
    flags: ['write', 'denyoom'],
    categories: ['@list'],
    keys: [keyAt(1, 'RW', 'update')],
    since: '1.0.0',
    group: 'list',
    complexity: 'O(N) for N elements in the list; O(1) at either end',
    handler: replaceElement,
  },
  {
    name: 'linsert',
    summary: 'Insert an element before or after another.',
    syntax: 'key where:(BEFORE | AFTER) pivot element',
    arity: 5,
    flags: ['write', 'denyoom'],
    categories: ['@list'],
    keys: [keyAt(1, 'RW', 'insert')],
    since: '2.2.0',
    group: 'list',
    complexity: 'O(N) for N elements passed on the way to the pivot',
    handler: insertElement,
  },
  {
    name: 'lrem',
    summary: 'Delete elements that equal a value.',
    syntax: 'key count element',
    arity: 4,
    flags: ['write'],
    categories: ['@list'],
    keys: [keyAt(1, 'RW', 'delete')],
    since: '1.0.0',
    group: 'list',
    complexity: 'O(N+M) for N elements in the list of which M go',
    handler: removeMatches,
  },
  {
    name: 'ltrim',
    summary: 'Keep a range of a list and delete the rest.',
    syntax: 'key start:integer stop:integer',
    arity: 4,
    flags: ['write'],
    categories: ['@list'],
    keys: [keyAt(1, 'RW', 'delete')],
    since: '1.0.0',
    group: 'list',
    complexity: 'O(N) for N elements deleted',
    handler: trim,
  },
];

const indexWords: Int64Words = { low: 0, high: 0 };

/** LSET key index element */
function replaceElement(context: CommandContext): void {
  const { reply } = context;
  const { lists, listCursor: cursor } = context.types;
  const { bytes, offsets, lengths } = context.arguments;
  const record = context.writeTyped(1, TYPE_LIST);
  if (record === WRONG_TYPE) return;
  if (record === NULL_REFERENCE) {
    reply.error(ERROR_NO_SUCH_KEY);
    return;
  }
  if (!parseInt64Words(bytes, offsets[2], lengths[2], indexWords)) {
    reply.error(ERROR_NOT_INTEGER);
    return;
  }
  lists.expect(record, 1, lengths[3]);
  // Redis takes the low 32 bits alone: 4294967296 is the first element.
  cursor.start(record, indexWords.low, true);
  if (!cursor.next()) {
    reply.error(ERROR_OUT_OF_RANGE);
    return;
  }
  cursor.replace(bytes, offsets[3], lengths[3]);
  lists.compact(record, true);
  context.changed(EVENT_LSET, 1);
  reply.ok();
}

/** LINSERT key <BEFORE | AFTER> pivot element */
function insertElement(context: CommandContext): void {
  const { arguments: request, reply } = context;
  const { lists, listCursor: cursor } = context.types;
  const { bytes, offsets, lengths } = request;
  const isAfter = request.is(2, 'AFTER');
  if (!isAfter && !request.is(2, 'BEFORE')) {
    reply.error(ERROR_SYNTAX);
    return;
  }
  const record = context.writeTyped(1, TYPE_LIST);
  if (record === WRONG_TYPE) return;
  if (record === NULL_REFERENCE) {
    reply.integer(0);
    return;
  }
  // Even if the pivot is not found then, as in Redis: a list cannot be converted in the middle of a walk.
  lists.expect(record, 1, lengths[4]);
  cursor.start(record, 0, true);
  while (cursor.next()) {
    if (!cursor.equals(bytes, offsets[3], lengths[3])) continue;
    cursor.insert(isAfter, bytes, offsets[4], lengths[4]);
    context.changed(EVENT_LINSERT, 1);
    reply.integer(lists.length(record));
    return;
  }
  reply.integer(-1);
}

/** LREM key count element */
function removeMatches(context: CommandContext): void {
  const count = context.signedCount(2);
  if (Number.isNaN(count)) return;
  const record = context.writeTyped(1, TYPE_LIST);
  if (record === WRONG_TYPE) return;
  if (record === NULL_REFERENCE) {
    context.reply.integer(0);
    return;
  }
  const { listCursor: cursor } = context.types;
  const { bytes, offsets, lengths } = context.arguments;
  const isForward = count >= 0;
  const removedMax = count === 0 ? Number.MAX_SAFE_INTEGER : Math.abs(count);
  let removed = 0;
  try {
    cursor.start(record, isForward ? 0 : -1, isForward);
    while (removed < removedMax && cursor.next()) {
      if (!cursor.equals(bytes, offsets[3], lengths[3])) continue;
      removed++;
      cursor.remove();
    }
    cursor.end();
  } finally {
    // When there is no memory to decompress a node, those before it are gone all the same.
    if (removed > 0) tellRemoved(context, record, removed);
  }
  context.reply.integer(removed);
}

function tellRemoved(context: CommandContext, record: RecordReference, removed: number): void {
  const { lists } = context.types;
  const isEmpty = lists.length(record) === 0;
  if (isEmpty) context.keyspace.remove(context.database, record);
  else lists.compact(record, true);
  context.changed(EVENT_LREM, 1, removed);
  if (isEmpty) context.notify(EVENT_DEL, 1);
}

/** LTRIM key start stop */
function trim(context: CommandContext): void {
  const { reply } = context;
  const first = context.integer(2);
  if (Number.isNaN(first)) return;
  const last = context.integer(3);
  if (Number.isNaN(last)) return;
  const record = context.writeTyped(1, TYPE_LIST);
  if (record === WRONG_TYPE) return;
  if (record === NULL_REFERENCE) {
    reply.ok();
    return;
  }
  const { lists } = context.types;
  const length = lists.length(record);
  const start = Math.max(0, first < 0 ? first + length : first);
  const end = Math.min(length, (last < 0 ? last + length : last) + 1);
  const isEmpty = start >= end;
  if (isEmpty) {
    context.keyspace.remove(context.database, record);
  } else {
    lists.removeRange(record, end, length - end);
    lists.removeRange(record, 0, start);
    lists.compact(record, true);
  }
  context.changed(EVENT_LTRIM, 1, isEmpty ? length : length - (end - start));
  if (isEmpty) context.notify(EVENT_DEL, 1);
  reply.ok();
}
