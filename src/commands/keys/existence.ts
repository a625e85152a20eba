/** Commands that ask whether keys exist and of what type they are, and that delete them. */
import { EVENT_DEL } from '../../keyspace/events.js';
import { TYPE_NAMES } from '../../keyspace/record.js';
import { NULL_REFERENCE } from '../../memory/reference.js';
import { type Command, keyAt, keysFrom } from '../../server/command.js';
import type { CommandContext } from '../../server/context.js';

export const existenceCommands: readonly Command[] = [
  {
    name: 'del',
    summary: 'Delete keys.',
    syntax: 'key...',
    arity: -2,
    flags: ['write'],
    categories: ['@keyspace'],
    keys: [keysFrom(1, 'RM', 'delete')],
    since: '1.0.0',
    group: 'generic',
    complexity: 'O(N) for N keys, and O(M) for each that holds M elements',
    hints: ['request_policy:multi_shard', 'response_policy:agg_sum'],
    handler: deleteKeys,
  },
  {
    name: 'unlink',
    summary: 'Delete keys, freeing their memory later.',
    syntax: 'key...',
    arity: -2,
    flags: ['write', 'fast'],
    categories: ['@keyspace'],
    keys: [keysFrom(1, 'RM', 'delete')],
    since: '4.0.0',
    group: 'generic',
    complexity: 'O(1) for each key; its memory is freed in the background',
    hints: ['request_policy:multi_shard', 'response_policy:agg_sum'],
    handler: deleteKeys,
  },
  {
    name: 'exists',
    summary: 'How many of the keys exist.',
    syntax: 'key...',
    arity: -2,
    flags: ['readonly', 'fast'],
    categories: ['@keyspace'],
    keys: [keysFrom(1, 'RO')],
    since: '1.0.0',
    group: 'generic',
    complexity: 'O(N) for N keys',
    history: [['3.0.3', 'several keys in one call']],
    hints: ['request_policy:multi_shard', 'response_policy:agg_sum'],
    handler: countKeys,
  },
  {
    name: 'touch',
    summary: 'Count the keys that exist, and note that they were used now.',
    syntax: 'key...',
    arity: -2,
    flags: ['readonly', 'fast'],
    categories: ['@keyspace'],
    keys: [keysFrom(1, 'RO')],
    since: '3.2.1',
    group: 'generic',
    complexity: 'O(N) for N keys',
    hints: ['request_policy:multi_shard', 'response_policy:agg_sum'],
    handler: touchKeys,
  },
  {
    name: 'type',
    summary: 'The type of the value that a key holds.',
    syntax: 'key',
    arity: 2,
    flags: ['readonly', 'fast'],
    categories: ['@keyspace'],
    keys: [keyAt(1, 'RO')],
    since: '1.0.0',
    group: 'generic',
    complexity: 'O(1)',
    handler: replyType,
  },
];

/** DEL key [key ...], UNLINK key [key ...]. Large values are freed in slices after either. */
function deleteKeys(context: CommandContext): void {
  const { keyspace, database } = context;
  const { count } = context.arguments;
  let deleted = 0;
  for (let index = 1; index < count; index++) {
    const record = context.lookupWrite(index);
    if (record === NULL_REFERENCE) continue;
    keyspace.remove(database, record);
    context.changed(EVENT_DEL, index);
    deleted++;
  }
  context.reply.integer(deleted);
}

/** EXISTS key [key ...] */
function countKeys(context: CommandContext): void {
  const { count } = context.arguments;
  let found = 0;
  for (let index = 1; index < count; index++) {
    if (context.lookupUntouched(index) !== NULL_REFERENCE) found++;
  }
  context.reply.integer(found);
}

/** TOUCH key [key ...]. Even a client that set NO-TOUCH touches keys with it. */
function touchKeys(context: CommandContext): void {
  const { count } = context.arguments;
  context.keyspace.leavesAccess = false;
  let touched = 0;
  for (let index = 1; index < count; index++) {
    if (context.lookupRead(index) !== NULL_REFERENCE) touched++;
  }
  context.reply.integer(touched);
}

/** TYPE key */
function replyType(context: CommandContext): void {
  const record = context.lookupUntouched(1);
  const { keyspace, reply } = context;
  reply.simpleString(record === NULL_REFERENCE ? 'none' : TYPE_NAMES[keyspace.records.type(record)]);
}
