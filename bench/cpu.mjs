import { benchmark, Loader } from './load.mjs';
import { cpuSeconds } from './process-figures.mjs';
import { median } from './statistics.mjs';

/**
 * @typedef {import('./rows/row.mjs').CommandRow} CommandRow
 * @typedef {import('./server.mjs').RunningServer} RunningServer
 *
 * @typedef {object} Run
 * @property {number} cpuMicroseconds  of the whole server process, a command
 * @property {number} requestsPerSecond
 *
 * @typedef {object} CpuResult
 * @property {string} family
 * @property {string} row
 * @property {number} pipeline
 * @property {[ours: Run, theirs: Run]} medians
 * @property {number} cpuRatio  the median of the ratios of the rounds
 * @property {number} throughputRatio
 * @property {[ours: Run, theirs: Run][]} rounds
 */

const KEYS = 100_000;
const ROUNDS = 5;
const QUICK_ROUNDS = 3;
/** How much smaller the runs of --quick are. */
const QUICK_DIVISOR = 2;
/** Before they count, servers run so much of the load: code is compiled, tables are grown. */
const WARM_UP = 0.3;

/**
 * Requests of a run: enough for a second of a server's CPU, against which a tick of the clock (10 ms) is little.
 * @param {CommandRow} row
 * @param {number} pipeline
 * @param {boolean} isQuick
 */
function requestsOf(row, pipeline, isQuick) {
  const requests = pipeline === 1 ? 300_000 : pipeline < 50 ? 1_200_000 : 2_000_000;
  return Math.ceil(requests / (row.cost ?? 1) / (isQuick ? QUICK_DIVISOR : 1));
}

/**
 * Measures one row: both servers in turn, several times over.
 * @param {string} family
 * @param {CommandRow} row
 * @param {number} pipeline
 * @param {[ours: RunningServer, theirs: RunningServer]} servers
 * @param {boolean} isQuick
 * @returns {Promise<CpuResult>}
 */
export async function measureCommand(family, row, pipeline, servers, isQuick) {
  const requests = requestsOf(row, pipeline, isQuick);
  for (const server of servers) {
    await prepare(server, row, requests);
    await run(server, row, { requests: Math.ceil(requests * WARM_UP), pipeline });
  }
  /** @type {[Run, Run][]} */
  const rounds = [];
  for (let round = 0; round < (isQuick ? QUICK_ROUNDS : ROUNDS); round++) {
    const [ours, theirs] = servers;
    rounds.push([
      await measuredRun(ours, row, { requests, pipeline }),
      await measuredRun(theirs, row, { requests, pipeline }),
    ]);
  }
  return {
    family,
    row: row.name,
    pipeline,
    medians: [medianRun(rounds.map(([ours]) => ours)), medianRun(rounds.map(([, theirs]) => theirs))],
    cpuRatio: median(rounds.map(([ours, theirs]) => ours.cpuMicroseconds / theirs.cpuMicroseconds)),
    throughputRatio: median(
      rounds.map(([ours, theirs]) => ours.requestsPerSecond / theirs.requestsPerSecond),
    ),
    rounds,
  };
}

/**
 * @param {RunningServer} server
 * @param {CommandRow} row
 * @param {number} requests
 */
async function prepare(server, row, requests) {
  await server.withConnection((connection) => connection.ask('FLUSHALL', 'SYNC'));
  if (row.prepare !== undefined) await row.prepare(new Loader(server.port), requests);
}

/**
 * @param {RunningServer} server
 * @param {CommandRow} row
 * @param {{ requests: number, pipeline: number }} load
 */
function run(server, row, load) {
  return benchmark(server.port, row.command, { ...load, keys: row.keys ?? KEYS });
}

/**
 * @param {RunningServer} server
 * @param {CommandRow} row
 * @param {{ requests: number, pipeline: number }} load
 * @returns {Promise<Run>}
 */
async function measuredRun(server, row, load) {
  if (row.consumes === true) await prepare(server, row, load.requests);
  const before = cpuSeconds(server.pid);
  const requestsPerSecond = await run(server, row, load);
  const cpuMicroseconds = ((cpuSeconds(server.pid) - before) / load.requests) * 1e6;
  return { cpuMicroseconds, requestsPerSecond };
}

/**
 * @param {Run[]} runs
 * @returns {Run}
 */
function medianRun(runs) {
  return {
    cpuMicroseconds: median(runs.map((one) => one.cpuMicroseconds)),
    requestsPerSecond: median(runs.map((one) => one.requestsPerSecond)),
  };
}
