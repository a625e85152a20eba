import { createHash } from 'node:crypto';
import type { Database } from '../../keyspace/database.js';
import {
  type RecordReference,
  TYPE_HASH,
  TYPE_LIST,
  TYPE_SET,
  TYPE_SORTED_SET,
  TYPE_STRING,
  type ValueType,
} from '../../keyspace/record.js';
import { NULL_REFERENCE } from '../../memory/reference.js';
import { formatShortestDouble } from '../../protocol/doubles.js';
import type { CommandContext } from '../../server/context.js';
import type { Server } from '../../server/server.js';
import { SetCursor } from '../../types/set-cursor.js';
import type { Types } from '../../types/types.js';
import { type DebugSubcommand, FIRST_ARGUMENT } from './subcommand.js';

export const digestSubcommands: readonly DebugSubcommand[] = [
  {
    name: 'digest',
    syntax: '',
    summary: 'A hash of all data: the same for the same data, whoever holds it.',
    least: 0,
    most: 0,
    handler: ({ server, reply }) => reply.simpleString(digestData(server).hex),
  },
  {
    name: 'digest-value',
    syntax: '<key> [<key> ...]',
    summary: 'A hash of the value of each key.',
    least: 0,
    most: Number.POSITIVE_INFINITY,
    handler: digestValues,
  },
];

/**
 * A hash to which data is added, as Redis computes it (debug.c), so that the data of both can be compared:
 *
 * - `xor` adds data whose order does not matter: digest ⊕ SHA1(data)
 * - `mix` adds data whose order does: SHA1(digest ⊕ SHA1(data))
 */
class Digest {
  private bytes: Uint8Array = new Uint8Array(20);

  get hex(): string {
    return Buffer.from(this.bytes).toString('hex');
  }

  xor(data: Uint8Array | string): void {
    const hash = sha1(data);
    for (let i = 0; i < hash.length; i++) this.bytes[i] ^= hash[i];
  }

  mix(data: Uint8Array | string): void {
    this.xor(data);
    this.bytes = sha1(this.bytes);
  }

  /** Adds a 32-bit number in network order. */
  mixNumber(value: number): void {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(value);
    this.mix(bytes);
  }

  xorDigest(other: Digest): void {
    this.xor(other.bytes);
  }
}

function sha1(data: Uint8Array | string): Uint8Array {
  return createHash('sha1').update(data).digest();
}

/** Anything that points at bytes where they lie. */
interface ByteRange {
  readonly bytes: Uint8Array;
  readonly offset: number;
  readonly length: number;
}

function rangeOf({ bytes, offset, length }: ByteRange): Uint8Array {
  return bytes.subarray(offset, offset + length);
}

/** How the values of each type go into a digest. */
const VALUE_DIGESTS: ReadonlyMap<ValueType, (digest: Digest, types: Types, record: RecordReference) => void> =
  new Map([
    [TYPE_STRING, mixString],
    [TYPE_LIST, mixList],
    [TYPE_SET, xorSet],
    [TYPE_SORTED_SET, xorSortedSet],
    [TYPE_HASH, xorHash],
  ]);

function mixString(digest: Digest, { strings }: Types, record: RecordReference): void {
  strings.read(record);
  digest.mix(rangeOf(strings));
}

function mixList(digest: Digest, { lists, listCursor }: Types, record: RecordReference): void {
  listCursor.start(record, 0, true);
  while (listCursor.next()) {
    listCursor.read();
    lists.element.spell();
    digest.mix(rangeOf(lists.element));
  }
}

function xorSet(digest: Digest, { sets }: Types, record: RecordReference): void {
  const cursor = new SetCursor(sets);
  cursor.start(record);
  while (cursor.next()) {
    cursor.element.spell();
    digest.xor(rangeOf(cursor.element));
  }
}

function xorSortedSet(digest: Digest, { sortedSets, sortedSetCursor }: Types, record: RecordReference): void {
  sortedSetCursor.selectRanks(record, 0, sortedSets.count(record), false);
  while (sortedSetCursor.next()) {
    const element = new Digest();
    element.mix(rangeOf(sortedSetCursor));
    element.mix(formatShortestDouble(sortedSetCursor.score));
    digest.xorDigest(element);
  }
}

function xorHash(digest: Digest, { hashCursor }: Types, record: RecordReference): void {
  hashCursor.start(record);
  while (hashCursor.next()) {
    if (hashCursor.isExpired) continue;
    const element = new Digest();
    hashCursor.readField();
    element.mix(rangeOf(hashCursor));
    hashCursor.readValue();
    element.mix(rangeOf(hashCursor));
    if (hashCursor.deadlineMs >= 0) element.xor('!!hexpire!!');
    digest.xorDigest(element);
  }
}

function addRecord(digest: Digest, { keyspace, types }: Server, record: RecordReference): void {
  const type = keyspace.records.type(record);
  const add = VALUE_DIGESTS.get(type);
  if (add === undefined) throw new Error(`values of type ${type} have no digest`);
  digest.mixNumber(type);
  add(digest, types, record);
  if (keyspace.records.hasDeadline(record)) digest.xor('!!expire!!');
}

function digestData(server: Server): Digest {
  const result = new Digest();
  for (const database of server.keyspace.databases) {
    if (database.size === 0) continue;
    result.mixNumber(database.index);
    addDatabase(result, server, database);
  }
  return result;
}

function addDatabase(result: Digest, server: Server, database: Database): void {
  const { hashTable, records } = server.keyspace;
  let cursor = 0;
  do {
    cursor = hashTable.scan(database.table, cursor);
    const found = hashTable.scanned.items.slice(0, hashTable.scanned.count);
    for (const record of found) {
      const digest = new Digest();
      digest.mix(records.key(record));
      addRecord(digest, server, record);
      result.xorDigest(digest);
    }
  } while (cursor !== 0);
}

function digestValues({ arguments: request, server, keyspace, database, reply }: CommandContext): void {
  const { bytes, offsets, lengths, count } = request;
  reply.arrayHeader(count - FIRST_ARGUMENT);
  for (let i = FIRST_ARGUMENT; i < count; i++) {
    const hash = keyspace.hash(bytes, offsets[i], lengths[i]);
    const record = database.find(hash, bytes, offsets[i], lengths[i]);
    const digest = new Digest();
    if (record !== NULL_REFERENCE) addRecord(digest, server, record);
    reply.simpleString(digest.hex);
  }
}
