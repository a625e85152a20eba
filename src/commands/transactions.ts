import { type Command, keysFrom } from '../server/command.js';
import type { CommandContext } from '../server/context.js';
import { endTransaction } from '../server/transaction.js';

export const transactionsCommands: readonly Command[] = [
  {
    name: 'multi',
    summary: 'Begin a transaction.',
    arity: 1,
    flags: ['noscript', 'loading', 'stale', 'fast', 'allow_busy'],
    categories: ['@transaction'],
    since: '1.2.0',
    group: 'transactions',
    complexity: 'O(1)',
    handler: multi,
  },
  {
    name: 'exec',
    summary: 'Run the commands of a transaction.',
    arity: 1,
    flags: ['noscript', 'loading', 'stale', 'skip_slowlog'],
    categories: ['@transaction'],
    since: '1.2.0',
    group: 'transactions',
    complexity: 'the sum of the commands',
    handler: exec,
  },
  {
    name: 'discard',
    summary: 'Give a transaction up.',
    arity: 1,
    flags: ['noscript', 'loading', 'stale', 'fast', 'allow_busy'],
    categories: ['@transaction'],
    since: '2.0.0',
    group: 'transactions',
    complexity: 'O(N) for N queued commands',
    handler: discard,
  },
  {
    name: 'watch',
    summary: 'Let the transaction fail if one of these keys changes before it.',
    syntax: 'key...',
    arity: -2,
    flags: ['noscript', 'loading', 'stale', 'fast', 'allow_busy'],
    categories: ['@transaction'],
    keys: [keysFrom(1, 'RO')],
    since: '2.2.0',
    group: 'transactions',
    complexity: 'O(1) for each key',
    handler: watch,
  },
  {
    name: 'unwatch',
    summary: 'Watch no key any more.',
    arity: 1,
    flags: ['noscript', 'loading', 'stale', 'fast', 'allow_busy'],
    categories: ['@transaction'],
    since: '2.2.0',
    group: 'transactions',
    complexity: 'O(1)',
    handler: unwatch,
  },
];

function multi(context: CommandContext): void {
  const { client, reply, server } = context;
  if (client.transaction !== undefined) {
    reply.error('ERR MULTI calls can not be nested');
    return;
  }
  server.dispatcher.beginTransaction(client);
  reply.ok();
}

function exec(context: CommandContext): void {
  const { client, reply, server } = context;
  const { transaction } = client;
  if (transaction === undefined) {
    reply.error('ERR EXEC without MULTI');
    return;
  }
  const isTouched = server.watching.isTouched(client);
  endTransaction(server, client);
  if (transaction.isAborted) {
    reply.error('EXECABORT Transaction discarded because of previous errors.');
  } else if (isTouched) {
    reply.nullArray();
  } else {
    reply.arrayHeader(transaction.commands.length);
    server.dispatcher.runTransaction(client, transaction);
    context.propagateNothing(); // what has changed something is propagated already, in a MULTI and EXEC if need be
  }
}

function discard(context: CommandContext): void {
  if (context.client.transaction === undefined) {
    context.reply.error('ERR DISCARD without MULTI');
    return;
  }
  endTransaction(context.server, context.client);
  context.reply.ok();
}

function watch(context: CommandContext): void {
  const { arguments: request, client, database, reply, server } = context;
  if (client.transaction !== undefined) {
    reply.error('ERR WATCH inside MULTI is not allowed');
    return;
  }
  for (let i = 1; i < request.count; i++) {
    server.watching.watch(client, database, request.bytes, request.offsets[i], request.lengths[i]);
  }
  reply.ok();
}

function unwatch(context: CommandContext): void {
  context.server.watching.unwatch(context.client);
  context.reply.ok();
}
