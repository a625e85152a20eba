/** Commands that go through the fields of a hash, or pick some. */
import { type RecordReference, TYPE_HASH } from '../../keyspace/record.js';
import { NULL_REFERENCE } from '../../memory/reference.js';
import { ReferenceList } from '../../memory/reference-list.js';
import { type Command, keyAt } from '../../server/command.js';
import { type CommandContext, WRONG_TYPE } from '../../server/context.js';
import { ERROR_SYNTAX } from '../../server/errors.js';
import { FIRST_POSITION, type ListpackPosition } from '../../structures/listpack-reader.js';
import type { FieldHandle } from '../../types/hash.js';
import { replyElements } from '../listpack-replies.js';
import { checkPicks, endsPicks, randomCount } from '../random-count.js';
import { ScanOptions } from '../scan-options.js';

export const walkingCommands: readonly Command[] = [
  {
    name: 'hgetall',
    summary: 'Read all fields and values of a hash.',
    syntax: 'key',
    arity: 2,
    flags: ['readonly'],
    categories: ['@hash'],
    keys: [keyAt(1, 'RO', 'access')],
    since: '2.0.0',
    group: 'hash',
    complexity: 'O(N) for N fields in the hash',
    hints: ['nondeterministic_output_order'],
    handler: getAll,
  },
  {
    name: 'hkeys',
    summary: 'Read the names of all fields of a hash.',
    syntax: 'key',
    arity: 2,
    flags: ['readonly'],
    categories: ['@hash'],
    keys: [keyAt(1, 'RO', 'access')],
    since: '2.0.0',
    group: 'hash',
    complexity: 'O(N) for N fields in the hash',
    hints: ['nondeterministic_output_order'],
    handler: getFields,
  },
  {
    name: 'hvals',
    summary: 'Read the values of all fields of a hash.',
    syntax: 'key',
    arity: 2,
    flags: ['readonly'],
    categories: ['@hash'],
    keys: [keyAt(1, 'RO', 'access')],
    since: '2.0.0',
    group: 'hash',
    complexity: 'O(N) for N fields in the hash',
    hints: ['nondeterministic_output_order'],
    handler: getValues,
  },
  {
    name: 'hscan',
    summary: 'Walk the fields of a hash, some at a time.',
    syntax: 'key cursor [MATCH pattern] [COUNT count] [NOVALUES]',
    arity: -3,
    flags: ['readonly'],
    categories: ['@hash'],
    keys: [keyAt(1, 'RO', 'access')],
    since: '2.8.0',
    group: 'hash',
    complexity: 'O(1) for a call, O(N) for a walk over N fields',
    hints: ['nondeterministic_output'],
    handler: scan,
  },
  {
    name: 'hrandfield',
    summary: 'Some fields of a hash, picked at random.',
    syntax: 'key [options:{count [WITHVALUES]}]',
    arity: -2,
    flags: ['readonly'],
    categories: ['@hash'],
    keys: [keyAt(1, 'RO', 'access')],
    since: '6.2.0',
    group: 'hash',
    complexity: 'O(N) for N fields returned',
    hints: ['nondeterministic_output'],
    handler: pickRandom,
  },
];

/** When a table has at least so many fields for each that is wanted, they are picked one by one. */
const FIELDS_PER_PICK = 3;
/** So many different picks are made at most: V8's sets hold no more than 2^24 values. */
const DIFFERENT_PICKS_MAX = 1 << 20;

const scanOptions = new ScanOptions();
/** The fields that HSCAN and HRANDFIELD are about. */
const fields = new ReferenceList();
/** Those that were picked already. */
const picked = new Set<FieldHandle>();

/** HGETALL key */
function getAll(context: CommandContext): void {
  const { reply } = context;
  const { hashes } = context.types;
  const record = context.readTyped(1, TYPE_HASH);
  if (record === WRONG_TYPE) return;
  if (record === NULL_REFERENCE) {
    reply.mapHeader(0);
  } else if (hashes.hasExpired(record)) {
    const start = reply.beginDeferred();
    reply.endDeferredMap(start, replyFields(context, record, true, true));
  } else {
    const count = hashes.count(record);
    reply.mapHeader(count);
    if (hashes.isTable(record)) replyFields(context, record, true, true);
    else replyListpack(context, record, count, FIRST_POSITION, 2);
  }
}

/** HKEYS key */
function getFields(context: CommandContext): void {
  replyArray(context, true);
}

/** HVALS key */
function getValues(context: CommandContext): void {
  replyArray(context, false);
}

/** Replies all fields, or all values. */
function replyArray(context: CommandContext, ofFields: boolean): void {
  const { reply } = context;
  const { hashes, listpacks } = context.types;
  const record = context.readTyped(1, TYPE_HASH);
  if (record === WRONG_TYPE) return;
  if (record === NULL_REFERENCE) {
    reply.arrayHeader(0);
  } else if (hashes.hasExpired(record)) {
    const start = reply.beginDeferred();
    reply.endDeferredArray(start, replyFields(context, record, ofFields, !ofFields));
  } else {
    const count = hashes.count(record);
    reply.arrayHeader(count);
    if (hashes.isTable(record)) {
      replyFields(context, record, ofFields, !ofFields);
    } else {
      const first = FIRST_POSITION;
      const listpack = hashes.records.slot(record);
      replyListpack(context, record, count, ofFields ? first : listpacks.next(listpack, first), 1);
    }
  }
}

/** Replies `taken` elements of each of the `count` fields of a small hash, none of which has expired. */
function replyListpack(
  { keyspace, reply, types }: CommandContext,
  record: RecordReference,
  count: number,
  first: ListpackPosition,
  taken: number,
): void {
  const tuple = types.hashes.tuple(record);
  const listpack = keyspace.records.slot(record);
  replyElements(reply, keyspace.memory, listpack, first, count * taken, taken, tuple - taken);
}

/** Replies the fields that have not expired, their values or both. Returns how many there are. */
function replyFields(
  { reply, types }: CommandContext,
  record: RecordReference,
  withFields: boolean,
  withValues: boolean,
): number {
  const { hashCursor } = types;
  let count = 0;
  hashCursor.start(record);
  while (hashCursor.next()) {
    if (hashCursor.isExpired) continue;
    if (withFields) {
      hashCursor.readField();
      reply.bulk(hashCursor.bytes, hashCursor.offset, hashCursor.length);
    }
    if (withValues) {
      hashCursor.readValue();
      reply.bulk(hashCursor.bytes, hashCursor.offset, hashCursor.length);
    }
    count++;
  }
  return count;
}

/** HSCAN key cursor [MATCH pattern] [COUNT count] [NOVALUES] */
function scan(context: CommandContext): void {
  const { reply } = context;
  if (!scanOptions.readCursor(context, 2)) return;
  const record = context.readTyped(1, TYPE_HASH);
  if (record === WRONG_TYPE) return;
  if (record === NULL_REFERENCE) {
    reply.arrayHeader(2);
    reply.bulkInteger(0);
    reply.arrayHeader(0);
    return;
  }
  if (!scanOptions.read(context, 3, 'hash')) return;
  const { hashes } = context.types;
  let { cursor } = scanOptions;
  let steps = 0;
  fields.clear();
  // As in Redis: about `count` fields are looked at, and a table that is nearly empty does not make it long.
  do cursor = hashes.scan(record, cursor, fields);
  while (cursor !== 0 && fields.count < scanOptions.count && ++steps <= scanOptions.count * 10);
  reply.arrayHeader(2);
  reply.bulkInteger(cursor);
  const start = reply.beginDeferred();
  reply.endDeferredArray(start, replyScanned(context, record));
}

/** Replies those of the fields that were met which match and have not expired. Returns the number of elements. */
function replyScanned(context: CommandContext, record: RecordReference): number {
  const { reply } = context;
  const { hashes } = context.types;
  let elements = 0;
  for (let i = 0; i < fields.count; i++) {
    const handle = fields.items[i];
    if (hashes.isExpired(record, handle)) continue;
    hashes.readField(record, handle);
    if (!scanOptions.matches(context, hashes.bytes, hashes.offset, hashes.length)) continue;
    reply.bulk(hashes.bytes, hashes.offset, hashes.length);
    elements++;
    if (scanOptions.withoutValues) continue;
    hashes.read(record, handle);
    reply.bulk(hashes.bytes, hashes.offset, hashes.length);
    elements++;
  }
  return elements;
}

/** HRANDFIELD key [count [WITHVALUES]] */
function pickRandom(context: CommandContext): void {
  if (context.arguments.count === 2) replyRandomField(context);
  else replyRandomFields(context);
}

function replyRandomField(context: CommandContext): void {
  const { reply } = context;
  const { hashes } = context.types;
  const found = context.readTyped(1, TYPE_HASH);
  if (found === WRONG_TYPE) return;
  const record = withoutExpiredFields(context, found);
  if (record === NULL_REFERENCE) {
    reply.nullBulk();
    return;
  }
  hashes.readField(record, hashes.random(record));
  reply.bulk(hashes.bytes, hashes.offset, hashes.length);
}

function replyRandomFields(context: CommandContext): void {
  const { arguments: call, reply } = context;
  const withValues = call.count === 4 && call.is(3, 'WITHVALUES');
  const count = randomCount(context, 2, withValues);
  if (Number.isNaN(count)) return;
  if (call.count > 4 || (call.count === 4 && !withValues)) {
    reply.error(ERROR_SYNTAX);
    return;
  }
  const found = context.readTyped(1, TYPE_HASH);
  if (found === WRONG_TYPE) return;
  const record = withoutExpiredFields(context, found);
  if (record === NULL_REFERENCE || count === 0) reply.arrayHeader(0);
  else if (count < 0) replyPicks(context, record, -count, withValues);
  else replyDifferent(context, record, count, withValues);
}

/** The record without the fields that have expired: NULL_REFERENCE when the hash went with them, or there was none. */
function withoutExpiredFields(context: CommandContext, found: RecordReference): RecordReference {
  const { keyspace, database, types } = context;
  if (found === NULL_REFERENCE || !types.hashes.hasExpired(found) || !keyspace.removesExpired) return found;
  keyspace.announceChange(database, found);
  types.hashes.expireFields(database, found, Number.POSITIVE_INFINITY);
  return context.peek(1);
}

/** Replies fields picked one by one, the same again and again if so it happens. */
function replyPicks(
  context: CommandContext,
  record: RecordReference,
  count: number,
  withValues: boolean,
): void {
  checkPicks(context, count);
  const { hashes } = context.types;
  replyHeader(context, count, withValues);
  if (hashes.isTable(record)) {
    for (let i = 0; i < count && !endsPicks(context, i); i++) {
      replyPick(context, record, hashes.random(record), withValues);
    }
    return;
  }
  // Listpacks are slow to reach into: all fields of one are looked up before.
  fields.clear();
  hashes.collect(record, fields);
  for (let i = 0; i < count && !endsPicks(context, i); i++) {
    const picked = fields.items[Math.floor(Math.random() * fields.count)];
    replyPick(context, record, picked, withValues);
  }
}

/** Replies `count` different fields, or all if there are no more. */
function replyDifferent(
  context: CommandContext,
  record: RecordReference,
  count: number,
  withValues: boolean,
): void {
  const { hashes } = context.types;
  const size = hashes.count(record);
  replyHeader(context, Math.min(count, size), withValues);
  const isSparse = count * FIELDS_PER_PICK <= size && count <= DIFFERENT_PICKS_MAX;
  if (hashes.isTable(record) && isSparse) {
    replyDifferentPicks(context, record, count, withValues);
    return;
  }
  fields.clear();
  hashes.collect(record, fields);
  let wanted = Math.min(count, size);
  for (let i = 0; wanted > 0; i++) {
    if (Math.random() * (size - i) >= wanted) continue;
    replyPick(context, record, fields.items[i], withValues);
    wanted--;
  }
}

/** Replies `count` different fields of a table that has many more, picked one by one. */
function replyDifferentPicks(
  context: CommandContext,
  record: RecordReference,
  count: number,
  withValues: boolean,
): void {
  const { hashes } = context.types;
  while (picked.size < count) {
    const handle = hashes.random(record);
    if (picked.has(handle)) continue;
    picked.add(handle);
    replyPick(context, record, handle, withValues);
  }
  picked.clear();
}

/** RESP3 has a pair for each field with its value; in RESP2 they follow each other. */
function replyHeader({ reply }: CommandContext, count: number, withValues: boolean): void {
  reply.arrayHeader(withValues && reply.resp === 2 ? count * 2 : count);
}

function replyPick(
  { reply, types }: CommandContext,
  record: RecordReference,
  handle: FieldHandle,
  withValue: boolean,
): void {
  const { hashes } = types;
  if (withValue && reply.resp === 3) reply.arrayHeader(2);
  hashes.readField(record, handle);
  reply.bulk(hashes.bytes, hashes.offset, hashes.length);
  if (!withValue) return;
  hashes.read(record, handle);
  reply.bulk(hashes.bytes, hashes.offset, hashes.length);
}
