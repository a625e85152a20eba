import type { Arguments } from '../../protocol/arguments.js';
import { type Client, RESTRICTED_MONITOR, RESTRICTED_SUBSCRIBED } from '../../server/client.js';
import { clientMemory } from '../../server/client-memory.js';
import type { CommandContext } from '../../server/context.js';
import { ERROR_SYNTAX } from '../../server/errors.js';

/** The kinds that CLIENT LIST and CLIENT KILL tell apart. */
export type ClientType = 'normal' | 'master' | 'replica' | 'pubsub';

/** The kind that a word means, in any case. */
export function parseClientType(word: string): ClientType | undefined {
  switch (word.toLowerCase()) {
    case 'normal':
      return 'normal';
    case 'master':
      return 'master';
    case 'slave':
    case 'replica':
      return 'replica';
    case 'pubsub':
      return 'pubsub';
    default:
      return undefined;
  }
}

/** The kind of a client. */
export function clientType(client: Client): ClientType {
  return (client.restrictions & RESTRICTED_SUBSCRIBED) === 0 ? 'normal' : 'pubsub';
}

export function clientInfo(context: CommandContext): void {
  context.reply.verbatim('txt', `${describeClient(context.client, context)}\n`);
}

export function clientList(context: CommandContext): void {
  const { arguments: request, reply, server } = context;
  if (request.count === 4 && request.is(2, 'TYPE')) {
    const type = parseClientType(request.text(3));
    if (type === undefined) reply.error(`ERR Unknown client type '${request.cString(3)}'`);
    else replyList(context, (client) => clientType(client) === type);
  } else if (request.count > 3 && request.is(2, 'ID')) {
    const lines: string[] = [];
    for (let i = 3; i < request.count; i++) {
      const id = context.integer(i, 'ERR Invalid client ID');
      if (Number.isNaN(id)) return;
      const client = server.clients.find(id);
      if (client !== undefined) lines.push(`${describeClient(client, context)}\n`);
    }
    reply.verbatim('txt', lines.join(''));
  } else if (request.count === 2) {
    replyList(context, () => true);
  } else {
    reply.error(ERROR_SYNTAX);
  }
}

function replyList(context: CommandContext, isWanted: (client: Client) => boolean): void {
  const lines: string[] = [];
  for (const client of context.server.clients) {
    if (isWanted(client)) lines.push(`${describeClient(client, context)}\n`);
  }
  context.reply.verbatim('txt', lines.join(''));
}

/** One line of CLIENT LIST, without its end. */
function describeClient(client: Client, context: CommandContext): string {
  const { connection } = client;
  const { nowMs } = context.keyspace;
  const seconds = (sinceMs: number) => Math.floor((nowMs - sinceMs) / 1000);
  const isCurrent = client === context.client;
  const pendingBytes = isCurrent ? requestBytes(context) : undecodedBytes(client);
  const argumentBytes = isCurrent ? argumentLength(context.arguments) : decodedBytes(client);
  const queued = connection.queuedBytes;
  const fields = {
    id: client.id,
    addr: connection.remoteAddress,
    laddr: connection.localAddress,
    fd: connection.fd,
    name: client.name,
    age: seconds(client.createdMs),
    idle: seconds(client.lastActiveMs),
    flags: describeFlags(client, context),
    db: client.database.index,
    sub: client.subscriptions?.channel.size ?? 0,
    psub: client.subscriptions?.pattern.size ?? 0,
    ssub: client.subscriptions?.shard.size ?? 0,
    multi: client.transaction?.commands.length ?? -1,
    watch: context.server.watching.countOf(client),
    qbuf: pendingBytes,
    'qbuf-free': Math.max(0, client.queryBuffer.length - client.queryLength),
    'argv-mem': argumentBytes,
    'multi-mem': client.transaction?.byteLength ?? 0,
    rbs: 0,
    rbp: 0,
    obl: client.unsentBytes,
    oll: queued > 0 ? 1 : 0,
    omem: queued,
    'tot-mem': clientMemory(client, context.server.watching) + argumentBytes,
    events: queued > 0 ? 'rw' : 'r',
    cmd: client.lastCommand?.fullName ?? 'NULL',
    user: client.user,
    redir: client.tracking?.redirectTo ?? -1,
    resp: client.resp,
    'lib-name': client.libraryName,
    'lib-ver': client.libraryVersion,
    'io-thread': 0,
  };
  return Object.entries(fields)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ');
}

function describeFlags(client: Client, { server }: CommandContext): string {
  let flags = '';
  if ((client.restrictions & RESTRICTED_MONITOR) !== 0) flags += 'O';
  if ((client.restrictions & RESTRICTED_SUBSCRIBED) !== 0) flags += 'P';
  if (client.transaction !== undefined) flags += 'x';
  if (client.unblock !== undefined || client.isPostponed) flags += 'b';
  if (client.tracking !== undefined) flags += 't';
  if (client.tracking?.isRedirectBroken === true) flags += 'R';
  if (client.tracking?.isBroadcasting === true) flags += 'B';
  if (server.watching.hasFailed(client)) flags += 'd';
  if (client.closesAfterReply) flags += 'c';
  if (client.connection.isUnixSocket) flags += 'U';
  if (client.isNoEvict) flags += 'e';
  if (client.isNoTouch) flags += 'T';
  return flags === '' ? 'N' : flags;
}

/** The bytes of the request that is being executed, with its headers. */
function requestBytes({ arguments: request }: CommandContext): number {
  let bytes = String(request.count).length + 3;
  for (let i = 0; i < request.count; i++) bytes += request.lengths[i] + String(request.lengths[i]).length + 5;
  return bytes;
}

/** Bytes in the query buffer that are no arguments yet. */
function undecodedBytes({ decoder, queryLength }: Client): number {
  return Math.max(0, queryLength - (decoder?.position ?? 0));
}

/** Bytes of the arguments of a request whose rest is still to come, or that waits. */
function decodedBytes({ decoder }: Client): number {
  return decoder?.isInRequest === true ? argumentLength(decoder.arguments) : 0;
}

function argumentLength(request: Arguments): number {
  let bytes = 0;
  for (let i = 0; i < request.count; i++) bytes += request.lengths[i];
  return bytes;
}
