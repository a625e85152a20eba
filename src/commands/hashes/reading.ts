/** Commands that read single fields of a hash. */
import { TYPE_HASH } from '../../keyspace/record.js';
import { NULL_REFERENCE } from '../../memory/reference.js';
import { type Command, keyAt } from '../../server/command.js';
import { type CommandContext, WRONG_TYPE } from '../../server/context.js';
import { NO_FIELD } from '../../types/hash.js';
import { findField, findOnlyField, removeExpired, replyValue } from './fields.js';

export const readingCommands: readonly Command[] = [
  {
    name: 'hget',
    summary: 'Read a field of a hash.',
    syntax: 'key field',
    arity: 3,
    flags: ['readonly', 'fast'],
    categories: ['@hash'],
    keys: [keyAt(1, 'RO', 'access')],
    since: '2.0.0',
    group: 'hash',
    complexity: 'O(1)',
    handler: get,
  },
  {
    name: 'hmget',
    summary: 'Read some fields of a hash.',
    syntax: 'key field...',
    arity: -3,
    flags: ['readonly', 'fast'],
    categories: ['@hash'],
    keys: [keyAt(1, 'RO', 'access')],
    since: '2.0.0',
    group: 'hash',
    complexity: 'O(N) for N fields asked for',
    handler: getSeveral,
  },
  {
    name: 'hexists',
    summary: 'Whether a hash has a field.',
    syntax: 'key field',
    arity: 3,
    flags: ['readonly', 'fast'],
    categories: ['@hash'],
    keys: [keyAt(1, 'RO')],
    since: '2.0.0',
    group: 'hash',
    complexity: 'O(1)',
    handler: exists,
  },
  {
    name: 'hstrlen',
    summary: "The length of a field's value in bytes.",
    syntax: 'key field',
    arity: 3,
    flags: ['readonly', 'fast'],
    categories: ['@hash'],
    keys: [keyAt(1, 'RO')],
    since: '3.2.0',
    group: 'hash',
    complexity: 'O(1)',
    handler: valueLength,
  },
  {
    name: 'hlen',
    summary: 'How many fields a hash has.',
    syntax: 'key',
    arity: 2,
    flags: ['readonly', 'fast'],
    categories: ['@hash'],
    keys: [keyAt(1, 'RO')],
    since: '2.0.0',
    group: 'hash',
    complexity: 'O(1)',
    handler: length,
  },
];

/** HGET key field */
function get(context: CommandContext): void {
  const record = context.readTyped(1, TYPE_HASH);
  if (record === WRONG_TYPE) return;
  replyValue(context, record, findOnlyField(context, record, 2));
}

/** HMGET key field... */
function getSeveral(context: CommandContext): void {
  const { hashes } = context.types;
  const { count } = context.arguments;
  const record = context.readTyped(1, TYPE_HASH);
  if (record === WRONG_TYPE) return;
  context.reply.arrayHeader(count - 2);
  let hasExpired = false;
  for (let i = 2; i < count; i++) {
    const handle = findField(context, record, i);
    if (handle === NO_FIELD || !hashes.isExpired(record, handle)) {
      replyValue(context, record, handle);
    } else {
      replyValue(context, record, NO_FIELD);
      if (removeExpired(context, record, handle)) hasExpired = true;
    }
  }
  if (hasExpired) hashes.tellExpired(context.database, record);
}

/** HEXISTS key field */
function exists(context: CommandContext): void {
  const record = context.readTyped(1, TYPE_HASH);
  if (record === WRONG_TYPE) return;
  context.reply.integer(findOnlyField(context, record, 2) === NO_FIELD ? 0 : 1);
}

/** HSTRLEN key field */
function valueLength(context: CommandContext): void {
  const record = context.readTyped(1, TYPE_HASH);
  if (record === WRONG_TYPE) return;
  const handle = findOnlyField(context, record, 2);
  if (handle === NO_FIELD) {
    context.reply.integer(0);
    return;
  }
  const { hashes } = context.types;
  hashes.read(record, handle);
  context.reply.integer(hashes.length);
}

/** HLEN key */
function length(context: CommandContext): void {
  const record = context.readTyped(1, TYPE_HASH);
  if (record === WRONG_TYPE) return;
  context.reply.integer(record === NULL_REFERENCE ? 0 : context.types.hashes.count(record));
}
