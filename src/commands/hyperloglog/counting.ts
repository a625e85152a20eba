/** Commands that count different elements: of a key, or of several together. */
import { type KeyEvent, keyEvent, NOTIFY_STRING } from '../../keyspace/events.js';
import { type RecordReference, TYPE_STRING } from '../../keyspace/record.js';
import { NULL_REFERENCE } from '../../memory/reference.js';
import { bigintFromWords, safeIntegerFromWords } from '../../protocol/integers.js';
import { type Command, keyAt, keysFrom } from '../../server/command.js';
import { type CommandContext, WRONG_TYPE } from '../../server/context.js';
import { CORRUPT } from '../../types/hyperloglog.js';

/** Also what PFMERGE tells: to Redis, it is a PFADD of many elements. */
const EVENT_PFADD = keyEvent(NOTIFY_STRING, 'pfadd');

/**
 * The header of a key has the cardinality now: a change that is propagated, and that WATCH and tracking see, but of which
 * no class of notifications tells.
 */
const CARDINALITY_KEPT: KeyEvent = keyEvent(0, 'pfcount');

/** The reply for a string with runs that are none. */
export const ERROR_CORRUPT = 'INVALIDOBJ Corrupted HLL object detected';

export const countingCommands: readonly Command[] = [
  {
    name: 'pfadd',
    summary: 'Add elements to a HyperLogLog.',
    syntax: 'key [element...]',
    arity: -2,
    flags: ['write', 'denyoom', 'fast'],
    categories: ['@hyperloglog'],
    keys: [keyAt(1, 'RW', 'insert')],
    since: '2.8.9',
    group: 'hyperloglog',
    complexity: 'O(1) for each element',
    handler: add,
  },
  {
    name: 'pfcount',
    summary: 'About how many different elements HyperLogLogs have seen.',
    syntax: 'key...',
    arity: -2,
    flags: ['readonly', 'may_replicate'],
    categories: ['@hyperloglog'],
    keys: [
      { ...keysFrom(1, 'RW', 'access'), notes: 'the cached cardinality may be written, and replicated' },
    ],
    since: '2.8.9',
    group: 'hyperloglog',
    complexity: 'O(1) for one key, O(N) with a large constant for N keys',
    handler: count,
  },
  {
    name: 'pfmerge',
    summary: 'Merge HyperLogLogs into one.',
    syntax: 'destkey [sourcekey:key...]',
    arity: -2,
    flags: ['write', 'denyoom'],
    categories: ['@hyperloglog'],
    keys: [keyAt(1, 'RW', 'access', 'insert'), keysFrom(2, 'RO', 'access')],
    since: '2.8.9',
    group: 'hyperloglog',
    complexity: 'O(N) for N keys, with a large constant',
    handler: merge,
  },
];

/** Whether the value of a key, which is a string, is a HyperLogLog; the error is replied when not. */
export function isHyperLogLog({ types, reply }: CommandContext, record: RecordReference): boolean {
  if (types.hyperLogLogs.isValid(record)) return true;
  reply.error('WRONGTYPE Key is not a valid HyperLogLog string value.');
  return false;
}

/** PFADD key [element [element ...]] */
function add(context: CommandContext): void {
  const { database, types, reply } = context;
  const record = context.writeTyped(1, TYPE_STRING);
  if (record === WRONG_TYPE) return;
  if (record !== NULL_REFERENCE && !isHyperLogLog(context, record)) return;
  const raised = types.hyperLogLogs.add(database, record, context.keyHash, context.arguments);
  if (raised === CORRUPT) {
    reply.error(ERROR_CORRUPT);
    return;
  }
  const changes = raised + (record === NULL_REFERENCE ? 1 : 0);
  if (changes > 0) context.changed(EVENT_PFADD, 1, changes);
  reply.integer(changes > 0 ? 1 : 0);
}

/** PFCOUNT key [key ...] */
function count(context: CommandContext): void {
  if (context.arguments.count === 2) {
    countOne(context);
  } else if (makeUnion(context)) {
    context.types.hyperLogLogs.countUnion();
    replyCardinality(context);
  }
}

/** What the header says or, when that is out of date, what it is to say from now on. */
function countOne(context: CommandContext): void {
  const { database, keyspace, types, reply } = context;
  const { hyperLogLogs } = types;
  let record = context.readTyped(1, TYPE_STRING);
  if (record === WRONG_TYPE) return;
  if (record === NULL_REFERENCE) {
    reply.integer(0);
    return;
  }
  if (!isHyperLogLog(context, record)) return;
  if (!hyperLogLogs.isRaw(record)) {
    keyspace.announceChange(database, record);
    record = hyperLogLogs.makeRaw(database, record);
  }
  if (!hyperLogLogs.hasCardinality(record)) {
    if (!hyperLogLogs.count(record)) {
      reply.error(ERROR_CORRUPT);
      return;
    }
    keyspace.announceChange(database, record);
    hyperLogLogs.keepCardinality(record);
    context.changed(CARDINALITY_KEPT, 1);
  }
  replyCardinality(context);
}

/** PFMERGE destination [source [source ...]] */
function merge(context: CommandContext): void {
  if (!makeUnion(context)) return;
  const record = context.lookupWrite(1);
  context.types.hyperLogLogs.storeUnion(context.database, record, context.keyHash, context.arguments);
  context.changed(EVENT_PFADD, 1);
  context.reply.ok();
}

/** Makes the union of all keys, of which those that do not exist are empty. Returns false with an error replied. */
function makeUnion(context: CommandContext): boolean {
  const { hyperLogLogs } = context.types;
  hyperLogLogs.beginUnion();
  for (let index = 1; index < context.arguments.count; index++) {
    const record = context.readTyped(index, TYPE_STRING);
    if (record === WRONG_TYPE) return false;
    if (record === NULL_REFERENCE) continue;
    if (!isHyperLogLog(context, record)) return false;
    if (!hyperLogLogs.addToUnion(record)) {
      context.reply.error(ERROR_CORRUPT);
      return false;
    }
  }
  return true;
}

/** Replies what was read or counted last. A header that a client wrote may have any number. */
function replyCardinality({ types, reply }: CommandContext): void {
  const { low, high } = types.hyperLogLogs;
  const cardinality = safeIntegerFromWords(low, high);
  if (Number.isNaN(cardinality)) reply.bigInteger(bigintFromWords(low, high));
  else reply.integer(cardinality);
}
