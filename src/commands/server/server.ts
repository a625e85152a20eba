import type { Database } from '../../keyspace/database.js';
import { parseSafeInteger } from '../../protocol/integers.js';
import type { Command } from '../../server/command.js';
import type { CommandContext } from '../../server/context.js';
import { ERROR_DB_INDEX, ERROR_SYNTAX } from '../../server/errors.js';
import { PROPAGATE_ALL } from '../../server/propagation.js';
import { info } from './info.js';
import { lolwut } from './lolwut.js';

export const serverCommands: readonly Command[] = [
  {
    name: 'info',
    summary: 'Facts and figures about the server.',
    syntax: '[section...]',
    arity: -1,
    flags: ['loading', 'stale'],
    categories: ['@dangerous'],
    since: '1.0.0',
    group: 'server',
    complexity: 'O(1)',
    history: [['7.0.0', 'several sections in one call']],
    hints: ['nondeterministic_output', 'request_policy:all_shards', 'response_policy:special'],
    handler: info,
  },
  {
    name: 'dbsize',
    summary: 'How many keys the database holds.',
    arity: 1,
    flags: ['readonly', 'fast'],
    categories: ['@keyspace'],
    since: '1.0.0',
    group: 'server',
    complexity: 'O(1)',
    hints: ['request_policy:all_shards', 'response_policy:agg_sum'],
    handler: dbsize,
  },
  {
    name: 'time',
    summary: "The server's clock.",
    arity: 1,
    flags: ['loading', 'stale', 'fast'],
    since: '2.6.0',
    group: 'server',
    complexity: 'O(1)',
    hints: ['nondeterministic_output'],
    handler: time,
  },
  {
    name: 'flushdb',
    summary: 'Delete every key of the database.',
    syntax: '[flush-type:(ASYNC@4.0.0 | SYNC@6.2.0)]',
    arity: -1,
    flags: ['write'],
    categories: ['@keyspace', '@dangerous'],
    since: '1.0.0',
    group: 'server',
    complexity: 'O(N) for N keys in the database',
    history: [
      ['4.0.0', 'ASYNC'],
      ['6.2.0', 'SYNC'],
    ],
    hints: ['request_policy:all_shards', 'response_policy:all_succeeded'],
    handler: flushdb,
  },
  {
    name: 'flushall',
    summary: 'Delete every key of all databases.',
    syntax: '[flush-type:(ASYNC@4.0.0 | SYNC@6.2.0)]',
    arity: -1,
    flags: ['write'],
    categories: ['@keyspace', '@dangerous'],
    since: '1.0.0',
    group: 'server',
    complexity: 'O(N) for N keys in all databases',
    history: [
      ['4.0.0', 'ASYNC'],
      ['6.2.0', 'SYNC'],
    ],
    hints: ['request_policy:all_shards', 'response_policy:all_succeeded'],
    handler: flushall,
  },
  {
    name: 'swapdb',
    summary: 'Exchange the contents of two databases.',
    syntax: 'index1:integer index2:integer',
    arity: 3,
    flags: ['write', 'fast'],
    categories: ['@keyspace', '@dangerous'],
    since: '4.0.0',
    group: 'server',
    complexity: 'O(N) for N clients that watch or wait for their keys',
    handler: swapdb,
  },
  {
    name: 'shutdown',
    summary: 'Save if asked to, and stop the server.',
    syntax: '[save-selector:(NOSAVE | SAVE)] [NOW@7.0.0] [FORCE@7.0.0] [ABORT@7.0.0]',
    arity: -1,
    flags: ['admin', 'noscript', 'loading', 'stale', 'no_multi', 'allow_busy'],
    since: '1.0.0',
    group: 'server',
    complexity: 'O(N) to save N keys, otherwise O(1)',
    history: [['7.0.0', 'NOW, FORCE and ABORT']],
    handler: shutdown,
  },
  {
    name: 'lastsave',
    summary: 'The Unix time of the last save that succeeded.',
    arity: 1,
    flags: ['loading', 'stale', 'fast'],
    categories: ['@admin', '@dangerous'],
    since: '1.0.0',
    group: 'server',
    complexity: 'O(1)',
    hints: ['nondeterministic_output'],
    handler: lastsave,
  },
  {
    name: 'role',
    summary: 'Master or replica, and how replication stands.',
    arity: 1,
    flags: ['noscript', 'loading', 'stale', 'fast'],
    categories: ['@admin', '@dangerous'],
    since: '2.8.12',
    group: 'server',
    complexity: 'O(1)',
    handler: role,
  },
  {
    name: 'lolwut',
    summary: 'A piece of computer art, and the version.',
    syntax: '[VERSION version:integer]',
    arity: -1,
    flags: ['readonly', 'fast'],
    since: '5.0.0',
    group: 'server',
    handler: lolwut,
  },
];

function dbsize(context: CommandContext): void {
  context.reply.integer(context.database.size);
}

function time(context: CommandContext): void {
  const nowMs = Date.now();
  // The clock of JavaScript counts milliseconds; the monotonic one supplies the rest of the microseconds.
  const microseconds = (nowMs % 1000) * 1000 + (Math.floor(performance.now() * 1000) % 1000);
  context.reply.arrayHeader(2);
  context.reply.bulkText(String(Math.floor(nowMs / 1000)));
  context.reply.bulkText(String(microseconds));
}

function flushdb(context: CommandContext): void {
  const isLater = parseFlushMode(context);
  if (isLater === undefined) return;
  flush(context, [context.database], isLater);
}

function flushall(context: CommandContext): void {
  const isLater = parseFlushMode(context);
  if (isLater === undefined) return;
  flush(context, context.keyspace.databases, isLater);
  context.server.saving.flushedAll();
}

/**
 * Empties databases. Even SYNC is freed in slices, so that other clients are served meanwhile: only the reply waits
 * until all of it is free. Where no reply can wait, inside of a transaction, everybody does.
 */
function flush(context: CommandContext, databases: readonly Database[], isLater: boolean): void {
  const { client, keyspace, reply, server } = context;
  const isAtOnce = !isLater && client.deniesBlocking;
  let keys = 0;
  for (const database of databases) {
    if (database.size > 0) keys += keyspace.clear(database, !isAtOnce);
  }
  keyspace.dirty += keys;
  context.propagateAnyway(PROPAGATE_ALL);
  server.tracking.flushed();
  if (isLater || isAtOnce || keys === 0) {
    reply.ok();
    return;
  }
  const freed = new Promise<(writer: typeof reply) => void>((resolve) => {
    // A job behind those of the flush: when it is its turn, they are done.
    keyspace.lazyFree.add({
      objects: 0,
      release: () => {
        resolve((writer) => writer.ok());
        return 0;
      },
    });
  });
  server.replyWhen(client, freed);
}

/** Whether the memory is freed later (ASYNC), undefined with an error replied. */
function parseFlushMode({ arguments: request, reply, configuration }: CommandContext): boolean | undefined {
  if (request.count === 1) return configuration.values['lazyfree-lazy-user-flush'];
  if (request.count === 2 && request.is(1, 'SYNC')) return false;
  if (request.count === 2 && request.is(1, 'ASYNC')) return true;
  reply.error(ERROR_SYNTAX);
  return undefined;
}

function swapdb(context: CommandContext): void {
  const first = databaseNumber(context, 1, 'first');
  if (first === undefined) return;
  const second = databaseNumber(context, 2, 'second');
  if (second === undefined) return;
  const { databases } = context.keyspace;
  if (first < 0 || second < 0 || first >= databases.length || second >= databases.length) {
    context.reply.error(ERROR_DB_INDEX);
    return;
  }
  if (first !== second) context.keyspace.swap(databases[first], databases[second]);
  context.keyspace.dirty++;
  context.reply.ok();
}

function databaseNumber(context: CommandContext, index: number, which: string): number | undefined {
  const { bytes, offsets, lengths } = context.arguments;
  const value = parseSafeInteger(bytes, offsets[index], lengths[index]);
  if (!Number.isNaN(value) && Math.abs(value) < 2 ** 31) return value;
  context.reply.error(`ERR invalid ${which} DB index`);
  return undefined;
}

function shutdown(context: CommandContext): void {
  const { arguments: request, reply, server } = context;
  const wanted = new Set<string>();
  for (let i = 1; i < request.count; i++) {
    const word = request.text(i).toLowerCase();
    if (!['save', 'nosave', 'now', 'force', 'abort'].includes(word)) {
      reply.error(ERROR_SYNTAX);
      return;
    }
    wanted.add(word);
  }
  const contradicts = wanted.has('save') && wanted.has('nosave');
  if (contradicts || (wanted.has('abort') && wanted.size > 1)) {
    reply.error(ERROR_SYNTAX);
    return;
  }
  if (wanted.has('abort')) {
    if (server.onShutdownAbort()) reply.ok();
    else reply.error('ERR No shutdown in progress.');
    return;
  }
  const ends = server.onShutdown({
    save: wanted.has('save') ? 'save' : wanted.has('nosave') ? 'nosave' : 'default',
    now: wanted.has('now'),
    force: wanted.has('force'),
  });
  if (!ends) reply.error('ERR Errors trying to SHUTDOWN. Check logs.');
}

function lastsave(context: CommandContext): void {
  context.reply.integer(Math.floor(context.server.saving.lastSaveMs / 1000));
}

function role(context: CommandContext): void {
  const { reply } = context;
  reply.arrayHeader(3);
  reply.bulkText('master');
  reply.integer(0);
  reply.arrayHeader(0);
}
