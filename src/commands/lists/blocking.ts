/** Commands that take or move elements of lists and wait for them. */
import { TYPE_LIST } from '../../keyspace/record.js';
import { NULL_REFERENCE } from '../../memory/reference.js';
import { blockingTimeoutMs } from '../../server/blocking.js';
import { type Command, keyAt, keysCountedAt, keysFromButLast } from '../../server/command.js';
import { type CommandContext, WRONG_TYPE } from '../../server/context.js';
import { findCountedKeys } from '../../server/key-specs.js';
import { LMOVE, LPOP, RPOP, RPOPLPUSH } from '../../server/propagated-words.js';
import type { ListEnd } from '../../types/list.js';
import { moveFrom } from './moving.js';
import { multiplePop, parseMultiplePop, popFromFirst } from './multiple-pop.js';
import { listEnd, popElement } from './storing.js';

export const blockingCommands: readonly Command[] = [
  {
    name: 'blpop',
    summary: 'Take the first element of a list, waiting for one.',
    syntax: 'key... timeout:double',
    arity: -3,
    flags: ['write', 'blocking'],
    categories: ['@list'],
    keys: [keysFromButLast(1, 'RW', 'access', 'delete')],
    since: '2.0.0',
    group: 'list',
    complexity: 'O(N) for N keys',
    history: [['6.0.0', 'fractions of a second in the timeout']],
    handler: (context) => pop(context, 'first'),
  },
  {
    name: 'brpop',
    summary: 'Take the last element of a list, waiting for one.',
    syntax: 'key... timeout:double',
    arity: -3,
    flags: ['write', 'blocking'],
    categories: ['@list'],
    keys: [keysFromButLast(1, 'RW', 'access', 'delete')],
    since: '2.0.0',
    group: 'list',
    complexity: 'O(N) for N keys',
    history: [['6.0.0', 'fractions of a second in the timeout']],
    handler: (context) => pop(context, 'last'),
  },
  {
    name: 'blmove',
    summary: 'Move an element from one list to another, waiting for one.',
    syntax: 'source destination wherefrom:(LEFT | RIGHT) whereto:(LEFT | RIGHT) timeout:double',
    arity: 6,
    flags: ['write', 'denyoom', 'blocking'],
    categories: ['@list'],
    keys: [keyAt(1, 'RW', 'access', 'delete'), keyAt(2, 'RW', 'insert')],
    since: '6.2.0',
    group: 'list',
    complexity: 'O(1)',
    handler: moveElement,
  },
  {
    name: 'brpoplpush',
    summary: 'Move the last element of a list to the head of another, waiting for one.',
    syntax: 'source destination timeout:double',
    arity: 4,
    flags: ['write', 'denyoom', 'blocking'],
    categories: ['@list'],
    keys: [keyAt(1, 'RW', 'access', 'delete'), keyAt(2, 'RW', 'insert')],
    since: '2.2.0',
    group: 'list',
    complexity: 'O(1)',
    history: [['6.0.0', 'fractions of a second in the timeout']],
    docFlags: ['deprecated'],
    deprecatedSince: '6.2.0',
    replacedBy: '`BLMOVE` with the `RIGHT` and `LEFT` arguments',
    handler: moveLastToFirst,
  },
  {
    name: 'blmpop',
    summary: 'Take elements from the first list that has any, waiting for some.',
    syntax: 'timeout:double numkeys key... where:(LEFT | RIGHT) [COUNT count]',
    arity: -5,
    flags: ['write', 'blocking'],
    categories: ['@list'],
    keys: [keysCountedAt(2, 'RW', 'access', 'delete')],
    findKeys: findCountedKeys(2),
    since: '7.0.0',
    group: 'list',
    complexity: 'O(N+M) for N keys and M elements taken',
    handler: popFromSeveral,
  },
];

/** BLPOP and BRPOP key [key ...] timeout */
function pop(context: CommandContext, end: ListEnd): void {
  const { arguments: request, reply } = context;
  const timeoutIndex = request.count - 1;
  const timeoutMs = blockingTimeoutMs(context, timeoutIndex);
  if (Number.isNaN(timeoutMs)) return;
  for (let i = 1; i < timeoutIndex; i++) {
    const record = context.writeTyped(i, TYPE_LIST);
    if (record === WRONG_TYPE) return;
    if (record === NULL_REFERENCE) continue;
    reply.arrayHeader(2);
    reply.bulk(request.bytes, request.offsets[i], request.lengths[i]);
    popElement(context, i, record, end);
    context.propagateAs(end === 'first' ? LPOP : RPOP, i);
    return;
  }
  context.server.blocking.block(context, 1, timeoutIndex - 1, TYPE_LIST, timeoutMs);
}

/** BLMPOP timeout numkeys key [key ...] <LEFT | RIGHT> [COUNT count] */
function popFromSeveral(context: CommandContext): void {
  if (!parseMultiplePop(context, 2)) return;
  const timeoutMs = blockingTimeoutMs(context, 1);
  if (Number.isNaN(timeoutMs) || popFromFirst(context)) return;
  const { firstKey, lastKey } = multiplePop;
  context.server.blocking.block(context, firstKey, lastKey, TYPE_LIST, timeoutMs);
}

/** BLMOVE source destination <LEFT | RIGHT> <LEFT | RIGHT> timeout */
function moveElement(context: CommandContext): void {
  const from = listEnd(context, 3);
  if (from === undefined) return;
  const to = listEnd(context, 4);
  if (to === undefined || !move(context, from, to, 5) || !context.propagation.isActive) return;
  context.propagateInstead(5).word(LMOVE).arguments(context.arguments, 1, 5);
}

/** BRPOPLPUSH source destination timeout */
function moveLastToFirst(context: CommandContext): void {
  if (!move(context, 'last', 'first', 3) || !context.propagation.isActive) return;
  context.propagateInstead(3).word(RPOPLPUSH).arguments(context.arguments, 1, 3);
}

/** Moves an element, or waits for one. Returns whether one was moved. */
function move(context: CommandContext, from: ListEnd, to: ListEnd, timeoutIndex: number): boolean {
  const { server } = context;
  const timeoutMs = blockingTimeoutMs(context, timeoutIndex);
  if (Number.isNaN(timeoutMs)) return false;
  const source = context.writeTyped(1, TYPE_LIST);
  if (source === WRONG_TYPE) return false;
  if (source !== NULL_REFERENCE) return moveFrom(context, source, from, to);
  // It ends in vain with a null array, but where it may not even wait with what LMOVE replies.
  if (context.client.deniesBlocking) context.reply.nullBulk();
  else server.blocking.block(context, 1, 1, TYPE_LIST, timeoutMs);
  return false;
}
