/** Commands that add to the number in a field of a hash. */

import { keyEvent, NOTIFY_HASH } from '../../keyspace/events.js';
import { type RecordReference, TYPE_HASH } from '../../keyspace/record.js';
import { type ByteLength, NULL_REFERENCE } from '../../memory/reference.js';
import {
  INT64_DECIMAL_LENGTH_MAX,
  INT64_MAX,
  INT64_MIN,
  parseInt64,
  parseSafeInteger,
  writeSafeInteger,
} from '../../protocol/integers.js';
import {
  addLongDoubles,
  formatLongDouble,
  isNanOrInfinity,
  longDoubleFromInt64,
  parseLongDouble,
} from '../../protocol/long-double.js';
import { type Command, keyAt } from '../../server/command.js';
import { type CommandContext, WRONG_TYPE } from '../../server/context.js';
import { ERROR_NOT_FLOAT, ERROR_NOT_INTEGER } from '../../server/errors.js';
import { FIELDS, HSETEX, KEEPTTL } from '../../server/propagated-words.js';
import { type FieldHandle, NO_FIELD } from '../../types/hash.js';
import { addHash, findField, withoutExpiredField } from './fields.js';

const EVENT_HINCRBY = keyEvent(NOTIFY_HASH, 'hincrby');
const EVENT_HINCRBYFLOAT = keyEvent(NOTIFY_HASH, 'hincrbyfloat');

export const countingCommands: readonly Command[] = [
  {
    name: 'hincrby',
    summary: 'Add to an integer in a field of a hash.',
    syntax: 'key field increment:integer',
    arity: 4,
    flags: ['write', 'denyoom', 'fast'],
    categories: ['@hash'],
    keys: [keyAt(1, 'RW', 'access', 'update')],
    since: '2.0.0',
    group: 'hash',
    complexity: 'O(1)',
    handler: increment,
  },
  {
    name: 'hincrbyfloat',
    summary: 'Add to a floating-point number in a field of a hash.',
    syntax: 'key field increment:double',
    arity: 4,
    flags: ['write', 'denyoom', 'fast'],
    categories: ['@hash'],
    keys: [keyAt(1, 'RW', 'access', 'update')],
    since: '2.6.0',
    group: 'hash',
    complexity: 'O(1)',
    handler: incrementByFloat,
  },
];

const digits = new Uint8Array(INT64_DECIMAL_LENGTH_MAX);

/** HINCRBY key field increment */
function increment(context: CommandContext): void {
  const { bytes, offsets, lengths } = context.arguments;
  const safe = parseSafeInteger(bytes, offsets[3], lengths[3]);
  const exact = Number.isNaN(safe) ? parseInt64(bytes, offsets[3], lengths[3]) : undefined;
  if (Number.isNaN(safe) && exact === undefined) {
    context.reply.error(ERROR_NOT_INTEGER);
    return;
  }
  const found = context.writeTyped(1, TYPE_HASH);
  if (found === WRONG_TYPE) return;
  const record = withoutExpiredField(context, found, 2);
  const handle = findField(context, record, 2);
  const sum = safe + safeValue(context, record, handle);
  if (!Number.isSafeInteger(sum)) {
    incrementExactly(context, record, handle, exact ?? BigInt(safe));
    return;
  }
  const length = writeSafeInteger(digits, 0, sum);
  setNumber(context, record, handle, digits, length);
  context.changed(EVENT_HINCRBY, 1);
  context.reply.integer(sum);
}

/** The integer in a field, 0 when it is new; NaN when it is none, or not one that a double holds exactly. */
function safeValue({ types }: CommandContext, record: RecordReference, handle: FieldHandle): number {
  if (handle === NO_FIELD) return 0;
  const { hashes } = types;
  hashes.read(record, handle);
  return parseSafeInteger(hashes.bytes, hashes.offset, hashes.length);
}

/** The same for any integers of 64 bits. Cold. */
function incrementExactly(
  context: CommandContext,
  record: RecordReference,
  handle: FieldHandle,
  added: bigint,
): void {
  const { reply } = context;
  const { hashes } = context.types;
  let value: bigint | undefined = 0n;
  if (handle !== NO_FIELD) {
    hashes.read(record, handle);
    value = parseInt64(hashes.bytes, hashes.offset, hashes.length);
  }
  if (value === undefined) {
    reply.error('ERR hash value is not an integer');
    return;
  }
  const sum = value + added;
  if (sum < INT64_MIN || sum > INT64_MAX) {
    reply.error('ERR increment or decrement would overflow');
    return;
  }
  const text = Buffer.from(sum.toString(), 'latin1');
  setNumber(context, record, handle, text, text.length);
  context.changed(EVENT_HINCRBY, 1);
  reply.bigInteger(sum);
}

/** HINCRBYFLOAT key field increment */
function incrementByFloat(context: CommandContext): void {
  const { arguments: call, reply } = context;
  const { hashes } = context.types;
  const added = parseLongDouble(call.bytes, call.offsets[3], call.lengths[3]);
  if (added === undefined) {
    reply.error(ERROR_NOT_FLOAT);
    return;
  }
  if (isNanOrInfinity(added)) {
    reply.error('ERR value is NaN or Infinity');
    return;
  }
  const found = context.writeTyped(1, TYPE_HASH);
  if (found === WRONG_TYPE) return;
  const record = withoutExpiredField(context, found, 2);
  const handle = findField(context, record, 2);
  if (handle !== NO_FIELD) hashes.read(record, handle);
  const value =
    handle === NO_FIELD
      ? longDoubleFromInt64(0n)
      : parseLongDouble(hashes.bytes, hashes.offset, hashes.length);
  if (value === undefined) {
    reply.error('ERR hash value is not a float');
    return;
  }
  const sum = addLongDoubles(value, added);
  if (isNanOrInfinity(sum)) {
    reply.error('ERR increment would produce NaN or Infinity');
    return;
  }
  const text = Buffer.from(formatLongDouble(sum), 'latin1');
  setNumber(context, record, handle, text, text.length);
  context.changed(EVENT_HINCRBYFLOAT, 1);
  reply.bulk(text, 0, text.length);
  if (!context.propagation.isActive) return;
  context
    .propagateInstead(7)
    .word(HSETEX)
    .argument(call, 1)
    .word(KEEPTTL)
    .word(FIELDS)
    .integer(1)
    .argument(call, 2)
    .bytes(text, 0, text.length);
}

/** Sets the field in argument 2, whose deadline stays, to a number's text. */
function setNumber(
  context: CommandContext,
  found: RecordReference,
  handle: FieldHandle,
  text: Uint8Array,
  length: ByteLength,
): void {
  const { database, keyspace } = context;
  const { bytes, offsets, lengths } = context.arguments;
  const { hashes } = context.types;
  const isNew = found === NULL_REFERENCE;
  const record = isNew ? addHash(context, hashes.encodingFor(1, Math.max(lengths[2], length)), 0) : found;
  try {
    hashes.set(database, record, handle, bytes, offsets[2], lengths[2], text, 0, length, true);
  } catch (error) {
    if (isNew) keyspace.remove(database, record);
    throw error;
  }
}
