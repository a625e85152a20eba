import type { CommandContext } from '../../server/context.js';
import { ERROR_LOADING } from '../../server/errors.js';
import { type DebugSubcommand, FIRST_ARGUMENT } from './subcommand.js';

const ERROR_LOADING_FILE = 'ERR Error trying to load the AOF files, check server logs.';

export const reloadSubcommands: readonly DebugSubcommand[] = [
  {
    name: 'loadaof',
    syntax: '',
    summary: 'Write the append-only file, drop the data, and load what the file holds.',
    least: 0,
    most: 0,
    handler: (context) => load(context, loadAppendOnlyFile),
  },
  {
    name: 'reload',
    syntax: '[MERGE] [NOFLUSH] [NOSAVE]',
    summary: 'Save the data, drop it, and load what was saved.',
    least: 0,
    most: 3,
    handler: (context) => load(context, reload),
  },
];

/**
 * Loads data, unless that is going on already: for a client that may ask meanwhile, or as an append-only file says so.
 * (redis-server crashes then.) It never gets into that file, not even when it fails half way: redis-server writes it
 * there, and can load the file no more.
 */
function load(context: CommandContext, handler: (context: CommandContext) => void): void {
  const { server, reply } = context;
  server.propagation.prevent();
  if (server.isLoading) reply.error(ERROR_LOADING);
  else handler(context);
}

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

function loadAppendOnlyFile({ client, server, reply }: CommandContext): void {
  const { dataLoading, log } = server;
  const isDone = (error: unknown): boolean => {
    if (error === undefined) log.info('Append Only File loaded by DEBUG LOADAOF');
    else log.warn({ err: error }, 'DEBUG LOADAOF failed');
    return error === undefined;
  };
  if (!client.deniesBlocking) {
    const outcome = dataLoading.reload().then(
      () => undefined,
      (error: unknown) => error,
    );
    server.replyWhen(
      client,
      outcome.then((error) => (writer) => (isDone(error) ? writer.ok() : writer.error(ERROR_LOADING_FILE))),
    );
    return;
  }
  let problem: unknown;
  try {
    dataLoading.reloadAtOnce();
  } catch (error) {
    problem = error;
  }
  if (isDone(problem)) reply.ok();
  else reply.error(ERROR_LOADING_FILE);
}
