/** Commands that tell what is in a set. */
import { ENCODING_HASHTABLE, type RecordReference, TYPE_SET } from '../../keyspace/record.js';
import { NULL_REFERENCE } from '../../memory/reference.js';
import { ReferenceList } from '../../memory/reference-list.js';
import type { ReplyWriter } from '../../protocol/reply-writer.js';
import { type Command, keyAt } from '../../server/command.js';
import { type CommandContext, WRONG_TYPE } from '../../server/context.js';
import type { ListpackElement } from '../../structures/listpack-element.js';
import { ScanOptions } from '../scan-options.js';

export const readingCommands: readonly Command[] = [
  {
    name: 'scard',
    summary: 'How many members a set has.',
    syntax: 'key',
    arity: 2,
    flags: ['readonly', 'fast'],
    categories: ['@set'],
    keys: [keyAt(1, 'RO')],
    since: '1.0.0',
    group: 'set',
    complexity: 'O(1)',
    handler: replyCount,
  },
  {
    name: 'sismember',
    summary: 'Whether a set has a member.',
    syntax: 'key member',
    arity: 3,
    flags: ['readonly', 'fast'],
    categories: ['@set'],
    keys: [keyAt(1, 'RO')],
    since: '1.0.0',
    group: 'set',
    complexity: 'O(1)',
    handler: replyIsMember,
  },
  {
    name: 'smismember',
    summary: 'Which of the given members a set has.',
    syntax: 'key member...',
    arity: -3,
    flags: ['readonly', 'fast'],
    categories: ['@set'],
    keys: [keyAt(1, 'RO', 'access')],
    since: '6.2.0',
    group: 'set',
    complexity: 'O(N) for N members given',
    handler: replyAreMembers,
  },
  {
    name: 'smembers',
    summary: 'Read all members of a set.',
    syntax: 'key',
    arity: 2,
    flags: ['readonly'],
    categories: ['@set'],
    keys: [keyAt(1, 'RO', 'access')],
    since: '1.0.0',
    group: 'set',
    complexity: 'O(N) for N members in the set',
    hints: ['nondeterministic_output_order'],
    handler: replyAll,
  },
  {
    name: 'sscan',
    summary: 'Walk the members of a set, some at a time.',
    syntax: 'key cursor [MATCH pattern] [COUNT count]',
    arity: -3,
    flags: ['readonly'],
    categories: ['@set'],
    keys: [keyAt(1, 'RO', 'access')],
    since: '2.8.0',
    group: 'set',
    complexity: 'O(1) for a call, O(N) for a walk over N members',
    hints: ['nondeterministic_output'],
    handler: scan,
  },
];

const scanOptions = new ScanOptions();
/** The members that an SSCAN replies: its cursor, which is known last, comes before them. */
const scannedMembers = new ReferenceList();

/** Replies a member. */
export function replyMember(reply: ReplyWriter, element: ListpackElement): void {
  element.spell();
  reply.bulk(element.bytes, element.offset, element.length);
}

/** Replies all members of a set, without a header. */
export function replyMembers({ reply, types }: CommandContext, record: RecordReference): void {
  const { setCursor: cursor } = types;
  cursor.start(record);
  while (cursor.next()) replyMember(reply, cursor.element);
}

/** SCARD key */
function replyCount(context: CommandContext): void {
  const record = context.readTyped(1, TYPE_SET);
  if (record === WRONG_TYPE) return;
  context.reply.integer(record === NULL_REFERENCE ? 0 : context.types.sets.count(record));
}

/** SISMEMBER key member */
function replyIsMember(context: CommandContext): void {
  const record = context.readTyped(1, TYPE_SET);
  if (record === WRONG_TYPE) return;
  const { bytes, offsets, lengths } = context.arguments;
  const isMember = record !== NULL_REFERENCE && context.types.sets.has(record, bytes, offsets[2], lengths[2]);
  context.reply.integer(isMember ? 1 : 0);
}

/** SMISMEMBER key member [member ...] */
function replyAreMembers(context: CommandContext): void {
  const record = context.readTyped(1, TYPE_SET);
  if (record === WRONG_TYPE) return;
  const { reply, types } = context;
  const { bytes, offsets, lengths, count } = context.arguments;
  reply.arrayHeader(count - 2);
  for (let index = 2; index < count; index++) {
    const isMember =
      record !== NULL_REFERENCE && types.sets.has(record, bytes, offsets[index], lengths[index]);
    reply.integer(isMember ? 1 : 0);
  }
}

/** SMEMBERS key */
function replyAll(context: CommandContext): void {
  const record = context.readTyped(1, TYPE_SET);
  if (record === WRONG_TYPE) return;
  if (record === NULL_REFERENCE) {
    context.reply.setHeader(0);
    return;
  }
  context.reply.setHeader(context.types.sets.count(record));
  replyMembers(context, record);
}

/** SSCAN key cursor [MATCH pattern] [COUNT count] */
function scan(context: CommandContext): void {
  if (!scanOptions.readCursor(context, 2)) return;
  const record = context.readTyped(1, TYPE_SET);
  if (record === WRONG_TYPE) return;
  const { reply, keyspace } = context;
  if (record === NULL_REFERENCE) {
    reply.arrayHeader(2);
    reply.bulkInteger(0);
    reply.arrayHeader(0);
    return;
  }
  if (!scanOptions.read(context, 3, 'set')) return;
  if (keyspace.records.encoding(record) === ENCODING_HASHTABLE) scanTable(context, record);
  else scanSmall(context, record);
}

function scanTable(context: CommandContext, record: RecordReference): void {
  const { reply, types } = context;
  const { sets, setCursor } = types;
  const { element } = setCursor;
  const { count } = scanOptions;
  scannedMembers.clear();
  let { cursor } = scanOptions;
  let steps = 0;
  do {
    cursor = sets.scan(record, cursor, scannedMembers);
    // As in Redis: about `count` members are looked at, and a table that is nearly empty does not make it long.
  } while (cursor !== 0 && scannedMembers.count < count && ++steps <= count * 10);
  reply.arrayHeader(2);
  reply.bulkInteger(cursor);
  const start = reply.beginDeferred();
  let replied = 0;
  for (let i = 0; i < scannedMembers.count; i++) {
    setCursor.read(record, scannedMembers.items[i]);
    if (!scanOptions.matches(context, element.bytes, element.offset, element.length)) continue;
    replyMember(reply, element);
    replied++;
  }
  reply.endDeferredArray(start, replied);
}

/** Small sets are replied whole, whatever the cursor and count. */
function scanSmall(context: CommandContext, record: RecordReference): void {
  const { reply, types } = context;
  const { setCursor: cursor } = types;
  const { element } = cursor;
  reply.arrayHeader(2);
  reply.bulkInteger(0);
  const start = reply.beginDeferred();
  let replied = 0;
  cursor.start(record);
  while (cursor.next()) {
    element.spell();
    if (!scanOptions.matches(context, element.bytes, element.offset, element.length)) continue;
    replyMember(reply, element);
    replied++;
  }
  reply.endDeferredArray(start, replied);
}
