/** What the commands have in common that write bits anywhere into a string. */
import { keyEvent, NOTIFY_STRING } from '../../keyspace/events.js';
import { ENCODING_RAW, type RecordReference } from '../../keyspace/record.js';
import { type ByteLength, NULL_REFERENCE } from '../../memory/reference.js';
import type { CommandContext } from '../../server/context.js';
import type { BitPosition } from '../../structures/bitmap.js';

export const EVENT_SETBIT = keyEvent(NOTIFY_STRING, 'setbit');

/** The reply to a position that is no integer, or one that no string has. */
export const ERROR_BIT_OFFSET = 'ERR bit offset is not an integer or out of range';

/** How many bits the longest string that clients may make has. */
export function bitPositionsEnd({ configuration }: CommandContext): BitPosition {
  return configuration.values['proto-max-bulk-len'] * 8;
}

/**
 * Makes the string of the key in argument 1, which was looked up last and has `record`, or NULL_REFERENCE, `length` bytes
 * long if it is shorter. `bytes`, `offset` and `length` of `types.strings` point at it afterwards, to be written to; it is
 * `raw` then, as in Redis, whatever is written. Returns whether there are new bytes, which are zero.
 * @throws OutOfMemoryError, and nothing is changed.
 */
export function prepareForBits(
  context: CommandContext,
  record: RecordReference,
  length: ByteLength,
): boolean {
  const { database, keyHash, keyspace, types } = context;
  const { strings } = types;
  if (record === NULL_REFERENCE) {
    const { bytes, offsets, lengths } = context.arguments;
    strings.addZeros(database, keyHash, bytes, offsets[1], lengths[1], length);
    return true;
  }
  const before = strings.byteLength(record);
  if (before < length || keyspace.records.encoding(record) !== ENCODING_RAW) {
    strings.resize(database, record, Math.max(before, length));
  } else {
    strings.read(record);
  }
  return before < length;
}
