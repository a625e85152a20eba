import type { LoadProgress } from '../../../persistence/loading.js';
import type { Server } from '../../../server/server.js';
import type { InfoSection } from './section.js';

/** Loading and saving. */
export const persistenceSection: InfoSection = {
  name: 'persistence',
  title: 'Persistence',
  shownBy: 'default',
  fields({ saving, keyspace, isLoading }) {
    const { written, total } = saving.progress;
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
      ['aof_enabled', 0],
      ['aof_rewrite_in_progress', 0],
      ['aof_rewrite_scheduled', 0],
      ['aof_last_rewrite_time_sec', -1],
      ['aof_current_rewrite_time_sec', -1],
      ['aof_last_bgrewrite_status', 'ok'],
      ['aof_rewrites', 0],
      ['aof_rewrites_consecutive_failures', 0],
      ['aof_last_write_status', 'ok'],
      ['aof_last_cow_size', 0],
      ['module_fork_in_progress', 0],
      ['module_fork_last_cow_size', 0],
      ...loadingFields(saving.loading),
    ];
  },
};

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
  fields({ replicationId, configuration }: Server) {
    return [
      ['role', 'master'],
      ['connected_slaves', 0],
      ['master_failover_state', 'no-failover'],
      ['master_replid', replicationId],
      ['master_replid2', '0'.repeat(40)],
      ['master_repl_offset', 0],
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
