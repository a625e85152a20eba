import { REDIS_VERSION } from '../config/redis-version.js';
import type { Arguments } from '../protocol/arguments.js';
import { equalPasswords } from '../security/passwords.js';
import { type Client, RESTRICTED_SUBSCRIBED, RESTRICTED_UNAUTHENTICATED } from '../server/client.js';
import type { Command } from '../server/command.js';
import type { CommandContext } from '../server/context.js';
import { ERROR_NO_PROTO, ERROR_SYNTAX, wrongArity } from '../server/errors.js';
import { setClientName } from './client/attributes.js';

export const connectionCommands: readonly Command[] = [
  {
    name: 'ping',
    summary: 'Ask whether the server is there.',
    syntax: '[message]',
    arity: -1,
    flags: ['fast'],
    categories: ['@connection'],
    since: '1.0.0',
    group: 'connection',
    complexity: 'O(1)',
    hints: ['request_policy:all_shards', 'response_policy:all_succeeded'],
    handler: ping,
  },
  {
    name: 'echo',
    summary: 'Get a message back.',
    syntax: 'message',
    arity: 2,
    flags: ['loading', 'stale', 'fast'],
    categories: ['@connection'],
    since: '1.0.0',
    group: 'connection',
    complexity: 'O(1)',
    handler: echo,
  },
  {
    name: 'select',
    summary: 'Choose the database of this connection.',
    syntax: 'index',
    arity: 2,
    flags: ['loading', 'stale', 'fast'],
    categories: ['@connection'],
    since: '1.0.0',
    group: 'connection',
    complexity: 'O(1)',
    handler: select,
  },
  {
    name: 'auth',
    summary: 'Log in.',
    syntax: '[username@6.0.0] password',
    arity: -2,
    flags: ['noscript', 'loading', 'stale', 'fast', 'no_auth', 'allow_busy'],
    categories: ['@connection'],
    since: '1.0.0',
    group: 'connection',
    complexity: 'O(N) for N passwords of the user',
    history: [['6.0.0', 'a user name before the password']],
    findSecrets: () => [1, 2],
    handler: auth,
  },
  {
    name: 'hello',
    summary: 'Choose the protocol version, and log in on the way.',
    syntax: '[arguments:{protover:integer [AUTH {username password}] [SETNAME clientname]}]',
    arity: -1,
    flags: ['noscript', 'loading', 'stale', 'fast', 'no_auth', 'allow_busy'],
    categories: ['@connection'],
    since: '6.0.0',
    group: 'connection',
    complexity: 'O(1)',
    history: [['6.2.0', 'without arguments, a report on the connection']],
    findSecrets: helloSecrets,
    handler: hello,
  },
  {
    name: 'quit',
    summary: 'Close the connection.',
    arity: -1,
    flags: ['noscript', 'loading', 'stale', 'fast', 'no_auth', 'allow_busy'],
    categories: ['@connection'],
    since: '1.0.0',
    group: 'connection',
    complexity: 'O(1)',
    docFlags: ['deprecated'],
    deprecatedSince: '7.2.0',
    replacedBy: 'just closing the connection',
    handler: quit,
  },
  {
    name: 'reset',
    summary: 'Make the connection as good as new.',
    arity: 1,
    flags: ['noscript', 'loading', 'stale', 'fast', 'no_auth', 'allow_busy'],
    categories: ['@connection'],
    since: '6.2.0',
    group: 'connection',
    complexity: 'O(1)',
    handler: reset,
  },
];

/** The user that clients are before and unless they log in as another. */
const DEFAULT_USER = 'default';

function ping(context: CommandContext): void {
  const { arguments: request, client, reply } = context;
  const isSubscribed = (client.restrictions & RESTRICTED_SUBSCRIBED) !== 0;
  if (request.count > 2) reply.error(wrongArity('ping'));
  else if (isSubscribed && client.resp === 2) {
    // A message among messages, so that a RESP2 client can tell what it is.
    reply.arrayHeader(2);
    reply.bulkText('pong');
    if (request.count === 2) reply.bulk(request.bytes, request.offsets[1], request.lengths[1]);
    else reply.bulkText('');
  } else if (request.count === 2) reply.bulk(request.bytes, request.offsets[1], request.lengths[1]);
  else reply.simpleString('PONG');
}

function echo(context: CommandContext): void {
  const { arguments: request, reply } = context;
  reply.bulk(request.bytes, request.offsets[1], request.lengths[1]);
}

function select(context: CommandContext): void {
  const database = context.databaseNumbered(1);
  if (database === undefined) return;
  context.client.database = database;
  context.reply.ok();
}

function auth(context: CommandContext): void {
  const { arguments: request, reply } = context;
  if (request.count > 3) {
    reply.error(ERROR_SYNTAX);
    return;
  }
  if (request.count === 2 && context.configuration.values.requirepass === '') {
    reply.error(
      'ERR AUTH <password> called without any password configured for the default user. ' +
        'Are you sure your configuration is correct?',
    );
    return;
  }
  const user = request.count === 3 ? request.text(1) : DEFAULT_USER;
  if (logIn(context, user, request.text(request.count - 1))) reply.ok();
}

/** Logs the client in, or replies why not. */
function logIn(context: CommandContext, user: string, password: string): boolean {
  const { client, server } = context;
  const expected = context.configuration.values.requirepass;
  // Without a password, the default user takes any.
  if (user !== DEFAULT_USER || (expected !== '' && !equalPasswords(password, expected))) {
    server.statistics.deniedLogins++;
    context.reply.error('WRONGPASS invalid username-password pair or user is disabled.');
    return false;
  }
  client.user = user;
  client.restrictions &= ~RESTRICTED_UNAUTHENTICATED;
  return true;
}

function hello(context: CommandContext): void {
  const { arguments: request, client, reply } = context;
  let version: number = client.resp;
  if (request.count > 1) {
    version = context.integer(1, 'ERR Protocol version is not an integer or out of range');
    if (Number.isNaN(version)) return;
    if (version !== 2 && version !== 3) {
      reply.error(ERROR_NO_PROTO);
      return;
    }
  }
  let login = 0;
  let name = 0;
  for (let i = 2; i < request.count; i++) {
    const left = request.count - 1 - i;
    if (left >= 2 && request.is(i, 'AUTH')) {
      login = i;
      i += 2;
    } else if (left >= 1 && request.is(i, 'SETNAME')) {
      name = i;
      i += 1;
    } else {
      reply.error(`ERR Syntax error in HELLO option '${request.cString(i)}'`);
      return;
    }
  }
  if (login > 0 && !logIn(context, request.text(login + 1), request.text(login + 2))) return;
  if (!client.isAuthenticated) {
    reply.error(
      'NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH <user> ' +
        '<pass> option can be used to authenticate the client and select the RESP protocol version at the same time',
    );
    return;
  }
  if (name > 0 && !setClientName(context, request.text(name + 1))) return;
  client.resp = version === 3 ? 3 : 2;
  reply.resp = client.resp;
  replyHello(context);
}

function helloSecrets(call: Arguments): number[] {
  const found: number[] = [];
  for (let i = 2; i + 2 < call.count; i++) if (call.is(i, 'AUTH')) found.push(i + 1, i + 2);
  return found;
}

function replyHello({ client, reply }: CommandContext): void {
  reply.mapHeader(7);
  reply.bulkText('server');
  reply.bulkText('redis');
  reply.bulkText('version');
  reply.bulkText(REDIS_VERSION);
  reply.bulkText('proto');
  reply.integer(client.resp);
  reply.bulkText('id');
  reply.integer(client.id);
  reply.bulkText('mode');
  reply.bulkText('standalone');
  reply.bulkText('role');
  reply.bulkText('master');
  reply.bulkText('modules');
  reply.arrayHeader(0);
}

function quit(context: CommandContext): void {
  context.reply.ok();
  context.server.turn.closeAfterReply(context.client);
}

function reset(context: CommandContext): void {
  const { client, reply } = context;
  resetClient(context, client);
  reply.resp = client.resp;
  reply.simpleString('RESET');
}

/** Makes a client what it was when it connected. */
function resetClient(context: CommandContext, client: Client): void {
  const { server } = context;
  client.transaction = undefined;
  server.watching.unwatch(client);
  server.tracking.disable(client);
  server.monitors.remove(client);
  server.pubsub.forget(client);
  client.database = context.keyspace.databases[0];
  client.resp = 2;
  client.name = '';
  client.replyMode = 'on';
  client.isNoEvict = false;
  client.isNoTouch = false;
  client.user = DEFAULT_USER;
  client.restrictions = context.configuration.values.requirepass === '' ? 0 : RESTRICTED_UNAUTHENTICATED;
}
