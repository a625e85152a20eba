import type { Command } from '../server/command.js';
import type { CommandContext } from '../server/context.js';
import { wrongSubcommandArity } from '../server/errors.js';
import { replyHelp } from './help.js';

/** Entries that SLOWLOG GET replies unless told how many. */
const COUNT_DEFAULT = 10;

export const slowlogCommands: readonly Command[] = [
  {
    name: 'slowlog',
    summary: 'Look at commands that took long.',
    arity: -2,
    since: '2.2.12',
    group: 'server',
    complexity: 'depends on the subcommand',
    subcommands: [
      {
        name: 'get',
        summary: 'The latest entries of the slow log.',
        syntax: '[count]',
        arity: -2,
        flags: ['admin', 'loading', 'stale'],
        since: '2.2.12',
        group: 'server',
        complexity: 'O(N) for N entries returned',
        history: [['4.0.0', 'address, port and name of the client in the reply']],
        hints: ['request_policy:all_nodes', 'nondeterministic_output'],
        handler: slowlogGet,
      },
      {
        name: 'help',
        summary: 'List the subcommands.',
        arity: 2,
        flags: ['loading', 'stale'],
        since: '6.2.0',
        group: 'server',
        complexity: 'O(1)',
        handler: replyHelp,
      },
      {
        name: 'len',
        summary: 'How many entries the slow log has.',
        arity: 2,
        flags: ['admin', 'loading', 'stale'],
        since: '2.2.12',
        group: 'server',
        complexity: 'O(1)',
        hints: ['request_policy:all_nodes', 'response_policy:agg_sum', 'nondeterministic_output'],
        handler: slowlogLen,
      },
      {
        name: 'reset',
        summary: 'Empty the slow log.',
        arity: 2,
        flags: ['admin', 'loading', 'stale'],
        since: '2.2.12',
        group: 'server',
        complexity: 'O(N) for N entries',
        hints: ['request_policy:all_nodes', 'response_policy:all_succeeded'],
        handler: slowlogReset,
      },
    ],
  },
];

function slowlogGet(context: CommandContext): void {
  const { arguments: request, reply, server } = context;
  if (request.count > 3) {
    reply.error(wrongSubcommandArity(request.cString(1), 'slowlog'));
    return;
  }
  let count = COUNT_DEFAULT;
  if (request.count === 3) {
    count = context.integer(2, 'ERR count should be greater than or equal to -1');
    if (Number.isNaN(count)) return;
    if (count < -1) {
      reply.error('ERR count should be greater than or equal to -1');
      return;
    }
    if (count === -1) count = server.slowCommands.log.length;
  }
  const entries = server.slowCommands.log.latest(count);
  reply.arrayHeader(entries.length);
  for (const entry of entries) {
    reply.arrayHeader(6);
    reply.integer(entry.id);
    reply.integer(entry.timeSeconds);
    reply.integer(entry.microseconds);
    reply.arrayHeader(entry.words.length);
    for (const word of entry.words) reply.bulkText(word);
    reply.bulkText(entry.address);
    reply.bulkText(entry.clientName);
  }
}

function slowlogLen({ reply, server }: CommandContext): void {
  reply.integer(server.slowCommands.log.length);
}

function slowlogReset({ reply, server }: CommandContext): void {
  server.slowCommands.log.clear();
  reply.ok();
}
