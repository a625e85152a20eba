/** Commands that count or find bits in a part of a string. */
import { TYPE_STRING } from '../../keyspace/record.js';
import { type ByteLength, NULL_REFERENCE } from '../../memory/reference.js';
import { parseInt64 } from '../../protocol/integers.js';
import { type Command, keyAt } from '../../server/command.js';
import { type CommandContext, WRONG_TYPE } from '../../server/context.js';
import { ERROR_SYNTAX } from '../../server/errors.js';
import { type BitPosition, countBits, countBitsBetween, findBitBetween } from '../../structures/bitmap.js';

export const bitRangeCommands: readonly Command[] = [
  {
    name: 'bitcount',
    summary: 'How many bits of a string are set.',
    syntax: 'key [range:{start:integer end:integer [unit:(BYTE | BIT)@7.0.0]}]',
    arity: -2,
    flags: ['readonly'],
    categories: ['@bitmap'],
    keys: [keyAt(1, 'RO', 'access')],
    since: '2.6.0',
    group: 'bitmap',
    complexity: 'O(N)',
    history: [['7.0.0', 'BYTE and BIT']],
    handler: count,
  },
  {
    name: 'bitpos',
    summary: 'The position of the first bit that is set, or clear.',
    syntax:
      'key bit:integer [range:{start:integer [end-unit-block:{end:integer [unit:(BYTE | BIT)@7.0.0]}]}]',
    arity: -3,
    flags: ['readonly'],
    categories: ['@bitmap'],
    keys: [keyAt(1, 'RO', 'access')],
    since: '2.8.7',
    group: 'bitmap',
    complexity: 'O(N)',
    history: [['7.0.0', 'BYTE and BIT']],
    handler: find,
  },
];

/** A part of a string, as its first and last bit; none is in it when `first` is beyond `last`. */
class BitRange {
  first: BitPosition = 0;
  last: BitPosition = 0;

  /**
   * Sets it from the numbers of its first and last byte or bit, which count from the end of the string when negative.
   * What is still before the start is the start, and what is behind the end the end.
   */
  set(start: number, end: number, length: ByteLength, countsBits: boolean): void {
    const unitBits = countsBits ? 1 : 8;
    const units = (length * 8) / unitBits;
    const first = Math.max(start < 0 ? units + start : start, 0);
    const last = Math.min(Math.max(end < 0 ? units + end : end, 0), units - 1);
    this.first = first * unitBits;
    this.last = last * unitBits + unitBits - 1;
  }

  get isEmpty(): boolean {
    return this.first > this.last;
  }
}

const range = new BitRange();

/** BITCOUNT key [start end [BYTE | BIT]] */
function count(context: CommandContext): void {
  const { reply, types } = context;
  const { strings } = types;
  const call = context.arguments;
  if (call.count === 2) {
    const record = context.readTyped(1, TYPE_STRING);
    if (record === WRONG_TYPE) return;
    if (record !== NULL_REFERENCE) strings.read(record);
    reply.integer(record === NULL_REFERENCE ? 0 : countBits(strings.bytes, strings.offset, strings.length));
    return;
  }
  if (call.count !== 4 && call.count !== 5) {
    reply.error(ERROR_SYNTAX);
    return;
  }
  const start = context.integer(2);
  if (Number.isNaN(start)) return;
  const end = context.integer(3);
  if (Number.isNaN(end)) return;
  if (!isUnitKnown(context, 4)) return;
  const record = context.readTyped(1, TYPE_STRING);
  if (record === WRONG_TYPE) return;
  if (record === NULL_REFERENCE || isReversed(context, start, end)) {
    reply.integer(0);
    return;
  }
  strings.read(record);
  range.set(start, end, strings.length, isInBits(context, 4));
  const { bytes, offset } = strings;
  reply.integer(range.isEmpty ? 0 : countBitsBetween(bytes, offset, range.first, range.last));
}

/** BITPOS key bit [start [end [BYTE | BIT]]] */
function find(context: CommandContext): void {
  const { reply } = context;
  const call = context.arguments;
  const bit = context.integer(2);
  if (Number.isNaN(bit)) return;
  if (bit !== 0 && bit !== 1) {
    reply.error('ERR The bit argument must be 1 or 0.');
    return;
  }
  if (call.count > 6) {
    reply.error(ERROR_SYNTAX);
    return;
  }
  const start = call.count > 3 ? context.integer(3) : 0;
  if (Number.isNaN(start)) return;
  if (!isUnitKnown(context, 5)) return;
  const hasEnd = call.count > 4;
  const end = hasEnd ? context.integer(4) : -1;
  if (Number.isNaN(end)) return;
  const record = context.readTyped(1, TYPE_STRING);
  if (record === WRONG_TYPE) return;
  // A key that is not there is as good as zeros without end.
  if (record === NULL_REFERENCE) {
    reply.integer(bit === 0 ? 0 : -1);
    return;
  }
  const { strings } = context.types;
  strings.read(record);
  range.set(start, end, strings.length, isInBits(context, 5));
  if (range.isEmpty) {
    reply.integer(-1);
    return;
  }
  const found = findBitBetween(strings.bytes, strings.offset, range.first, range.last, bit);
  // Without an end, the first zero of a string of ones is the one behind it.
  reply.integer(found < 0 && bit === 0 && !hasEnd ? strings.length * 8 : found);
}

/**
 * Whether a range of BITCOUNT ends before it starts, both counted from the end of the string. It has no bits then, even
 * where both are before the start, which otherwise is where they would be.
 */
function isReversed({ arguments: call }: CommandContext, start: number, end: number): boolean {
  if (start >= 0 || end >= 0 || start !== end) return start < 0 && end < 0 && start > end;
  if (start !== Number.MIN_SAFE_INTEGER) return false;
  const [exactStart, exactEnd] = [2, 3].map((index) =>
    parseInt64(call.bytes, call.offsets[index], call.lengths[index]),
  );
  return exactStart !== undefined && exactEnd !== undefined && exactStart > exactEnd;
}

/** Whether argument `index`, if there is one, is a unit that ranges are told in; the error is replied when not. */
function isUnitKnown({ arguments: call, reply }: CommandContext, index: number): boolean {
  if (call.count <= index || call.is(index, 'BIT') || call.is(index, 'BYTE')) return true;
  reply.error(ERROR_SYNTAX);
  return false;
}

function isInBits({ arguments: call }: CommandContext, index: number): boolean {
  return call.count > index && call.is(index, 'BIT');
}
