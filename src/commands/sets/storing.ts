/** How sets get into the keyspace and out of it. */
import { type KeyEvent, keyEvent, NOTIFY_SET } from '../../keyspace/events.js';
import { type Encoding, type RecordReference, TYPE_SET } from '../../keyspace/record.js';
import { NO_DEADLINE } from '../../keyspace/record-store.js';
import { NULL_REFERENCE } from '../../memory/reference.js';
import type { CommandContext } from '../../server/context.js';

export const EVENT_SADD = keyEvent(NOTIFY_SET, 'sadd');
export const EVENT_SREM = keyEvent(NOTIFY_SET, 'srem');

/**
 * An empty set for the key in argument `index`, which the last lookup did not find. The caller adds members.
 * @throws OutOfMemoryError, and nothing is added.
 */
export function addSet(context: CommandContext, index: number, encoding: Encoding): RecordReference {
  const { sets } = context.types;
  const value = sets.create(encoding);
  try {
    return context.add(index, TYPE_SET, encoding, value, 0);
  } catch (error) {
    sets.release(value, 0, encoding, Number.POSITIVE_INFINITY);
    throw error;
  }
}

/**
 * Makes a draft the value of the key in argument 1, whatever that held, and replies how many members it has. An empty
 * one deletes the key.
 * @throws OutOfMemoryError, and the draft is discarded.
 */
export function storeDraft(context: CommandContext, draft: RecordReference, event: KeyEvent): void {
  const { sets } = context.types;
  const count = sets.count(draft);
  if (count === 0) {
    sets.discardDraft(draft);
    storeNothing(context);
    return;
  }
  const record = context.lookupWrite(1);
  try {
    if (record === NULL_REFERENCE) {
      const { records } = sets;
      context.add(1, TYPE_SET, records.encoding(draft), records.slot(draft), 0);
    } else {
      replaceValue(context, record, draft, NO_DEADLINE);
    }
  } catch (error) {
    sets.discardDraft(draft);
    throw error;
  }
  sets.takeDraft(draft);
  context.changed(event, 1);
  context.reply.integer(count);
}

/** Deletes the key in argument 1, if there is one, since the set that was to be stored there is empty. */
export function storeNothing(context: CommandContext): void {
  const record = context.lookupWrite(1);
  if (record !== NULL_REFERENCE) context.keyspace.removeAndTell(context.database, record);
  context.reply.integer(0);
}

/**
 * Gives a record the value of a draft instead of its own, which is freed, in slices when it is large.
 * @throws OutOfMemoryError, and nothing has changed.
 */
export function replaceValue(
  { keyspace, database, types }: CommandContext,
  record: RecordReference,
  draft: RecordReference,
  deadlineMs: number,
): void {
  const { records } = types.sets;
  const moved = keyspace.reshape(database, record, TYPE_SET, records.encoding(draft), -1, deadlineMs);
  records.setSlot(moved, records.slot(draft));
  records.setSlotExtra(moved, 0);
}
