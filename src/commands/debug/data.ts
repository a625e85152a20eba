import {
  ENCODING_INT,
  ENCODING_LISTPACK,
  ENCODING_LISTPACK_EX,
  ENCODING_NAMES,
  ENCODING_QUICKLIST,
  type RecordReference,
  TYPE_STRING,
} from '../../keyspace/record.js';
import { NO_DEADLINE } from '../../keyspace/record-store.js';
import { NULL_REFERENCE } from '../../memory/reference.js';
import { latin1 } from '../../protocol/arguments.js';
import type { CommandContext } from '../../server/context.js';
import { ERROR_NO_SUCH_KEY, ERROR_NOT_POSITIVE } from '../../server/errors.js';
import { matchGlob } from '../../structures/glob.js';
import { NO_POSITION } from '../../structures/listpack-reader.js';
import { type DebugSubcommand, FIRST_ARGUMENT } from './subcommand.js';

export const dataSubcommands: readonly DebugSubcommand[] = [
  {
    name: 'object',
    syntax: '<key>',
    summary: 'How a key and its value are kept.',
    least: 1,
    most: 1,
    handler: describeObject,
  },
  {
    name: 'listpack',
    syntax: '<key>',
    summary: 'Log the elements of a value that is a listpack.',
    least: 1,
    most: 1,
    handler: logListpack,
  },
  {
    name: 'populate',
    syntax: '<count> [<prefix>] [<size>]',
    summary: 'Add so many strings with keys such as key:0, where there are none yet.',
    least: 1,
    most: 3,
    handler: populate,
  },
  {
    name: 'sdslen',
    syntax: '<key>',
    summary: 'The bytes of a key and of the string that is its value.',
    least: 1,
    most: 1,
    handler: describeLengths,
  },
  {
    name: 'stringmatch-test',
    syntax: '',
    summary: 'Match random patterns and texts.',
    least: 0,
    most: 0,
    handler: testMatching,
  },
];

/** How many random patterns are tried: a tenth of a second's worth. */
const MATCHES = 100_000;
/** The longest random pattern or text. */
const MATCHED_BYTES_MAX = 32;

/** The record of the key in the first argument, expired or not; undefined with an error replied. */
function findRecord({
  arguments: request,
  keyspace,
  database,
  reply,
}: CommandContext): RecordReference | undefined {
  const { bytes, offsets, lengths } = request;
  const offset = offsets[FIRST_ARGUMENT];
  const length = lengths[FIRST_ARGUMENT];
  const record = database.find(keyspace.hash(bytes, offset, length), bytes, offset, length);
  if (record !== NULL_REFERENCE) return record;
  reply.error(ERROR_NO_SUCH_KEY);
  return undefined;
}

function describeObject(context: CommandContext): void {
  const { keyspace, reply, server } = context;
  const record = findRecord(context);
  if (record === undefined) return;
  const { records, accessClock } = keyspace;
  const access = records.access(record);
  reply.simpleString(
    `Value at:0x${record.toString(16)} refcount:1 encoding:${ENCODING_NAMES[records.encoding(record)]} ` +
      `serializedlength:${server.dumpPayloads.valueLength(record)} lru:${access} ` +
      `lru_seconds_idle:${accessClock.idleSeconds(access)}${quicklistDetails(context, record)}`,
  );
}

/** What is shown of a list in several nodes. */
function quicklistDetails({ keyspace: { records }, types }: CommandContext, record: RecordReference): string {
  if (records.encoding(record) !== ENCODING_QUICKLIST) return '';
  const { quicklists } = types.lists;
  const list = records.slot(record);
  const nodes = quicklists.nodeCount(list);
  return (
    ` ql_nodes:${nodes} ql_avg_node:${(quicklists.length(list) / nodes).toFixed(2)} ` +
    `ql_listpack_max:${quicklists.fill(list)} ql_compressed:${quicklists.compressDepth(list) === 0 ? 0 : 1} ` +
    `ql_uncompressed_size:${quicklists.uncompressedBytes(list)}`
  );
}

function logListpack(context: CommandContext): void {
  const { keyspace, types, reply, server } = context;
  const record = findRecord(context);
  if (record === undefined) return;
  const { records } = keyspace;
  const encoding = records.encoding(record);
  if (encoding !== ENCODING_LISTPACK && encoding !== ENCODING_LISTPACK_EX) {
    reply.error('ERR Not a listpack encoded object.');
    return;
  }
  const { listpacks } = types;
  const listpack = records.slot(record);
  const elements: string[] = [];
  let position = listpacks.first(listpack);
  while (position !== NO_POSITION) {
    listpacks.read(listpack, position);
    const { element } = listpacks;
    element.spell();
    elements.push(latin1(element.bytes, element.offset, element.length));
    position = listpacks.next(listpack, position);
  }
  server.log.info({ bytes: listpacks.byteLength(listpack), elements }, 'listpack');
  reply.simpleString('Listpack structure printed on stdout');
}

function describeLengths(context: CommandContext): void {
  const { keyspace, types, reply } = context;
  const record = findRecord(context);
  if (record === undefined) return;
  const { records, memory } = keyspace;
  if (records.type(record) !== TYPE_STRING || records.encoding(record) === ENCODING_INT) {
    reply.error('ERR Not an sds encoded string.');
    return;
  }
  const keyLength = records.keyLength(record);
  const valueLength = types.strings.byteLength(record);
  const recordBytes = memory.blockBytes(record);
  // A value in the record takes no block of its own.
  const valueBytesTaken = records.hasSlot(record) ? memory.blockBytes(records.slot(record)) : 0;
  const valueSpare = records.hasSlot(record) ? valueBytesTaken - valueLength : 0;
  reply.simpleString(
    `key_sds_len:${keyLength}, key_sds_avail:0, key_zmalloc: ${recordBytes}, ` +
      `val_sds_len:${valueLength}, val_sds_avail:${valueSpare}, val_zmalloc: ${valueBytesTaken}`,
  );
}

function populate(context: CommandContext): void {
  const { arguments: request, keyspace, database, types, reply } = context;
  const count = positive(context, FIRST_ARGUMENT);
  if (count === undefined) return;
  const prefix = request.count > FIRST_ARGUMENT + 1 ? request.text(FIRST_ARGUMENT + 1) : 'key';
  const size = request.count > FIRST_ARGUMENT + 2 ? positive(context, FIRST_ARGUMENT + 2) : 0;
  if (size === undefined) return;
  for (let i = 0; i < count; i++) {
    const key = Buffer.from(`${prefix}:${i}`, 'latin1');
    const hash = keyspace.hash(key, 0, key.length);
    if (keyspace.lookupWrite(database, hash, key, 0, key.length) !== NULL_REFERENCE) continue;
    const value = populatedValue(i, size);
    types.strings.add(database, hash, key, 0, key.length, value, 0, value.length, NO_DEADLINE);
  }
  reply.ok();
}

/** `value:<number>`, cut or filled up with zero bytes to a size, unless that is 0. */
function populatedValue(number: number, size: number): Buffer {
  const text = Buffer.from(`value:${number}`);
  if (size === 0) return text;
  const value = Buffer.alloc(size);
  text.copy(value);
  return value;
}

function positive(context: CommandContext, index: number): number | undefined {
  const value = context.integer(index, ERROR_NOT_POSITIVE);
  if (Number.isNaN(value)) return undefined;
  if (value >= 0) return value;
  context.reply.error(ERROR_NOT_POSITIVE);
  return undefined;
}

function testMatching({ reply }: CommandContext): void {
  const text = new Uint8Array(MATCHED_BYTES_MAX);
  const pattern = new Uint8Array(MATCHED_BYTES_MAX);
  for (let i = 0; i < MATCHES; i++) {
    const textLength = fillRandomly(text);
    const patternLength = fillRandomly(pattern);
    matchGlob(pattern, 0, patternLength, text, 0, textLength, false);
  }
  reply.simpleString('Apparently Redis did not crash: test passed');
}

/** Fills the start of `bytes` with random ASCII. Returns how many bytes. */
function fillRandomly(bytes: Uint8Array): number {
  const length = Math.floor(Math.random() * bytes.length);
  for (let i = 0; i < length; i++) bytes[i] = Math.random() * 128;
  return length;
}
