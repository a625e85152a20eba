import { describe, expect, it } from 'vitest';
import { Arguments } from '../../../src/protocol/arguments.js';
import { type Command, keyAt, keyPairsFrom, keysCountedAt, keysFrom } from '../../../src/server/command.js';
import { categoryNames } from '../../../src/server/command-categories.js';
import {
  FLAG_FAST,
  FLAG_READONLY,
  FLAG_WRITE,
  shownCommandFlags,
} from '../../../src/server/command-flags.js';
import { CommandTable } from '../../../src/server/command-table.js';

const GET: Command = {
  name: 'get',
  summary: 'Read a string.',
  syntax: 'key',
  arity: 2,
  flags: ['readonly', 'fast'],
  categories: ['@string'],
  keys: [keyAt(1, 'RO', 'access')],
  since: '1.0.0',
  group: 'string',
  complexity: 'O(1)',
  handler: () => undefined,
};

function subcommand(name: string): Command {
  return { name, summary: 'x', arity: 2, since: '1.0.0', group: 'connection', handler: () => undefined };
}

const CLIENT: Command = {
  name: 'client',
  summary: 'Connections.',
  arity: -2,
  since: '2.4.0',
  group: 'connection',
  subcommands: [subcommand('id'), subcommand('getname')],
};

function callOf(line: string): Arguments {
  const call = new Arguments();
  call.assign(line.split(' ').map((word) => Buffer.from(word)));
  return call;
}

function resolved(table: CommandTable, line: string): string | undefined {
  return table.resolve(callOf(line))?.fullName;
}

/** The legacy range of keys, and whether there are keys outside it. */
function keyRange(keys: Command['keys']): unknown {
  const [command] = new CommandTable([{ ...GET, keys: keys ?? [] }]).commands;
  const isMovable = shownCommandFlags(command.flags).includes('movablekeys');
  return [command.firstKey, command.lastKey, command.keyStep, isMovable];
}

describe('CommandTable', () => {
  it('finds commands and subcommands in any case', () => {
    const table = new CommandTable([GET, CLIENT]);
    expect(resolved(table, 'Get k')).toBe('get');
    expect(resolved(table, 'CLIENT GetName')).toBe('client|getname');
    expect(resolved(table, 'CLIENT')).toBe('client');
    expect(resolved(table, 'client nosuch')).toBeUndefined();
    expect(resolved(table, 'nosuch')).toBeUndefined();
    expect(table.findByFullName('CLIENT|ID')?.fullName).toBe('client|id');
    for (const name of ['client|nosuch', 'get|id', 'client|id|x', '', '|', 'client|']) {
      expect(table.findByFullName(name)).toBeUndefined();
    }
  });

  it('numbers commands and subcommands densely', () => {
    const { commands } = new CommandTable([CLIENT, GET]);
    expect(commands.map((command) => command.id)).toEqual([0, 3]);
    expect(commands[0].subcommands.map((command) => command.id)).toEqual([1, 2]);
    expect(commands[0].subcommands[0].parent).toBe(commands[0]);
  });

  it('derives flags and categories as Redis does', () => {
    const [get] = new CommandTable([GET]).commands;
    expect(get.flags).toBe(FLAG_READONLY | FLAG_FAST);
    expect(get.has(FLAG_WRITE | FLAG_FAST)).toBe(true);
    expect(get.has(FLAG_WRITE)).toBe(false);
    expect(categoryNames(get.categories)).toEqual(['@read', '@string', '@fast']);
    const categories = (flags: Command['flags'], named: Command['categories'] = []) =>
      categoryNames(
        new CommandTable([{ ...GET, flags: flags ?? [], categories: named }]).commands[0].categories,
      );
    expect(categories(['write', 'blocking'])).toEqual(['@write', '@slow', '@blocking']);
    expect(categories(['admin'])).toEqual(['@admin', '@slow', '@dangerous']);
    expect(categories(['pubsub', 'fast'])).toEqual(['@pubsub', '@fast']);
    expect(categories(['readonly'], ['@scripting'])).toEqual(['@slow', '@scripting']);
  });

  it('joins key specs to the range that COMMAND has always shown', () => {
    expect(keyRange(undefined)).toEqual([0, 0, 0, false]);
    expect(keyRange([keyAt(1, 'RO')])).toEqual([1, 1, 1, false]);
    expect(keyRange([keysFrom(1, 'RO')])).toEqual([1, -1, 1, false]);
    expect(keyRange([keyPairsFrom(1, 'OW')])).toEqual([1, -1, 2, false]);
    expect(keyRange([keyAt(1, 'RO'), keyAt(2, 'RW')])).toEqual([1, 2, 1, false]);
    expect(keyRange([keyAt(2, 'OW'), keysFrom(3, 'RO')])).toEqual([2, -1, 1, false]);
    expect(keyRange([keyAt(1, 'RO'), keyAt(3, 'RW')])).toEqual([1, 1, 1, true]);
    expect(keyRange([keysCountedAt(1, 'RO')])).toEqual([0, 0, 0, true]);
    expect(keyRange([keyAt(1, 'OW'), keysCountedAt(2, 'RO')])).toEqual([1, 1, 1, true]);
    expect(keyRange([keyAt(1, 'RO', 'incomplete')])).toEqual([1, 1, 1, true]);
  });

  it('counts arguments', () => {
    const [get, client] = new CommandTable([GET, CLIENT]).commands;
    expect([1, 2, 3].map((count) => get.acceptsCount(count))).toEqual([false, true, false]);
    expect([1, 2, 3].map((count) => client.acceptsCount(count))).toEqual([false, true, true]);
  });

  it('renames and disables commands', () => {
    const table = new CommandTable([GET, CLIENT]);
    table.rename('GET', 'Fetch');
    expect(resolved(table, 'get k')).toBeUndefined();
    expect(resolved(table, 'FETCH k')).toBe('get');
    expect(table.findOriginal(Buffer.from('Get'), 0, 3)?.fullName).toBe('get');
    table.rename('client', '');
    expect(resolved(table, 'client id')).toBeUndefined();
    expect([...table.callable()].map((command) => command.fullName)).toEqual(['get']);
    expect(table.commands.length).toBe(2);
    expect(() => table.rename('get', 'x')).toThrow('No such command in rename-command');
    const other = new CommandTable([GET, CLIENT]);
    expect(() => other.rename('get', 'CLIENT')).toThrow('Target command name already exists');
    expect(resolved(other, 'get k')).toBe('get');
  });

  it('resets the statistics of subcommands too', () => {
    const table = new CommandTable([CLIENT]);
    const [client] = table.commands;
    client.subcommands[1].calls = 5;
    client.failedCalls = 1;
    table.resetStatistics();
    expect(client.subcommands[1].calls + client.failedCalls).toBe(0);
  });

  it.each<[string, Partial<Command>]>([
    ['not a command name', { name: 'GET' }],
    ['not a command name', { name: '' }],
    ["unknown flag 'quick'", { flags: ['quick' as 'fast'] }],
    ["unknown ACL category '@strings'", { categories: ['@strings' as '@string'] }],
    ["unknown ACL category '-string'", { categories: ['-string' as '@string'] }],
    ['both write and readonly', { flags: ['write', 'readonly'] }],
    ["syntax 'key ['", { syntax: 'key [' }],
    ['arity 3 contradicts', { arity: 3 }],
    ['arity -3 contradicts', { arity: -3 }],
    ['arity 2 contradicts', { syntax: 'key [count]' }],
    ['impossible arity 0', { arity: 0 }],
    ['impossible arity 1.5', { arity: 1.5 }],
    ["since '1.0' is no version", { since: '1.0' }],
    ['not plain ASCII text', { summary: 'Read a string…' }],
    ['not plain ASCII text', { history: [['1.0.0', '']] }],
    ['exactly one of RO', { keys: [keyAt(1, 'access')] }],
  ])('refuses an entry: %s', (problem, change) => {
    const entry = { ...GET, ...change };
    expect(() => new CommandTable([entry])).toThrow(problem);
    expect(() => new CommandTable([entry])).toThrow(`command '${entry.name}'`);
  });

  it('refuses commands without a handler, of the same name, or nested too deep', () => {
    const { handler: _, ...noHandler } = GET;
    expect(() => new CommandTable([noHandler])).toThrow("command 'get': it has no handler");
    expect(() => new CommandTable([GET, GET])).toThrow("command 'get' is registered twice");
    const twice = { ...CLIENT, subcommands: [subcommand('id'), subcommand('id')] };
    expect(() => new CommandTable([twice])).toThrow("command 'client|id' is registered twice");
    const nested = { ...CLIENT, subcommands: [{ ...CLIENT, name: 'x' }] };
    expect(() => new CommandTable([nested])).toThrow("command 'client|x': a subcommand has no subcommands");
    expect(() => new CommandTable([{ ...CLIENT, arity: -1 }])).toThrow('has the arity -2');
  });
});
