import type { CommandContext } from '../../server/context.js';
import { type DatabaseFigures, type MemoryFigures, measureMemory } from './figures.js';

/** An entry of the reply: its name, and an integer or, as a ratio, a double. */
type Entry = readonly [name: string, value: number, kind?: 'double'];

/** MEMORY STATS. */
export function memoryStats({ reply, server }: CommandContext): void {
  const figures = measureMemory(server);
  const before = totals(figures);
  const after = [...overheads(figures), ...ratios(figures)];
  reply.mapHeader(before.length + figures.databases.length + after.length);
  const write = ([name, value, kind]: Entry) => {
    reply.bulkText(name);
    if (kind === 'double') reply.double(value);
    else reply.integer(value);
  };
  before.forEach(write);
  for (const database of figures.databases) {
    reply.bulkText(`db.${database.index}`);
    reply.mapHeader(2);
    tables(database).forEach(write);
  }
  after.forEach(write);
}

function totals(figures: MemoryFigures): Entry[] {
  return [
    ['peak.allocated', figures.peak],
    ['total.allocated', figures.used],
    ['startup.allocated', figures.startup],
    ['replication.backlog', 0],
    ['replica.fullsync.buffer', 0],
    ['clients.slaves', 0],
    ['clients.normal', figures.buffers],
    ['cluster.links', 0],
    ['aof.buffer', 0],
    ['lua.caches', 0],
    ['functions.caches', 0],
    ['script.VMs', 0],
  ];
}

function tables(database: DatabaseFigures): Entry[] {
  return [
    ['overhead.hashtable.main', database.mainBytes],
    ['overhead.hashtable.expires', database.expiresBytes],
  ];
}

function overheads(figures: MemoryFigures): Entry[] {
  return [
    ['overhead.db.hashtable.lut', 0],
    ['overhead.db.hashtable.rehashing', 0],
    ['overhead.total', figures.overhead],
    ['db.dict.rehashing.count', 0],
    ['keys.count', figures.keys],
    ['keys.bytes-per-key', figures.keys === 0 ? 0 : Math.floor(figures.dataset / figures.keys)],
    ['dataset.bytes', figures.dataset],
    ['dataset.percentage', figures.datasetShare, 'double'],
    ['peak.percentage', figures.peakShare, 'double'],
    ['allocator.allocated', figures.allocated],
    ['allocator.active', figures.active],
    ['allocator.resident', figures.touched],
    ['allocator.muzzy', 0],
  ];
}

function ratios(figures: MemoryFigures): Entry[] {
  return [
    ['allocator-fragmentation.ratio', figures.allocatorFragmentation.ratio, 'double'],
    ['allocator-fragmentation.bytes', figures.allocatorFragmentation.bytes],
    ['allocator-rss.ratio', figures.allocatorResident.ratio, 'double'],
    ['allocator-rss.bytes', figures.allocatorResident.bytes],
    ['rss-overhead.ratio', figures.residentOverhead.ratio, 'double'],
    ['rss-overhead.bytes', figures.residentOverhead.bytes],
    ['fragmentation', figures.fragmentation.ratio, 'double'],
    ['fragmentation.bytes', figures.fragmentation.bytes],
  ];
}
