/** Commands that change part of a string in place. */
import { keyEvent, NOTIFY_STRING } from '../../keyspace/events.js';
import { TYPE_STRING } from '../../keyspace/record.js';
import { NO_DEADLINE } from '../../keyspace/record-store.js';
import { copyBytes } from '../../memory/bytes.js';
import { type ByteLength, NULL_REFERENCE } from '../../memory/reference.js';
import { type Command, keyAt } from '../../server/command.js';
import { type CommandContext, WRONG_TYPE } from '../../server/context.js';
import { ERROR_STRING_TOO_LONG } from '../../server/errors.js';

const EVENT_APPEND = keyEvent(NOTIFY_STRING, 'append');
const EVENT_SETRANGE = keyEvent(NOTIFY_STRING, 'setrange');

export const editingCommands: readonly Command[] = [
  {
    name: 'append',
    summary: 'Add bytes to the end of a string.',
    syntax: 'key value',
    arity: 3,
    flags: ['write', 'denyoom', 'fast'],
    categories: ['@string'],
    keys: [keyAt(1, 'RW', 'insert')],
    since: '2.0.0',
    group: 'string',
    complexity: 'O(1) amortized: the string grows with room to spare',
    handler: append,
  },
  {
    name: 'setrange',
    summary: 'Overwrite part of a string, padding with zero bytes up to the offset.',
    syntax: 'key offset value',
    arity: 4,
    flags: ['write', 'denyoom'],
    categories: ['@string'],
    keys: [keyAt(1, 'RW', 'update')],
    since: '2.2.0',
    group: 'string',
    complexity: 'O(M) for M bytes written',
    handler: setRange,
  },
];

/** APPEND key value */
function append(context: CommandContext): void {
  const record = context.writeTyped(1, TYPE_STRING);
  if (record === WRONG_TYPE) return;
  const { database, keyHash } = context;
  const { strings } = context.types;
  const { bytes, offsets, lengths } = context.arguments;
  const offset = offsets[2];
  const added = lengths[2];
  let length = added;
  if (record === NULL_REFERENCE) {
    const key = offsets[1];
    strings.add(database, keyHash, bytes, key, lengths[1], bytes, offset, added, NO_DEADLINE);
  } else {
    const old = strings.byteLength(record);
    length = old + added;
    if (!isAllowedLength(context, length)) return;
    strings.resize(database, record, length);
    copyBytes(bytes, offset, strings.bytes, strings.offset + old, added);
  }
  context.changed(EVENT_APPEND, 1);
  context.reply.integer(length);
}

/** SETRANGE key offset value */
function setRange(context: CommandContext): void {
  const { reply } = context;
  const start = context.integer(2);
  if (Number.isNaN(start)) return;
  if (start < 0) {
    reply.error('ERR offset is out of range');
    return;
  }
  const record = context.writeTyped(1, TYPE_STRING);
  if (record === WRONG_TYPE) return;
  const { database, keyHash } = context;
  const { strings } = context.types;
  const { bytes, offsets, lengths } = context.arguments;
  const old = record === NULL_REFERENCE ? 0 : strings.byteLength(record);
  const written = lengths[3];
  if (written === 0) {
    reply.integer(old);
    return;
  }
  if (!isAllowedLength(context, start + written)) return;
  const length = Math.max(old, start + written);
  if (record !== NULL_REFERENCE) strings.resize(database, record, length);
  else strings.addZeros(database, keyHash, bytes, offsets[1], lengths[1], length);
  copyBytes(bytes, offsets[3], strings.bytes, strings.offset + start, written);
  context.changed(EVENT_SETRANGE, 1);
  reply.integer(length);
}

/** Whether a string may be as long; the error is replied when not. */
function isAllowedLength({ configuration, reply }: CommandContext, length: ByteLength): boolean {
  if (length <= configuration.values['proto-max-bulk-len']) return true;
  reply.error(ERROR_STRING_TOO_LONG);
  return false;
}
