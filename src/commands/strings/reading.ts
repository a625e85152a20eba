/** Commands that read strings, some of which then change when the key expires. */
import { EVENT_DEL } from '../../keyspace/events.js';
import { type RecordReference, TYPE_STRING } from '../../keyspace/record.js';
import { NO_DEADLINE } from '../../keyspace/record-store.js';
import { NULL_REFERENCE } from '../../memory/reference.js';
import { type Command, keyAt, keysFrom } from '../../server/command.js';
import { type CommandContext, WRONG_TYPE } from '../../server/context.js';
import { ERROR_SYNTAX } from '../../server/errors.js';
import { DEL, PERSIST, PEXPIREAT } from '../../server/propagated-words.js';
import { EVENT_EXPIRE, EVENT_PERSIST, Expiration } from '../expiration.js';

export const readingCommands: readonly Command[] = [
  {
    name: 'get',
    summary: 'Read a string.',
    syntax: 'key',
    arity: 2,
    flags: ['readonly', 'fast'],
    categories: ['@string'],
    keys: [keyAt(1, 'RO', 'access')],
    since: '1.0.0',
    group: 'string',
    complexity: 'O(1)',
    handler: get,
  },
  {
    name: 'mget',
    summary: 'Read many strings at once.',
    syntax: 'key...',
    arity: -2,
    flags: ['readonly', 'fast'],
    categories: ['@string'],
    keys: [keysFrom(1, 'RO', 'access')],
    since: '1.0.0',
    group: 'string',
    complexity: 'O(N) for N keys',
    hints: ['request_policy:multi_shard'],
    handler: getMany,
  },
  {
    name: 'getdel',
    summary: 'Read a string and delete its key.',
    syntax: 'key',
    arity: 2,
    flags: ['write', 'fast'],
    categories: ['@string'],
    keys: [keyAt(1, 'RW', 'access', 'delete')],
    since: '6.2.0',
    group: 'string',
    complexity: 'O(1)',
    handler: getAndDelete,
  },
  {
    name: 'getex',
    summary: 'Read a string and set or remove its expiry.',
    syntax:
      'key [expiration:(EX seconds | PX milliseconds | EXAT unix-time-seconds | PXAT unix-time-milliseconds | PERSIST)]',
    arity: -2,
    flags: ['write', 'fast'],
    categories: ['@string'],
    keys: [{ ...keyAt(1, 'RW', 'access', 'update'), notes: 'of the value, only the time to live changes' }],
    since: '6.2.0',
    group: 'string',
    complexity: 'O(1)',
    handler: getAndExpire,
  },
  {
    name: 'strlen',
    summary: 'The length of a string in bytes.',
    syntax: 'key',
    arity: 2,
    flags: ['readonly', 'fast'],
    categories: ['@string'],
    keys: [keyAt(1, 'RO')],
    since: '2.2.0',
    group: 'string',
    complexity: 'O(1)',
    handler: getLength,
  },
  {
    name: 'getrange',
    summary: 'Read part of a string.',
    syntax: 'key start:integer end:integer',
    arity: 4,
    flags: ['readonly'],
    categories: ['@string'],
    keys: [keyAt(1, 'RO', 'access')],
    since: '2.4.0',
    group: 'string',
    complexity: 'O(N) for N bytes read',
    handler: getRange,
  },
  {
    name: 'substr',
    summary: 'Read part of a string (the old name of GETRANGE).',
    syntax: 'key start:integer end:integer',
    arity: 4,
    flags: ['readonly'],
    categories: ['@string'],
    keys: [keyAt(1, 'RO', 'access')],
    since: '1.0.0',
    group: 'string',
    complexity: 'O(N) for N bytes read',
    docFlags: ['deprecated'],
    deprecatedSince: '2.0.0',
    replacedBy: '`GETRANGE`',
    handler: getRange,
  },
];

const getexExpiration = new Expiration();

/** Replies the string of the key in argument `index`, or null. False when the value has another type: an error then. */
export function replyString(context: CommandContext, index: number): boolean {
  const record = context.readTyped(index, TYPE_STRING);
  if (record === WRONG_TYPE) return false;
  if (record === NULL_REFERENCE) context.reply.nullBulk();
  else replyContent(context, record);
  return true;
}

function replyContent({ types, reply }: CommandContext, record: RecordReference): void {
  const { strings } = types;
  strings.read(record);
  reply.bulk(strings.bytes, strings.offset, strings.length);
}

/** GET key */
function get(context: CommandContext): void {
  replyString(context, 1);
}

/** MGET key [key ...] */
function getMany(context: CommandContext): void {
  const { reply, keyspace } = context;
  const { count } = context.arguments;
  reply.arrayHeader(count - 1);
  for (let index = 1; index < count; index++) {
    const record = context.lookupRead(index);
    const isString = record !== NULL_REFERENCE && keyspace.records.type(record) === TYPE_STRING;
    if (isString) replyContent(context, record);
    else reply.nullBulk();
  }
}

/** GETDEL key */
function getAndDelete(context: CommandContext): void {
  if (!replyString(context, 1)) return;
  const record = context.lookupWrite(1);
  if (record === NULL_REFERENCE) return;
  context.keyspace.remove(context.database, record);
  context.changed(EVENT_DEL, 1);
  context.propagateAs(DEL, 1);
}

/** GETEX key [EX seconds | PX milliseconds | EXAT time | PXAT time | PERSIST] */
function getAndExpire(context: CommandContext): void {
  const { options, reply, keyspace, database } = context;
  const expiration = getexExpiration;
  expiration.reset();
  options.begin(context.arguments, 2);
  while (options.hasMore) {
    if (!expiration.takeTime(options) && !expiration.takeWord(options, 'PERSIST')) {
      reply.error(ERROR_SYNTAX);
      return;
    }
  }
  const found = context.readTyped(1, TYPE_STRING);
  if (found === WRONG_TYPE) return;
  if (found === NULL_REFERENCE) {
    reply.nullBulk();
    return;
  }
  const deadlineMs = expiration.deadlineMs(context);
  if (Number.isNaN(deadlineMs)) return;
  const record = context.lookupWrite(1);
  replyContent(context, record);
  if (expiration.isAbsolute && keyspace.isPast(deadlineMs)) {
    keyspace.remove(database, record);
    context.changed(EVENT_DEL, 1);
    context.propagateDeletion(1, 'lazyfree-lazy-expire');
  } else if (deadlineMs !== NO_DEADLINE) {
    keyspace.setDeadline(database, record, deadlineMs);
    context.changed(EVENT_EXPIRE, 1);
    context.propagateAs(PEXPIREAT, 1, deadlineMs);
  } else if (expiration.isPersist && keyspace.records.hasDeadline(record)) {
    keyspace.clearDeadline(database, record);
    context.changed(EVENT_PERSIST, 1);
    context.propagateAs(PERSIST, 1);
  }
}

/** STRLEN key */
function getLength(context: CommandContext): void {
  const record = context.readTyped(1, TYPE_STRING);
  if (record === WRONG_TYPE) return;
  context.reply.integer(record === NULL_REFERENCE ? 0 : context.types.strings.byteLength(record));
}

/** GETRANGE key start end, SUBSTR key start end */
function getRange(context: CommandContext): void {
  let start = context.integer(2);
  if (Number.isNaN(start)) return;
  let end = context.integer(3);
  if (Number.isNaN(end)) return;
  const record = context.readTyped(1, TYPE_STRING);
  if (record === WRONG_TYPE) return;
  const { reply } = context;
  const { strings } = context.types;
  if (record === NULL_REFERENCE || (start < 0 && end < 0 && start > end)) {
    reply.bulkText('');
    return;
  }
  strings.read(record);
  const { length } = strings;
  // Counted from the end when negative; what is still before the start is the start.
  if (start < 0) start = Math.max(length + start, 0);
  if (end < 0) end = Math.max(length + end, 0);
  if (end >= length) end = length - 1;
  if (start > end) reply.bulkText('');
  else reply.bulk(strings.bytes, strings.offset + start, end - start + 1);
}
