import { beforeNul } from '../../config/byte-string.js';
import { parseInt64 } from '../../protocol/integers.js';
import type { Client } from '../../server/client.js';
import { ClientTracking, type TrackingOptions } from '../../server/client-tracking.js';
import type { CommandContext } from '../../server/context.js';
import { ERROR_NOT_INTEGER, ERROR_SYNTAX } from '../../server/errors.js';

/** Client-side caching: CLIENT TRACKING and what belongs to it. */

/** What CLIENT TRACKING asks for. */
interface TrackingRequest extends TrackingOptions {
  readonly prefixes: string[];
}

export function clientTracking(context: CommandContext): void {
  const { arguments: request, client, reply, server } = context;
  const wanted: TrackingRequest = {
    redirectTo: 0,
    isBroadcasting: false,
    isOptIn: false,
    isOptOut: false,
    isNoLoop: false,
    prefixes: [],
  };
  const problem = parseOptions(context, wanted);
  if (problem !== undefined) {
    reply.error(problem);
  } else if (request.is(2, 'ON')) {
    const conflict = conflictOf(client, wanted);
    if (conflict !== undefined) {
      reply.error(conflict);
      return;
    }
    server.tracking.enable(client, new ClientTracking(wanted, client.tracking), wanted.prefixes);
    reply.ok();
  } else if (request.is(2, 'OFF')) {
    server.tracking.disable(client);
    reply.ok();
  } else {
    reply.error(ERROR_SYNTAX);
  }
}

/** Fills in what the options say. Returns what is wrong with them. */
function parseOptions(context: CommandContext, wanted: TrackingRequest): string | undefined {
  const { arguments: request, options, server } = context;
  options.begin(request, 3);
  while (options.hasMore) {
    if (options.takeWithArgument('REDIRECT')) {
      if (wanted.redirectTo !== 0) return 'ERR A client can only redirect to a single other client';
      const index = options.argument;
      const id = parseInt64(request.bytes, request.offsets[index], request.lengths[index]);
      if (id === undefined) return ERROR_NOT_INTEGER;
      if (server.clients.find(Number(id)) === undefined) {
        return 'ERR The client ID you want redirect to does not exist';
      }
      wanted.redirectTo = Number(id);
    } else if (options.takeWithArgument('PREFIX')) wanted.prefixes.push(request.text(options.argument));
    else if (options.take('BCAST')) wanted.isBroadcasting = true;
    else if (options.take('OPTIN')) wanted.isOptIn = true;
    else if (options.take('OPTOUT')) wanted.isOptOut = true;
    else if (options.take('NOLOOP')) wanted.isNoLoop = true;
    else return ERROR_SYNTAX;
  }
  return undefined;
}

/** Why the options do not go together, or with those that the client has set. */
function conflictOf({ tracking }: Client, wanted: TrackingRequest): string | undefined {
  if (!wanted.isBroadcasting && wanted.prefixes.length > 0) {
    return 'ERR PREFIX option requires BCAST mode to be enabled';
  }
  if (tracking !== undefined && tracking.isBroadcasting !== wanted.isBroadcasting) {
    return (
      "ERR You can't switch BCAST mode on/off before disabling tracking for this client, and then re-enabling it " +
      'with a different mode.'
    );
  }
  if (wanted.isBroadcasting && (wanted.isOptIn || wanted.isOptOut)) {
    return 'ERR OPTIN and OPTOUT are not compatible with BCAST';
  }
  if (wanted.isOptIn && wanted.isOptOut) return "ERR You can't specify both OPTIN mode and OPTOUT mode";
  if (
    tracking !== undefined &&
    ((wanted.isOptIn && tracking.isOptOut) || (wanted.isOptOut && tracking.isOptIn))
  ) {
    return (
      "ERR You can't switch OPTIN/OPTOUT mode before disabling tracking for this client, and then re-enabling it " +
      'with a different mode.'
    );
  }
  return overlapOf(wanted.prefixes, [...(tracking?.prefixes ?? [])].sort());
}

/** Which prefixes would have the client told twice of a key. */
function overlapOf(wanted: readonly string[], existing: readonly string[]): string | undefined {
  const end = 'Prefixes for a single client must not overlap.';
  for (const [i, prefix] of wanted.entries()) {
    const old = existing.find((other) => overlap(prefix, other));
    if (old !== undefined)
      return `ERR Prefix '${beforeNul(prefix)}' overlaps with an existing prefix '${beforeNul(old)}'. ${end}`;
    const other = wanted.slice(i + 1).find((later) => overlap(prefix, later));
    if (other !== undefined) {
      return `ERR Prefix '${beforeNul(prefix)}' overlaps with another provided prefix '${beforeNul(other)}'. ${end}`;
    }
  }
  return undefined;
}

function overlap(a: string, b: string): boolean {
  return a.startsWith(b) || b.startsWith(a);
}

export function clientCaching(context: CommandContext): void {
  const { arguments: request, client, reply } = context;
  const { tracking } = client;
  if (tracking === undefined) {
    reply.error(
      'ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode enabled',
    );
    return;
  }
  const isYes = request.is(2, 'YES');
  if (!isYes && !request.is(2, 'NO')) {
    reply.error(ERROR_SYNTAX);
  } else if (isYes && !tracking.isOptIn) {
    reply.error('ERR CLIENT CACHING YES is only valid when tracking is enabled in OPTIN mode.');
  } else if (!isYes && !tracking.isOptOut) {
    reply.error('ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode.');
  } else {
    tracking.isCachingGiven = true;
    reply.ok();
  }
}

export function clientGetRedir(context: CommandContext): void {
  context.reply.integer(context.client.tracking?.redirectTo ?? -1);
}

export function clientTrackingInfo(context: CommandContext): void {
  const { client, reply } = context;
  const { tracking } = client;
  const flags = flagsOf(tracking);
  reply.mapHeader(3);
  reply.bulkText('flags');
  reply.setHeader(flags.length);
  for (const flag of flags) reply.bulkText(flag);
  reply.bulkText('redirect');
  reply.integer(tracking?.redirectTo ?? -1);
  reply.bulkText('prefixes');
  const prefixes = [...(tracking?.prefixes ?? [])].sort();
  reply.arrayHeader(prefixes.length);
  for (const prefix of prefixes) reply.bulkText(prefix);
}

function flagsOf(tracking: ClientTracking | undefined): string[] {
  if (tracking === undefined) return ['off'];
  const flags = ['on'];
  if (tracking.isBroadcasting) flags.push('bcast');
  if (tracking.isOptIn) flags.push('optin');
  if (tracking.isOptIn && tracking.isCachingGiven) flags.push('caching-yes');
  if (tracking.isOptOut) flags.push('optout');
  if (tracking.isOptOut && tracking.isCachingGiven) flags.push('caching-no');
  if (tracking.isNoLoop) flags.push('noloop');
  if (tracking.isRedirectBroken) flags.push('broken_redirect');
  return flags;
}
