import type { LoadProgress } from '../../../persistence/loading.js';
import type { Server } from '../../../server/server.js';
import type { InfoSection } from './section.js';

/** Loading and saving. */
export const persistenceSection: InfoSection = {
  name: 'persistence',
  title: 'Persistence',
  shownBy: 'default',
  fields(server) {
    const { saving, keyspace, isLoading, appendOnlyFile } = server;
    const { written, total } = appendOnlyFile.isRewriting ? appendOnlyFile.progress : saving.progress;
    return [
      ['loading', isLoading ? 1 : 0],
      ['async_loading', 0],
      ['current_cow_peak', 0],
      ['current_cow_size', 0],
      ['current_cow_size_age', 0],
      ['current_fork_perc', (total === 0 ? 0 : (written / total) * 100).toFixed(2)],
      ['current_save_keys_processed', written],
      ['current_save_keys_total', total],
      ['rdb_changes_since_last_save', keyspace.dirty],
      ['rdb_bgsave_in_progress', saving.isSaving ? 1 : 0],
      ['rdb_last_save_time', Math.floor(saving.lastSaveMs / 1000)],
      ['rdb_last_bgsave_status', saving.hasFailed ? 'err' : 'ok'],
      ['rdb_last_bgsave_time_sec', saving.lastDurationSeconds],
      ['rdb_current_bgsave_time_sec', saving.currentSeconds],
      ['rdb_saves', saving.saveCount],
      ['rdb_last_cow_size', 0],
      ['rdb_last_load_keys_expired', saving.keysExpired],
      ['rdb_last_load_keys_loaded', saving.keysLoaded],
      ...appendOnlyFields(server),
      ['module_fork_in_progress', 0],
      ['module_fork_last_cow_size', 0],
      ...sizeFields(server),
      ...loadingFields(saving.loading ?? appendOnlyFile.loading),
    ];
  },
};

/** The append-only file: on or off, and how its rewrites went. */
function appendOnlyFields({ appendOnlyFile: file }: Server): [string, string | number][] {
  return [
    ['aof_enabled', file.state === 'off' ? 0 : 1],
    ['aof_rewrite_in_progress', file.isRewriting ? 1 : 0],
    ['aof_rewrite_scheduled', file.isScheduled ? 1 : 0],
    ['aof_last_rewrite_time_sec', file.lastRewriteSeconds],
    ['aof_current_rewrite_time_sec', file.currentSeconds],
    ['aof_last_bgrewrite_status', file.hasRewriteFailed ? 'err' : 'ok'],
    ['aof_rewrites', file.rewriteCount],
    ['aof_rewrites_consecutive_failures', file.limit.failures],
    ['aof_last_write_status', file.writer.problem === '' ? 'ok' : 'err'],
    ['aof_last_cow_size', 0],
  ];
}

/** What is shown only with `appendonly yes`. */
function sizeFields({ appendOnlyFile: file, configuration }: Server): [string, string | number][] {
  if (!configuration.values.appendonly) return [];
  return [
    ['aof_current_size', file.currentSize],
    ['aof_base_size', file.baseSize],
    ['aof_pending_rewrite', file.isScheduled ? 1 : 0],
    ['aof_buffer_length', file.writer.bufferedBytes],
    ['aof_pending_bio_fsync', file.writer.pendingSyncs],
    ['aof_delayed_fsync', file.writer.delayedSyncs],
  ];
}

/** What is shown only while a file is loaded. */
function loadingFields(progress: LoadProgress | undefined): [string, string | number][] {
  if (progress === undefined) return [];
  const { startedMs, totalBytes, loadedBytes } = progress;
  const seconds = (Date.now() - startedMs) / 1000;
  const share = loadedBytes / Math.max(1, totalBytes);
  return [
    ['loading_start_time', Math.floor(startedMs / 1000)],
    ['loading_total_bytes', totalBytes],
    ['loading_rdb_used_mem', 0],
    ['loading_loaded_bytes', loadedBytes],
    ['loading_loaded_perc', (share * 100).toFixed(2)],
    ['loading_eta_seconds', share === 0 ? 1 : Math.floor(seconds / share - seconds)],
  ];
}

/** Master or replica, and how far the stream of changes is. */
export const replicationSection: InfoSection = {
  name: 'replication',
  title: 'Replication',
  shownBy: 'default',
  fields({ replicationId, configuration, appendOnlyFile, lacksReplicas }: Server) {
    return [
      ['role', 'master'],
      ['connected_slaves', 0],
      ...(lacksReplicas ? ([['min_slaves_good_slaves', 0]] as const) : []),
      ['master_failover_state', 'no-failover'],
      ['master_replid', replicationId],
      ['master_replid2', '0'.repeat(40)],
      ['master_repl_offset', appendOnlyFile.writer.offset],
      ['second_repl_offset', -1],
      ['repl_backlog_active', 0],
      ['repl_backlog_size', configuration.values['repl-backlog-size']],
      ['repl_backlog_first_byte_offset', 0],
      ['repl_backlog_histlen', 0],
    ];
  },
};

/** Whether this is a node of a cluster. */
export const clusterSection: InfoSection = {
  name: 'cluster',
  title: 'Cluster',
  shownBy: 'default',
  fields({ configuration }) {
    return [['cluster_enabled', configuration.values['cluster-enabled'] ? 1 : 0]];
  },
};
