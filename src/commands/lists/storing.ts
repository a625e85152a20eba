/** How lists get into the keyspace, and elements and lists out of it. */
import { EVENT_DEL, type KeyEvent, keyEvent, NOTIFY_LIST } from '../../keyspace/events.js';
import { type Encoding, type RecordReference, TYPE_LIST } from '../../keyspace/record.js';
import { type ByteLength, NULL_REFERENCE } from '../../memory/reference.js';
import type { CommandContext } from '../../server/context.js';
import { ERROR_SYNTAX } from '../../server/errors.js';
import type { ListEnd } from '../../types/list.js';
import { replyElements } from './reading.js';

const EVENT_LPUSH = keyEvent(NOTIFY_LIST, 'lpush');
const EVENT_RPUSH = keyEvent(NOTIFY_LIST, 'rpush');
const EVENT_LPOP = keyEvent(NOTIFY_LIST, 'lpop');
const EVENT_RPOP = keyEvent(NOTIFY_LIST, 'rpop');

/** The event of adding elements at an end. */
export function pushEvent(end: ListEnd): KeyEvent {
  return end === 'first' ? EVENT_LPUSH : EVENT_RPUSH;
}

/** The event of removing elements from an end. */
export function popEvent(end: ListEnd): KeyEvent {
  return end === 'first' ? EVENT_LPOP : EVENT_RPOP;
}

/** The end of a list that argument `index` names, LEFT or RIGHT; undefined when it is neither and the error is replied. */
export function listEnd({ arguments: request, reply }: CommandContext, index: number): ListEnd | undefined {
  if (request.is(index, 'LEFT')) return 'first';
  if (request.is(index, 'RIGHT')) return 'last';
  reply.error(ERROR_SYNTAX);
  return undefined;
}

/**
 * An empty list for the key in argument `index`, which the last lookup did not find. The caller adds elements.
 * @param content bytes that they will take in a listpack
 * @throws OutOfMemoryError, and nothing is added.
 */
export function addList(
  context: CommandContext,
  index: number,
  encoding: Encoding,
  content: ByteLength,
): RecordReference {
  const { lists } = context.types;
  const value = lists.create(encoding, content);
  try {
    return context.add(index, TYPE_LIST, encoding, value, 0);
  } catch (error) {
    lists.release(value, 0, encoding, Number.POSITIVE_INFINITY);
    throw error;
  }
}

/**
 * Adds the element that was read from another list to that of the key in argument `index`; NULL_REFERENCE: a new one.
 * @throws OutOfMemoryError, and nothing is added.
 */
export function pushElement(
  context: CommandContext,
  index: number,
  record: RecordReference,
  end: ListEnd,
): void {
  const { lists } = context.types;
  const { bytes, offset, length } = lists.element;
  if (record !== NULL_REFERENCE) {
    lists.expect(record, 1, length);
    lists.push(record, end, bytes, offset, length);
    return;
  }
  const content = context.types.listpacks.entryLength(bytes, offset, length);
  const created = addList(context, index, lists.encodingFor(1, length), content);
  try {
    lists.push(created, end, bytes, offset, length);
  } catch (error) {
    context.keyspace.remove(context.database, created);
    throw error;
  }
}

/** Removes the element at an end of the list of the key in argument `index`, after it was read, and tells of it. */
export function removeElement(
  context: CommandContext,
  index: number,
  record: RecordReference,
  end: ListEnd,
): void {
  const { lists } = context.types;
  const isLast = lists.removeEnd(record, end) === 0;
  if (isLast) context.keyspace.remove(context.database, record);
  else lists.compact(record, true);
  context.changed(popEvent(end), index);
  if (isLast) context.notify(EVENT_DEL, index);
}

/** Replies the element at an end of the list of the key in argument `index`, and removes it. */
export function popElement(
  context: CommandContext,
  index: number,
  record: RecordReference,
  end: ListEnd,
): void {
  const { lists } = context.types;
  const { element } = lists;
  lists.readEnd(record, end);
  element.spell();
  context.reply.bulk(element.bytes, element.offset, element.length);
  removeElement(context, index, record, end);
}

/** Replies up to `count` elements from an end of the list of the key in argument `index`, and removes them. */
export function popElements(
  context: CommandContext,
  index: number,
  record: RecordReference,
  end: ListEnd,
  count: number,
): void {
  const { lists } = context.types;
  const length = lists.length(record);
  const popped = Math.min(count, length);
  const isFirst = end === 'first';
  replyElements(context, record, isFirst ? 0 : -1, popped, isFirst);
  if (popped === length) {
    context.keyspace.remove(context.database, record);
  } else {
    lists.removeRange(record, isFirst ? 0 : -popped, popped);
    lists.compact(record, true);
  }
  context.changed(popEvent(end), index, popped);
  if (popped === length) context.notify(EVENT_DEL, index);
}
