/** Commands that give a value another key or another database, or a copy of it. */
import type { Database } from '../../keyspace/database.js';
import { keyEvent, NOTIFY_GENERIC } from '../../keyspace/events.js';
import { equalBytes } from '../../memory/bytes.js';
import { NULL_REFERENCE } from '../../memory/reference.js';
import { type Command, keyAt } from '../../server/command.js';
import type { CommandContext } from '../../server/context.js';
import { ERROR_NO_SUCH_KEY, ERROR_SAME_OBJECT, ERROR_SYNTAX } from '../../server/errors.js';

const EVENT_RENAME_FROM = keyEvent(NOTIFY_GENERIC, 'rename_from');
const EVENT_RENAME_TO = keyEvent(NOTIFY_GENERIC, 'rename_to');
const EVENT_MOVE_FROM = keyEvent(NOTIFY_GENERIC, 'move_from');
const EVENT_MOVE_TO = keyEvent(NOTIFY_GENERIC, 'move_to');
const EVENT_COPY_TO = keyEvent(NOTIFY_GENERIC, 'copy_to');

export const movingCommands: readonly Command[] = [
  {
    name: 'rename',
    summary: 'Give a key another name, replacing what was there.',
    syntax: 'key newkey',
    arity: 3,
    flags: ['write'],
    categories: ['@keyspace'],
    keys: [keyAt(1, 'RW', 'access', 'delete'), keyAt(2, 'OW', 'update')],
    since: '1.0.0',
    group: 'generic',
    complexity: 'O(1)',
    handler: (context) => rename(context, true),
  },
  {
    name: 'renamenx',
    summary: 'Give a key another name unless that name is taken.',
    syntax: 'key newkey',
    arity: 3,
    flags: ['write', 'fast'],
    categories: ['@keyspace'],
    keys: [keyAt(1, 'RW', 'access', 'delete'), keyAt(2, 'OW', 'insert')],
    since: '1.0.0',
    group: 'generic',
    complexity: 'O(1)',
    history: [['3.2.0', 'no error when both names are the same']],
    handler: (context) => rename(context, false),
  },
  {
    name: 'copy',
    summary: 'Copy a value to another key.',
    syntax: 'source destination [DB destination-db:integer] [REPLACE]',
    arity: -3,
    flags: ['write', 'denyoom'],
    categories: ['@keyspace'],
    keys: [keyAt(1, 'RO', 'access'), keyAt(2, 'OW', 'update')],
    since: '6.2.0',
    group: 'generic',
    complexity: 'O(N) for N elements, O(1) for a string',
    handler: copy,
  },
  {
    name: 'move',
    summary: 'Move a key to another database.',
    syntax: 'key db:integer',
    arity: 3,
    flags: ['write', 'fast'],
    categories: ['@keyspace'],
    keys: [keyAt(1, 'RW', 'access', 'update')],
    since: '1.0.0',
    group: 'generic',
    complexity: 'O(1)',
    handler: move,
  },
];

/** RENAME key newkey, which replaces, and RENAMENX key newkey, which does not. */
function rename(context: CommandContext, replaces: boolean): void {
  const { keyspace, database, reply } = context;
  const { bytes, offsets, lengths } = context.arguments;
  const record = context.lookupWrite(1);
  if (record === NULL_REFERENCE) {
    reply.error(ERROR_NO_SUCH_KEY);
    return;
  }
  const isSame = hasSameKeys(context);
  const replaced = isSame ? record : context.lookupWrite(2);
  if (replaced !== NULL_REFERENCE && (isSame || !replaces)) {
    if (replaces) reply.ok();
    else reply.integer(0);
    return;
  }
  keyspace.relocate(database, record, database, context.keyHash, bytes, offsets[2], lengths[2], replaced);
  context.changed(EVENT_RENAME_FROM, 1);
  context.notify(EVENT_RENAME_TO, 2);
  if (replaces) reply.ok();
  else reply.integer(1);
}

/** MOVE key db */
function move(context: CommandContext): void {
  const { keyspace, database, reply } = context;
  const { bytes, offsets, lengths } = context.arguments;
  const target = context.databaseNumbered(2);
  if (target === undefined) return;
  if (target === database) {
    reply.error(ERROR_SAME_OBJECT);
    return;
  }
  const record = context.lookupWrite(1);
  const { keyHash } = context;
  const offset = offsets[1];
  const length = lengths[1];
  if (
    record === NULL_REFERENCE ||
    keyspace.lookupWrite(target, keyHash, bytes, offset, length) !== NULL_REFERENCE
  ) {
    reply.integer(0);
    return;
  }
  keyspace.relocate(database, record, target, keyHash, bytes, offset, length, NULL_REFERENCE);
  context.changed(EVENT_MOVE_FROM, 1);
  keyspace.notify(target, EVENT_MOVE_TO, bytes, offset, length);
  reply.integer(1);
}

/** COPY source destination [DB destination-db] [REPLACE] */
function copy(context: CommandContext): void {
  const { keyspace, database, options, reply } = context;
  const { bytes, offsets, lengths } = context.arguments;
  let target: Database | undefined = database;
  let replaces = false;
  options.begin(context.arguments, 3);
  while (options.hasMore) {
    if (options.take('REPLACE')) {
      replaces = true;
    } else if (options.takeWithArgument('DB')) {
      target = context.databaseNumbered(options.argument);
      if (target === undefined) return;
    } else {
      reply.error(ERROR_SYNTAX);
      return;
    }
  }
  if (target === database && hasSameKeys(context)) {
    reply.error(ERROR_SAME_OBJECT);
    return;
  }
  const record = context.lookupRead(1);
  if (record === NULL_REFERENCE) {
    reply.integer(0);
    return;
  }
  const offset = offsets[2];
  const length = lengths[2];
  const hash = keyspace.hash(bytes, offset, length);
  const replaced = keyspace.lookupWrite(target, hash, bytes, offset, length);
  if (replaced !== NULL_REFERENCE && !replaces) {
    reply.integer(0);
    return;
  }
  keyspace.copy(record, target, hash, bytes, offset, length, replaced);
  keyspace.changed(target, EVENT_COPY_TO, bytes, offset, length);
  reply.integer(1);
}

/** Whether the first and the second argument are the same key. */
function hasSameKeys({ arguments: call }: CommandContext): boolean {
  const { bytes, offsets, lengths } = call;
  return lengths[1] === lengths[2] && equalBytes(bytes, offsets[1], bytes, offsets[2], lengths[1]);
}
