import { fork } from 'node:child_process';
import { once } from 'node:events';
import { cpSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { benchmark, Loader } from './load.mjs';
import { cpuSeconds, forgetPeak, peakResidentBytes, residentBytes } from './process-figures.mjs';
import { numbered, VALUE } from './rows/row.mjs';
import { RunningServer } from './server.mjs';
import { median, percentile } from './statistics.mjs';

/**
 * @typedef {import('./server.mjs').Program} Program
 * @typedef {import('./connection.mjs').Connection} Connection
 *
 * @typedef {object} PersistenceResult
 * @property {string} row
 * @property {[ours: number, theirs: number]} figures
 * @property {number} digits  behind the point
 */

const KEYS = 5_000_000;
const QUICK_KEYS = 500_000;
/** The steady load while the data is saved, in requests a second. */
const REQUESTS_PER_SECOND = 20_000;
const STEADY_LOAD = fileURLToPath(new URL('steady-load.mjs', import.meta.url));
const POLL_MS = 50;
const FSYNC_REQUESTS = { always: 100_000, everysec: 400_000, no: 400_000 };
const FSYNC_ROUNDS = 3;
/** With the append-only file, which is rewritten only when that is measured. */
const APPEND_ONLY = ['--appendonly', 'yes', '--auto-aof-rewrite-percentage', '0'];

/** @param {number} i */
const setKey = (i) => ['SET', numbered('key:', i), VALUE];

/**
 * Measures everything that has to do with files. Results are reported one by one as they come.
 * @param {[ours: Program, theirs: Program]} programs
 * @param {boolean} isQuick
 * @param {(result: PersistenceResult) => void} report
 */
export async function measurePersistence(programs, isQuick, report) {
  const keys = isQuick ? QUICK_KEYS : KEYS;
  await measureSaving(
    programs,
    keys,
    { name: 'BGSAVE', busy: 'rdb_bgsave_in_progress', options: [] },
    report,
  );
  await measureSaving(
    programs,
    keys,
    { name: 'BGREWRITEAOF', busy: 'aof_rewrite_in_progress', options: APPEND_ONLY },
    report,
  );
  await measureLoading(programs, keys, report);
  for (const policy of /** @type {const} */ (['always', 'everysec', 'no'])) {
    await measureFsync(programs, policy, isQuick ? 10 : 1, report);
  }
}

/**
 * What a save in the background costs, in time and memory, and those who work meanwhile.
 * @param {[ours: Program, theirs: Program]} programs
 * @param {number} keys
 * @param {{ name: string, busy: string, options: string[] }} save
 * @param {(result: PersistenceResult) => void} report
 */
async function measureSaving([ours, theirs], keys, save, report) {
  const our = await savingFigures(ours, keys, save);
  const their = await savingFigures(theirs, keys, save);
  our.forEach(({ row, figure, digits }, i) => {
    report({
      row: `${save.name} of ${keys / 1e6} million keys: ${row}`,
      figures: [figure, their[i].figure],
      digits,
    });
  });
}

/**
 * @param {Program} program
 * @param {number} keys
 * @param {{ name: string, busy: string, options: string[] }} save
 */
async function savingFigures(program, keys, { name, busy, options }) {
  const server = await RunningServer.start(program, options);
  try {
    await new Loader(server.port).fill(keys, setKey);
    return await server.withConnection(async (connection) => {
      const resting = residentBytes(server.pid);
      forgetPeak(server.pid);
      const load = fork(STEADY_LOAD, [server.port, REQUESTS_PER_SECOND, keys].map(String));
      try {
        await once(load, 'message'); // it has begun
        const start = performance.now();
        await connection.ask(name);
        await until(async () => (await infoField(connection, 'persistence', busy)) === '0');
        const seconds = (performance.now() - start) / 1000;
        load.send('stop');
        const [waits] = await once(load, 'message');
        const copied = Number(
          await infoField(
            connection,
            'persistence',
            name === 'BGSAVE' ? 'rdb_last_cow_size' : 'aof_last_cow_size',
          ),
        );
        const extra = peakResidentBytes(server.pid) - resting + copied;
        return [
          { row: 'seconds', figure: seconds, digits: 1 },
          { row: 'peak of additional memory, %', figure: (extra / resting) * 100, digits: 1 },
          { row: 'p50 of the load, ms', figure: percentile(waits, 0.5), digits: 2 },
          { row: 'p99 of the load, ms', figure: percentile(waits, 0.99), digits: 2 },
          { row: 'p99.9 of the load, ms', figure: percentile(waits, 0.999), digits: 2 },
          { row: 'longest of the load, ms', figure: percentile(waits, 1), digits: 1 },
        ];
      } finally {
        load.kill();
      }
    });
  } finally {
    await server.stop();
  }
}

/**
 * How long both servers take from their start to their first answer, on the same files.
 * @param {[ours: Program, theirs: Program]} programs
 * @param {number} keys
 * @param {(result: PersistenceResult) => void} report
 */
async function measureLoading(programs, keys, report) {
  const source = await RunningServer.start(programs[1], APPEND_ONLY);
  try {
    await new Loader(source.port).fill(keys, setKey);
    await source.withConnection((connection) => connection.ask('SAVE'));
    for (const [row, file, options] of /** @type {const} */ ([
      ['an RDB file', 'dump.rdb', []],
      ['an append-only file of SETs', 'appendonlydir', ['--appendonly', 'yes']],
    ])) {
      /** @type {number[]} */
      const figures = [];
      for (const program of programs) {
        const start = performance.now();
        const server = await RunningServer.start(program, options, (directory) => {
          cpSync(path.join(source.directory, file), path.join(directory, file), { recursive: true });
        });
        figures.push((performance.now() - start) / 1000);
        await server.stop();
      }
      const [ours, theirs] = figures;
      report({
        row: `seconds to load ${keys / 1e6} million keys from ${row}`,
        figures: [ours, theirs],
        digits: 2,
      });
    }
  } finally {
    await source.stop();
  }
}

/**
 * SET under a policy of `appendfsync`, from 50 clients without pipelines.
 * @param {[ours: Program, theirs: Program]} programs
 * @param {'always' | 'everysec' | 'no'} policy
 * @param {number} divisor  how much less than usual is done
 * @param {(result: PersistenceResult) => void} report
 */
async function measureFsync(programs, policy, divisor, report) {
  const options = [...APPEND_ONLY, '--appendfsync', policy];
  const servers = await Promise.all(programs.map((program) => RunningServer.start(program, options)));
  const requests = FSYNC_REQUESTS[policy] / divisor;
  const command = ['SET', 'key:__rand_int__', VALUE];
  /** @type {[number[], number[]]} */
  const rates = [[], []];
  /** @type {[number[], number[]]} */
  const costs = [[], []];
  for (let round = 0; round < FSYNC_ROUNDS; round++) {
    for (const [i, server] of servers.entries()) {
      const before = cpuSeconds(server.pid);
      rates[i].push(await benchmark(server.port, command, { requests, pipeline: 1, keys: 100_000 }));
      costs[i].push(((cpuSeconds(server.pid) - before) / requests) * 1e6);
    }
  }
  for (const server of servers) await server.stop();
  const row = `SET under appendfsync ${policy}, 50 clients`;
  report({ row: `${row}: requests a second`, figures: [median(rates[0]), median(rates[1])], digits: 0 });
  report({ row: `${row}: µs of CPU`, figures: [median(costs[0]), median(costs[1])], digits: 2 });
}

/** @param {() => Promise<boolean>} condition */
async function until(condition) {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, POLL_MS));
}

/**
 * @param {Connection} connection
 * @param {string} section
 * @param {string} name
 */
async function infoField(connection, section, name) {
  const info = String(await connection.ask('INFO', section));
  return new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1];
}
