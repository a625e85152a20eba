import type { Configuration } from '../config/configuration.js';
import type { Arguments } from '../protocol/arguments.js';
import type { Command } from '../server/command.js';
import type { CommandContext } from '../server/context.js';
import { ERROR_SYNTAX } from '../server/errors.js';
import { replyHelp } from './help.js';

export const configCommands: readonly Command[] = [
  {
    name: 'config',
    summary: 'Read and change the configuration.',
    arity: -2,
    since: '2.0.0',
    group: 'server',
    complexity: 'depends on the subcommand',
    subcommands: [
      {
        name: 'get',
        summary: 'The values of directives.',
        syntax: 'parameter...',
        arity: -3,
        flags: ['admin', 'noscript', 'loading', 'stale'],
        since: '2.0.0',
        group: 'server',
        complexity: 'O(N) for N patterns given',
        history: [['7.0.0', 'several patterns in one call']],
        handler: configGet,
      },
      {
        name: 'help',
        summary: 'List the subcommands.',
        arity: 2,
        flags: ['loading', 'stale'],
        since: '5.0.0',
        group: 'server',
        complexity: 'O(1)',
        handler: replyHelp,
      },
      {
        name: 'resetstat',
        summary: 'Set the statistics back to zero.',
        arity: 2,
        flags: ['admin', 'noscript', 'loading', 'stale'],
        since: '2.0.0',
        group: 'server',
        complexity: 'O(1)',
        hints: ['request_policy:all_nodes', 'response_policy:all_succeeded'],
        handler: configResetStat,
      },
      {
        name: 'rewrite',
        summary: 'Write the configuration to its file.',
        arity: 2,
        flags: ['admin', 'noscript', 'loading', 'stale'],
        since: '2.8.0',
        group: 'server',
        complexity: 'O(1)',
        hints: ['request_policy:all_nodes', 'response_policy:all_succeeded'],
        handler: configRewrite,
      },
      {
        name: 'set',
        summary: 'Change directives while the server runs.',
        syntax: 'data:{parameter value}...',
        arity: -4,
        flags: ['admin', 'noscript', 'loading', 'stale'],
        since: '2.0.0',
        group: 'server',
        complexity: 'O(N) for N directives given',
        history: [['7.0.0', 'several directives in one call']],
        hints: ['request_policy:all_nodes', 'response_policy:all_succeeded'],
        findSecrets: sensitiveValues,
        handler: configSet,
      },
    ],
  },
];

function configGet(context: CommandContext): void {
  const { arguments: request, reply, configuration } = context;
  const patterns: string[] = [];
  for (let i = 2; i < request.count; i++) patterns.push(request.text(i));
  const pairs = configuration.getMatching(patterns);
  reply.mapHeader(pairs.length);
  for (const [name, value] of pairs) {
    reply.bulkText(name);
    reply.bulkText(value);
  }
}

function configSet(context: CommandContext): void {
  const { arguments: request, reply, configuration, client, server } = context;
  if (request.count % 2 !== 0) {
    reply.error(ERROR_SYNTAX);
    return;
  }
  const pairs: [string, string][] = [];
  for (let i = 2; i < request.count; i += 2) pairs.push([request.text(i), request.text(i + 1)]);
  const outcome = configuration.set(pairs, {
    isLoading: server.isLoading,
    isLocalClient: client.connection.isLoopback,
  });
  if (outcome instanceof Promise) server.replyWhen(client, outcome.then(replyOutcome));
  else replyOutcome(outcome)(context.reply);
}

function sensitiveValues(call: Arguments, configuration: Configuration): number[] {
  const found: number[] = [];
  for (let i = 2; i + 1 < call.count; i += 2) if (configuration.isSensitive(call.text(i))) found.push(i + 1);
  return found;
}

function configRewrite(context: CommandContext): void {
  const problem = context.configuration.rewrite();
  if (problem === undefined) context.server.log.info('CONFIG REWRITE executed with success.');
  else context.server.log.warn(`CONFIG REWRITE failed: ${problem}`);
  replyOutcome(problem)(context.reply);
}

function replyOutcome(problem: string | undefined): (reply: CommandContext['reply']) => void {
  return (reply) => {
    if (problem === undefined) reply.ok();
    else reply.error(problem);
  };
}

function configResetStat(context: CommandContext): void {
  context.server.resetStatistics();
  context.reply.ok();
}
