/** Commands that go through the keys of a database. */
import { KEY_PRESENT } from '../../keyspace/keyspace.js';
import type { RecordReference, ValueType } from '../../keyspace/record.js';
import { NULL_REFERENCE, SEGMENT_SHIFT } from '../../memory/reference.js';
import { ReferenceList } from '../../memory/reference-list.js';
import type { Command } from '../../server/command.js';
import type { CommandContext } from '../../server/context.js';
import { matchGlob } from '../../structures/glob.js';
import type { ScanCursor } from '../../structures/hashtable.js';
import { ScanOptions } from '../scan-options.js';

export const walkingCommands: readonly Command[] = [
  {
    name: 'keys',
    summary: 'All keys whose names match a pattern.',
    syntax: 'pattern',
    arity: 2,
    flags: ['readonly'],
    categories: ['@keyspace', '@dangerous'],
    since: '1.0.0',
    group: 'generic',
    complexity: 'O(N) for N keys in the database',
    hints: ['request_policy:all_shards', 'nondeterministic_output_order'],
    handler: replyKeys,
  },
  {
    name: 'scan',
    summary: 'Walk the keys of the database, some at a time.',
    syntax: 'cursor [MATCH pattern] [COUNT count] [TYPE type@6.0.0]',
    arity: -2,
    flags: ['readonly', 'touches_arbitrary_keys'],
    categories: ['@keyspace'],
    since: '2.8.0',
    group: 'generic',
    complexity: 'O(1) for a call, O(N) for a walk over N keys',
    history: [['6.0.0', 'TYPE']],
    hints: ['nondeterministic_output', 'request_policy:special', 'response_policy:special'],
    handler: scan,
  },
  {
    name: 'randomkey',
    summary: 'Some key of the database, picked at random.',
    arity: 1,
    flags: ['readonly', 'touches_arbitrary_keys'],
    categories: ['@keyspace'],
    since: '1.0.0',
    group: 'generic',
    complexity: 'O(1)',
    hints: ['request_policy:all_shards', 'response_policy:special', 'nondeterministic_output'],
    handler: replyRandomKey,
  },
];

/** How many keys RANDOMKEY looks at for one that is not expired, while those that are may not be removed. */
const RANDOM_TRIES_MAX = 100;

const scanOptions = new ScanOptions();
/** The keys that a SCAN replies: its cursor, which is known last, comes before them. */
const scannedKeys = new ReferenceList();

/** KEYS pattern */
function replyKeys(context: CommandContext): void {
  const { keyspace, database, reply } = context;
  const { bytes, offsets, lengths } = context.arguments;
  const offset = offsets[1];
  const length = lengths[1];
  if (isLiteral(bytes, offset, length)) {
    const hash = keyspace.hash(bytes, offset, length);
    const isThere = keyspace.presence(database, hash, bytes, offset, length) === KEY_PRESENT;
    reply.arrayHeader(isThere ? 1 : 0);
    if (isThere) reply.bulk(bytes, offset, length);
    return;
  }
  const { hashTable, records, memory } = keyspace;
  const matchesAll = length === 1 && bytes[offset] === ASTERISK;
  const start = reply.beginDeferred();
  let count = 0;
  let cursor: ScanCursor = 0;
  do {
    // Nothing is removed on the way, so every key is met once.
    cursor = hashTable.scan(database.table, cursor);
    const { items, count: met } = hashTable.scanned;
    for (let i = 0; i < met; i++) {
      const record = items[i];
      const key = memory.bytes[record >>> SEGMENT_SHIFT];
      const keyOffset = records.keyOffset(record);
      const keyLength = records.keyLength(record);
      if (!matchesAll && !matchGlob(bytes, offset, length, key, keyOffset, keyLength, false)) continue;
      if (records.hasDeadline(record) && keyspace.isExpired(record)) continue;
      reply.bulk(key, keyOffset, keyLength);
      count++;
    }
  } while (cursor !== 0);
  reply.endDeferredArray(start, count);
}

/** SCAN cursor [MATCH pattern] [COUNT count] [TYPE type] */
function scan(context: CommandContext): void {
  if (!scanOptions.readCursor(context, 1) || !scanOptions.read(context, 2, 'keys')) return;
  const { keyspace, database, reply } = context;
  const { hashTable, records, memory } = keyspace;
  const { type, count } = scanOptions;
  scannedKeys.clear();
  let { cursor } = scanOptions;
  let met = 0;
  let steps = 0;
  do {
    cursor = hashTable.scan(database.table, cursor);
    const { scanned } = hashTable;
    met += scanned.count;
    for (let i = 0; i < scanned.count; i++) {
      const record = scanned.items[i];
      const key = memory.bytes[record >>> SEGMENT_SHIFT];
      const isWanted = scanOptions.matches(
        context,
        key,
        records.keyOffset(record),
        records.keyLength(record),
      );
      if (isWanted) scannedKeys.push(record);
    }
    // As in Redis: about `count` keys are looked at, and a table that is nearly empty does not make it long.
  } while (cursor !== 0 && met < count && ++steps <= count * 10);
  // Only now, as a table that shrinks on the way would be met twice in places.
  dropExpired(context, scannedKeys);
  if (type !== undefined) dropOtherTypes(context, scannedKeys, type);
  reply.arrayHeader(2);
  reply.bulkInteger(cursor);
  reply.arrayHeader(scannedKeys.count);
  for (let i = 0; i < scannedKeys.count; i++) replyKey(context, scannedKeys.items[i]);
}

/** RANDOMKEY */
function replyRandomKey(context: CommandContext): void {
  const { keyspace, database } = context;
  const { hashTable } = keyspace;
  for (let tries = 1; ; tries++) {
    const record = hashTable.randomEntry(database.table, Math.random);
    if (record === NULL_REFERENCE) {
      context.reply.nullBulk();
      return;
    }
    // Where expired keys stay, there may be no others.
    const isLastTry = tries >= RANDOM_TRIES_MAX && !keyspace.mayRemoveExpired(database, record);
    if (!isLastTry && isExpired(context, record)) continue;
    replyKey(context, record);
    return;
  }
}

/** Leaves out the records that are past their deadline. */
function dropExpired(context: CommandContext, list: ReferenceList): void {
  const { items, count } = list;
  list.clear();
  for (let i = 0; i < count; i++) if (!isExpired(context, items[i])) list.push(items[i]);
}

/** Leaves out the records whose values are not of a type. */
function dropOtherTypes({ keyspace }: CommandContext, list: ReferenceList, type: ValueType): void {
  const { items, count } = list;
  list.clear();
  for (let i = 0; i < count; i++) if (keyspace.records.type(items[i]) === type) list.push(items[i]);
}

/** Whether a record is past its deadline; it is removed then, if such are. */
function isExpired({ keyspace, database }: CommandContext, record: RecordReference): boolean {
  if (!keyspace.records.hasDeadline(record) || !keyspace.isExpired(record)) return false;
  if (keyspace.mayRemoveExpired(database, record)) keyspace.expire(database, record);
  return true;
}

function replyKey({ keyspace, reply }: CommandContext, record: RecordReference): void {
  const { records, memory } = keyspace;
  reply.bulk(memory.bytes[record >>> SEGMENT_SHIFT], records.keyOffset(record), records.keyLength(record));
}

const ASTERISK = 0x2a;
const QUESTION_MARK = 0x3f;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;

/** Whether a pattern has nothing special, so that only the key matches it that is spelled the same. */
function isLiteral(bytes: Uint8Array, offset: number, length: number): boolean {
  for (let i = offset; i < offset + length; i++) {
    const byte = bytes[i];
    if (byte === ASTERISK || byte === QUESTION_MARK || byte === OPEN_BRACKET || byte === BACKSLASH)
      return false;
  }
  return true;
}
