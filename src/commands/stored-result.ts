/** What ends a command that stores its result under a key, such as SUNIONSTORE, ZRANGESTORE and SORT with STORE. */
import { EVENT_DEL, type KeyEvent } from '../keyspace/events.js';
import type { RecordReference } from '../keyspace/record.js';
import { NULL_REFERENCE } from '../memory/reference.js';
import type { CommandContext } from '../server/context.js';

/**
 * Stores a draft of `count` elements under the key in argument `index`, whatever that held before, or removes the key
 * when there are none; tells of it as of so many `changes`, and replies how many elements there are. The draft is taken
 * or freed.
 * @throws OutOfMemoryError, and nothing is changed.
 */
export function storeResult(
  context: CommandContext,
  index: number,
  draft: RecordReference,
  count: number,
  event: KeyEvent,
  changes = 1,
): void {
  const { keyspace, database } = context;
  const { drafts } = keyspace;
  if (count === 0) {
    drafts.discard(draft);
    removeDestination(context, index);
    return;
  }
  const { bytes, offsets, lengths } = context.arguments;
  const replaced = context.lookupWrite(index);
  try {
    drafts.store(draft, database, context.keyHash, bytes, offsets[index], lengths[index], replaced);
  } catch (error) {
    drafts.discard(draft);
    throw error;
  }
  context.changed(event, index, changes);
  context.reply.integer(count);
}

/** The same for a result without elements, of which there is no draft. */
export function removeDestination(context: CommandContext, index: number): void {
  const { keyspace, database } = context;
  const { bytes, offsets, lengths } = context.arguments;
  const hash = keyspace.hash(bytes, offsets[index], lengths[index]);
  // Not looked up: one that has expired is removed by this command, as in Redis, and not by its deadline.
  const record = database.find(hash, bytes, offsets[index], lengths[index]);
  if (record !== NULL_REFERENCE) {
    keyspace.announceChange(database, record);
    keyspace.remove(database, record);
    context.changed(EVENT_DEL, index);
  }
  context.reply.integer(0);
}
