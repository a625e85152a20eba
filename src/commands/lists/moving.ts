/** Commands that move an element from one list to another. */
import { type RecordReference, TYPE_LIST } from '../../keyspace/record.js';
import { NULL_REFERENCE } from '../../memory/reference.js';
import { type Command, keyAt } from '../../server/command.js';
import { type CommandContext, WRONG_TYPE } from '../../server/context.js';
import type { ListEnd } from '../../types/list.js';
import { listEnd, popEvent, pushElement, pushEvent, removeElement } from './storing.js';

export const movingCommands: readonly Command[] = [
  {
    name: 'lmove',
    summary: 'Move an element from one end of a list to an end of another.',
    syntax: 'source destination wherefrom:(LEFT | RIGHT) whereto:(LEFT | RIGHT)',
    arity: 5,
    flags: ['write', 'denyoom'],
    categories: ['@list'],
    keys: [keyAt(1, 'RW', 'access', 'delete'), keyAt(2, 'RW', 'insert')],
    since: '6.2.0',
    group: 'list',
    complexity: 'O(1)',
    handler: moveElement,
  },
  {
    name: 'rpoplpush',
    summary: 'Move the last element of a list to the head of another.',
    syntax: 'source destination',
    arity: 3,
    flags: ['write', 'denyoom'],
    categories: ['@list'],
    keys: [keyAt(1, 'RW', 'access', 'delete'), keyAt(2, 'RW', 'insert')],
    since: '1.2.0',
    group: 'list',
    complexity: 'O(1)',
    docFlags: ['deprecated'],
    deprecatedSince: '6.2.0',
    replacedBy: '`LMOVE` with the `RIGHT` and `LEFT` arguments',
    handler: moveLastToFirst,
  },
];

/** LMOVE source destination <LEFT | RIGHT> <LEFT | RIGHT> */
function moveElement(context: CommandContext): void {
  const from = listEnd(context, 3);
  if (from === undefined) return;
  const to = listEnd(context, 4);
  if (to !== undefined) move(context, from, to);
}

/** RPOPLPUSH source destination */
function moveLastToFirst(context: CommandContext): void {
  move(context, 'last', 'first');
}

function move(context: CommandContext, from: ListEnd, to: ListEnd): void {
  const source = context.writeTyped(1, TYPE_LIST);
  if (source === WRONG_TYPE) return;
  if (source === NULL_REFERENCE) context.reply.nullBulk();
  else moveFrom(context, source, from, to);
}

/**
 * Moves an element from the list of the key in argument 1, which has this record, to that in argument 2, and replies it.
 * False when the second is no list, and the error is replied.
 */
export function moveFrom(
  context: CommandContext,
  source: RecordReference,
  from: ListEnd,
  to: ListEnd,
): boolean {
  const { reply, types } = context;
  const { lists } = types;
  const { element } = lists;
  const destination = context.writeTyped(2, TYPE_LIST);
  if (destination === WRONG_TYPE) return false;
  if (source === destination) {
    rotate(context, source, from, to);
    return true;
  }
  lists.readEnd(source, from);
  element.spell();
  // Added before it is removed: when there is no memory for it there, it stays where it is.
  pushElement(context, 2, destination, to);
  reply.bulk(element.bytes, element.offset, element.length);
  context.notify(pushEvent(to), 2);
  removeElement(context, 1, source, from);
  return true;
}

/** Moves an element from one end of a list to the other; or to the same, which is told of all the same. */
function rotate(context: CommandContext, record: RecordReference, from: ListEnd, to: ListEnd): void {
  const { lists } = context.types;
  const { element } = lists;
  lists.rotate(record, from, to);
  lists.readEnd(record, to);
  element.spell();
  context.reply.bulk(element.bytes, element.offset, element.length);
  lists.compact(record, true);
  context.notify(pushEvent(to), 2);
  context.changed(popEvent(from), 1);
}
