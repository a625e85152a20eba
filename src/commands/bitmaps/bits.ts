/** Commands that read or change one bit of a string. */
import { type RecordReference, TYPE_STRING } from '../../keyspace/record.js';
import { NULL_REFERENCE } from '../../memory/reference.js';
import { parseSafeInteger } from '../../protocol/integers.js';
import { type Command, keyAt } from '../../server/command.js';
import { type CommandContext, WRONG_TYPE } from '../../server/context.js';
import type { BitPosition } from '../../structures/bitmap.js';
import { bitPositionsEnd, ERROR_BIT_OFFSET, EVENT_SETBIT, prepareForBits } from './writing.js';

const ERROR_BIT = 'ERR bit is not an integer or out of range';

export const singleBitCommands: readonly Command[] = [
  {
    name: 'setbit',
    summary: 'Set or clear a bit of a string, and read what it was.',
    syntax: 'key offset value:integer',
    arity: 4,
    flags: ['write', 'denyoom'],
    categories: ['@bitmap'],
    keys: [keyAt(1, 'RW', 'access', 'update')],
    since: '2.2.0',
    group: 'bitmap',
    complexity: 'O(1)',
    handler: setBit,
  },
  {
    name: 'getbit',
    summary: 'Read a bit of a string.',
    syntax: 'key offset',
    arity: 3,
    flags: ['readonly', 'fast'],
    categories: ['@bitmap'],
    keys: [keyAt(1, 'RO', 'access')],
    since: '2.2.0',
    group: 'bitmap',
    complexity: 'O(1)',
    handler: getBit,
  },
];

/** SETBIT key offset value */
function setBit(context: CommandContext): void {
  const { reply } = context;
  const position = bitPosition(context);
  if (Number.isNaN(position)) return;
  const bit = context.integer(3, ERROR_BIT);
  if (Number.isNaN(bit)) return;
  if (bit !== 0 && bit !== 1) {
    reply.error(ERROR_BIT);
    return;
  }
  const record = context.writeTyped(1, TYPE_STRING);
  if (record === WRONG_TYPE) return;
  const index = Math.floor(position / 8);
  const hasGrown = prepareForBits(context, record, index + 1);
  const { bytes, offset } = context.types.strings;
  const byte = bytes[offset + index];
  const mask = 0x80 >> (position & 7);
  const before = (byte & mask) === 0 ? 0 : 1;
  if (hasGrown || before !== bit) {
    bytes[offset + index] = bit === 1 ? byte | mask : byte & ~mask;
    context.changed(EVENT_SETBIT, 1);
  }
  reply.integer(before);
}

/** GETBIT key offset */
function getBit(context: CommandContext): void {
  const position = bitPosition(context);
  if (Number.isNaN(position)) return;
  const record = context.readTyped(1, TYPE_STRING);
  if (record === WRONG_TYPE) return;
  context.reply.integer(record === NULL_REFERENCE ? 0 : bitAt(context, record, position));
}

function bitAt({ types }: CommandContext, record: RecordReference, position: BitPosition): number {
  const { strings } = types;
  strings.read(record);
  const index = Math.floor(position / 8);
  if (index >= strings.length) return 0;
  return (strings.bytes[strings.offset + index] >> (7 - (position & 7))) & 1;
}

/** The position of a bit in argument 2; NaN when it is none, with the error replied. */
function bitPosition(context: CommandContext): BitPosition {
  const { bytes, offsets, lengths } = context.arguments;
  const position = parseSafeInteger(bytes, offsets[2], lengths[2]);
  if (position >= 0 && position < bitPositionsEnd(context)) return position;
  context.reply.error(ERROR_BIT_OFFSET);
  return NaN;
}
