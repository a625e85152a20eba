/** Commands that take elements from the ends of a list. */
import { TYPE_LIST } from '../../keyspace/record.js';
import { NULL_REFERENCE } from '../../memory/reference.js';
import { type Command, keyAt, keysCountedAt } from '../../server/command.js';
import { type CommandContext, WRONG_TYPE } from '../../server/context.js';
import { ERROR_NOT_POSITIVE, wrongArity } from '../../server/errors.js';
import { findCountedKeys } from '../../server/key-specs.js';
import type { ListEnd } from '../../types/list.js';
import { parseMultiplePop, popFromFirst } from './multiple-pop.js';
import { popElement, popElements } from './storing.js';

export const poppingCommands: readonly Command[] = [
  {
    name: 'lpop',
    summary: 'Take elements from the head of a list.',
    syntax: 'key [count@6.2.0]',
    arity: -2,
    flags: ['write', 'fast'],
    categories: ['@list'],
    keys: [keyAt(1, 'RW', 'access', 'delete')],
    since: '1.0.0',
    group: 'list',
    complexity: 'O(N) for N elements taken',
    history: [['6.2.0', 'a count']],
    handler: (context) => pop(context, 'first'),
  },
  {
    name: 'rpop',
    summary: 'Take elements from the tail of a list.',
    syntax: 'key [count@6.2.0]',
    arity: -2,
    flags: ['write', 'fast'],
    categories: ['@list'],
    keys: [keyAt(1, 'RW', 'access', 'delete')],
    since: '1.0.0',
    group: 'list',
    complexity: 'O(N) for N elements taken',
    history: [['6.2.0', 'a count']],
    handler: (context) => pop(context, 'last'),
  },
  {
    name: 'lmpop',
    summary: 'Take elements from the first list that has any.',
    syntax: 'numkeys key... where:(LEFT | RIGHT) [COUNT count]',
    arity: -4,
    flags: ['write'],
    categories: ['@list'],
    keys: [keysCountedAt(1, 'RW', 'access', 'delete')],
    findKeys: findCountedKeys(1),
    since: '7.0.0',
    group: 'list',
    complexity: 'O(N+M) for N keys and M elements taken',
    handler: popFromSeveral,
  },
];

/** LPOP and RPOP key [count] */
function pop(context: CommandContext, end: ListEnd): void {
  if (context.arguments.count > 2) {
    popMany(context, end);
    return;
  }
  const record = context.writeTyped(1, TYPE_LIST);
  if (record === WRONG_TYPE) return;
  if (record === NULL_REFERENCE) context.reply.nullBulk();
  else popElement(context, 1, record, end);
}

/** LPOP and RPOP key count */
function popMany(context: CommandContext, end: ListEnd): void {
  const { reply, command } = context;
  if (context.arguments.count > 3) {
    reply.error(wrongArity(command.fullName));
    return;
  }
  const count = context.integer(2, ERROR_NOT_POSITIVE);
  if (Number.isNaN(count)) return;
  if (count < 0) {
    reply.error(ERROR_NOT_POSITIVE);
    return;
  }
  const record = context.writeTyped(1, TYPE_LIST);
  if (record === WRONG_TYPE) return;
  if (record === NULL_REFERENCE) reply.nullArray();
  else if (count === 0) reply.arrayHeader(0);
  else popElements(context, 1, record, end, count);
}

/** LMPOP numkeys key [key ...] <LEFT | RIGHT> [COUNT count] */
function popFromSeveral(context: CommandContext): void {
  if (parseMultiplePop(context, 1) && !popFromFirst(context)) context.reply.nullArray();
}
