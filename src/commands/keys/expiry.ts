/** Commands on when a key expires. */
import { EVENT_DEL } from '../../keyspace/events.js';
import { NO_DEADLINE } from '../../keyspace/record-store.js';
import { NULL_REFERENCE } from '../../memory/reference.js';
import { type Command, keyAt } from '../../server/command.js';
import type { CommandContext } from '../../server/context.js';
import { PEXPIREAT } from '../../server/propagated-words.js';
import type { TimestampMs } from '../../structures/deadlines.js';
import {
  deadlineFrom,
  EVENT_EXPIRE,
  EVENT_PERSIST,
  MILLISECONDS,
  SECONDS,
  type TimeBase,
  type TimeUnitMs,
} from '../expiration.js';

export const expiryCommands: readonly Command[] = [
  {
    name: 'expire',
    summary: 'Let a key expire after some seconds.',
    syntax: 'key seconds [condition:(NX | XX | GT | LT)@7.0.0]',
    arity: -3,
    flags: ['write', 'fast'],
    categories: ['@keyspace'],
    keys: [keyAt(1, 'RW', 'update')],
    since: '1.0.0',
    group: 'generic',
    complexity: 'O(1)',
    history: [['7.0.0', 'NX, XX, GT and LT']],
    handler: (context) => expire(context, SECONDS, 'now'),
  },
  {
    name: 'pexpire',
    summary: 'Let a key expire after some milliseconds.',
    syntax: 'key milliseconds [condition:(NX | XX | GT | LT)@7.0.0]',
    arity: -3,
    flags: ['write', 'fast'],
    categories: ['@keyspace'],
    keys: [keyAt(1, 'RW', 'update')],
    since: '2.6.0',
    group: 'generic',
    complexity: 'O(1)',
    history: [['7.0.0', 'NX, XX, GT and LT']],
    handler: (context) => expire(context, MILLISECONDS, 'now'),
  },
  {
    name: 'expireat',
    summary: 'Let a key expire at a Unix time in seconds.',
    syntax: 'key unix-time-seconds [condition:(NX | XX | GT | LT)@7.0.0]',
    arity: -3,
    flags: ['write', 'fast'],
    categories: ['@keyspace'],
    keys: [keyAt(1, 'RW', 'update')],
    since: '1.2.0',
    group: 'generic',
    complexity: 'O(1)',
    history: [['7.0.0', 'NX, XX, GT and LT']],
    handler: (context) => expire(context, SECONDS, '1970'),
  },
  {
    name: 'pexpireat',
    summary: 'Let a key expire at a Unix time in milliseconds.',
    syntax: 'key unix-time-milliseconds [condition:(NX | XX | GT | LT)@7.0.0]',
    arity: -3,
    flags: ['write', 'fast'],
    categories: ['@keyspace'],
    keys: [keyAt(1, 'RW', 'update')],
    since: '2.6.0',
    group: 'generic',
    complexity: 'O(1)',
    history: [['7.0.0', 'NX, XX, GT and LT']],
    handler: (context) => expire(context, MILLISECONDS, '1970'),
  },
  {
    name: 'ttl',
    summary: 'The seconds left until a key expires.',
    syntax: 'key',
    arity: 2,
    flags: ['readonly', 'fast'],
    categories: ['@keyspace'],
    keys: [keyAt(1, 'RO', 'access')],
    since: '1.0.0',
    group: 'generic',
    complexity: 'O(1)',
    history: [['2.8.0', '-2 when the key does not exist']],
    hints: ['nondeterministic_output'],
    handler: (context) => replyDeadline(context, SECONDS, 'now'),
  },
  {
    name: 'pttl',
    summary: 'The milliseconds left until a key expires.',
    syntax: 'key',
    arity: 2,
    flags: ['readonly', 'fast'],
    categories: ['@keyspace'],
    keys: [keyAt(1, 'RO', 'access')],
    since: '2.6.0',
    group: 'generic',
    complexity: 'O(1)',
    history: [['2.8.0', '-2 when the key does not exist']],
    hints: ['nondeterministic_output'],
    handler: (context) => replyDeadline(context, MILLISECONDS, 'now'),
  },
  {
    name: 'expiretime',
    summary: 'The Unix time in seconds at which a key expires.',
    syntax: 'key',
    arity: 2,
    flags: ['readonly', 'fast'],
    categories: ['@keyspace'],
    keys: [keyAt(1, 'RO', 'access')],
    since: '7.0.0',
    group: 'generic',
    complexity: 'O(1)',
    handler: (context) => replyDeadline(context, SECONDS, '1970'),
  },
  {
    name: 'pexpiretime',
    summary: 'The Unix time in milliseconds at which a key expires.',
    syntax: 'key',
    arity: 2,
    flags: ['readonly', 'fast'],
    categories: ['@keyspace'],
    keys: [keyAt(1, 'RO', 'access')],
    since: '7.0.0',
    group: 'generic',
    complexity: 'O(1)',
    handler: (context) => replyDeadline(context, MILLISECONDS, '1970'),
  },
  {
    name: 'persist',
    summary: 'Let a key live on without expiry.',
    syntax: 'key',
    arity: 2,
    flags: ['write', 'fast'],
    categories: ['@keyspace'],
    keys: [keyAt(1, 'RW', 'update')],
    since: '2.2.0',
    group: 'generic',
    complexity: 'O(1)',
    handler: persist,
  },
];

const INT32_MAX = 2 ** 31 - 1;

/** NX, XX, GT and LT: when the deadline may be set. */
class ExpireConditions {
  ifNone = false;
  ifAny = false;
  ifLater = false;
  ifEarlier = false;

  /** Reads them from argument 3 on; false when they are wrong and the error is replied. */
  read(context: CommandContext): boolean {
    const { options, reply } = context;
    this.ifNone = false;
    this.ifAny = false;
    this.ifLater = false;
    this.ifEarlier = false;
    options.begin(context.arguments, 3);
    while (options.hasMore) {
      if (options.take('NX')) this.ifNone = true;
      else if (options.take('XX')) this.ifAny = true;
      else if (options.take('GT')) this.ifLater = true;
      else if (options.take('LT')) this.ifEarlier = true;
      else {
        reply.error(`ERR Unsupported option ${context.arguments.cString(options.position)}`);
        return false;
      }
    }
    if (this.ifNone && (this.ifAny || this.ifLater || this.ifEarlier)) {
      reply.error('ERR NX and XX, GT or LT options at the same time are not compatible');
      return false;
    }
    if (this.ifLater && this.ifEarlier) {
      reply.error('ERR GT and LT options at the same time are not compatible');
      return false;
    }
    return true;
  }

  /** Whether a deadline may be set instead of another, or of none, which counts as one that never comes. */
  allow(deadlineMs: TimestampMs, currentMs: TimestampMs): boolean {
    const hasNone = currentMs === NO_DEADLINE;
    if (this.ifNone && !hasNone) return false;
    if (this.ifAny && hasNone) return false;
    if (this.ifLater && (hasNone || deadlineMs <= currentMs)) return false;
    return !(this.ifEarlier && !hasNone && deadlineMs >= currentMs);
  }
}

const conditions = new ExpireConditions();

/** EXPIRE key seconds [NX | XX | GT | LT], and PEXPIRE, EXPIREAT, PEXPIREAT alike. */
function expire(context: CommandContext, unitMs: TimeUnitMs, base: TimeBase): void {
  if (!conditions.read(context)) return;
  const deadlineMs = deadlineFrom(context, 2, unitMs, base);
  if (Number.isNaN(deadlineMs)) return;
  const { keyspace, database, reply, arguments: call } = context;
  const record = context.lookupWrite(1);
  const isAllowed =
    record !== NULL_REFERENCE &&
    (call.count === 3 || conditions.allow(deadlineMs, keyspace.deadline(record)));
  if (!isAllowed) {
    reply.integer(0);
    return;
  }
  if (keyspace.isPast(deadlineMs)) {
    keyspace.remove(database, record);
    context.changed(EVENT_DEL, 1);
    context.propagateDeletion(1, 'lazyfree-lazy-expire');
  } else {
    keyspace.setDeadline(database, record, deadlineMs);
    context.changed(EVENT_EXPIRE, 1);
    const isUnixMs = unitMs === MILLISECONDS && base === '1970';
    if (context.propagation.isActive && !isUnixMs) {
      const { count } = call;
      context
        .propagateInstead(count)
        .word(PEXPIREAT)
        .argument(call, 1)
        .integer(deadlineMs)
        .arguments(call, 3);
    }
  }
  reply.integer(1);
}

/** TTL key and PTTL key, counted from now, EXPIRETIME key and PEXPIRETIME key, counted from 1970. */
function replyDeadline(context: CommandContext, unitMs: TimeUnitMs, base: TimeBase): void {
  const { keyspace, reply } = context;
  const record = context.lookupUntouched(1);
  if (record === NULL_REFERENCE) {
    reply.integer(-2);
    return;
  }
  const deadlineMs = keyspace.deadline(record);
  if (deadlineMs === NO_DEADLINE) {
    reply.integer(-1);
    return;
  }
  const leftMs = Math.max(base === 'now' ? deadlineMs - keyspace.nowMs : deadlineMs, 0);
  const left = unitMs === SECONDS ? Math.floor((leftMs + 500) / 1000) : leftMs;
  // As an int32 if possible: to pass on a double, V8 would put it on its heap.
  if (left <= INT32_MAX) reply.integer(left | 0);
  else if (Number.isSafeInteger(left)) reply.integer(left);
  else reply.bigInteger(BigInt(left));
}

/** PERSIST key */
function persist(context: CommandContext): void {
  const { keyspace, database, reply } = context;
  const record = context.lookupWrite(1);
  if (record === NULL_REFERENCE || !keyspace.records.hasDeadline(record)) {
    reply.integer(0);
    return;
  }
  keyspace.clearDeadline(database, record);
  context.changed(EVENT_PERSIST, 1);
  reply.integer(1);
}
