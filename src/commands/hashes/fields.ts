/** What the commands on hashes have in common: opening a hash, finding, setting and naming fields. */
import { keyEvent, NOTIFY_HASH } from '../../keyspace/events.js';
import { ENCODING_HASHTABLE, type RecordReference, TYPE_HASH } from '../../keyspace/record.js';
import { type ByteLength, NULL_REFERENCE } from '../../memory/reference.js';
import type { CommandContext } from '../../server/context.js';
import { type FieldHandle, NO_FIELD } from '../../types/hash.js';
import { replyElements } from '../listpack-replies.js';

export const EVENT_HSET = keyEvent(NOTIFY_HASH, 'hset');
export const EVENT_HDEL = keyEvent(NOTIFY_HASH, 'hdel');
export const EVENT_HEXPIRE = keyEvent(NOTIFY_HASH, 'hexpire');
export const EVENT_HPERSIST = keyEvent(NOTIFY_HASH, 'hpersist');

/** The reply to a count of fields that is none. */
export const ERROR_FIELD_COUNT = 'ERR Number of fields must be a positive integer';
const ERROR_FIELD_COUNT_MISMATCH = 'ERR The `numfields` parameter must match the number of arguments';

/** About what a field takes beyond its bytes and those of its value, at most. */
const FIELD_BYTES: ByteLength = 64;

/** No argument: what `firstFieldOf` returns when the arguments are wrong and the error is replied. */
export const NO_ARGUMENT = 0;

/** Where the field in argument `index` is, expired or not; NO_FIELD when there is no such field, or no hash. */
export function findField(
  { types, arguments: call }: CommandContext,
  record: RecordReference,
  index: number,
): FieldHandle {
  if (record === NULL_REFERENCE) return NO_FIELD;
  return types.hashes.find(record, call.bytes, call.offsets[index], call.lengths[index]);
}

/**
 * Where the field in argument `index` is, for a command that reads only that one; NO_FIELD when there is no such field.
 * A field that has expired goes, perhaps with the hash: the record is invalid then.
 */
export function findOnlyField(context: CommandContext, record: RecordReference, index: number): FieldHandle {
  const handle = findField(context, record, index);
  if (handle === NO_FIELD || !context.types.hashes.isExpired(record, handle)) return handle;
  if (removeExpired(context, record, handle)) context.types.hashes.tellExpired(context.database, record);
  return NO_FIELD;
}

/** Removes a field that has expired, unless such are only to be hidden. Whoever calls this tells of it. */
export function removeExpired(
  { keyspace, database, types }: CommandContext,
  record: RecordReference,
  handle: FieldHandle,
): boolean {
  if (!keyspace.mayRemoveExpired(database, record)) return false;
  types.hashes.removeExpired(database, record, handle);
  return true;
}

/** Replies the value of a field; of NO_FIELD, null. */
export function replyValue(
  { types, reply, keyspace }: CommandContext,
  record: RecordReference,
  handle: FieldHandle,
): void {
  if (handle === NO_FIELD) {
    reply.nullBulk();
    return;
  }
  const { hashes, listpacks } = types;
  if (hashes.isTable(record)) {
    hashes.read(record, handle);
    reply.bulk(hashes.bytes, hashes.offset, hashes.length);
  } else {
    const listpack = keyspace.records.slot(record);
    replyElements(reply, keyspace.memory, listpack, listpacks.next(listpack, handle), 1, 1, 0);
  }
}

/**
 * The record that a write command found, without the field in argument `index` if that has expired: NULL_REFERENCE
 * when the hash went with it, or there was none.
 */
export function withoutExpiredField(
  context: CommandContext,
  found: RecordReference,
  index: number,
): RecordReference {
  const { hashes } = context.types;
  if (found === NULL_REFERENCE || !hashes.hasExpired(found)) return found;
  const handle = findField(context, found, index);
  if (handle === NO_FIELD || !hashes.isExpired(found, handle)) return found;
  return removeExpired(context, found, handle) ? hashes.tellExpired(context.database, found) : found;
}

/** Removes the hash if it has no field left, as the last of the events of a command. */
export function removeIfEmpty({ types, keyspace, database }: CommandContext, record: RecordReference): void {
  if (types.hashes.count(record) === 0) keyspace.removeAndTell(database, record);
}

/**
 * The record of a hash that is about to get the fields and values in arguments `first` to below `end`: `found`, in
 * the encoding that they need, or a new one.
 * @throws OutOfMemoryError, and nothing is added.
 */
export function openForFields(
  context: CommandContext,
  found: RecordReference,
  first: number,
  end: number,
): RecordReference {
  const { lengths } = context.arguments;
  let longest: ByteLength = 0;
  let total: ByteLength = 0;
  for (let i = first; i < end; i++) {
    longest = Math.max(longest, lengths[i]);
    total += lengths[i];
  }
  const count = (end - first) / 2;
  const { hashes } = context.types;
  // Fields that are set cannot be taken back, so several are set only when all can be.
  if (count > 1) context.keyspace.memory.requireRoom(total + count * FIELD_BYTES);
  if (found !== NULL_REFERENCE) {
    hashes.expect(found, count, longest, total);
    return found;
  }
  const encoding = hashes.encodingFor(count, longest);
  const content = encoding === ENCODING_HASHTABLE ? 0 : listpackLength(context, first, end);
  return addHash(context, encoding, content);
}

/**
 * A new hash without fields for the key in argument 1, which the last lookup did not find.
 * @param content bytes that its elements will take in a listpack, if they are known
 * @throws OutOfMemoryError, and nothing is added.
 */
export function addHash(context: CommandContext, encoding: number, content: ByteLength): RecordReference {
  const { hashes } = context.types;
  const value = hashes.create(encoding, content);
  try {
    return context.add(1, TYPE_HASH, encoding, value, 0);
  } catch (error) {
    hashes.release(value, 0, encoding, Number.POSITIVE_INFINITY);
    throw error;
  }
}

/** Sets the field in argument `index` to the value in the next one. Returns whether it is new. */
export function setField(
  { types, database, arguments: call }: CommandContext,
  record: RecordReference,
  index: number,
  keepsDeadline: boolean,
): boolean {
  const { bytes, offsets, lengths } = call;
  const field = offsets[index];
  const fieldLength = lengths[index];
  const handle = types.hashes.find(record, bytes, field, fieldLength);
  types.hashes.set(
    database,
    record,
    handle,
    bytes,
    field,
    fieldLength,
    bytes,
    offsets[index + 1],
    lengths[index + 1],
    keepsDeadline,
  );
  return handle === NO_FIELD;
}

/**
 * Sets the fields and values in arguments `first` to below `end` of the hash in argument 1, which is `found` or new;
 * none of them expires any more. Returns how many are new.
 * @throws OutOfMemoryError; a new hash is not left over.
 */
export function setFields(
  context: CommandContext,
  found: RecordReference,
  first: number,
  end: number,
): number {
  const record = openForFields(context, found, first, end);
  let added = 0;
  try {
    for (let i = first; i < end; i += 2) if (setField(context, record, i, false)) added++;
  } catch (error) {
    if (found === NULL_REFERENCE) context.keyspace.remove(context.database, record);
    throw error;
  }
  return added;
}

/**
 * The first of the fields that `FIELDS numfields field...` names, from argument `index` to the last; NO_ARGUMENT when
 * that is wrong and the error is replied.
 * @param countError what is replied when the count is none
 */
export function firstFieldOf(context: CommandContext, index: number, countError: string): number {
  const { arguments: call, reply } = context;
  if (!call.is(index, 'FIELDS')) {
    reply.error('ERR Mandatory argument FIELDS is missing or not at the right position');
    return NO_ARGUMENT;
  }
  const count = context.integer(index + 1, countError);
  if (Number.isNaN(count)) return NO_ARGUMENT;
  const first = index + 2;
  if (count < 1) reply.error(countError);
  else if (count !== call.count - first) reply.error(ERROR_FIELD_COUNT_MISMATCH);
  else return first;
  return NO_ARGUMENT;
}

/** What the elements will take in a listpack. */
function listpackLength({ types, arguments: call }: CommandContext, first: number, end: number): ByteLength {
  const { bytes, offsets, lengths } = call;
  let length: ByteLength = 0;
  for (let i = first; i < end; i++) length += types.listpacks.entryLength(bytes, offsets[i], lengths[i]);
  return length;
}
