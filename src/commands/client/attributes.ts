import type { CommandContext } from '../../server/context.js';
import { ERROR_SYNTAX } from '../../server/errors.js';

/** What a client says of itself, and how it wants to be treated: the subcommands about this connection alone. */

/** Gives the client a name, '' for none, or replies why it may not have that one. */
export function setClientName(context: CommandContext, name: string): boolean {
  if (!isPlain(name)) {
    context.reply.error('ERR Client names cannot contain spaces, newlines or special characters.');
    return false;
  }
  context.client.name = name;
  return true;
}

export function clientId(context: CommandContext): void {
  context.reply.integer(context.client.id);
}

export function clientGetName(context: CommandContext): void {
  const { name } = context.client;
  if (name === '') context.reply.nullBulk();
  else context.reply.bulkText(name);
}

export function clientSetName(context: CommandContext): void {
  if (setClientName(context, context.arguments.text(2))) context.reply.ok();
}

export function clientSetInfo(context: CommandContext): void {
  const { arguments: request, client, reply } = context;
  const value = request.text(3);
  const isName = request.is(2, 'LIB-NAME');
  if (!isName && !request.is(2, 'LIB-VER')) {
    reply.error(`ERR Unrecognized option '${request.cString(2)}'`);
    return;
  }
  if (!isPlain(value)) {
    reply.error(`ERR ${request.cString(2)} cannot contain spaces, newlines or special characters.`);
    return;
  }
  if (isName) client.libraryName = value;
  else client.libraryVersion = value;
  reply.ok();
}

export function clientReply(context: CommandContext): void {
  const { arguments: request, client, reply } = context;
  if (request.is(2, 'ON')) {
    client.replyMode = 'on';
    reply.ok();
  } else if (request.is(2, 'OFF')) {
    client.replyMode = 'off';
  } else if (request.is(2, 'SKIP')) {
    if (client.replyMode !== 'off') client.replyMode = 'skip-next';
  } else {
    reply.error(ERROR_SYNTAX);
  }
}

export function clientNoEvict(context: CommandContext): void {
  const isOn = onOrOff(context);
  if (isOn === undefined) return;
  context.client.isNoEvict = isOn;
  context.reply.ok();
}

export function clientNoTouch(context: CommandContext): void {
  const isOn = onOrOff(context);
  if (isOn === undefined) return;
  context.client.isNoTouch = isOn;
  context.reply.ok();
}

function onOrOff(context: CommandContext): boolean | undefined {
  const { arguments: request } = context;
  if (request.is(2, 'ON')) return true;
  if (request.is(2, 'OFF')) return false;
  context.reply.error(ERROR_SYNTAX);
  return undefined;
}

/** Whether all characters up to a NUL byte are printable and none is a space: what may stand in CLIENT LIST. */
function isPlain(text: string): boolean {
  return /^[!-~]*(\0|$)/.test(text);
}
