import type { Command } from '../server/command.js';
import type { CommandContext } from '../server/context.js';
import { ERROR_NOT_POSITIVE, notBetween } from '../server/errors.js';
import { ERROR_NOT_LOCAL } from '../server/sync-waits.js';

export const replicationCommands: readonly Command[] = [
  {
    name: 'waitaof',
    summary: 'Wait until the writes of this connection are synced to append-only files.',
    syntax: 'numlocal:integer numreplicas:integer timeout:integer',
    arity: 4,
    flags: ['blocking'],
    categories: ['@connection'],
    since: '7.2.0',
    group: 'generic',
    complexity: 'O(1)',
    hints: ['request_policy:all_shards', 'response_policy:agg_min'],
    handler: waitaof,
  },
];

function waitaof(context: CommandContext): void {
  const { configuration, reply, server, keyspace } = context;
  const local = context.integer(1);
  if (Number.isNaN(local)) return;
  if (local < 0 || local > 1) {
    reply.error(notBetween(0, 1));
    return;
  }
  const replicas = context.integer(2, ERROR_NOT_POSITIVE);
  if (Number.isNaN(replicas)) return;
  if (replicas < 0) {
    reply.error(ERROR_NOT_POSITIVE);
    return;
  }
  const timeoutMs = context.integer(3, 'ERR timeout is not an integer or out of range');
  if (Number.isNaN(timeoutMs)) return;
  if (timeoutMs < 0) reply.error('ERR timeout is negative');
  else if (timeoutMs + keyspace.nowMs > 2 ** 63) reply.error('ERR timeout is out of range');
  else if (local > 0 && !configuration.values.appendonly) reply.error(ERROR_NOT_LOCAL);
  else server.syncWaits.wait(context, local > 0, replicas, timeoutMs);
}
