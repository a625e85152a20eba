import { ENCODING_INT } from '../../keyspace/record.js';
import { NULL_REFERENCE } from '../../memory/reference.js';
import type { CommandContext } from '../../server/context.js';
import { ERROR_SYNTAX } from '../../server/errors.js';

/** How many elements are looked at of a value of many, unless the caller says. */
const SAMPLES = 5;
/** A key's part of its bucket in the hash table: a cache line for nine keys on average. */
const TABLE_BYTES_PER_KEY = 8;

/** MEMORY USAGE: the record with the key, its value, and its part of the table. */
export function memoryUsage(context: CommandContext): void {
  const { arguments: request, reply, keyspace, database } = context;
  let samples = SAMPLES;
  for (let i = 3; i < request.count; i += 2) {
    if (!request.is(i, 'SAMPLES') || i + 1 === request.count) {
      reply.error(ERROR_SYNTAX);
      return;
    }
    samples = context.integer(i + 1);
    if (Number.isNaN(samples)) return;
    if (samples < 0) {
      reply.error(ERROR_SYNTAX);
      return;
    }
  }
  const { bytes, offsets, lengths } = request;
  // A key that is past its deadline still takes memory.
  const hash = keyspace.hash(bytes, offsets[2], lengths[2]);
  const record = database.find(hash, bytes, offsets[2], lengths[2]);
  if (record === NULL_REFERENCE) {
    reply.nullBulk();
    return;
  }
  const { records } = keyspace;
  let usage = keyspace.memory.blockBytes(record) + TABLE_BYTES_PER_KEY;
  const encoding = records.encoding(record);
  if (records.hasSlot(record) && encoding !== ENCODING_INT) {
    const operations = keyspace.operationsOf(records.type(record));
    usage += operations.memoryUsage(records.slot(record), records.slotExtra(record), encoding, samples);
  }
  reply.integer(usage);
}
