/** OBJECT: how a value is kept, and how it is used. */
import { ENCODING_INT, ENCODING_NAMES, type RecordReference } from '../../keyspace/record.js';
import { NULL_REFERENCE } from '../../memory/reference.js';
import { type Command, keyAt } from '../../server/command.js';
import type { CommandContext } from '../../server/context.js';
import { replyHelp } from '../help.js';

/** Redis has one shared object for each of these integers, from 0 on, whose count of references never changes. */
const SHARED_INTEGERS = 10_000;
const SHARED_REFERENCE_COUNT = 2 ** 31 - 1;

export const objectCommands: readonly Command[] = [
  {
    name: 'object',
    summary: 'Look inside the value of a key.',
    arity: -2,
    since: '2.2.3',
    group: 'generic',
    complexity: 'depends on the subcommand',
    subcommands: [
      {
        name: 'encoding',
        summary: 'How a value is laid out in memory.',
        syntax: 'key',
        arity: 3,
        flags: ['readonly'],
        categories: ['@keyspace'],
        keys: [keyAt(2, 'RO')],
        since: '2.2.3',
        group: 'generic',
        complexity: 'O(1)',
        hints: ['nondeterministic_output'],
        handler: replyEncoding,
      },
      {
        name: 'freq',
        summary: 'How often a key is used, as the LFU counter counts.',
        syntax: 'key',
        arity: 3,
        flags: ['readonly'],
        categories: ['@keyspace'],
        keys: [keyAt(2, 'RO')],
        since: '4.0.0',
        group: 'generic',
        complexity: 'O(1)',
        hints: ['nondeterministic_output'],
        handler: replyFrequency,
      },
      {
        name: 'help',
        summary: 'List the subcommands.',
        arity: 2,
        flags: ['loading', 'stale'],
        categories: ['@keyspace'],
        since: '6.2.0',
        group: 'generic',
        complexity: 'O(1)',
        handler: replyHelp,
      },
      {
        name: 'idletime',
        summary: 'The seconds since a key was last used.',
        syntax: 'key',
        arity: 3,
        flags: ['readonly'],
        categories: ['@keyspace'],
        keys: [keyAt(2, 'RO')],
        since: '2.2.3',
        group: 'generic',
        complexity: 'O(1)',
        hints: ['nondeterministic_output'],
        handler: replyIdleTime,
      },
      {
        name: 'refcount',
        summary: 'How many references a value has.',
        syntax: 'key',
        arity: 3,
        flags: ['readonly'],
        categories: ['@keyspace'],
        keys: [keyAt(2, 'RO')],
        since: '2.2.3',
        group: 'generic',
        complexity: 'O(1)',
        hints: ['nondeterministic_output'],
        handler: replyReferenceCount,
      },
    ],
  },
];

/** OBJECT ENCODING key */
function replyEncoding(context: CommandContext): void {
  const record = existing(context);
  if (record === NULL_REFERENCE) return;
  context.reply.bulkText(ENCODING_NAMES[context.keyspace.records.encoding(record)]);
}

/** OBJECT REFCOUNT key. Nothing is shared here, but clients see what they see in Redis. */
function replyReferenceCount(context: CommandContext): void {
  const record = existing(context);
  if (record === NULL_REFERENCE) return;
  context.reply.integer(isSharedInRedis(context, record) ? SHARED_REFERENCE_COUNT : 1);
}

/** OBJECT IDLETIME key */
function replyIdleTime(context: CommandContext): void {
  const record = existing(context);
  if (record === NULL_REFERENCE) return;
  const { keyspace, reply } = context;
  if (keyspace.accessClock.isLfu) {
    reply.error(
      'ERR An LFU maxmemory policy is selected, idle time not tracked. Please note that when switching between ' +
        'policies at runtime LRU and LFU data will take some time to adjust.',
    );
    return;
  }
  reply.integer(keyspace.accessClock.idleSeconds(keyspace.records.access(record)));
}

/** OBJECT FREQ key */
function replyFrequency(context: CommandContext): void {
  const record = existing(context);
  if (record === NULL_REFERENCE) return;
  const { keyspace, reply } = context;
  if (!keyspace.accessClock.isLfu) {
    reply.error(
      'ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that when switching ' +
        'between policies at runtime LRU and LFU data will take some time to adjust.',
    );
    return;
  }
  reply.integer(keyspace.accessClock.frequency(keyspace.records.access(record)));
}

/** The record of the key that OBJECT asks about; NULL_REFERENCE when there is none and null is replied. */
function existing(context: CommandContext): RecordReference {
  const { keyspace, reply } = context;
  // A hit or miss of which no listener is told.
  const record = context.peek(2);
  if (record !== NULL_REFERENCE) {
    keyspace.hits++;
    return record;
  }
  keyspace.misses++;
  reply.nullBulk();
  return NULL_REFERENCE;
}

/** Integers are not shared where eviction needs the access bits of each key. */
function isSharedInRedis(context: CommandContext, record: RecordReference): boolean {
  const { keyspace, types, configuration } = context;
  if (keyspace.records.encoding(record) !== ENCODING_INT) return false;
  const { maxmemory, 'maxmemory-policy': policy } = configuration.values;
  if (Number(maxmemory) !== 0 && /l[rf]u$/.test(policy)) return false;
  const value = types.strings.safeInteger(record);
  return value >= 0 && value < SHARED_INTEGERS;
}
