/** BITFIELD and BITFIELD_RO: integers of any width inside a string. */
import { TYPE_STRING } from '../../keyspace/record.js';
import { NULL_REFERENCE } from '../../memory/reference.js';
import type { Arguments } from '../../protocol/arguments.js';
import { bigintFromWords, safeIntegerFromWords } from '../../protocol/integers.js';
import type { ReplyWriter } from '../../protocol/reply-writer.js';
import { type Command, keyAt } from '../../server/command.js';
import { type CommandContext, WRONG_TYPE } from '../../server/context.js';
import { KEY_ACCESS, KEY_READ, KEY_UPDATE, KEY_WRITE, type KeyList } from '../../server/key-specs.js';
import { Bitfield } from '../../structures/bitfield.js';
import { BitfieldOperations, CHANGES_OVERFLOW, GETS, INCREMENTS } from './bitfield-operations.js';
import { EVENT_SETBIT, prepareForBits } from './writing.js';

export const bitfieldCommands: readonly Command[] = [
  {
    name: 'bitfield',
    summary: 'Read and change integers of any width inside a string.',
    syntax:
      'key [operation:(GET get-block:{encoding offset} | write:{[OVERFLOW overflow-block:(WRAP | SAT | FAIL)] write-operation:(SET set-block:{encoding offset value:integer} | INCRBY incrby-block:{encoding offset increment:integer})})...]',
    arity: -2,
    flags: ['write', 'denyoom'],
    categories: ['@bitmap'],
    keys: [
      {
        ...keyAt(1, 'RW', 'access', 'update', 'variable_flags'),
        notes: 'reads or changes, as the operations say',
      },
    ],
    findKeys: findBitfieldKey,
    since: '3.2.0',
    group: 'bitmap',
    complexity: 'O(1) for each operation',
    handler: readAndChange,
  },
  {
    name: 'bitfield_ro',
    summary: 'Read integers of any width inside a string.',
    syntax: 'key [GET... get-block:{encoding offset}]',
    arity: -2,
    flags: ['readonly', 'fast'],
    categories: ['@bitmap'],
    keys: [keyAt(1, 'RO', 'access')],
    since: '6.0.0',
    group: 'bitmap',
    complexity: 'O(1) for each operation',
    handler: readOnly,
  },
];

const operations = new BitfieldOperations();
const field = new Bitfield();
/** What a field held before an operation. */
const before = new Bitfield();

/** BITFIELD key [GET type offset | OVERFLOW rule | SET type offset value | INCRBY type offset increment ...] */
function readAndChange(context: CommandContext): void {
  if (!operations.check(context)) return;
  if (operations.onlyGets) replyFields(context);
  else changeFields(context);
}

/** BITFIELD_RO key [GET type offset ...] */
function readOnly(context: CommandContext): void {
  if (!operations.check(context)) return;
  if (operations.onlyGets) replyFields(context);
  else context.reply.error('ERR BITFIELD_RO only supports the GET subcommand');
}

/** Runs operations that all only read. */
function replyFields(context: CommandContext): void {
  const record = context.readTyped(1, TYPE_STRING);
  if (record === WRONG_TYPE) return;
  const { reply } = context;
  const { strings } = context.types;
  if (record !== NULL_REFERENCE) strings.read(record);
  const length = record === NULL_REFERENCE ? 0 : strings.length;
  reply.arrayHeader(operations.count);
  operations.begin(context);
  while (operations.next(context)) {
    if (operations.kind === CHANGES_OVERFLOW) continue;
    field.setType(operations.isSigned, operations.width);
    field.read(strings.bytes, strings.offset, length, operations.position);
    replyWords(reply, field);
  }
}

/** Runs operations of which some may change the string. */
function changeFields(context: CommandContext): void {
  const record = context.writeTyped(1, TYPE_STRING);
  if (record === WRONG_TYPE) return;
  const { reply } = context;
  const hasGrown = prepareForBits(context, record, Math.floor(operations.lastWritten / 8) + 1);
  const { bytes, offset, length } = context.types.strings;
  reply.arrayHeader(operations.count);
  let changes = 0;
  operations.begin(context);
  while (operations.next(context)) {
    const { kind, position, overflowRule } = operations;
    if (kind === CHANGES_OVERFLOW) continue;
    field.setType(operations.isSigned, operations.width);
    field.read(bytes, offset, length, position);
    if (kind === GETS) {
      replyWords(reply, field);
      continue;
    }
    before.low = field.low;
    before.high = field.high;
    const isHeld =
      kind === INCREMENTS
        ? field.add(operations.operand, overflowRule)
        : field.assign(operations.operand, overflowRule);
    if (!isHeld) {
      reply.nullBulk();
      continue;
    }
    field.write(bytes, offset, position);
    if (hasGrown || before.low !== field.low || before.high !== field.high) changes++;
    replyWords(reply, kind === INCREMENTS ? field : before);
  }
  // As in Redis, a string that has only grown, because every operation failed, does not count as changed.
  if (changes > 0) context.changed(EVENT_SETBIT, 1, changes);
}

function replyWords(reply: ReplyWriter, { low, high }: Bitfield): void {
  const value = safeIntegerFromWords(low, high);
  if (Number.isNaN(value)) reply.bigInteger(bigintFromWords(low, high));
  else reply.integer(value);
}

/** BITFIELD only reads when every operation is a GET. What cannot be understood counts as a change. */
function findBitfieldKey(call: Arguments, found: KeyList): void {
  found.add(1, hasOnlyGets(call) ? KEY_READ | KEY_ACCESS : KEY_WRITE | KEY_ACCESS | KEY_UPDATE);
}

function hasOnlyGets(call: Arguments): boolean {
  let index = 2;
  while (index < call.count) {
    const following = call.count - index - 1;
    if (call.is(index, 'GET') && following >= 2) index += 3;
    else if (call.is(index, 'OVERFLOW') && following >= 1) index += 2;
    else return false;
  }
  return true;
}
