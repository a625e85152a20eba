/** Commands that add elements at the ends of a list. */
import { type RecordReference, TYPE_LIST } from '../../keyspace/record.js';
import { type ByteLength, NULL_REFERENCE } from '../../memory/reference.js';
import { type Command, keyAt } from '../../server/command.js';
import { type CommandContext, WRONG_TYPE } from '../../server/context.js';
import type { ListEnd } from '../../types/list.js';
import { addList, pushEvent } from './storing.js';

export const pushingCommands: readonly Command[] = [
  {
    name: 'lpush',
    summary: 'Add elements at the head of a list.',
    syntax: 'key element...',
    arity: -3,
    flags: ['write', 'denyoom', 'fast'],
    categories: ['@list'],
    keys: [keyAt(1, 'RW', 'insert')],
    since: '1.0.0',
    group: 'list',
    complexity: 'O(N) for N elements given',
    history: [['2.4.0', 'several elements in one call']],
    handler: (context) => push(context, 'first'),
  },
  {
    name: 'rpush',
    summary: 'Add elements at the tail of a list.',
    syntax: 'key element...',
    arity: -3,
    flags: ['write', 'denyoom', 'fast'],
    categories: ['@list'],
    keys: [keyAt(1, 'RW', 'insert')],
    since: '1.0.0',
    group: 'list',
    complexity: 'O(N) for N elements given',
    history: [['2.4.0', 'several elements in one call']],
    handler: (context) => push(context, 'last'),
  },
  {
    name: 'lpushx',
    summary: 'Add elements at the head of a list that exists.',
    syntax: 'key element...',
    arity: -3,
    flags: ['write', 'denyoom', 'fast'],
    categories: ['@list'],
    keys: [keyAt(1, 'RW', 'insert')],
    since: '2.2.0',
    group: 'list',
    complexity: 'O(N) for N elements given',
    history: [['4.0.0', 'several elements in one call']],
    handler: (context) => pushIfExists(context, 'first'),
  },
  {
    name: 'rpushx',
    summary: 'Add elements at the tail of a list that exists.',
    syntax: 'key element...',
    arity: -3,
    flags: ['write', 'denyoom', 'fast'],
    categories: ['@list'],
    keys: [keyAt(1, 'RW', 'insert')],
    since: '2.2.0',
    group: 'list',
    complexity: 'O(N) for N elements given',
    history: [['4.0.0', 'several elements in one call']],
    handler: (context) => pushIfExists(context, 'last'),
  },
];

/** The first argument that is an element. */
const FIRST_ELEMENT = 2;

/** LPUSH and RPUSH key element [element ...] */
function push(context: CommandContext, end: ListEnd): void {
  const record = context.writeTyped(1, TYPE_LIST);
  if (record === WRONG_TYPE) return;
  if (record === NULL_REFERENCE) pushToNew(context, end);
  else pushToExisting(context, record, end);
}

/** LPUSHX and RPUSHX key element [element ...] */
function pushIfExists(context: CommandContext, end: ListEnd): void {
  const record = context.writeTyped(1, TYPE_LIST);
  if (record === WRONG_TYPE) return;
  if (record === NULL_REFERENCE) context.reply.integer(0);
  else pushToExisting(context, record, end);
}

function pushToExisting(context: CommandContext, record: RecordReference, end: ListEnd): void {
  context.types.lists.expect(record, context.arguments.count - FIRST_ELEMENT, totalLength(context));
  replyPushed(context, end, pushArguments(context, record, end));
}

function pushToNew(context: CommandContext, end: ListEnd): void {
  const { lists, listpacks } = context.types;
  const { bytes, offsets, lengths, count } = context.arguments;
  const encoding = lists.encodingFor(count - FIRST_ELEMENT, totalLength(context));
  let content = 0;
  for (let i = FIRST_ELEMENT; i < count; i++) content += listpacks.entryLength(bytes, offsets[i], lengths[i]);
  const record = addList(context, 1, encoding, content);
  let length: number;
  try {
    length = pushArguments(context, record, end);
  } catch (error) {
    context.keyspace.remove(context.database, record);
    throw error;
  }
  replyPushed(context, end, length);
}

function replyPushed(context: CommandContext, end: ListEnd, length: number): void {
  context.changed(pushEvent(end), 1, context.arguments.count - FIRST_ELEMENT);
  context.reply.integer(length);
}

/** The bytes of all elements that are given. */
function totalLength({ arguments: { lengths, count } }: CommandContext): ByteLength {
  let total = 0;
  for (let i = FIRST_ELEMENT; i < count; i++) total += lengths[i];
  return total;
}

/**
 * Adds all elements that are given, one after the other, or none when it throws. Returns how many elements there are
 * then.
 */
function pushArguments(context: CommandContext, record: RecordReference, end: ListEnd): number {
  const { lists } = context.types;
  const { bytes, offsets, lengths, count } = context.arguments;
  let length = 0;
  let i = FIRST_ELEMENT;
  try {
    for (; i < count; i++) length = lists.push(record, end, bytes, offsets[i], lengths[i]);
    return length;
  } catch (error) {
    for (; i > FIRST_ELEMENT; i--) lists.removeEnd(record, end);
    throw error;
  }
}
