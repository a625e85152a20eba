/** Commands that say, ask and forget when fields of a hash expire. */
import { type RecordReference, TYPE_HASH } from '../../keyspace/record.js';
import { NO_DEADLINE } from '../../keyspace/record-store.js';
import { NULL_REFERENCE } from '../../memory/reference.js';
import { ReferenceList } from '../../memory/reference-list.js';
import { type Command, keyAt } from '../../server/command.js';
import { type CommandContext, WRONG_TYPE } from '../../server/context.js';
import { invalidExpire } from '../../server/errors.js';
import { HPEXPIREAT } from '../../server/propagated-words.js';
import type { TimestampMs } from '../../structures/deadlines.js';
import { NO_FIELD } from '../../types/hash.js';
import { MILLISECONDS, SECONDS, type TimeUnitMs } from '../expiration.js';
import {
  ERROR_FIELD_COUNT,
  EVENT_HDEL,
  EVENT_HEXPIRE,
  EVENT_HPERSIST,
  findField,
  firstFieldOf,
  NO_ARGUMENT,
  removeIfEmpty,
} from './fields.js';

export const fieldExpiryCommands: readonly Command[] = [
  {
    name: 'hexpire',
    summary: 'Let fields of a hash expire after some seconds.',
    syntax: 'key seconds [condition:(NX | XX | GT | LT)] FIELDS {numfields field...}',
    arity: -6,
    flags: ['write', 'fast'],
    categories: ['@hash'],
    keys: [keyAt(1, 'RW', 'update')],
    since: '7.4.0',
    group: 'hash',
    complexity: 'O(N) for N fields given',
    handler: (context) => expire(context, SECONDS, context.keyspace.nowMs),
  },
  {
    name: 'hpexpire',
    summary: 'Let fields of a hash expire after some milliseconds.',
    syntax: 'key milliseconds [condition:(NX | XX | GT | LT)] FIELDS {numfields field...}',
    arity: -6,
    flags: ['write', 'fast'],
    categories: ['@hash'],
    keys: [keyAt(1, 'RW', 'update')],
    since: '7.4.0',
    group: 'hash',
    complexity: 'O(N) for N fields given',
    handler: (context) => expire(context, MILLISECONDS, context.keyspace.nowMs),
  },
  {
    name: 'hexpireat',
    summary: 'Let fields of a hash expire at a Unix time in seconds.',
    syntax: 'key unix-time-seconds [condition:(NX | XX | GT | LT)] FIELDS {numfields field...}',
    arity: -6,
    flags: ['write', 'fast'],
    categories: ['@hash'],
    keys: [keyAt(1, 'RW', 'update')],
    since: '7.4.0',
    group: 'hash',
    complexity: 'O(N) for N fields given',
    handler: (context) => expire(context, SECONDS, 0),
  },
  {
    name: 'hpexpireat',
    summary: 'Let fields of a hash expire at a Unix time in milliseconds.',
    syntax: 'key unix-time-milliseconds [condition:(NX | XX | GT | LT)] FIELDS {numfields field...}',
    arity: -6,
    flags: ['write', 'fast'],
    categories: ['@hash'],
    keys: [keyAt(1, 'RW', 'update')],
    since: '7.4.0',
    group: 'hash',
    complexity: 'O(N) for N fields given',
    handler: (context) => expire(context, MILLISECONDS, 0),
  },
  {
    name: 'httl',
    summary: 'The seconds left until fields of a hash expire.',
    syntax: 'key FIELDS {numfields field...}',
    arity: -5,
    flags: ['readonly', 'fast'],
    categories: ['@hash'],
    keys: [keyAt(1, 'RO', 'access')],
    since: '7.4.0',
    group: 'hash',
    complexity: 'O(N) for N fields given',
    hints: ['nondeterministic_output'],
    handler: (context) => replyDeadlines(context, SECONDS, context.keyspace.nowMs),
  },
  {
    name: 'hpttl',
    summary: 'The milliseconds left until fields of a hash expire.',
    syntax: 'key FIELDS {numfields field...}',
    arity: -5,
    flags: ['readonly', 'fast'],
    categories: ['@hash'],
    keys: [keyAt(1, 'RO', 'access')],
    since: '7.4.0',
    group: 'hash',
    complexity: 'O(N) for N fields given',
    hints: ['nondeterministic_output'],
    handler: (context) => replyDeadlines(context, MILLISECONDS, context.keyspace.nowMs),
  },
  {
    name: 'hexpiretime',
    summary: 'The Unix times in seconds at which fields of a hash expire.',
    syntax: 'key FIELDS {numfields field...}',
    arity: -5,
    flags: ['readonly', 'fast'],
    categories: ['@hash'],
    keys: [keyAt(1, 'RO', 'access')],
    since: '7.4.0',
    group: 'hash',
    complexity: 'O(N) for N fields given',
    handler: (context) => replyDeadlines(context, SECONDS, 0),
  },
  {
    name: 'hpexpiretime',
    summary: 'The Unix times in milliseconds at which fields of a hash expire.',
    syntax: 'key FIELDS {numfields field...}',
    arity: -5,
    flags: ['readonly', 'fast'],
    categories: ['@hash'],
    keys: [keyAt(1, 'RO', 'access')],
    since: '7.4.0',
    group: 'hash',
    complexity: 'O(N) for N fields given',
    handler: (context) => replyDeadlines(context, MILLISECONDS, 0),
  },
  {
    name: 'hpersist',
    summary: 'Let fields of a hash live on without expiry.',
    syntax: 'key FIELDS {numfields field...}',
    arity: -5,
    flags: ['write', 'fast'],
    categories: ['@hash'],
    keys: [keyAt(1, 'RW', 'update')],
    since: '7.4.0',
    group: 'hash',
    complexity: 'O(N) for N fields given',
    handler: persist,
  },
];

/** The latest deadline of a field: 2^46 - 1, of Redis's 48 bits those that it does not reserve. */
const DEADLINE_MS_MAX: TimestampMs = 2 ** 46 - 1;

/** What these commands reply of a field: there is none, it does not expire, a condition was not met, … */
const NO_SUCH_FIELD = -2;
const NO_EXPIRY = -1;
const CONDITION_NOT_MET = 0;
const DONE = 1;
/** … or it is gone, because its time is past. */
export const DELETED = 2;

/** The arguments that are fields which the command has given a deadline. */
const updatedFields = new ReferenceList();

type Condition = 'none' | 'NX' | 'XX' | 'GT' | 'LT';

/** HEXPIRE, HPEXPIRE, HEXPIREAT and HPEXPIREAT key time [NX | XX | GT | LT] FIELDS numfields field... */
function expire(context: CommandContext, unitMs: TimeUnitMs, baseMs: TimestampMs): void {
  const { arguments: call, database, reply } = context;
  const found = context.writeTyped(1, TYPE_HASH);
  if (found === WRONG_TYPE) return;
  const deadlineMs = fieldDeadlineFrom(context, 2, unitMs, baseMs);
  if (Number.isNaN(deadlineMs)) return;
  const isUnixMs = unitMs === MILLISECONDS && baseMs === 0;
  const condition = conditionAt(context, 3);
  const first = firstFieldOf(
    context,
    condition === 'none' ? 3 : 4,
    'ERR Parameter `numFields` should be greater than 0',
  );
  if (first === NO_ARGUMENT) return;
  reply.arrayHeader(call.count - first);
  if (found === NULL_REFERENCE) {
    for (let i = first; i < call.count; i++) reply.integer(NO_SUCH_FIELD);
    return;
  }
  const record = context.types.hashes.makeExpirable(database, found);
  let deleted = 0;
  updatedFields.clear();
  for (let i = first; i < call.count; i++) {
    const outcome = expireField(context, record, i, condition, deadlineMs);
    if (outcome === DONE) updatedFields.push(i);
    if (outcome === DELETED) deleted++;
    reply.integer(outcome);
  }
  const updated = updatedFields.count;
  if (updated + deleted === 0) return;
  context.changed(deleted > 0 ? EVENT_HDEL : EVENT_HEXPIRE, 1, updated + deleted);
  removeIfEmpty(context, record);
  // Of fields that were deleted, as their time is past, the keyspace has told.
  if (updated === 0) context.propagateNothing();
  else if (context.propagation.isActive) propagateExpiry(context, first, isUnixMs ? NO_DEADLINE : deadlineMs);
}

/**
 * Propagates the command as HPEXPIREAT of those fields that it has given a deadline.
 * @param deadlineMs NO_DEADLINE: the command has it already
 */
function propagateExpiry(context: CommandContext, first: number, deadlineMs: TimestampMs): void {
  const { arguments: call, propagation } = context;
  const { items, count } = updatedFields;
  const isForAll = count === call.count - first;
  if (deadlineMs === NO_DEADLINE && isForAll) return;
  context.propagateInstead(first + count);
  if (deadlineMs === NO_DEADLINE) propagation.arguments(call, 0, 3);
  else propagation.word(HPEXPIREAT).argument(call, 1).integer(deadlineMs);
  propagation.arguments(call, 3, first - 1);
  if (isForAll) propagation.argument(call, first - 1);
  else propagation.integer(count);
  for (let i = 0; i < count; i++) propagation.argument(call, items[i]);
}

/** Gives the field in argument `index` a deadline if the condition is met. Returns what is replied. */
function expireField(
  context: CommandContext,
  record: RecordReference,
  index: number,
  condition: Condition,
  deadlineMs: TimestampMs,
): number {
  const { hashes } = context.types;
  const handle = findField(context, record, index);
  if (handle === NO_FIELD) return NO_SUCH_FIELD;
  if (!isMet(condition, hashes.deadline(record, handle), deadlineMs)) return CONDITION_NOT_MET;
  return setFieldDeadline(context, record, handle, deadlineMs) ? DONE : DELETED;
}

/** Gives a field a deadline, or removes it when that is past. Returns whether the field is still there. */
export function setFieldDeadline(
  { types, keyspace, database }: CommandContext,
  record: RecordReference,
  handle: number,
  deadlineMs: TimestampMs,
): boolean {
  if (!keyspace.isPast(deadlineMs)) {
    types.hashes.setDeadline(database, record, handle, deadlineMs);
    return true;
  }
  types.hashes.removeExpired(database, record, handle);
  return false;
}

/** Whether a field with a deadline, or NO_DEADLINE, may get the new one. To LT, no deadline is later than any. */
function isMet(condition: Condition, current: TimestampMs, deadlineMs: TimestampMs): boolean {
  if (condition === 'none') return true;
  if (current === NO_DEADLINE) return condition === 'NX' || condition === 'LT';
  if (condition === 'GT') return current < deadlineMs;
  if (condition === 'LT') return current > deadlineMs;
  return condition === 'XX';
}

function conditionAt({ arguments: call }: CommandContext, index: number): Condition {
  if (call.is(index, 'NX')) return 'NX';
  if (call.is(index, 'XX')) return 'XX';
  if (call.is(index, 'GT')) return 'GT';
  return call.is(index, 'LT') ? 'LT' : 'none';
}

/**
 * The deadline of fields that is argument `index`, a time counted from `baseMs`; NaN when it is wrong and the error is
 * replied.
 */
export function fieldDeadlineFrom(
  context: CommandContext,
  index: number,
  unitMs: TimeUnitMs,
  baseMs: TimestampMs,
): TimestampMs {
  const time = context.integer(index);
  if (Number.isNaN(time)) return NaN;
  const deadlineMs = time * unitMs + baseMs;
  if (time >= 0 && deadlineMs <= DEADLINE_MS_MAX) return deadlineMs;
  context.reply.error(
    time < 0 ? 'ERR invalid expire time, must be >= 0' : invalidExpire(context.command.fullName),
  );
  return NaN;
}

/** HTTL, HPTTL, HEXPIRETIME and HPEXPIRETIME key FIELDS numfields field... */
function replyDeadlines(context: CommandContext, unitMs: TimeUnitMs, baseMs: TimestampMs): void {
  const { arguments: call, keyspace, reply } = context;
  const { hashes } = context.types;
  const record = context.readTyped(1, TYPE_HASH);
  if (record === WRONG_TYPE) return;
  const first = firstFieldOf(context, 2, ERROR_FIELD_COUNT);
  if (first === NO_ARGUMENT) return;
  reply.arrayHeader(call.count - first);
  for (let i = first; i < call.count; i++) {
    const handle = findField(context, record, i);
    if (handle === NO_FIELD) {
      reply.integer(NO_SUCH_FIELD);
      continue;
    }
    const deadlineMs = hashes.deadline(record, handle);
    if (deadlineMs === NO_DEADLINE) reply.integer(NO_EXPIRY);
    else if (keyspace.isPast(deadlineMs)) reply.integer(NO_SUCH_FIELD);
    else reply.integer(Math.ceil((deadlineMs - baseMs) / unitMs));
  }
}

/** HPERSIST key FIELDS numfields field... */
function persist(context: CommandContext): void {
  const { arguments: call, database, reply } = context;
  const { hashes } = context.types;
  const record = context.writeTyped(1, TYPE_HASH);
  if (record === WRONG_TYPE) return;
  const first = firstFieldOf(context, 2, ERROR_FIELD_COUNT);
  if (first === NO_ARGUMENT) return;
  reply.arrayHeader(call.count - first);
  let persisted = 0;
  for (let i = first; i < call.count; i++) {
    const handle = findField(context, record, i);
    if (handle === NO_FIELD || hashes.isExpired(record, handle)) {
      reply.integer(NO_SUCH_FIELD);
    } else if (hashes.deadline(record, handle) === NO_DEADLINE) {
      reply.integer(NO_EXPIRY);
    } else {
      hashes.setDeadline(database, record, handle, NO_DEADLINE);
      persisted++;
      reply.integer(DONE);
    }
  }
  if (persisted > 0) context.changed(EVENT_HPERSIST, 1);
}
