import type { Command } from '../../server/command.js';
import type { CommandContext } from '../../server/context.js';
import { crashSubcommands } from './crash.js';
import { dataSubcommands } from './data.js';
import { digestSubcommands } from './digest.js';
import { protocolSubcommands } from './protocol.js';
import { reloadSubcommands } from './reload.js';
import { settingSubcommands } from './settings.js';
import { type DebugSubcommand, wrongSubcommand } from './subcommand.js';
import { tableSubcommands } from './tables.js';

export const debugCommands: readonly Command[] = [
  {
    name: 'debug',
    summary: 'Tools for those who test the server.',
    arity: -2,
    flags: ['admin', 'noscript', 'loading', 'stale', 'protected'],
    since: '1.0.0',
    group: 'server',
    complexity: 'depends on the subcommand',
    docFlags: ['syscmd'],
    handler: debug,
  },
];

const subcommands: ReadonlyMap<string, DebugSubcommand> = new Map(
  [
    ...crashSubcommands,
    ...dataSubcommands,
    ...digestSubcommands,
    ...protocolSubcommands,
    ...reloadSubcommands,
    ...settingSubcommands,
    ...tableSubcommands,
  ]
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map((subcommand) => [subcommand.name, subcommand]),
);

function debug(context: CommandContext): void {
  const { arguments: request, reply } = context;
  const name = request.text(1);
  const count = request.count - 2;
  if (name.toLowerCase() === 'help' && count === 0) {
    replyHelp(context);
    return;
  }
  const subcommand = subcommands.get(name.toLowerCase());
  if (subcommand === undefined || count < subcommand.least || count > subcommand.most) {
    reply.error(wrongSubcommand(context));
    return;
  }
  subcommand.handler(context);
}

function replyHelp({ reply }: CommandContext): void {
  const lines = ['DEBUG <subcommand> [<arg> [value] [opt] ...]. Subcommands are:'];
  for (const { name, syntax, summary } of subcommands.values()) {
    lines.push(`${name.toUpperCase()} ${syntax}`.trimEnd(), `    ${summary}`);
  }
  lines.push('HELP', '    Print this help.');
  reply.arrayHeader(lines.length);
  for (const line of lines) reply.simpleString(line);
}
