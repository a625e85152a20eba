import { EVENT_DEL, keyEvent, NOTIFY_GENERIC } from '../keyspace/events.js';
import { NO_DEADLINE } from '../keyspace/record-store.js';
import { OutOfMemoryError } from '../memory/memory.js';
import { NULL_REFERENCE } from '../memory/reference.js';
import { type Command, keyAt } from '../server/command.js';
import type { CommandContext } from '../server/context.js';
import { ERROR_SYNTAX } from '../server/errors.js';
import { ABSTTL } from '../server/propagated-words.js';

const EVENT_RESTORE = keyEvent(NOTIFY_GENERIC, 'restore');

export const serializationCommands: readonly Command[] = [
  {
    name: 'dump',
    summary: 'Serialize a value.',
    syntax: 'key',
    arity: 2,
    flags: ['readonly'],
    categories: ['@keyspace'],
    keys: [keyAt(1, 'RO', 'access')],
    since: '2.6.0',
    group: 'generic',
    complexity: 'O(N*M) for N elements of M bytes',
    hints: ['nondeterministic_output'],
    handler: dump,
  },
  {
    name: 'restore',
    summary: 'Make a key of a serialized value.',
    syntax:
      'key ttl:integer serialized-value [REPLACE@3.0.0] [ABSTTL@5.0.0] [IDLETIME seconds@5.0.0] [FREQ frequency:integer@5.0.0]',
    arity: -4,
    flags: ['write', 'denyoom'],
    categories: ['@keyspace', '@dangerous'],
    keys: [keyAt(1, 'OW', 'update')],
    since: '2.6.0',
    group: 'generic',
    complexity: 'O(N*M) for N elements of M bytes; O(N*M*log(N)) for a sorted set',
    history: [
      ['3.0.0', 'REPLACE'],
      ['5.0.0', 'ABSTTL'],
      ['5.0.0', 'IDLETIME and FREQ'],
    ],
    handler: restore,
  },
];

function dump(context: CommandContext): void {
  const record = context.lookupRead(1);
  if (record === NULL_REFERENCE) context.reply.nullBulk();
  else context.reply.bulkBytes(context.server.dumpPayloads.create(record));
}

/** The options of RESTORE. */
interface RestoreOptions {
  replaces: boolean;
  isAbsolute: boolean;
  idleSeconds: number;
  frequency: number;
}

function restore(context: CommandContext): void {
  const { arguments: request, reply, keyspace, database, server } = context;
  const options = parseOptions(context);
  if (options === undefined) return;
  const existing = context.peek(1);
  if (existing !== NULL_REFERENCE && !options.replaces) {
    reply.error('BUSYKEY Target key name already exists.');
    return;
  }
  const ttl = context.integer(2);
  if (Number.isNaN(ttl)) return;
  if (ttl < 0) {
    reply.error('ERR Invalid TTL value, must be >= 0');
    return;
  }
  const payloads = server.dumpPayloads;
  const { bytes, offsets, lengths } = request;
  if (!payloads.isIntact(bytes, offsets[3], lengths[3], server.debugSettings.skipsChecksums)) {
    reply.error('ERR DUMP payload version or checksum are wrong');
    return;
  }
  try {
    payloads.read(bytes, offsets[3], lengths[3]);
  } catch (error) {
    if (error instanceof OutOfMemoryError) throw error;
    server.log.debug(`RESTORE: ${error instanceof Error ? error.message : String(error)}`);
    reply.error('ERR Bad data format');
    return;
  }
  const deadlineMs = ttl === 0 ? NO_DEADLINE : options.isAbsolute ? ttl : keyspace.nowMs + ttl;
  const replaced = context.lookupWrite(1);
  if (deadlineMs !== NO_DEADLINE && keyspace.isPast(deadlineMs)) {
    payloads.reader.discard();
    if (replaced !== NULL_REFERENCE) {
      keyspace.remove(database, replaced);
      context.changed(EVENT_DEL, 1);
      context.propagateDeletion(1, 'lazyfree-lazy-server-del');
    }
    reply.ok();
    return;
  }
  if (replaced !== NULL_REFERENCE) keyspace.remove(database, replaced);
  const record = payloads.reader.place(
    database,
    context.keyHash,
    bytes,
    offsets[1],
    lengths[1],
    NULL_REFERENCE,
    deadlineMs,
  );
  const { accessClock, records } = keyspace;
  if (accessClock.isLfu && options.frequency >= 0) {
    records.setAccess(record, accessClock.fromFrequency(options.frequency));
  } else if (!accessClock.isLfu && options.idleSeconds >= 0) {
    records.setAccess(record, accessClock.fromIdleSeconds(options.idleSeconds));
  }
  context.changed(EVENT_RESTORE, 1);
  reply.ok();
  if (deadlineMs === NO_DEADLINE || options.isAbsolute || !context.propagation.isActive) return;
  context
    .propagateInstead(request.count + 1)
    .arguments(request, 0, 2)
    .integer(deadlineMs)
    .arguments(request, 3)
    .word(ABSTTL);
}

function parseOptions(context: CommandContext): RestoreOptions | undefined {
  const { arguments: request, reply } = context;
  const parsed: RestoreOptions = { replaces: false, isAbsolute: false, idleSeconds: -1, frequency: -1 };
  for (let i = 4; i < request.count; i++) {
    const hasValue = i + 1 < request.count;
    if (request.is(i, 'REPLACE')) {
      parsed.replaces = true;
    } else if (request.is(i, 'ABSTTL')) {
      parsed.isAbsolute = true;
    } else if (request.is(i, 'IDLETIME') && hasValue && parsed.frequency < 0) {
      parsed.idleSeconds = context.integer(++i);
      if (Number.isNaN(parsed.idleSeconds)) return undefined;
      if (parsed.idleSeconds < 0) {
        reply.error('ERR Invalid IDLETIME value, must be >= 0');
        return undefined;
      }
    } else if (request.is(i, 'FREQ') && hasValue && parsed.idleSeconds < 0) {
      parsed.frequency = context.integer(++i);
      if (Number.isNaN(parsed.frequency)) return undefined;
      if (parsed.frequency < 0 || parsed.frequency > 255) {
        reply.error('ERR Invalid FREQ value, must be >= 0 and <= 255');
        return undefined;
      }
    } else {
      reply.error(ERROR_SYNTAX);
      return undefined;
    }
  }
  return parsed;
}
