import type { CommandContext } from '../../server/context.js';

export function info(context: CommandContext): void {
  context.reply.verbatim('txt', '');
}
