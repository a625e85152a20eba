import { AppendOnlyFile } from '../persistence/aof/append-only-file.js';
import { PROPAGATE_AOF, type PropagationSink } from './propagation.js';
import { Replay } from './replay.js';
import type { Server } from './server.js';

/** What CONFIG SET replies when the file cannot be turned on. */
const ERROR_CANNOT_START = 'Unable to turn on AOF. Check server logs.';

/** The append-only file of a server, which hears of all changes while it is on, and follows the configuration. */
export function newAppendOnlyFile(server: Server): AppendOnlyFile {
  const { configuration, propagation, outbox } = server;
  const sink: PropagationSink = {
    target: PROPAGATE_AOF,
    write: (bytes, length, commands) => {
      file.append(bytes, length, commands);
      const client = outbox.currentClient;
      if (client !== undefined) client.writeOffset = file.writer.offset;
    },
  };
  const file = new AppendOnlyFile({
    configuration,
    log: server.log,
    keyspace: server.keyspace,
    types: server.types,
    snapshots: server.snapshots,
    latencies: server.slowCommands.latencies,
    replay: new Replay(server),
    isSaving: () => server.saving.isSaving,
    isInTransaction: () => outbox.currentClient?.deniesBlocking === true,
    onActive: (isActive) => {
      if (isActive) propagation.addSink(sink);
      else propagation.removeSink(sink);
    },
    onNewFile: () => propagation.forgetDatabase(sink),
    onOutcome: () => server.refuseWrites(),
    onSynced: () => server.syncWaits.serve(),
    onFatal: (reason) => server.onFatal(reason),
  });
  follow(server, file);
  return file;
}

function follow(server: Server, file: AppendOnlyFile): void {
  const { configuration } = server;
  const { values } = configuration;
  configuration.onChange('appendonly', () => {
    // What changes while data is loaded is put into effect afterwards.
    if (server.isLoading) return undefined;
    if (!values.appendonly && file.state !== 'off') file.stop();
    else if (values.appendonly && file.state === 'off' && !file.start()) return ERROR_CANNOT_START;
    return undefined;
  });
  configuration.onChange('appendfsync', () => {
    file.applySyncPolicy();
    return undefined;
  });
  configuration.onChange('aof-disable-auto-gc', () => {
    file.deleteHistory();
    return undefined;
  });
}
