import type { Server } from '../../../server/server.js';
import { type InfoField, type InfoSection, twoDecimals } from './section.js';

const MS_PER_SECOND = 1000;

/** What has happened since the start, or CONFIG RESETSTAT. */
export const statsSection: InfoSection = {
  name: 'stats',
  title: 'Stats',
  shownBy: 'default',
  *fields(server) {
    yield* trafficFields(server);
    yield* keyFields(server);
    yield* loopFields(server);
  },
};

function trafficFields({ statistics, commandTimes, outbox, rates }: Server): InfoField[] {
  const kilobytesPerSecond = (bytesPerMs: number) => twoDecimals((bytesPerMs * MS_PER_SECOND) / 1024);
  return [
    ['total_connections_received', statistics.connectionsReceived],
    ['total_commands_processed', commandTimes.calls],
    ['instantaneous_ops_per_sec', Math.floor(rates.commands.mean * MS_PER_SECOND)],
    ['total_net_input_bytes', statistics.inputBytes],
    ['total_net_output_bytes', outbox.sentBytes],
    ['total_net_repl_input_bytes', 0],
    ['total_net_repl_output_bytes', 0],
    ['instantaneous_input_kbps', kilobytesPerSecond(rates.inputBytes.mean)],
    ['instantaneous_output_kbps', kilobytesPerSecond(rates.outputBytes.mean)],
    ['instantaneous_input_repl_kbps', '0.00'],
    ['instantaneous_output_repl_kbps', '0.00'],
    ['rejected_connections', statistics.connectionsRejected],
    ['sync_full', 0],
    ['sync_partial_ok', 0],
    ['sync_partial_err', 0],
  ];
}

function keyFields({
  clientEviction,
  cron,
  eviction,
  keyspace,
  migrations,
  pubsub,
  snapshots,
  tracking,
}: Server): InfoField[] {
  return [
    ['expired_subkeys', keyspace.expiredFields],
    ['expired_keys', keyspace.expiredKeys],
    // Keys expire when their time comes: none is found stale, and no cycle looks for them.
    ['expired_stale_perc', '0.00'],
    ['expired_time_cap_reached_count', 0],
    ['expire_cycle_cpu_milliseconds', Math.floor(cron.expiryMs)],
    ['evicted_keys', eviction.evictedKeys],
    ['evicted_clients', clientEviction.evictedClients],
    ['evicted_scripts', 0],
    ['total_eviction_exceeded_time', Math.floor(eviction.totalExcessMs)],
    ['current_eviction_exceeded_time', Math.floor(eviction.currentExcessMs)],
    ['keyspace_hits', keyspace.hits],
    ['keyspace_misses', keyspace.misses],
    ['pubsub_channels', pubsub.count('channel')],
    ['pubsub_patterns', pubsub.count('pattern')],
    ['pubsubshard_channels', pubsub.count('shard')],
    ['latest_fork_usec', 0],
    ['total_forks', snapshots.count],
    ['migrate_cached_sockets', migrations.cachedCount],
    ['slave_expires_tracked_keys', 0],
    ['active_defrag_hits', 0],
    ['active_defrag_misses', 0],
    ['active_defrag_key_hits', 0],
    ['active_defrag_key_misses', 0],
    ['total_active_defrag_time', 0],
    ['current_active_defrag_time', 0],
    ['tracking_total_keys', tracking.keyCount],
    ['tracking_total_items', tracking.itemCount],
    ['tracking_total_prefixes', tracking.prefixCount],
  ];
}

function loopFields(server: Server): InfoField[] {
  const { statistics, errorStatistics, outbox, commandTimes, loopTimes, rates } = server;
  return [
    ['unexpected_error_replies', 0],
    ['total_error_replies', errorStatistics.total],
    ['dump_payload_sanitizations', 0],
    ['total_reads_processed', statistics.reads],
    ['total_writes_processed', outbox.sends],
    ['io_threaded_reads_processed', 0],
    ['io_threaded_writes_processed', 0],
    ['client_query_buffer_limit_disconnections', statistics.queryBufferLimitDisconnections],
    ['client_output_buffer_limit_disconnections', statistics.outputBufferLimitDisconnections],
    ['reply_buffer_shrinks', 0],
    ['reply_buffer_expands', 0],
    ['eventloop_cycles', loopTimes.cycles],
    ['eventloop_duration_sum', Math.floor(loopTimes.durationSum)],
    ['eventloop_duration_cmd_sum', Math.floor(commandTimes.microseconds)],
    ['instantaneous_eventloop_cycles_per_sec', Math.floor(rates.cycles.mean * MS_PER_SECOND)],
    ['instantaneous_eventloop_duration_usec', Math.floor(rates.cycleDuration.mean)],
    ['acl_access_denied_auth', statistics.deniedLogins],
    ['acl_access_denied_cmd', 0],
    ['acl_access_denied_key', 0],
    ['acl_access_denied_channel', 0],
  ];
}

/** The time that the processor has spent, in seconds. */
export const cpuSection: InfoSection = {
  name: 'cpu',
  title: 'CPU',
  shownBy: 'default',
  fields() {
    const { system, user } = process.cpuUsage();
    const { system: mainSystem, user: mainUser } = mainThreadUsage();
    return [
      ['used_cpu_sys', seconds(system)],
      ['used_cpu_user', seconds(user)],
      ['used_cpu_sys_children', seconds(0)],
      ['used_cpu_user_children', seconds(0)],
      ['used_cpu_sys_main_thread', seconds(mainSystem)],
      ['used_cpu_user_main_thread', seconds(mainUser)],
    ];
  },
};

/** Of the main thread where Node can tell (from 23.9), otherwise of the process: the others hardly do anything. */
function mainThreadUsage(): NodeJS.CpuUsage {
  const { threadCpuUsage } = process as { threadCpuUsage?: () => NodeJS.CpuUsage };
  return threadCpuUsage?.call(process) ?? process.cpuUsage();
}

function seconds(microseconds: number): string {
  return (microseconds / 1e6).toFixed(6);
}

/** Figures on the event loop for developers; shown only when asked for. */
export const debugSection: InfoSection = {
  name: 'debug',
  title: 'Debug',
  shownBy: 'named',
  fields({ cron, loopTimes, appendOnlyFile }) {
    return [
      ['eventloop_duration_aof_sum', Math.floor(appendOnlyFile.writer.busyMicroseconds)],
      ['eventloop_duration_cron_sum', Math.floor(cron.taskMicroseconds)],
      ['eventloop_duration_max', Math.floor(loopTimes.durationMax)],
      ['eventloop_cmd_per_cycle_max', loopTimes.callsMax],
      ['allocator_allocated_lua', 0],
      ['allocator_active_lua', 0],
      ['allocator_resident_lua', 0],
      ['allocator_frag_bytes_lua', 0],
    ];
  },
};
