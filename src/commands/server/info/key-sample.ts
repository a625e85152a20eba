import type { Database } from '../../../keyspace/database.js';
import type { RecordReference } from '../../../keyspace/record.js';
import type { Server } from '../../../server/server.js';

/** Shows the keys of a database, and how many each of them stands for. */
export interface KeySample {
  readonly database: Database;
  /** 1 when these are all keys of the database. */
  readonly keysPerRecord: number;
  readonly records: Iterable<RecordReference>;
}

/**
 * All keys of the databases that have any, when there are no more than `keysMax`; otherwise a fair sample of that
 * size, so that a figure on all keys is exact on small data and an estimate, in bounded time, on large data. The order of
 * keys in a table is random, so a sample is what follows any place in it.
 */
export function* sampleKeys(server: Server, keysMax: number): Generator<KeySample> {
  const databases = server.keyspace.databases.filter((database) => database.size > 0);
  const keys = databases.reduce((sum, database) => sum + database.size, 0);
  const share = Math.min(1, keysMax / keys);
  for (const database of databases) {
    const records =
      share === 1 ? allRecords(server, database) : someRecords(server, database, database.size * share);
    yield { database, keysPerRecord: database.size / records.length, records };
  }
}

function allRecords(server: Server, database: Database): RecordReference[] {
  return collect(server, database, 0, Number.POSITIVE_INFINITY);
}

/** At least `count` records, from a random place on. */
function someRecords(server: Server, database: Database, count: number): RecordReference[] {
  const start = Math.floor(Math.random() * 2 ** 32);
  const records = collect(server, database, start, count);
  return records.length < count
    ? records.concat(collect(server, database, 0, count - records.length))
    : records;
}

function collect(server: Server, { table }: Database, start: number, count: number): RecordReference[] {
  const { hashTable } = server.keyspace;
  const { scanned } = hashTable;
  const records: RecordReference[] = [];
  let cursor = start;
  do {
    cursor = hashTable.scan(table, cursor);
    for (let i = 0; i < scanned.count; i++) records.push(scanned.items[i]);
  } while (cursor !== 0 && records.length < count);
  return records;
}
