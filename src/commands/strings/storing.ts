/** Commands that store a whole string, whatever the key held before. */
import { keyEvent, NOTIFY_STRING } from '../../keyspace/events.js';
import type { RecordReference } from '../../keyspace/record.js';
import { NO_DEADLINE } from '../../keyspace/record-store.js';
import { type ByteLength, NULL_REFERENCE } from '../../memory/reference.js';
import type { Arguments } from '../../protocol/arguments.js';
import { type Command, keyAt, keyPairsFrom } from '../../server/command.js';
import type { CommandContext } from '../../server/context.js';
import { ERROR_SYNTAX, wrongArity } from '../../server/errors.js';
import { KEY_ACCESS, KEY_OVERWRITE, KEY_UPDATE, KEY_WRITE, type KeyList } from '../../server/key-specs.js';
import { PXAT, SET } from '../../server/propagated-words.js';
import type { TimestampMs } from '../../structures/deadlines.js';
import {
  EVENT_EXPIRE,
  Expiration,
  futureDeadline,
  MILLISECONDS,
  SECONDS,
  type TimeUnitMs,
} from '../expiration.js';
import { replyString } from './reading.js';

export const EVENT_SET = keyEvent(NOTIFY_STRING, 'set');

export const storingCommands: readonly Command[] = [
  {
    name: 'set',
    summary: 'Store a string, whatever the key held before.',
    syntax:
      'key value [condition:(NX | XX)@2.6.12] [GET@6.2.0] [expiration:(EX seconds@2.6.12 | PX milliseconds@2.6.12 | EXAT unix-time-seconds@6.2.0 | PXAT unix-time-milliseconds@6.2.0 | KEEPTTL@6.0.0)]',
    arity: -3,
    flags: ['write', 'denyoom'],
    categories: ['@string'],
    keys: [
      {
        ...keyAt(1, 'RW', 'access', 'update', 'variable_flags'),
        notes: 'the old value is read only with GET',
      },
    ],
    findKeys: findSetKey,
    since: '1.0.0',
    group: 'string',
    complexity: 'O(1)',
    history: [
      ['2.6.12', 'EX, PX, NX and XX'],
      ['6.0.0', 'KEEPTTL'],
      ['6.2.0', 'GET, EXAT and PXAT'],
      ['7.0.0', 'NX and GET together'],
    ],
    handler: set,
  },
  {
    name: 'setnx',
    summary: 'Store a string unless the key exists.',
    syntax: 'key value',
    arity: 3,
    flags: ['write', 'denyoom', 'fast'],
    categories: ['@string'],
    keys: [keyAt(1, 'OW', 'insert')],
    since: '1.0.0',
    group: 'string',
    complexity: 'O(1)',
    docFlags: ['deprecated'],
    deprecatedSince: '2.6.12',
    replacedBy: '`SET` with the `NX` argument',
    handler: setIfAbsent,
  },
  {
    name: 'setex',
    summary: 'Store a string that expires after some seconds.',
    syntax: 'key seconds value',
    arity: 4,
    flags: ['write', 'denyoom'],
    categories: ['@string'],
    keys: [keyAt(1, 'OW', 'update')],
    since: '2.0.0',
    group: 'string',
    complexity: 'O(1)',
    docFlags: ['deprecated'],
    deprecatedSince: '2.6.12',
    replacedBy: '`SET` with the `EX` argument',
    handler: (context) => setWithTime(context, SECONDS),
  },
  {
    name: 'psetex',
    summary: 'Store a string that expires after some milliseconds.',
    syntax: 'key milliseconds value',
    arity: 4,
    flags: ['write', 'denyoom'],
    categories: ['@string'],
    keys: [keyAt(1, 'OW', 'update')],
    since: '2.6.0',
    group: 'string',
    complexity: 'O(1)',
    docFlags: ['deprecated'],
    deprecatedSince: '2.6.12',
    replacedBy: '`SET` with the `PX` argument',
    handler: (context) => setWithTime(context, MILLISECONDS),
  },
  {
    name: 'getset',
    summary: 'Store a string and read the one it replaces.',
    syntax: 'key value',
    arity: 3,
    flags: ['write', 'denyoom', 'fast'],
    categories: ['@string'],
    keys: [keyAt(1, 'RW', 'access', 'update')],
    since: '1.0.0',
    group: 'string',
    complexity: 'O(1)',
    docFlags: ['deprecated'],
    deprecatedSince: '6.2.0',
    replacedBy: '`SET` with the `!GET` argument',
    handler: getAndSet,
  },
  {
    name: 'mset',
    summary: 'Store many strings at once.',
    syntax: 'data:{key value}...',
    arity: -3,
    flags: ['write', 'denyoom'],
    categories: ['@string'],
    keys: [keyPairsFrom(1, 'OW', 'update')],
    since: '1.0.1',
    group: 'string',
    complexity: 'O(N) for N keys',
    hints: ['request_policy:multi_shard', 'response_policy:all_succeeded'],
    handler: setMany,
  },
  {
    name: 'msetnx',
    summary: 'Store many strings at once, unless one of the keys exists.',
    syntax: 'data:{key value}...',
    arity: -3,
    flags: ['write', 'denyoom'],
    categories: ['@string'],
    keys: [keyPairsFrom(1, 'OW', 'insert')],
    since: '1.0.1',
    group: 'string',
    complexity: 'O(N) for N keys',
    handler: setManyIfAbsent,
  },
];

/** About what a key or a value takes beyond its bytes, at most. */
const ARGUMENT_BYTES: ByteLength = 64;

/** The options of SET. */
class SetOptions {
  condition: 'always' | 'if absent' | 'if present' = 'always';
  repliesOldValue = false;
  readonly expiration = new Expiration();

  /** Reads them from argument 3 on; false when they are wrong and the error is replied. */
  read(context: CommandContext): boolean {
    const { options } = context;
    const { expiration } = this;
    this.condition = 'always';
    this.repliesOldValue = false;
    expiration.reset();
    options.begin(context.arguments, 3);
    while (options.hasMore) {
      if (this.condition !== 'if present' && options.take('NX')) this.condition = 'if absent';
      else if (this.condition !== 'if absent' && options.take('XX')) this.condition = 'if present';
      else if (options.take('GET')) this.repliesOldValue = true;
      else if (!expiration.takeTime(options) && !expiration.takeWord(options, 'KEEPTTL')) {
        context.reply.error(ERROR_SYNTAX);
        return false;
      }
    }
    return true;
  }
}

const setOptions = new SetOptions();

/** SET key value [NX | XX] [GET] [EX seconds | PX milliseconds | EXAT time | PXAT time | KEEPTTL] */
function set(context: CommandContext): void {
  if (context.arguments.count > 3) {
    setWithOptions(context);
    return;
  }
  storeString(context, 1, context.lookupWrite(1), 2, NO_DEADLINE);
  context.changed(EVENT_SET, 1);
  context.reply.ok();
}

function setWithOptions(context: CommandContext): void {
  if (!setOptions.read(context)) return;
  const { condition, repliesOldValue, expiration } = setOptions;
  const { reply } = context;
  const deadlineMs = expiration.deadlineMs(context);
  if (Number.isNaN(deadlineMs)) return;
  if (repliesOldValue && !replyString(context, 1)) return;
  const record = context.lookupWrite(1);
  if (condition === (record === NULL_REFERENCE ? 'if present' : 'if absent')) {
    if (!repliesOldValue) reply.nullBulk();
    return;
  }
  storeString(context, 1, record, 2, deadlineMs);
  context.changed(EVENT_SET, 1);
  if (deadlineMs > 0) context.notify(EVENT_EXPIRE, 1);
  if (!repliesOldValue) reply.ok();
  if (!context.propagation.isActive) return;
  if (deadlineMs <= 0) {
    if (repliesOldValue) propagateWithoutGet(context);
  } else if (!expiration.isUnixMilliseconds) {
    propagateWithDeadline(context, 2, deadlineMs);
  }
}

/** Propagates SET, which may have the value in another argument than it has here, with a time that stays the same. */
function propagateWithDeadline(context: CommandContext, valueIndex: number, deadlineMs: TimestampMs): void {
  const { arguments: call } = context;
  context
    .propagateInstead(5)
    .word(SET)
    .argument(call, 1)
    .argument(call, valueIndex)
    .word(PXAT)
    .integer(deadlineMs);
}

/** Propagates SET with its options but for GET, as often as that is given. */
function propagateWithoutGet(context: CommandContext): void {
  const { arguments: call } = context;
  let gets = 0;
  for (let i = 3; i < call.count; i++) if (call.is(i, 'GET')) gets++;
  const command = context.propagateInstead(call.count - gets).arguments(call, 0, 3);
  for (let i = 3; i < call.count; i++) if (!call.is(i, 'GET')) command.argument(call, i);
}

/** SETNX key value */
function setIfAbsent(context: CommandContext): void {
  if (context.lookupWrite(1) !== NULL_REFERENCE) {
    context.reply.integer(0);
    return;
  }
  storeString(context, 1, NULL_REFERENCE, 2, NO_DEADLINE);
  context.changed(EVENT_SET, 1);
  context.reply.integer(1);
}

/** SETEX key seconds value, PSETEX key milliseconds value */
function setWithTime(context: CommandContext, unitMs: TimeUnitMs): void {
  const deadlineMs = futureDeadline(context, 2, unitMs, 'now');
  if (Number.isNaN(deadlineMs)) return;
  storeString(context, 1, context.lookupWrite(1), 3, deadlineMs);
  context.changed(EVENT_SET, 1);
  context.notify(EVENT_EXPIRE, 1);
  context.reply.ok();
  if (context.propagation.isActive) propagateWithDeadline(context, 3, deadlineMs);
}

/** GETSET key value */
function getAndSet(context: CommandContext): void {
  if (!replyString(context, 1)) return;
  storeString(context, 1, context.lookupWrite(1), 2, NO_DEADLINE);
  context.changed(EVENT_SET, 1);
  if (context.propagation.isActive) context.propagateInstead(3).word(SET).arguments(context.arguments, 1);
}

/** MSET key value [key value ...] */
function setMany(context: CommandContext): void {
  if (!hasPairs(context)) return;
  storePairs(context);
  context.reply.ok();
}

/** MSETNX key value [key value ...] */
function setManyIfAbsent(context: CommandContext): void {
  if (!hasPairs(context)) return;
  const { count } = context.arguments;
  for (let key = 1; key < count; key += 2) {
    if (context.lookupWrite(key) === NULL_REFERENCE) continue;
    context.reply.integer(0);
    return;
  }
  storePairs(context);
  context.reply.integer(1);
}

function hasPairs({ arguments: call, command, reply }: CommandContext): boolean {
  if (call.count % 2 === 1) return true;
  reply.error(wrongArity(command.fullName));
  return false;
}

function storePairs(context: CommandContext): void {
  const { count, lengths } = context.arguments;
  if (count > 3) {
    // What is stored cannot be taken back, so several are stored only when all can be.
    let total: ByteLength = 0;
    for (let i = 1; i < count; i++) total += lengths[i] + ARGUMENT_BYTES;
    context.keyspace.memory.requireRoom(total);
  }
  for (let key = 1; key < count; key += 2) {
    storeString(context, key, context.lookupWrite(key), key + 1, NO_DEADLINE);
    context.changed(EVENT_SET, key);
  }
}

/**
 * Makes argument `valueIndex` the value of the key in argument `keyIndex`, which was looked up last and has
 * `record`, or NULL_REFERENCE.
 * @param deadlineMs positive, NO_DEADLINE or KEEP_DEADLINE
 */
function storeString(
  context: CommandContext,
  keyIndex: number,
  record: RecordReference,
  valueIndex: number,
  deadlineMs: TimestampMs,
): void {
  const { database, keyHash } = context;
  const { strings } = context.types;
  const { bytes, offsets, lengths } = context.arguments;
  const offset = offsets[valueIndex];
  const length = lengths[valueIndex];
  if (record !== NULL_REFERENCE) {
    strings.replace(database, record, bytes, offset, length, deadlineMs);
    return;
  }
  const keyOffset = offsets[keyIndex];
  const keyLength = lengths[keyIndex];
  strings.add(database, keyHash, bytes, keyOffset, keyLength, bytes, offset, length, deadlineMs);
}

/** SET reads the old value only with GET, which may stand anywhere behind the value. */
function findSetKey(call: Arguments, found: KeyList): void {
  for (let index = 3; index < call.count; index++) {
    if (call.is(index, 'GET')) {
      found.add(1, KEY_WRITE | KEY_ACCESS | KEY_UPDATE);
      return;
    }
  }
  found.add(1, KEY_OVERWRITE | KEY_UPDATE);
}
