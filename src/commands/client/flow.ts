import { INT64_MAX, parseInt64 } from '../../protocol/integers.js';
import type { CommandContext } from '../../server/context.js';
import { wrongSubcommandArity } from '../../server/errors.js';

/** Holding commands back, and letting them go on. */

export function clientPause(context: CommandContext): void {
  const { arguments: request, reply, server, keyspace } = context;
  if (request.count > 4) {
    reply.error(wrongSubcommandArity(request.cString(1), 'client'));
    return;
  }
  const isWriteOnly = request.count === 4 && request.is(3, 'WRITE');
  if (request.count === 4 && !isWriteOnly && !request.is(3, 'ALL')) {
    reply.error('ERR CLIENT PAUSE mode must be WRITE or ALL');
    return;
  }
  const delayMs = parseInt64(request.bytes, request.offsets[2], request.lengths[2]);
  if (delayMs === undefined) {
    reply.error('ERR timeout is not an integer or out of range');
  } else if (delayMs < 0) {
    reply.error('ERR timeout is negative');
  } else if (delayMs > INT64_MAX - BigInt(keyspace.nowMs)) {
    reply.error('ERR timeout is out of range');
  } else {
    server.pause.start(isWriteOnly ? 'write' : 'all', keyspace.nowMs + Number(delayMs), keyspace.nowMs);
    reply.ok();
  }
}

export function clientUnpause(context: CommandContext): void {
  context.server.pause.end();
  context.reply.ok();
}

export function clientUnblock(context: CommandContext): void {
  const { arguments: request, reply, server } = context;
  const withError = request.count === 4 && request.is(3, 'ERROR');
  if (request.count > 4) {
    reply.error(wrongSubcommandArity(request.cString(1), 'client'));
    return;
  }
  if (request.count === 4 && !withError && !request.is(3, 'TIMEOUT')) {
    reply.error('ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR');
    return;
  }
  const id = context.integer(2);
  if (Number.isNaN(id)) return;
  const target = server.clients.find(id);
  if (target?.unblock === undefined) {
    reply.integer(0);
    return;
  }
  target.unblock(withError);
  reply.integer(1);
}
