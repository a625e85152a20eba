import os from 'node:os';
import { ALLOCATOR_NAME } from '../../../observability/build-id.js';
import type { Server } from '../../../server/server.js';
import { type MemoryFigures, measureMemory } from '../../memory/figures.js';
import { humanBytes, type InfoField, type InfoSection, twoDecimals } from './section.js';

/** What memory is used for. `MemoryFigures` says what is counted as used. */
export const memorySection: InfoSection = {
  name: 'memory',
  title: 'Memory',
  shownBy: 'default',
  *fields(server) {
    const figures = measureMemory(server);
    yield* usedFields(figures);
    yield* scriptFields();
    yield* limitFields(server);
    yield* fragmentationFields(figures);
    yield* bufferFields(server, figures);
  },
};

function usedFields(figures: MemoryFigures): InfoField[] {
  const systemBytes = os.totalmem();
  return [
    ['used_memory', figures.used],
    ['used_memory_human', humanBytes(figures.used)],
    ['used_memory_rss', figures.resident],
    ['used_memory_rss_human', humanBytes(figures.resident)],
    ['used_memory_peak', figures.peak],
    ['used_memory_peak_human', humanBytes(figures.peak)],
    ['used_memory_peak_perc', `${twoDecimals(figures.peakShare)}%`],
    ['used_memory_overhead', figures.overhead],
    ['used_memory_startup', figures.startup],
    ['used_memory_dataset', figures.dataset],
    ['used_memory_dataset_perc', `${twoDecimals(figures.datasetShare)}%`],
    ['allocator_allocated', figures.allocated],
    ['allocator_active', figures.active],
    ['allocator_resident', figures.touched],
    ['allocator_muzzy', 0],
    ['total_system_memory', systemBytes],
    ['total_system_memory_human', humanBytes(systemBytes)],
  ];
}

function scriptFields(): InfoField[] {
  return [
    ['used_memory_lua', 0],
    ['used_memory_vm_eval', 0],
    ['used_memory_lua_human', humanBytes(0)],
    ['used_memory_scripts_eval', 0],
    ['number_of_cached_scripts', 0],
    ['number_of_functions', 0],
    ['number_of_libraries', 0],
    ['used_memory_vm_functions', 0],
    ['used_memory_vm_total', 0],
    ['used_memory_vm_total_human', humanBytes(0)],
    ['used_memory_functions', 0],
    ['used_memory_scripts', 0],
    ['used_memory_scripts_human', humanBytes(0)],
  ];
}

function limitFields({ configuration: { values } }: Server): InfoField[] {
  return [
    ['maxmemory', values.maxmemory],
    ['maxmemory_human', humanBytes(values.maxmemory)],
    ['maxmemory_policy', values['maxmemory-policy']],
  ];
}

function fragmentationFields(figures: MemoryFigures): InfoField[] {
  return [
    ['allocator_frag_ratio', twoDecimals(figures.allocatorFragmentation.ratio)],
    ['allocator_frag_bytes', figures.allocatorFragmentation.bytes],
    ['allocator_rss_ratio', twoDecimals(figures.allocatorResident.ratio)],
    ['allocator_rss_bytes', figures.allocatorResident.bytes],
    ['rss_overhead_ratio', twoDecimals(figures.residentOverhead.ratio)],
    ['rss_overhead_bytes', figures.residentOverhead.bytes],
    ['mem_fragmentation_ratio', twoDecimals(figures.fragmentation.ratio)],
    ['mem_fragmentation_bytes', figures.fragmentation.bytes],
  ];
}

function bufferFields({ keyspace, appendOnlyFile }: Server, figures: MemoryFigures): InfoField[] {
  return [
    ['mem_not_counted_for_evict', figures.buffers],
    ['mem_replication_backlog', 0],
    ['mem_total_replication_buffers', 0],
    ['mem_replica_full_sync_buffer', 0],
    ['mem_clients_slaves', 0],
    ['mem_clients_normal', figures.buffers],
    ['mem_cluster_links', 0],
    ['mem_aof_buffer', appendOnlyFile.state === 'off' ? 0 : appendOnlyFile.writer.bufferCapacity],
    ['mem_allocator', ALLOCATOR_NAME],
    ['mem_overhead_db_hashtable_rehashing', 0],
    ['active_defrag_running', 0],
    ['lazyfree_pending_objects', keyspace.lazyFree.pendingObjects],
    ['lazyfreed_objects', keyspace.lazyFree.freedObjects],
  ];
}
