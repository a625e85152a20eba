/** Commands that add members to sets and remove them. */
import { EVENT_DEL, keyEvent, NOTIFY_SET } from '../../keyspace/events.js';
import { type Encoding, type RecordReference, TYPE_SET } from '../../keyspace/record.js';
import { NULL_REFERENCE } from '../../memory/reference.js';
import { ReferenceList } from '../../memory/reference-list.js';
import { type Command, keyAt } from '../../server/command.js';
import { type CommandContext, WRONG_TYPE } from '../../server/context.js';

const EVENT_SADD = keyEvent(NOTIFY_SET, 'sadd');
const EVENT_SREM = keyEvent(NOTIFY_SET, 'srem');

export const changingCommands: readonly Command[] = [
  {
    name: 'sadd',
    summary: 'Add members to a set.',
    syntax: 'key member...',
    arity: -3,
    flags: ['write', 'denyoom', 'fast'],
    categories: ['@set'],
    keys: [keyAt(1, 'RW', 'insert')],
    since: '1.0.0',
    group: 'set',
    complexity: 'O(N) for N members given',
    history: [['2.4.0', 'several members in one call']],
    handler: addMembers,
  },
  {
    name: 'srem',
    summary: 'Delete members of a set, and the set with its last one.',
    syntax: 'key member...',
    arity: -3,
    flags: ['write', 'fast'],
    categories: ['@set'],
    keys: [keyAt(1, 'RW', 'delete')],
    since: '1.0.0',
    group: 'set',
    complexity: 'O(N) for N members given',
    history: [['2.4.0', 'several members in one call']],
    handler: removeMembers,
  },
  {
    name: 'smove',
    summary: 'Move a member from one set to another.',
    syntax: 'source destination member',
    arity: 4,
    flags: ['write', 'fast'],
    categories: ['@set'],
    keys: [keyAt(1, 'RW', 'access', 'delete'), keyAt(2, 'RW', 'insert')],
    since: '1.0.0',
    group: 'set',
    complexity: 'O(1)',
    handler: moveMember,
  },
];

/** The arguments whose members a SADD has added so far. */
const added = new ReferenceList();

/** SADD key member [member ...] */
function addMembers(context: CommandContext): void {
  const record = context.writeTyped(1, TYPE_SET);
  if (record === WRONG_TYPE) return;
  const { sets } = context.types;
  const { bytes, offsets, lengths, count } = context.arguments;
  added.clear();
  if (record === NULL_REFERENCE) {
    const encoding = sets.encodingFor(bytes, offsets[2], lengths[2], count - 2);
    const created = addSet(context, 1, encoding);
    try {
      addArguments(context, created);
    } catch (error) {
      context.keyspace.remove(context.database, created);
      throw error;
    }
  } else {
    sets.expect(record, count - 2);
    try {
      addArguments(context, record);
    } catch (error) {
      removeAdded(context, record);
      throw error;
    }
  }
  if (added.count > 0) context.changed(EVENT_SADD, 1, added.count);
  context.reply.integer(added.count);
}

function addArguments(context: CommandContext, record: RecordReference): void {
  const { sets } = context.types;
  const { bytes, offsets, lengths, count } = context.arguments;
  for (let index = 2; index < count; index++) {
    if (sets.add(record, bytes, offsets[index], lengths[index])) added.push(index);
  }
}

/** Takes back what a SADD has added when memory ran out: it adds all or nothing. */
function removeAdded(context: CommandContext, record: RecordReference): void {
  const { bytes, offsets, lengths } = context.arguments;
  for (let i = 0; i < added.count; i++) {
    const index = added.items[i];
    context.types.sets.remove(record, bytes, offsets[index], lengths[index]);
  }
}

/** SREM key member [member ...] */
function removeMembers(context: CommandContext): void {
  const record = context.writeTyped(1, TYPE_SET);
  if (record === WRONG_TYPE) return;
  if (record === NULL_REFERENCE) {
    context.reply.integer(0);
    return;
  }
  const { sets } = context.types;
  const { bytes, offsets, lengths, count } = context.arguments;
  const size = sets.count(record);
  let removed = 0;
  for (let index = 2; index < count && removed < size; index++) {
    if (sets.remove(record, bytes, offsets[index], lengths[index])) removed++;
  }
  if (removed > 0) {
    if (removed === size) context.keyspace.remove(context.database, record);
    context.changed(EVENT_SREM, 1, removed);
    if (removed === size) context.notify(EVENT_DEL, 1);
  }
  context.reply.integer(removed);
}

/** SMOVE source destination member */
function moveMember(context: CommandContext): void {
  const { reply, keyspace, database, types } = context;
  const { sets } = types;
  const { bytes, offsets, lengths } = context.arguments;
  const source = context.writeTyped(1, TYPE_SET);
  if (source === WRONG_TYPE || source === NULL_REFERENCE) {
    context.lookupWrite(2); // it is looked at first, and goes if it has expired
    if (source === NULL_REFERENCE) reply.integer(0);
    return;
  }
  const destination = context.writeTyped(2, TYPE_SET);
  if (destination === WRONG_TYPE) return;
  const hasMember = sets.has(source, bytes, offsets[3], lengths[3]);
  if (hasMember && source !== destination) {
    const isLast = sets.count(source) === 1;
    // Told first, since Redis tells it before the events of the destination; removed last, so that the member stays
    // where it is when there is no memory for it there.
    context.notify(EVENT_SREM, 1);
    if (isLast) context.notify(EVENT_DEL, 1);
    const isAdded = addToDestination(context, destination);
    if (isLast) keyspace.remove(database, source);
    else sets.remove(source, bytes, offsets[3], lengths[3]);
    keyspace.dirty++;
    if (isAdded) context.changed(EVENT_SADD, 2);
  }
  reply.integer(hasMember ? 1 : 0);
}

/** Adds the member of an SMOVE to the set that it moves to, which may not exist. Returns whether it is new there. */
function addToDestination(context: CommandContext, destination: RecordReference): boolean {
  const { sets } = context.types;
  const { bytes, offsets, lengths } = context.arguments;
  if (destination !== NULL_REFERENCE) return sets.add(destination, bytes, offsets[3], lengths[3]);
  const created = addSet(context, 2, sets.encodingFor(bytes, offsets[3], lengths[3], 1));
  try {
    return sets.add(created, bytes, offsets[3], lengths[3]);
  } catch (error) {
    context.keyspace.remove(context.database, created);
    throw error;
  }
}

/**
 * An empty set for the key in argument `index`, which the last lookup did not find. The caller adds members.
 * @throws OutOfMemoryError, and nothing is added.
 */
function addSet(context: CommandContext, index: number, encoding: Encoding): RecordReference {
  const { sets } = context.types;
  const value = sets.create(encoding);
  try {
    return context.add(index, TYPE_SET, encoding, value, 0);
  } catch (error) {
    sets.release(value, 0, encoding, Number.POSITIVE_INFINITY);
    throw error;
  }
}
