import { type Command, keyAt } from '../server/command.js';
import { clientCommands } from './client/client.js';
import { commandCommands } from './command.js';
import { configCommands } from './config.js';
import { connectionCommands } from './connection.js';
import { serverCommands } from './server/server.js';
import { get, incr, set } from './strings/set.js';

/** Every command that the server has. */
export const allCommands: readonly Command[] = [
  ...clientCommands,
  ...commandCommands,
  ...configCommands,
  ...connectionCommands,
  ...serverCommands,
  { name: 'get', summary: 'x', arity: 2, since: '1.0.0', group: 'string', flags: ['readonly', 'fast'], keys: [keyAt(1, 'RO')], handler: get },
  { name: 'set', summary: 'x', arity: -3, since: '1.0.0', group: 'string', flags: ['write', 'denyoom'], keys: [keyAt(1, 'RW')], handler: set },
  { name: 'incr', summary: 'x', arity: 2, since: '1.0.0', group: 'string', flags: ['write', 'denyoom'], keys: [keyAt(1, 'RW')], handler: incr },
];
