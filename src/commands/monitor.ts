import { RESTRICTED_MONITOR } from '../server/client.js';
import type { Command } from '../server/command.js';
import type { CommandContext } from '../server/context.js';

export const monitorCommands: readonly Command[] = [
  {
    name: 'monitor',
    summary: 'See every command that the server gets.',
    arity: 1,
    flags: ['admin', 'noscript', 'loading', 'stale'],
    since: '1.0.0',
    group: 'server',
    handler: monitor,
  },
];

function monitor({ client, reply, server }: CommandContext): void {
  if (client.deniesBlocking) {
    reply.error("ERR MONITOR isn't allowed for DENY BLOCKING client");
    return;
  }
  // Redis does not reply the second time.
  if ((client.restrictions & RESTRICTED_MONITOR) !== 0) return;
  server.monitors.add(client);
  reply.ok();
}
