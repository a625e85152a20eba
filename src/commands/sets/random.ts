/** Commands that pick members of a set at random. */
import { EVENT_DEL, keyEvent, NOTIFY_SET } from '../../keyspace/events.js';
import {
  ENCODING_HASHTABLE,
  ENCODING_LISTPACK,
  type RecordReference,
  TYPE_SET,
} from '../../keyspace/record.js';
import { KEEP_DEADLINE } from '../../keyspace/record-store.js';
import { NULL_REFERENCE } from '../../memory/reference.js';
import { type Command, keyAt } from '../../server/command.js';
import { type CommandContext, WRONG_TYPE } from '../../server/context.js';
import { ERROR_NOT_POSITIVE, ERROR_SYNTAX } from '../../server/errors.js';
import { SREM } from '../../server/propagated-words.js';
import type { SetMemberHandle } from '../../types/set.js';
import { checkPicks, endsPicks, randomCount } from '../random-count.js';
import { replyMember, replyMembers } from './reading.js';

const EVENT_SPOP = keyEvent(NOTIFY_SET, 'spop');

export const randomCommands: readonly Command[] = [
  {
    name: 'spop',
    summary: 'Take some members out of a set, picked at random.',
    syntax: 'key [count@3.2.0]',
    arity: -2,
    flags: ['write', 'fast'],
    categories: ['@set'],
    keys: [keyAt(1, 'RW', 'access', 'delete')],
    since: '1.0.0',
    group: 'set',
    complexity: 'O(N) for N members taken, O(1) without a count',
    history: [['3.2.0', 'a count']],
    hints: ['nondeterministic_output'],
    handler: pop,
  },
  {
    name: 'srandmember',
    summary: 'Some members of a set, picked at random.',
    syntax: 'key [count@2.6.0]',
    arity: -2,
    flags: ['readonly'],
    categories: ['@set'],
    keys: [keyAt(1, 'RO', 'access')],
    since: '1.0.0',
    group: 'set',
    complexity: 'O(N) for N members returned, O(1) without a count',
    history: [['2.6.0', 'a count']],
    hints: ['nondeterministic_output'],
    handler: replyRandom,
  },
];

/** SPOP is propagated as SREM, of so many members at most. */
const PROPAGATED_BATCH = 1024;
/** A large set of which at least so many members are taken for each that stays is written anew, as in Redis. */
const TAKEN_PER_KEPT = 5;
/** When a set has at least so many members for each that is wanted, they are picked one by one. */
const MEMBERS_PER_PICK = 3;
/** So many different picks are made at most: V8's sets hold no more than 2^24 values. */
const DIFFERENT_PICKS_MAX = 1 << 20;

/** The members that were picked already. */
const picked = new Set<SetMemberHandle>();

/** SPOP key [count] */
function pop(context: CommandContext): void {
  const { reply } = context;
  const { count: argumentCount } = context.arguments;
  if (argumentCount === 3) {
    popMany(context);
    return;
  }
  if (argumentCount > 3) {
    reply.error(ERROR_SYNTAX);
    return;
  }
  const record = context.writeTyped(1, TYPE_SET);
  if (record === WRONG_TYPE) return;
  if (record === NULL_REFERENCE) {
    reply.nullBulk();
    return;
  }
  popOne(context, record, 0, 1);
  const isEmpty = context.types.sets.count(record) === 0;
  if (isEmpty) context.keyspace.remove(context.database, record);
  context.changed(EVENT_SPOP, 1);
  if (isEmpty) context.notify(EVENT_DEL, 1);
}

/** SPOP key count */
function popMany(context: CommandContext): void {
  const count = context.integer(2, ERROR_NOT_POSITIVE);
  if (Number.isNaN(count)) return;
  const { reply, types, keyspace } = context;
  if (count < 0) {
    reply.error(ERROR_NOT_POSITIVE);
    return;
  }
  const record = context.writeTyped(1, TYPE_SET);
  if (record === WRONG_TYPE) return;
  if (record === NULL_REFERENCE || count === 0) {
    reply.setHeader(0);
    return;
  }
  const { sets } = types;
  const size = sets.count(record);
  const taken = Math.min(count, size);
  reply.setHeader(taken);
  if (taken === size) {
    replyMembers(context, record);
    keyspace.remove(context.database, record);
  } else if (keyspace.records.encoding(record) !== ENCODING_HASHTABLE) {
    popFromSmall(context, record, size, taken);
  } else if ((size - taken) * TAKEN_PER_KEPT <= taken) {
    popMost(context, record, size, taken);
  } else {
    for (let i = 0; i < taken; i++) popOne(context, record, i, taken);
  }
  context.changed(EVENT_SPOP, 1, taken);
  if (taken < size) return;
  context.notify(EVENT_DEL, 1);
  context.propagateDeletion(1, 'lazyfree-lazy-server-del');
}

/** Takes out a member, the one after `done` of `count`, and replies it. */
function popOne(context: CommandContext, record: RecordReference, done: number, count: number): void {
  const { sets, setCursor } = context.types;
  const member = sets.random(record);
  setCursor.read(record, member);
  replyTaken(context, done, count);
  sets.removeMember(record, member);
}

/** Replies the member at the cursor, which is taken out after `done` of `count` others, and propagates that. */
function replyTaken(context: CommandContext, done: number, count: number): void {
  const { arguments: call, propagation, reply, types } = context;
  const { element } = types.setCursor;
  replyMember(reply, element);
  if (!propagation.isActive) return;
  if (done % PROPAGATED_BATCH === 0) {
    context
      .propagateInstead(2 + Math.min(count - done, PROPAGATED_BATCH))
      .word(SREM)
      .argument(call, 1);
  }
  element.spell();
  propagation.bytes(element.bytes, element.offset, element.length);
}

/** Takes out and replies `count` of the `size` members of an intset or listpack, in one walk. */
function popFromSmall(context: CommandContext, record: RecordReference, size: number, count: number): void {
  const { sets, setCursor: cursor } = context.types;
  let wanted = count;
  cursor.start(record);
  for (let left = size; wanted > 0; left--) {
    cursor.next();
    if (Math.random() * left >= wanted) continue;
    replyTaken(context, count - wanted, count);
    cursor.removeCurrent();
    wanted--;
  }
  // Redis adds those that stay to a new set, which follows the limits of now.
  if ((size - count) * TAKEN_PER_KEPT <= count) sets.expect(record, size - count);
}

/** Takes most members out of a large set and replies them; the others become a new set, which is a listpack at first. */
function popMost(context: CommandContext, record: RecordReference, size: number, count: number): void {
  const { types, keyspace, database, keyHash } = context;
  const { drafts } = keyspace;
  const { sets, setCursor: cursor } = types;
  const kept = sets.createDraft(ENCODING_LISTPACK);
  try {
    let wanted = count;
    cursor.start(record);
    for (let left = size; left > 0; left--) {
      cursor.next();
      if (Math.random() * left < wanted) {
        replyTaken(context, count - wanted, count);
        wanted--;
      } else {
        sets.addElement(kept, cursor.element);
      }
    }
    const { bytes, offsets, lengths } = context.arguments;
    drafts.store(kept, database, keyHash, bytes, offsets[1], lengths[1], record, KEEP_DEADLINE);
  } catch (error) {
    drafts.discard(kept);
    throw error;
  }
}

/** SRANDMEMBER key [count] */
function replyRandom(context: CommandContext): void {
  const { reply } = context;
  const { count: argumentCount } = context.arguments;
  if (argumentCount === 3) {
    replyRandomMany(context);
    return;
  }
  if (argumentCount > 3) {
    reply.error(ERROR_SYNTAX);
    return;
  }
  const record = context.readTyped(1, TYPE_SET);
  if (record === WRONG_TYPE) return;
  if (record === NULL_REFERENCE) reply.nullBulk();
  else replyPicks(context, record, 1);
}

/** SRANDMEMBER key count: so many different members, or with a negative count so many picks. */
function replyRandomMany(context: CommandContext): void {
  const count = randomCount(context, 2, false);
  if (Number.isNaN(count)) return;
  const { reply, types } = context;
  const record = context.readTyped(1, TYPE_SET);
  if (record === WRONG_TYPE) return;
  if (record === NULL_REFERENCE || count === 0) {
    reply.arrayHeader(0);
    return;
  }
  if (count < 0 || count === 1) {
    checkPicks(context, Math.abs(count));
    reply.arrayHeader(Math.abs(count));
    replyPicks(context, record, Math.abs(count));
    return;
  }
  const size = types.sets.count(record);
  reply.arrayHeader(Math.min(count, size));
  if (count >= size) replyMembers(context, record);
  else if (count * MEMBERS_PER_PICK > size || count > DIFFERENT_PICKS_MAX)
    replySample(context, record, size, count);
  else replyDifferentPicks(context, record, count);
}

/** Replies members picked one by one, the same again and again if so it happens. */
function replyPicks(context: CommandContext, record: RecordReference, count: number): void {
  const { sets, setCursor } = context.types;
  for (let i = 0; i < count && !endsPicks(context, i); i++) {
    setCursor.read(record, sets.random(record));
    replyMember(context.reply, setCursor.element);
  }
}

/** Replies `count` of the `size` members of a set, in one walk. */
function replySample(
  { reply, types }: CommandContext,
  record: RecordReference,
  size: number,
  count: number,
): void {
  const { setCursor: cursor } = types;
  let wanted = count;
  cursor.start(record);
  for (let left = size; wanted > 0; left--) {
    cursor.next();
    if (Math.random() * left >= wanted) continue;
    replyMember(reply, cursor.element);
    wanted--;
  }
}

/** Replies `count` different members of a set that has many more, picked one by one. */
function replyDifferentPicks({ reply, types }: CommandContext, record: RecordReference, count: number): void {
  const { sets, setCursor } = types;
  picked.clear();
  while (picked.size < count) {
    const member = sets.random(record);
    if (picked.has(member)) continue;
    picked.add(member);
    setCursor.read(record, member);
    replyMember(reply, setCursor.element);
  }
  picked.clear();
}
