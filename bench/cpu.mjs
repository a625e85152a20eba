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
/** How much CPU time a run of the busier server should take: the clock of processes ticks every 10 ms. */
const RUN_SECONDS = 1;
const QUICK_RUN_SECONDS = 0.3;
/** The length of the first trial run. */
const TRIAL_REQUESTS = 20_000;
/** The trial run that is enough takes this much CPU time: by then V8's compiler, about 0.5 s of it, is through. */
const TRIAL_SECONDS_MIN = 0.5;

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
  const [ours, theirs] = servers;
  const seconds = Math.max(
    await secondsPerRequest(ours, row, pipeline),
    await secondsPerRequest(theirs, row, pipeline),
  );
  const requests = Math.ceil((isQuick ? QUICK_RUN_SECONDS : RUN_SECONDS) / seconds);
  /** @type {[Run, Run][]} */
  const rounds = [];
  for (let round = 0; round < (isQuick ? QUICK_ROUNDS : ROUNDS); round++) {
    rounds.push([
      await measuredRun(ours, row, { requests, pipeline }),
      await measuredRun(theirs, row, { requests, pipeline }),
    ]);
  }
  row.finish?.();
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
 * Fills the server for a row and runs the load, longer and longer until it is warm (code is compiled, tables are
 * grown) and known how much CPU time a request takes.
 * @param {RunningServer} server
 * @param {CommandRow} row
 * @param {number} pipeline
 * @returns {Promise<number>}
 */
async function secondsPerRequest(server, row, pipeline) {
  await prepare(server, row, TRIAL_REQUESTS);
  for (let requests = TRIAL_REQUESTS; ; requests *= 4) {
    const { cpuMicroseconds } = await measuredRun(server, row, { requests, pipeline });
    if (cpuMicroseconds * requests >= TRIAL_SECONDS_MIN * 1e6) return cpuMicroseconds / 1e6;
  }
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
 * @returns {Promise<number>} requests a second
 */
function run(server, row, load) {
  if (row.drive !== undefined) return row.drive(new Loader(server.port), load.requests);
  return benchmark(server.port, row.command, { ...load, keys: row.keys ?? KEYS }, row.options);
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
