import type { CommandContext } from '../../server/context.js';
import { type DebugSubcommand, FIRST_ARGUMENT } from './subcommand.js';

export const reloadSubcommands: readonly DebugSubcommand[] = [
  {
    name: 'reload',
    syntax: '[MERGE] [NOFLUSH] [NOSAVE]',
    summary: 'Save the data, drop it, and load what was saved.',
    least: 0,
    most: 3,
    handler: reload,
  },
];

function reload(context: CommandContext): void {
  const { arguments: request, server, keyspace, reply } = context;
  const { saving } = server;
  const wanted = new Set<string>();
  for (let i = FIRST_ARGUMENT; i < request.count; i++) wanted.add(request.text(i).toUpperCase());
  if ([...wanted].some((word) => !['MERGE', 'NOFLUSH', 'NOSAVE'].includes(word))) {
    reply.error('ERR DEBUG RELOAD only supports the MERGE, NOFLUSH and NOSAVE options.');
    return;
  }
  if (!wanted.has('NOSAVE') && !saving.saveAtOnce()) {
    reply.error('ERR');
    return;
  }
  if (!wanted.has('NOFLUSH')) {
    for (const database of keyspace.databases) if (database.size > 0) keyspace.clear(database, false);
  }
  try {
    saving.loadAtOnce({
      allowsDuplicates: wanted.has('MERGE'),
      checksChecksum: !server.debugSettings.skipsChecksums,
    });
  } catch (error) {
    server.log.warn({ err: error }, 'DEBUG RELOAD failed');
    reply.error('ERR Error trying to load the RDB dump, check server logs.');
    return;
  }
  server.log.info('DB reloaded by DEBUG RELOAD');
  reply.ok();
}
