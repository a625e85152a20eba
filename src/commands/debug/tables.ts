import { ENCODING_HASHTABLE } from '../../keyspace/record.js';
import { NULL_REFERENCE } from '../../memory/reference.js';
import type { CommandContext } from '../../server/context.js';
import { ERROR_NO_SUCH_KEY } from '../../server/errors.js';
import type { TableReference } from '../../structures/hashtable.js';
import { type DebugSubcommand, FIRST_ARGUMENT } from './subcommand.js';

export const tableSubcommands: readonly DebugSubcommand[] = [
  {
    name: 'htstats',
    syntax: '<dbid> [full]',
    summary: 'The hash table of a database.',
    least: 1,
    most: 2,
    handler: describeDatabase,
  },
  {
    name: 'htstats-key',
    syntax: '<key> [full]',
    summary: 'The hash table that is the value of a key.',
    least: 1,
    most: 2,
    handler: describeKey,
  },
  {
    name: 'structsize',
    syntax: '',
    summary: 'How many bytes what is kept for each key takes.',
    least: 0,
    most: 0,
    handler: ({ reply }) => reply.bulkText(STRUCTURE_SIZES),
  },
];

/** An object is a record's header, an entry is a key's part of its bucket, and strings need nothing before them. */
const STRUCTURE_SIZES = 'bits:64 robj:8 dictentry:8 sdshdr5:0 sdshdr8:0 sdshdr16:0 sdshdr32:0 sdshdr64:0 ';
/** Entries that a bucket has room for. */
const PLACES_PER_BUCKET = 12;

function describeDatabase(context: CommandContext): void {
  const { keyspace, reply } = context;
  const index = context.integer(FIRST_ARGUMENT);
  if (Number.isNaN(index)) return;
  if (index < 0 || index >= keyspace.databases.length) {
    reply.error('ERR Out of range database');
    return;
  }
  const { table, deadlines } = keyspace.databases[index];
  const expires = figures(deadlines.count, deadlines.count);
  reply.verbatim('txt', `[Dictionary HT]\n${describeTable(context, table)}[Expires HT]\n${expires}`);
}

function describeKey(context: CommandContext): void {
  const { keyspace, reply } = context;
  const record = context.peek(FIRST_ARGUMENT);
  if (record === NULL_REFERENCE) {
    reply.error(ERROR_NO_SUCH_KEY);
    return;
  }
  const { records } = keyspace;
  if (records.encoding(record) !== ENCODING_HASHTABLE) {
    reply.error('ERR The value stored at the specified key is not represented using an hash table');
    return;
  }
  reply.verbatim('txt', describeTable(context, records.slot(record)));
}

/** What `full` would add in Redis, the lengths of chains, is not to be had here without a walk over the table. */
function describeTable({ keyspace }: CommandContext, table: TableReference): string {
  const { hashTable } = keyspace;
  return figures(hashTable.bucketCount(table) * PLACES_PER_BUCKET, hashTable.count(table));
}

/** Nothing is told of an empty table. */
function figures(places: number, count: number): string {
  if (count === 0) return '';
  return `Hash table 0 stats (main hash table):\n table size: ${places}\n number of elements: ${count}\n`;
}
