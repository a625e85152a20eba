/** Commands that get fields of a hash and delete them, or get or set them together with their expiry. */
import { type RecordReference, TYPE_HASH } from '../../keyspace/record.js';
import { KEEP_DEADLINE, NO_DEADLINE } from '../../keyspace/record-store.js';
import { NULL_REFERENCE } from '../../memory/reference.js';
import { type Command, keyAt } from '../../server/command.js';
import { type CommandContext, WRONG_TYPE } from '../../server/context.js';
import { wrongArity } from '../../server/errors.js';
import { HDEL, HPERSIST, HPEXPIREAT, PXAT } from '../../server/propagated-words.js';
import type { TimestampMs } from '../../structures/deadlines.js';
import { EVENT_HEXPIRED, NO_FIELD } from '../../types/hash.js';
import { MILLISECONDS, SECONDS, type TimeUnitMs } from '../expiration.js';
import { fieldDeadlineFrom, setFieldDeadline } from './field-expiry.js';
import {
  ERROR_FIELD_COUNT,
  EVENT_HDEL,
  EVENT_HEXPIRE,
  EVENT_HPERSIST,
  EVENT_HSET,
  findField,
  firstFieldOf,
  NO_ARGUMENT,
  openForFields,
  removeExpired,
  removeIfEmpty,
  replyValue,
  setField,
} from './fields.js';

export const getdelGetexSetexCommands: readonly Command[] = [
  {
    name: 'hgetdel',
    summary: 'Read fields of a hash and delete them.',
    syntax: 'key FIELDS {numfields field...}',
    arity: -5,
    flags: ['write', 'fast'],
    categories: ['@hash'],
    keys: [keyAt(1, 'RW', 'access', 'delete')],
    since: '8.0.0',
    group: 'hash',
    complexity: 'O(N) for N fields given',
    handler: getAndDelete,
  },
  {
    name: 'hgetex',
    summary: 'Read fields of a hash and set or remove their expiry.',
    syntax:
      'key [expiration:(EX seconds | PX milliseconds | EXAT unix-time-seconds | PXAT unix-time-milliseconds | PERSIST)] FIELDS {numfields field...}',
    arity: -5,
    flags: ['write', 'fast'],
    categories: ['@hash'],
    keys: [{ ...keyAt(1, 'RW', 'access', 'update'), notes: 'of the value, only the time to live changes' }],
    since: '8.0.0',
    group: 'hash',
    complexity: 'O(N) for N fields given',
    handler: getAndExpire,
  },
  {
    name: 'hsetex',
    summary: 'Set fields of a hash together with their expiry.',
    syntax:
      'key [condition:(FNX | FXX)] [expiration:(EX seconds | PX milliseconds | EXAT unix-time-seconds | PXAT unix-time-milliseconds | KEEPTTL)] FIELDS {numfields data:{field value}...}',
    arity: -6,
    flags: ['write', 'denyoom', 'fast'],
    categories: ['@hash'],
    keys: [keyAt(1, 'RW', 'update')],
    since: '8.0.0',
    group: 'hash',
    complexity: 'O(N) for N fields given',
    handler: setAndExpire,
  },
];

const ERROR_SET_FIELD_COUNT = 'ERR invalid number of fields';
const INT32_MAX = 2 ** 31 - 1;

/** HGETDEL key FIELDS numfields field... */
function getAndDelete(context: CommandContext): void {
  const { arguments: call, database, reply } = context;
  const { hashes } = context.types;
  const record = context.writeTyped(1, TYPE_HASH);
  if (record === WRONG_TYPE) return;
  const first = firstFieldOf(context, 2, ERROR_FIELD_COUNT);
  if (first === NO_ARGUMENT) return;
  reply.arrayHeader(call.count - first);
  let expired = 0;
  let deleted = 0;
  for (let i = first; i < call.count; i++) {
    const handle = findField(context, record, i);
    if (handle !== NO_FIELD && hashes.isExpired(record, handle)) {
      replyValue(context, record, NO_FIELD);
      if (removeExpired(context, record, handle)) expired++;
      continue;
    }
    replyValue(context, record, handle);
    if (handle === NO_FIELD) continue;
    hashes.remove(database, record, handle);
    deleted++;
  }
  if (expired > 0) context.notify(EVENT_HEXPIRED, 1);
  if (deleted > 0) context.changed(EVENT_HDEL, 1, deleted);
  if (expired + deleted > 0) removeIfEmpty(context, record);
  if (deleted === 0 || !context.propagation.isActive) return;
  context
    .propagateInstead(call.count - 2)
    .word(HDEL)
    .argument(call, 1)
    .arguments(call, first);
}

/** HGETEX key [EX … | PX … | EXAT … | PXAT … | PERSIST] FIELDS numfields field... */
function getAndExpire(context: CommandContext): void {
  const { arguments: call, options, database, reply } = context;
  const { hashes } = context.types;
  const found = context.writeTyped(1, TYPE_HASH);
  if (found === WRONG_TYPE) return;
  options.begin(call, 2);
  const hasTime = takeTime(context);
  const deadlineMs = hasTime ? takenDeadline(context) : NO_DEADLINE;
  if (Number.isNaN(deadlineMs)) return;
  const isPersist = !hasTime && options.take('PERSIST');
  if (options.position + 1 >= call.count) {
    reply.error(wrongArity(context.command.fullName));
    return;
  }
  const first = firstFieldOf(context, options.position, ERROR_FIELD_COUNT);
  if (first === NO_ARGUMENT) return;
  const changesExpiry = (hasTime || isPersist) && found !== NULL_REFERENCE;
  const record = changesExpiry ? hashes.makeExpirable(database, found) : found;
  reply.arrayHeader(call.count - first);
  let expired = 0;
  let deleted = 0;
  let updated = 0;
  for (let i = first; i < call.count; i++) {
    const handle = findField(context, record, i);
    if (handle !== NO_FIELD && hashes.isExpired(record, handle)) {
      replyValue(context, record, NO_FIELD);
      if (removeExpired(context, record, handle)) expired++;
      continue;
    }
    replyValue(context, record, handle);
    if (handle === NO_FIELD || !changesExpiry) continue;
    if (hasTime) {
      if (setFieldDeadline(context, record, handle, deadlineMs)) updated++;
      else deleted++;
    } else if (hashes.deadline(record, handle) !== NO_DEADLINE) {
      hashes.setDeadline(database, record, handle, NO_DEADLINE);
      updated++;
    }
  }
  if (expired > 0) context.notify(EVENT_HEXPIRED, 1);
  if (updated > 0) context.changed(isPersist ? EVENT_HPERSIST : EVENT_HEXPIRE, 1, updated + deleted);
  else if (deleted > 0) context.changed(EVENT_HDEL, 1, deleted);
  if (expired + deleted > 0) removeIfEmpty(context, record);
  // Of fields that were deleted the keyspace has told.
  if (updated > 0) propagateExpiry(context, isPersist, deadlineMs);
  else context.propagateNothing();
}

/** Propagates HGETEX as what it has done, whether all of its fields exist or not. */
function propagateExpiry(context: CommandContext, isPersist: boolean, deadlineMs: TimestampMs): void {
  const { arguments: call, propagation } = context;
  if (!propagation.isActive) return;
  context
    .propagateInstead(call.count - 1)
    .word(isPersist ? HPERSIST : HPEXPIREAT)
    .argument(call, 1);
  if (isPersist) propagation.arguments(call, 3);
  else propagation.integer(deadlineMs).arguments(call, 4);
}

/** The option EX, PX, EXAT or PXAT that `takeTime` took: where its time is, what that counts, and from when. */
const taken = { argument: NO_ARGUMENT, unitMs: SECONDS as TimeUnitMs, baseMs: 0, isUnixMs: false };

/** Takes the next option if it says a time. */
function takeTime({ options, keyspace }: CommandContext): boolean {
  const isSeconds = options.takeWithArgument('EX');
  const isRelative = isSeconds || options.takeWithArgument('PX');
  const isUnixSeconds = !isRelative && options.takeWithArgument('EXAT');
  if (!isRelative && !isUnixSeconds && !options.takeWithArgument('PXAT')) return false;
  taken.argument = options.argument;
  taken.unitMs = isSeconds || isUnixSeconds ? SECONDS : MILLISECONDS;
  taken.baseMs = isRelative ? keyspace.nowMs : 0;
  taken.isUnixMs = !isRelative && !isUnixSeconds;
  return true;
}

/** The deadline that the option says which was taken; NaN when it is wrong and the error is replied. */
function takenDeadline(context: CommandContext): TimestampMs {
  return fieldDeadlineFrom(context, taken.argument, taken.unitMs, taken.baseMs);
}

/** What an HSETEX is told. */
const request = {
  /** FNX and FXX: set the fields only if none of them exists, or all do. */
  condition: 'none' as 'none' | 'FNX' | 'FXX',
  /** When the fields are to expire; NO_DEADLINE: not; KEEP_DEADLINE: as before. */
  deadlineMs: NO_DEADLINE,
  /** The argument of the first field. */
  first: NO_ARGUMENT,
  /** How many fields had expired, of those that the condition is about. */
  expired: 0,
};

/** HSETEX key [FNX | FXX] [EX … | PX … | EXAT … | PXAT … | KEEPTTL] FIELDS numfields {field value}... */
function setAndExpire(context: CommandContext): void {
  if (!readRequest(context)) return;
  const { arguments: call, keyspace, database, reply, types } = context;
  const { deadlineMs, first } = request;
  const found = context.writeTyped(1, TYPE_HASH);
  if (found === WRONG_TYPE) return;
  const mayBeSet = isConditionMet(context, found, first);
  const { expired } = request;
  if (!mayBeSet) {
    reply.integer(0);
    if (expired > 0) {
      context.notify(EVENT_HEXPIRED, 1);
      removeIfEmpty(context, found);
    }
    return;
  }
  const setsDeadline = deadlineMs !== NO_DEADLINE && deadlineMs !== KEEP_DEADLINE;
  let record = openForFields(context, found, first, call.count);
  let deleted = 0;
  try {
    if (setsDeadline) record = types.hashes.makeExpirable(database, record);
    for (let i = first; i < call.count; i += 2) {
      setField(context, record, i, deadlineMs !== NO_DEADLINE);
      if (!setsDeadline) continue;
      if (!setFieldDeadline(context, record, findField(context, record, i), deadlineMs)) deleted++;
    }
  } catch (error) {
    if (found === NULL_REFERENCE) keyspace.remove(database, record);
    throw error;
  }
  if (expired > 0) context.notify(EVENT_HEXPIRED, 1);
  context.changed(EVENT_HSET, 1, (call.count - first) / 2);
  if (setsDeadline) context.notify(deleted > 0 ? EVENT_HDEL : EVENT_HEXPIRE, 1);
  removeIfEmpty(context, record);
  reply.integer(1);
  // Of fields that were deleted, as their time is past, the keyspace has told.
  if (deleted > 0) context.propagateNothing();
  else if (setsDeadline && context.propagation.isActive) propagateWithDeadline(context);
}

/** Propagates HSETEX with a time that stays the same. */
function propagateWithDeadline(context: CommandContext): void {
  const { arguments: call } = context;
  const { argument: timeIndex } = taken;
  if (taken.isUnixMs) return;
  context
    .propagateInstead(call.count)
    .arguments(call, 0, timeIndex - 1)
    .word(PXAT)
    .integer(request.deadlineMs)
    .arguments(call, timeIndex + 1);
}

/** Whether the fields may be set. Removes those that have expired and counts them, as far as it looks. */
function isConditionMet(context: CommandContext, record: RecordReference, first: number): boolean {
  const { arguments: call, types } = context;
  const { condition } = request;
  request.expired = 0;
  if (condition === 'none') return true;
  if (record === NULL_REFERENCE) return condition === 'FNX';
  for (let i = first; i < call.count; i += 2) {
    const handle = findField(context, record, i);
    let isThere = handle !== NO_FIELD;
    if (isThere && types.hashes.isExpired(record, handle)) {
      isThere = false;
      if (removeExpired(context, record, handle)) request.expired++;
    }
    if (isThere === (condition === 'FNX')) return false;
  }
  return true;
}

/** Reads what comes behind the key; false when it is wrong and the error is replied. */
function readRequest(context: CommandContext): boolean {
  const { arguments: call, options, reply } = context;
  let hasExpiry = false;
  request.condition = 'none';
  request.deadlineMs = NO_DEADLINE;
  options.begin(call, 2);
  while (!options.take('FIELDS')) {
    const setsDeadline = takeTime(context);
    if (setsDeadline || options.take('KEEPTTL')) {
      if (hasExpiry) {
        reply.error('ERR Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified');
        return false;
      }
      hasExpiry = true;
      request.deadlineMs = setsDeadline ? takenDeadline(context) : KEEP_DEADLINE;
      if (Number.isNaN(request.deadlineMs)) return false;
    } else if (options.take('FNX') || options.take('FXX')) {
      if (request.condition !== 'none') {
        reply.error('ERR Only one of FXX or FNX arguments can be specified');
        return false;
      }
      request.condition = call.is(options.position - 1, 'FNX') ? 'FNX' : 'FXX';
    } else {
      reply.error(`ERR unknown argument: ${call.cString(options.position)}`);
      return false;
    }
  }
  return readPairCount(context, options.position);
}

/** Reads how many fields and values follow argument `index`, and whether they do. */
function readPairCount(context: CommandContext, index: number): boolean {
  const { arguments: call, reply } = context;
  const isTooShort = index >= call.count - 2;
  const count = isTooShort ? 0 : context.integer(index, ERROR_SET_FIELD_COUNT);
  if (Number.isNaN(count)) return false;
  request.first = index + 1;
  if (isTooShort) reply.error(wrongArity(context.command.fullName));
  else if (count < 1 || count > INT32_MAX) reply.error(ERROR_SET_FIELD_COUNT);
  else if (count * 2 !== call.count - request.first) reply.error(wrongArity(context.command.fullName));
  else return true;
  return false;
}
