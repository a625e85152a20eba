import { type Command, keyAt } from '../server/command.js';
import { commandCommands } from './command.js';
import { get, incr, set } from './strings/set.js';

export const allCommands: readonly Command[] = [
  { name: 'get', summary: 'x', arity: 2, since: '1.0.0', group: 'string', flags: ['readonly', 'fast'], keys: [keyAt(1, 'RO')], handler: get },
  { name: 'set', summary: 'x', arity: -3, since: '1.0.0', group: 'string', flags: ['write', 'denyoom'], keys: [keyAt(1, 'RW')], handler: set },
  { name: 'incr', summary: 'x', arity: 2, since: '1.0.0', group: 'string', flags: ['write', 'denyoom'], keys: [keyAt(1, 'RW')], handler: incr },
  { name: 'ping', summary: 'x', arity: -1, since: '1.0.0', group: 'connection', flags: ['fast'], handler: (context) => context.reply.simpleString('PONG') },
  { name: 'dbsize', summary: 'x', arity: 1, since: '1.0.0', group: 'connection', flags: ['fast'], handler: (context) => context.reply.integer(context.database.size) },
  { name: 'flushall', summary: 'x', arity: -1, since: '1.0.0', group: 'connection', flags: ['fast'], handler: (context) => {context.keyspace.clear(context.database, true);context.reply.ok();} },
  ...commandCommands,
];
