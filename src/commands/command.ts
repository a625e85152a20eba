/** COMMAND: what the command table knows. */
import { Arguments } from '../protocol/arguments.js';
import type { Command } from '../server/command.js';
import { categoryBit } from '../server/command-categories.js';
import { FLAG_NO_MANDATORY_KEYS } from '../server/command-flags.js';
import type { CommandContext } from '../server/context.js';
import { ERROR_SYNTAX } from '../server/errors.js';
import { findKeys, KeyList, keyFlagNames, mayHaveKeys } from '../server/key-specs.js';
import type { RegisteredCommand } from '../server/registered-command.js';
import { matchGlob } from '../structures/glob.js';
import { replyCommandDocs } from './command-docs.js';
import { replyCommandInfo, replyStatusSet } from './command-info.js';
import { replyHelp } from './help.js';

/** The entries of the family. */
export const commandCommands: readonly Command[] = [
  {
    name: 'command',
    summary: 'Everything about all commands.',
    arity: -1,
    flags: ['loading', 'stale'],
    categories: ['@connection'],
    since: '2.8.13',
    group: 'server',
    complexity: 'O(N) for N commands',
    hints: ['nondeterministic_output_order'],
    handler: replyAll,
    subcommands: [
      {
        name: 'count',
        summary: 'How many commands there are.',
        arity: 2,
        flags: ['loading', 'stale'],
        categories: ['@connection'],
        since: '2.8.13',
        group: 'server',
        complexity: 'O(1)',
        handler: replyCount,
      },
      {
        name: 'docs',
        summary: 'The documentation of commands.',
        syntax: '[command-name...]',
        arity: -2,
        flags: ['loading', 'stale'],
        categories: ['@connection'],
        since: '7.0.0',
        group: 'server',
        complexity: 'O(N) for N commands asked for',
        hints: ['nondeterministic_output_order'],
        handler: replyDocs,
      },
      {
        name: 'getkeys',
        summary: 'The keys in a call of a command.',
        syntax: 'command [arg...]',
        arity: -3,
        flags: ['loading', 'stale'],
        categories: ['@connection'],
        since: '2.8.13',
        group: 'server',
        complexity: 'O(N) for N arguments of the call',
        handler: replyKeys,
      },
      {
        name: 'getkeysandflags',
        summary: 'The keys in a call of a command, and what it does with each.',
        syntax: 'command [arg...]',
        arity: -3,
        flags: ['loading', 'stale'],
        categories: ['@connection'],
        since: '7.0.0',
        group: 'server',
        complexity: 'O(N) for N arguments of the call',
        handler: replyKeysAndFlags,
      },
      {
        name: 'help',
        summary: 'List the subcommands.',
        arity: 2,
        flags: ['loading', 'stale'],
        categories: ['@connection'],
        since: '5.0.0',
        group: 'server',
        complexity: 'O(1)',
        handler: replyHelp,
      },
      {
        name: 'info',
        summary: 'Everything about some commands.',
        syntax: '[command-name...]',
        arity: -2,
        flags: ['loading', 'stale'],
        categories: ['@connection'],
        since: '2.8.13',
        group: 'server',
        complexity: 'O(N) for N commands asked for',
        history: [['7.0.0', 'all commands when none is named']],
        hints: ['nondeterministic_output_order'],
        handler: replyInfo,
      },
      {
        name: 'list',
        summary: 'The names of all commands, or of those that pass a filter.',
        syntax: '[FILTERBY (MODULE module-name | ACLCAT category | PATTERN pattern)]',
        arity: -2,
        flags: ['loading', 'stale'],
        categories: ['@connection'],
        since: '7.0.0',
        group: 'server',
        complexity: 'O(N) for N commands',
        hints: ['nondeterministic_output_order'],
        handler: replyList,
      },
    ],
  },
];

/** COMMAND */
function replyAll({ reply, commands }: CommandContext): void {
  const callable = [...commands.callable()];
  reply.arrayHeader(callable.length);
  for (const command of callable) replyCommandInfo(reply, command);
}

/** COMMAND COUNT */
function replyCount({ reply, commands }: CommandContext): void {
  reply.integer([...commands.callable()].length);
}

/** COMMAND INFO [command-name ...] */
function replyInfo(context: CommandContext): void {
  const { arguments: call, reply, commands } = context;
  if (call.count === 2) {
    replyAll(context);
    return;
  }
  reply.arrayHeader(call.count - 2);
  for (let index = 2; index < call.count; index++) {
    const command = commands.findByFullName(call.text(index));
    if (command === undefined) reply.nullBulk();
    else replyCommandInfo(reply, command);
  }
}

/** COMMAND DOCS [command-name ...] */
function replyDocs({ arguments: call, reply, commands }: CommandContext): void {
  const documented: RegisteredCommand[] = call.count === 2 ? [...commands.callable()] : [];
  for (let index = 2; index < call.count; index++) {
    const command = commands.findByFullName(call.text(index));
    if (command !== undefined) documented.push(command);
  }
  reply.mapHeader(documented.length);
  for (const command of documented) {
    reply.bulkText(command.fullName);
    replyCommandDocs(reply, command);
  }
}

/** COMMAND LIST [FILTERBY (MODULE module-name | ACLCAT category | PATTERN pattern)] */
function replyList({ arguments: call, reply, commands }: CommandContext): void {
  const isListed = listFilter(call);
  if (isListed === undefined) {
    reply.error(ERROR_SYNTAX);
    return;
  }
  const names: string[] = [];
  for (const command of commands.callable()) {
    for (const listed of [command, ...command.subcommands]) if (isListed(listed)) names.push(listed.fullName);
  }
  reply.arrayHeader(names.length);
  for (const name of names) reply.bulkText(name);
}

/** Which commands COMMAND LIST is to list; undefined when its options are wrong. */
function listFilter(call: Arguments): ((command: RegisteredCommand) => boolean) | undefined {
  if (call.count === 2) return () => true;
  if (call.count !== 5 || !call.is(2, 'FILTERBY')) return undefined;
  // There are no modules, so no command belongs to one.
  if (call.is(3, 'MODULE')) return () => false;
  if (call.is(3, 'ACLCAT')) {
    const category = categoryBit(call.text(4));
    return (command) => (command.categories & category) !== 0;
  }
  if (!call.is(3, 'PATTERN')) return undefined;
  const pattern = call.copy(4);
  return (command) => {
    const name = Buffer.from(command.fullName, 'latin1');
    return matchGlob(pattern, 0, pattern.length, name, 0, name.length, true);
  };
}

/** COMMAND GETKEYS command [arg ...] */
function replyKeys(context: CommandContext): void {
  const call = innerCall(context.arguments);
  const found = keysOf(context, call);
  if (found === undefined) return;
  const { reply } = context;
  reply.arrayHeader(found.count);
  for (const index of found.indexes.subarray(0, found.count)) {
    reply.bulk(call.bytes, call.offsets[index], call.lengths[index]);
  }
}

/** COMMAND GETKEYSANDFLAGS command [arg ...] */
function replyKeysAndFlags(context: CommandContext): void {
  const call = innerCall(context.arguments);
  const found = keysOf(context, call);
  if (found === undefined) return;
  const { reply } = context;
  reply.arrayHeader(found.count);
  for (const [position, index] of found.indexes.subarray(0, found.count).entries()) {
    reply.arrayHeader(2);
    reply.bulk(call.bytes, call.offsets[index], call.lengths[index]);
    replyStatusSet(reply, keyFlagNames(found.flags[position]));
  }
}

/** The call that COMMAND GETKEYS is asked about: its arguments from the third on, in the same bytes. */
function innerCall(outer: Arguments): Arguments {
  const call = new Arguments();
  call.bytes = outer.bytes;
  for (let index = 2; index < outer.count; index++) call.push(outer.offsets[index], outer.lengths[index]);
  return call;
}

/** The keys of `call`; undefined when an error is replied. */
function keysOf({ reply, commands }: CommandContext, call: Arguments): KeyList | undefined {
  const command = commands.resolve(call);
  if (command === undefined) {
    reply.error('ERR Invalid command specified');
    return undefined;
  }
  if (!mayHaveKeys(command)) {
    reply.error('ERR The command has no key arguments');
    return undefined;
  }
  if (!command.acceptsCount(call.count)) {
    reply.error('ERR Invalid number of arguments specified for command');
    return undefined;
  }
  const found = new KeyList();
  findKeys(command, call, found);
  if (found.count === 0 && !command.has(FLAG_NO_MANDATORY_KEYS)) {
    reply.error('ERR Invalid arguments specified for command');
    return undefined;
  }
  return found;
}
