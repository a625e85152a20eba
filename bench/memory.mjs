import { Loader } from './load.mjs';
import { residentBytes } from './process-figures.mjs';
import { RunningServer } from './server.mjs';

/**
 * @typedef {import('./rows/row.mjs').MemoryRow} MemoryRow
 * @typedef {import('./server.mjs').Program} Program
 *
 * @typedef {object} BytesPerItem
 * @property {number} used  by INFO's `used_memory`
 * @property {number} resident  by the growth of the process's resident memory
 *
 * @typedef {object} MemoryResult
 * @property {string} family
 * @property {string} row
 * @property {number} items
 * @property {[ours: BytesPerItem, theirs: BytesPerItem]} bytes
 * @property {number} usedRatio
 * @property {number} residentRatio
 */

/**
 * Measures one row, on a new server of each program.
 * @param {string} family
 * @param {MemoryRow} row
 * @param {[ours: Program, theirs: Program]} programs
 * @returns {Promise<MemoryResult>}
 */
export async function measureMemory(family, row, [ours, theirs]) {
  const our = await bytesPerItem(ours, row);
  const their = await bytesPerItem(theirs, row);
  return {
    family,
    row: row.name,
    items: row.items,
    bytes: [our, their],
    usedRatio: our.used / their.used,
    residentRatio: our.resident / their.resident,
  };
}

/**
 * @param {Program} program
 * @param {MemoryRow} row
 * @returns {Promise<BytesPerItem>}
 */
async function bytesPerItem(program, row) {
  const server = await RunningServer.start(program);
  try {
    const used = await usedMemory(server);
    const resident = residentBytes(server.pid);
    await row.fill(new Loader(server.port), row.items);
    return {
      used: ((await usedMemory(server)) - used) / row.items,
      resident: (residentBytes(server.pid) - resident) / row.items,
    };
  } finally {
    await server.stop();
  }
}

/** @param {RunningServer} server */
async function usedMemory(server) {
  const info = await server.withConnection((connection) => connection.ask('INFO', 'memory'));
  return Number(/^used_memory:(\d+)/m.exec(String(info))?.[1]);
}
