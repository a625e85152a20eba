import { EVENT_DEL, keyEvent, NOTIFY_STRING } from '../../keyspace/events.js';
import { TYPE_STRING } from '../../keyspace/record.js';
import { NULL_REFERENCE } from '../../memory/reference.js';
import type { CommandContext } from '../../server/context.js';
import { WRONG_TYPE } from '../../server/context.js';

const EVENT_SET = keyEvent(NOTIFY_STRING, 'set');

/** GET key */
export function get(context: CommandContext): void {
  const record = context.readTyped(1, TYPE_STRING);
  if (record === WRONG_TYPE) return;
  const { reply, types } = context;
  if (record === NULL_REFERENCE) {
    reply.nullBulk();
    return;
  }
  types.strings.read(record);
  reply.bulk(types.strings.bytes, types.strings.offset, types.strings.length);
}

/** SET key value */
export function set(context: CommandContext): void {
  storeString(context, 1, 2);
  context.changed(EVENT_SET, 1);
  context.reply.ok();
}

/** Makes argument `valueIndex` the value of the key in argument `keyIndex`, whatever that held, without a deadline. */
export function storeString(context: CommandContext, keyIndex: number, valueIndex: number): void {
  const { keyspace, database, types } = context;
  const { bytes, offsets, lengths } = context.arguments;
  const record = context.lookupWrite(keyIndex);
  const offset = offsets[valueIndex];
  const length = lengths[valueIndex];
  if (record === NULL_REFERENCE) {
    const { keyHash } = context;
    types.strings.add(database, keyHash, bytes, offsets[keyIndex], lengths[keyIndex], bytes, offset, length);
    return;
  }
  types.strings.replace(database, keyspace.clearDeadline(database, record), bytes, offset, length);
}

/** INCR key */
export function incr(context: CommandContext): void {
  addInteger(context, 1);
}

function addInteger(context: CommandContext, increment: number): void {
  const { types, database, reply } = context;
  const record = context.writeTyped(1, TYPE_STRING);
  if (record === WRONG_TYPE) return;
  if (record === NULL_REFERENCE) {
    context.add(1, TYPE_STRING, 1, increment | 0, increment < 0 ? -1 : 0);
    context.changed(EVENT_DEL, 1);
    reply.integer(increment);
    return;
  }
  const value = types.strings.safeInteger(record) + increment;
  types.strings.setSafeInteger(database, record, value);
  context.changed(EVENT_DEL, 1);
  reply.integer(value);
}
