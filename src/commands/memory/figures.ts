import type { Database } from '../../keyspace/database.js';
import { DEADLINE_BYTES, RECORD_HEADER_BYTES } from '../../keyspace/record.js';
import type { ByteLength } from '../../memory/reference.js';
import type { Server } from '../../server/server.js';

/** What a database takes besides its keys and values. */
export interface DatabaseFigures {
  readonly index: number;
  readonly keys: number;
  /** Hash table and record headers. */
  readonly mainBytes: ByteLength;
  /** Deadlines, which are part of the records. */
  readonly expiresBytes: ByteLength;
}

/** A ratio of two amounts of memory, and their difference in bytes. */
export interface Surplus {
  readonly ratio: number;
  readonly bytes: number;
}

/**
 * What memory is used for, as INFO, MEMORY STATS and MEMORY DOCTOR tell it.
 *
 * - **Used** is what this server counts exactly: the blocks that hold the data, and the buffers of clients. It is
 *   what `maxmemory` is about, but for the buffers (`buffers`, "not counted for evict").
 * - V8's heap with the program and an object for each connection, and Node itself, are not in it, as they do not
 *   grow with the data; the system counts them as **resident**.
 * - The allocator's figures: **allocated** are the blocks, **active** the pages that have blocks, **touched** what of the segments was ever in use.
 */
export interface MemoryFigures {
  readonly used: ByteLength;
  readonly peak: ByteLength;
  readonly startup: ByteLength;
  readonly resident: ByteLength;
  readonly allocated: ByteLength;
  readonly active: ByteLength;
  readonly touched: ByteLength;
  readonly buffers: ByteLength;
  readonly overhead: ByteLength;
  readonly dataset: ByteLength;
  readonly databases: readonly DatabaseFigures[];
  readonly keys: number;
  /** In percent. */
  readonly datasetShare: number;
  readonly peakShare: number;
  readonly allocatorFragmentation: Surplus;
  readonly allocatorResident: Surplus;
  readonly residentOverhead: Surplus;
  readonly fragmentation: Surplus;
}

/** Measures. Takes time with the number of clients only. */
export function measureMemory(server: Server): MemoryFigures {
  const { memory, databases } = server.keyspace;
  const { memorySamples } = server;
  memorySamples.noteTouched();
  const { startupBytes: startup, residentBytes: resident, touchedBytes: touched } = memorySamples;
  const buffers = clientBufferBytes(server);
  const allocated = memory.usedBytes;
  const active = memory.occupiedBytes;
  const used = allocated + buffers;
  const peak = Math.max(memory.usedBytesPeak, used);
  const figures = databases
    .filter((database) => database.size > 0)
    .map((database) => measureDatabase(server, database));
  const overhead =
    startup +
    buffers +
    figures.reduce((sum, { mainBytes, expiresBytes }) => sum + mainBytes + expiresBytes, 0);
  const dataset = Math.max(0, used - overhead);
  return {
    used,
    peak,
    startup,
    resident,
    allocated,
    active,
    touched,
    buffers,
    overhead,
    dataset,
    databases: figures,
    keys: figures.reduce((sum, { keys }) => sum + keys, 0),
    datasetShare: (dataset * 100) / Math.max(1, used - startup),
    peakShare: (used * 100) / peak,
    allocatorFragmentation: surplus(active, allocated),
    allocatorResident: surplus(touched, active),
    residentOverhead: surplus(resident, touched),
    fragmentation: surplus(resident, used),
  };
}

function measureDatabase({ keyspace }: Server, database: Database): DatabaseFigures {
  const { index, size, table, deadlines } = database;
  return {
    index,
    keys: size,
    mainBytes: keyspace.hashTable.overheadBytes(table) + size * RECORD_HEADER_BYTES,
    expiresBytes: deadlines.count * DEADLINE_BYTES,
  };
}

/** Bytes that wait to be executed or to be sent. */
function clientBufferBytes({ clients }: Server): ByteLength {
  let bytes = 0;
  for (const { bufferBytes } of clients) bytes += bufferBytes;
  return bytes;
}

function surplus(more: ByteLength, less: ByteLength): Surplus {
  return { ratio: more / less, bytes: more - less };
}
