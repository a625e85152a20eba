import { parseInt64 } from '../../protocol/integers.js';
import type { Client } from '../../server/client.js';
import type { CommandContext } from '../../server/context.js';
import { ERROR_SYNTAX } from '../../server/errors.js';
import { type ClientType, clientType, parseClientType } from './list.js';

/** Which clients CLIENT KILL closes: those that fit all that is given. */
interface KillFilter {
  id?: number;
  type?: ClientType;
  user?: string;
  address?: string;
  localAddress?: string;
  /** The least age in seconds. */
  maxAgeSeconds?: number;
  skipsSelf: boolean;
}

export function clientKill(context: CommandContext): void {
  const { arguments: request, reply } = context;
  if (request.count === 3) {
    const killed = killMatching(context, { address: request.text(2), skipsSelf: false });
    if (killed === 0) reply.error('ERR No such client');
    else reply.ok();
    return;
  }
  const filter = parseFilter(context);
  if (filter !== undefined) reply.integer(killMatching(context, filter));
}

function killMatching(context: CommandContext, filter: KillFilter): number {
  const { server, client: self } = context;
  let killed = 0;
  for (const client of [...server.clients]) {
    if (!matches(client, filter, context) || (filter.skipsSelf && client === self)) continue;
    server.kill(client, self);
    killed++;
  }
  return killed;
}

function matches(client: Client, filter: KillFilter, context: CommandContext): boolean {
  const { connection } = client;
  const ageSeconds = Math.floor((context.keyspace.nowMs - client.createdMs) / 1000);
  return (
    (filter.address === undefined || connection.remoteAddress === filter.address) &&
    (filter.localAddress === undefined || connection.localAddress === filter.localAddress) &&
    (filter.type === undefined || clientType(client) === filter.type) &&
    (filter.id === undefined || client.id === filter.id) &&
    (filter.user === undefined || client.user === filter.user) &&
    (filter.maxAgeSeconds === undefined || ageSeconds >= filter.maxAgeSeconds)
  );
}

/** The filter that the arguments spell, or undefined with an error replied. */
function parseFilter(context: CommandContext): KillFilter | undefined {
  const { arguments: request, reply } = context;
  const filter: KillFilter = { skipsSelf: true };
  for (let i = 2; i < request.count; i += 2) {
    const hasValue = i + 1 < request.count;
    const problem = hasValue ? parseOption(context, i, filter) : ERROR_SYNTAX;
    if (problem === undefined) continue;
    reply.error(problem);
    return undefined;
  }
  return filter;
}

/** Adds the option at argument `index` to the filter. Returns what is wrong with it. */
function parseOption(context: CommandContext, index: number, filter: KillFilter): string | undefined {
  const { arguments: request } = context;
  const value = request.text(index + 1);
  const integer = () =>
    Number(parseInt64(request.bytes, request.offsets[index + 1], request.lengths[index + 1]) ?? Number.NaN);
  if (request.is(index, 'ID')) {
    filter.id = integer();
    return filter.id >= 1 ? undefined : 'ERR client-id should be greater than 0';
  }
  if (request.is(index, 'MAXAGE')) {
    filter.maxAgeSeconds = integer();
    if (Number.isNaN(filter.maxAgeSeconds)) return 'ERR maxage is not an integer or out of range';
    return filter.maxAgeSeconds > 0 ? undefined : 'ERR maxage should be greater than 0';
  }
  if (request.is(index, 'TYPE')) {
    const type = parseClientType(value);
    if (type === undefined) return `ERR Unknown client type '${request.cString(index + 1)}'`;
    filter.type = type;
  } else if (request.is(index, 'ADDR')) {
    filter.address = value;
  } else if (request.is(index, 'LADDR')) {
    filter.localAddress = value;
  } else if (request.is(index, 'USER')) {
    if (value !== 'default') return `ERR No such user '${request.cString(index + 1)}'`;
    filter.user = value;
  } else if (request.is(index, 'SKIPME')) {
    if (!request.is(index + 1, 'YES') && !request.is(index + 1, 'NO')) return ERROR_SYNTAX;
    filter.skipsSelf = request.is(index + 1, 'YES');
  } else {
    return ERROR_SYNTAX;
  }
  return undefined;
}
