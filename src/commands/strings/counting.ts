/** Commands that add to the number in a string. */
import { keyEvent, NOTIFY_STRING } from '../../keyspace/events.js';
import { ENCODING_INT, type RecordReference, TYPE_STRING } from '../../keyspace/record.js';
import { KEEP_DEADLINE, NO_DEADLINE } from '../../keyspace/record-store.js';
import { NULL_REFERENCE } from '../../memory/reference.js';
import {
  highWord,
  highWordOfBigint,
  INT64_MAX,
  INT64_MIN,
  lowWord,
  lowWordOfBigint,
  parseInt64,
  parseSafeInteger,
} from '../../protocol/integers.js';
import {
  addLongDoubles,
  formatLongDouble,
  isNanOrInfinity,
  type LongDouble,
  longDoubleFromInt64,
  parseLongDouble,
} from '../../protocol/long-double.js';
import { type Command, keyAt } from '../../server/command.js';
import { type CommandContext, WRONG_TYPE } from '../../server/context.js';
import { ERROR_NOT_FLOAT, ERROR_NOT_INTEGER } from '../../server/errors.js';
import { KEEPTTL, SET } from '../../server/propagated-words.js';
import { encodingOf } from '../../types/string.js';

const EVENT_INCRBY = keyEvent(NOTIFY_STRING, 'incrby');
const EVENT_INCRBYFLOAT = keyEvent(NOTIFY_STRING, 'incrbyfloat');

export const countingCommands: readonly Command[] = [
  {
    name: 'incr',
    summary: 'Add one to an integer.',
    syntax: 'key',
    arity: 2,
    flags: ['write', 'denyoom', 'fast'],
    categories: ['@string'],
    keys: [keyAt(1, 'RW', 'access', 'update')],
    since: '1.0.0',
    group: 'string',
    complexity: 'O(1)',
    handler: (context) => addInteger(context, 1),
  },
  {
    name: 'decr',
    summary: 'Take one from an integer.',
    syntax: 'key',
    arity: 2,
    flags: ['write', 'denyoom', 'fast'],
    categories: ['@string'],
    keys: [keyAt(1, 'RW', 'access', 'update')],
    since: '1.0.0',
    group: 'string',
    complexity: 'O(1)',
    handler: (context) => addInteger(context, -1),
  },
  {
    name: 'incrby',
    summary: 'Add to an integer.',
    syntax: 'key increment:integer',
    arity: 3,
    flags: ['write', 'denyoom', 'fast'],
    categories: ['@string'],
    keys: [keyAt(1, 'RW', 'access', 'update')],
    since: '1.0.0',
    group: 'string',
    complexity: 'O(1)',
    handler: incrementBy,
  },
  {
    name: 'decrby',
    summary: 'Subtract from an integer.',
    syntax: 'key decrement:integer',
    arity: 3,
    flags: ['write', 'denyoom', 'fast'],
    categories: ['@string'],
    keys: [keyAt(1, 'RW', 'access', 'update')],
    since: '1.0.0',
    group: 'string',
    complexity: 'O(1)',
    handler: decrementBy,
  },
  {
    name: 'incrbyfloat',
    summary: 'Add to a floating-point number.',
    syntax: 'key increment:double',
    arity: 3,
    flags: ['write', 'denyoom', 'fast'],
    categories: ['@string'],
    keys: [keyAt(1, 'RW', 'access', 'update')],
    since: '2.6.0',
    group: 'string',
    complexity: 'O(1)',
    handler: incrementByFloat,
  },
];

/** INCRBY key increment */
function incrementBy(context: CommandContext): void {
  const { bytes, offsets, lengths } = context.arguments;
  const increment = parseSafeInteger(bytes, offsets[2], lengths[2]);
  if (!Number.isNaN(increment)) {
    addInteger(context, increment);
    return;
  }
  const exact = parseInt64(bytes, offsets[2], lengths[2]);
  if (exact === undefined) context.reply.error(ERROR_NOT_INTEGER);
  else addBigInteger(context, exact);
}

/** DECRBY key decrement */
function decrementBy(context: CommandContext): void {
  const { bytes, offsets, lengths } = context.arguments;
  const decrement = parseSafeInteger(bytes, offsets[2], lengths[2]);
  if (!Number.isNaN(decrement)) {
    addInteger(context, -decrement);
    return;
  }
  const exact = parseInt64(bytes, offsets[2], lengths[2]);
  if (exact === undefined) context.reply.error(ERROR_NOT_INTEGER);
  else if (exact === INT64_MIN) context.reply.error('ERR decrement would overflow');
  else addBigInteger(context, -exact);
}

/** Adds a safe integer; as long as the sum is one too, without BigInt. */
function addInteger(context: CommandContext, increment: number): void {
  const record = context.writeTyped(1, TYPE_STRING);
  if (record === WRONG_TYPE) return;
  const { strings } = context.types;
  let sum = increment;
  if (record === NULL_REFERENCE) {
    context.add(1, TYPE_STRING, ENCODING_INT, lowWord(increment), highWord(increment));
  } else {
    sum = strings.safeInteger(record) + increment;
    if (!Number.isSafeInteger(sum)) {
      addBigIntegerTo(context, record, BigInt(increment));
      return;
    }
    strings.setSafeInteger(context.database, record, sum);
  }
  context.changed(EVENT_INCRBY, 1);
  context.reply.integer(sum);
}

/** Adds any 64-bit integer. */
function addBigInteger(context: CommandContext, increment: bigint): void {
  const record = context.writeTyped(1, TYPE_STRING);
  if (record === WRONG_TYPE) return;
  if (record !== NULL_REFERENCE) {
    addBigIntegerTo(context, record, increment);
    return;
  }
  context.add(1, TYPE_STRING, ENCODING_INT, lowWordOfBigint(increment), highWordOfBigint(increment));
  context.changed(EVENT_INCRBY, 1);
  context.reply.bigInteger(increment);
}

function addBigIntegerTo(context: CommandContext, record: RecordReference, increment: bigint): void {
  const { database, reply } = context;
  const { strings } = context.types;
  const value = strings.bigInteger(record);
  if (value === undefined) {
    reply.error(ERROR_NOT_INTEGER);
    return;
  }
  const sum = value + increment;
  if (sum < INT64_MIN || sum > INT64_MAX) {
    reply.error('ERR increment or decrement would overflow');
    return;
  }
  strings.setBigInteger(database, record, sum);
  context.changed(EVENT_INCRBY, 1);
  reply.bigInteger(sum);
}

/** INCRBYFLOAT key increment */
function incrementByFloat(context: CommandContext): void {
  const record = context.writeTyped(1, TYPE_STRING);
  if (record === WRONG_TYPE) return;
  const { database, keyHash, reply } = context;
  const { strings } = context.types;
  const { bytes, offsets, lengths } = context.arguments;
  const value = longDoubleOf(context, record);
  const increment = parseLongDouble(bytes, offsets[2], lengths[2]);
  if (value === undefined || increment === undefined) {
    reply.error(ERROR_NOT_FLOAT);
    return;
  }
  const sum = addLongDoubles(value, increment);
  if (isNanOrInfinity(sum)) {
    reply.error('ERR increment would produce NaN or Infinity');
    return;
  }
  const text = Buffer.from(formatLongDouble(sum), 'latin1');
  const { length } = text;
  if (record === NULL_REFERENCE) {
    const [key, keyLength, encoding] = [offsets[1], lengths[1], encodingOf(length)];
    strings.addBytes(database, keyHash, bytes, key, keyLength, text, 0, length, encoding, NO_DEADLINE);
  } else {
    strings.replaceBytes(database, record, text, 0, length, KEEP_DEADLINE);
  }
  context.changed(EVENT_INCRBYFLOAT, 1);
  reply.bulkBytes(text);
  if (!context.propagation.isActive) return;
  // The sum itself: that of another machine, or of another time, might be another one.
  context.propagateInstead(4).word(SET).argument(context.arguments, 1).bytes(text, 0, length).word(KEEPTTL);
}

/** The number that a string spells, 0 without a string; undefined when it spells none. */
function longDoubleOf({ types, keyspace }: CommandContext, record: RecordReference): LongDouble | undefined {
  const { strings } = types;
  if (record === NULL_REFERENCE) return longDoubleFromInt64(0n);
  const integer = keyspace.records.encoding(record) === ENCODING_INT ? strings.bigInteger(record) : undefined;
  if (integer !== undefined) return longDoubleFromInt64(integer);
  strings.read(record);
  return parseLongDouble(strings.bytes, strings.offset, strings.length);
}
