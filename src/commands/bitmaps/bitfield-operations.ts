import type { ByteLength, ByteOffset } from '../../memory/reference.js';
import { type Int64Words, parseInt64, parseInt64Words, parseSafeInteger } from '../../protocol/integers.js';
import type { CommandContext } from '../../server/context.js';
import { ERROR_NOT_INTEGER, ERROR_SYNTAX } from '../../server/errors.js';
import {
  type BitWidth,
  OVERFLOW_FAIL,
  OVERFLOW_SATURATE,
  OVERFLOW_WRAP,
  type OverflowRule,
} from '../../structures/bitfield.js';
import type { BitPosition } from '../../structures/bitmap.js';
import { bitPositionsEnd, ERROR_BIT_OFFSET } from './writing.js';

/** What an operation of BITFIELD does. */
export type OperationKind = number;

export const GETS: OperationKind = 0; // replies a field
export const SETS: OperationKind = 1; // gives it a value and replies the old one
export const INCREMENTS: OperationKind = 2; // adds to it and replies the sum
export const CHANGES_OVERFLOW: OperationKind = 3; // replies nothing: says what the operations behind it do on overflow

const ERROR_TYPE =
  'ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.';
const ERROR_OVERFLOW = 'ERR Invalid OVERFLOW type specified';

const HASH = 0x23;
const LETTER_I = 0x69;
const LETTER_U = 0x75;

/**
 * Reads the operations of BITFIELD, one after the other. As nothing may change when the last of them is wrong, they are
 * read twice, first by `check` and then to be run: that is cheaper than to keep them.
 *
 *     if (!operations.check(context)) return;
 *     operations.begin(context);
 *     while (operations.next(context)) …
 */
export class BitfieldOperations {
  /** How many operations there are that reply something, and what they come to, when `check` has seen all. */
  count = 0;
  onlyGets = true;
  /** The last bit that any of them may write. */
  lastWritten: BitPosition = 0;

  /** The operation that was read last. */
  kind: OperationKind = GETS;
  isSigned = false;
  width: BitWidth = 1;
  position: BitPosition = 0;
  /** The value of a SET, the increment of an INCRBY. */
  readonly operand: Int64Words = { low: 0, high: 0 };
  overflowRule: OverflowRule = OVERFLOW_WRAP;

  /** Reads all operations. False when one is wrong and the error is replied. */
  check(context: CommandContext): boolean {
    this.count = 0;
    this.onlyGets = true;
    this.lastWritten = 0;
    this.begin(context);
    while (context.options.hasMore) {
      if (!this.next(context)) return false;
      if (this.kind === CHANGES_OVERFLOW) continue;
      this.count++;
      if (this.kind === GETS) continue;
      this.onlyGets = false;
      this.lastWritten = Math.max(this.lastWritten, this.position + this.width - 1);
    }
    return true;
  }

  /** Starts from the first. */
  begin({ options, arguments: call }: CommandContext): void {
    options.begin(call, 2);
    this.overflowRule = OVERFLOW_WRAP;
  }

  /** Reads the next operation. False when there is none, and when it is wrong and the error is replied. */
  next(context: CommandContext): boolean {
    const { options, reply } = context;
    if (!options.hasMore) return false;
    if (options.takeWithArguments('GET', 2)) this.kind = GETS;
    else if (options.takeWithArguments('SET', 3)) this.kind = SETS;
    else if (options.takeWithArguments('INCRBY', 3)) this.kind = INCREMENTS;
    else if (options.takeWithArgument('OVERFLOW')) return this.readOverflow(context, options.argument);
    else {
      reply.error(ERROR_SYNTAX);
      return false;
    }
    const { argument } = options;
    if (!this.readType(context, argument) || !this.readPosition(context, argument + 1)) return false;
    return this.kind === GETS || this.readOperand(context, argument + 2);
  }

  private readOverflow({ arguments: call, reply }: CommandContext, index: number): boolean {
    this.kind = CHANGES_OVERFLOW;
    if (call.is(index, 'WRAP')) this.overflowRule = OVERFLOW_WRAP;
    else if (call.is(index, 'SAT')) this.overflowRule = OVERFLOW_SATURATE;
    else if (call.is(index, 'FAIL')) this.overflowRule = OVERFLOW_FAIL;
    else {
      reply.error(ERROR_OVERFLOW);
      return false;
    }
    return true;
  }

  /** Reads a type: `i` and 1 to 64, or `u` and 1 to 63. As in Redis it ends at a NUL byte. */
  private readType({ arguments: call, reply }: CommandContext, index: number): boolean {
    const { bytes } = call;
    const offset = call.offsets[index];
    const letter = call.lengths[index] > 0 ? bytes[offset] : 0;
    const length = lengthBeforeNul(bytes, offset, call.lengths[index]);
    const width = parseSafeInteger(bytes, offset + 1, length - 1);
    this.isSigned = letter === LETTER_I;
    this.width = width;
    if ((this.isSigned || letter === LETTER_U) && width >= 1 && width <= (this.isSigned ? 64 : 63))
      return true;
    reply.error(ERROR_TYPE);
    return false;
  }

  /** Reads a position: in bits, or behind a `#` in widths of the type. */
  private readPosition(context: CommandContext, index: number): boolean {
    const { bytes, offsets, lengths } = context.arguments;
    const offset = offsets[index];
    const length = lengths[index];
    const isInWidths = length > 0 && bytes[offset] === HASH;
    const position = isInWidths
      ? positionOfField(bytes, offset + 1, length - 1, this.width)
      : parseSafeInteger(bytes, offset, length);
    this.position = position;
    if (position >= 0 && position < bitPositionsEnd(context)) return true;
    context.reply.error(ERROR_BIT_OFFSET);
    return false;
  }

  private readOperand({ arguments: call, reply }: CommandContext, index: number): boolean {
    if (parseInt64Words(call.bytes, call.offsets[index], call.lengths[index], this.operand)) return true;
    reply.error(ERROR_NOT_INTEGER);
    return false;
  }
}

/** The position of the field of this number when fields of a width follow each other; NaN when it is no number. */
function positionOfField(
  bytes: Uint8Array,
  offset: ByteOffset,
  length: ByteLength,
  width: BitWidth,
): BitPosition {
  const number = parseSafeInteger(bytes, offset, length);
  if (!Number.isNaN(number)) return number * width;
  const exact = parseInt64(bytes, offset, length);
  // Redis multiplies in 64 bits, so that a number beyond all strings may come to a position within one.
  return exact === undefined ? NaN : Number(BigInt.asIntN(64, exact * BigInt(width)));
}

function lengthBeforeNul(bytes: Uint8Array, offset: ByteOffset, length: ByteLength): ByteLength {
  for (let i = 0; i < length; i++) if (bytes[offset + i] === 0) return i;
  return length;
}
