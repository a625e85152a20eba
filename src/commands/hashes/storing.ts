/** Commands that set and delete fields of a hash. */
import { TYPE_HASH } from '../../keyspace/record.js';
import { type Command, keyAt } from '../../server/command.js';
import { type CommandContext, WRONG_TYPE } from '../../server/context.js';
import { wrongArity } from '../../server/errors.js';
import { NO_FIELD } from '../../types/hash.js';
import {
  EVENT_HDEL,
  EVENT_HSET,
  findField,
  removeIfEmpty,
  setFields,
  withoutExpiredField,
} from './fields.js';

export const storingCommands: readonly Command[] = [
  {
    name: 'hset',
    summary: 'Set fields of a hash.',
    syntax: 'key data:{field value}...',
    arity: -4,
    flags: ['write', 'denyoom', 'fast'],
    categories: ['@hash'],
    keys: [keyAt(1, 'RW', 'update')],
    since: '2.0.0',
    group: 'hash',
    complexity: 'O(N) for N fields',
    history: [['4.0.0', 'several fields in one call']],
    handler: set,
  },
  {
    name: 'hmset',
    summary: 'Set fields of a hash (the old form of HSET).',
    syntax: 'key data:{field value}...',
    arity: -4,
    flags: ['write', 'denyoom', 'fast'],
    categories: ['@hash'],
    keys: [keyAt(1, 'RW', 'update')],
    since: '2.0.0',
    group: 'hash',
    complexity: 'O(N) for N fields',
    docFlags: ['deprecated'],
    deprecatedSince: '4.0.0',
    replacedBy: '`HSET` with multiple field-value pairs',
    handler: setSeveral,
  },
  {
    name: 'hsetnx',
    summary: 'Set a field of a hash unless it exists.',
    syntax: 'key field value',
    arity: 4,
    flags: ['write', 'denyoom', 'fast'],
    categories: ['@hash'],
    keys: [keyAt(1, 'RW', 'insert')],
    since: '2.0.0',
    group: 'hash',
    complexity: 'O(1)',
    handler: setNew,
  },
  {
    name: 'hdel',
    summary: 'Delete fields of a hash, and the hash with its last one.',
    syntax: 'key field...',
    arity: -3,
    flags: ['write', 'fast'],
    categories: ['@hash'],
    keys: [keyAt(1, 'RW', 'delete')],
    since: '2.0.0',
    group: 'hash',
    complexity: 'O(N) for N fields given',
    history: [['2.4.0', 'several fields in one call']],
    handler: remove,
  },
];

/** What `setPairs` returns when it did nothing and the error is replied. */
const REFUSED = -1;

/** HSET key {field value}... */
function set(context: CommandContext): void {
  const added = setPairs(context);
  if (added !== REFUSED) context.reply.integer(added);
}

/** HMSET key {field value}... */
function setSeveral(context: CommandContext): void {
  if (setPairs(context) !== REFUSED) context.reply.ok();
}

/** Sets the fields from argument 2 on. Returns how many are new, or REFUSED. */
function setPairs(context: CommandContext): number {
  const { count } = context.arguments;
  if (count % 2 === 1) {
    context.reply.error(wrongArity(context.command.fullName));
    return REFUSED;
  }
  const record = context.writeTyped(1, TYPE_HASH);
  if (record === WRONG_TYPE) return REFUSED;
  const added = setFields(context, record, 2, count);
  context.changed(EVENT_HSET, 1, (count - 2) / 2);
  return added;
}

/** HSETNX key field value */
function setNew(context: CommandContext): void {
  const found = context.writeTyped(1, TYPE_HASH);
  if (found === WRONG_TYPE) return;
  const record = withoutExpiredField(context, found, 2);
  if (findField(context, record, 2) !== NO_FIELD) {
    context.reply.integer(0);
    return;
  }
  setFields(context, record, 2, 4);
  context.changed(EVENT_HSET, 1);
  context.reply.integer(1);
}

/** HDEL key field... */
function remove(context: CommandContext): void {
  const { hashes } = context.types;
  const { count } = context.arguments;
  const record = context.writeTyped(1, TYPE_HASH);
  if (record === WRONG_TYPE) return;
  let removed = 0;
  for (let i = 2; i < count; i++) {
    const handle = findField(context, record, i);
    if (handle === NO_FIELD) continue;
    hashes.remove(context.database, record, handle);
    removed++;
  }
  if (removed > 0) {
    context.changed(EVENT_HDEL, 1, removed);
    removeIfEmpty(context, record);
  }
  context.reply.integer(removed);
}
