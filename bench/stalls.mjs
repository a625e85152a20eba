import { fork } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import os from 'node:os';
import { fileURLToPath } from 'node:url';
import { Loader } from './load.mjs';
import { RunningServer } from './server.mjs';
import { percentile } from './statistics.mjs';

/**
 * @typedef {import('./rows/row.mjs').StallScenario} StallScenario
 * @typedef {import('./server.mjs').Program} Program
 *
 * @typedef {object} Waits  milliseconds from a PING to its reply
 * @property {number} max
 * @property {number} p999  what 99.9 % stay below
 * @property {number} ownMax  the longest of the server's own making: without waiting for a core
 * @property {number} pings
 * @property {number} idleMax  the longest that an idle server took meanwhile: the machine's own doing
 *
 * @typedef {object} StallResult
 * @property {string} family
 * @property {string} row
 * @property {[ours: Waits, theirs: Waits]} waits
 */

const PINGER = fileURLToPath(new URL('pinger.mjs', import.meta.url));
/**
 * What the pinger and the servers ask the scheduler for, so that they need not wait for a core while somebody else has
 * it: stalls of their own making are looked for. Needs root.
 */
const PINGER_PRIORITY = -20;
const SERVER_PRIORITY = -15;
/** The load generator is the last to get a core. */
const LOAD_PRIORITY = 10;

/**
 * Goes through a scenario, on a new server of each program.
 * @param {string} family
 * @param {StallScenario} scenario
 * @param {[ours: Program, theirs: Program]} programs
 * @returns {Promise<StallResult[]>}
 */
export async function measureStalls(family, scenario, [ours, theirs]) {
  const idle = await RunningServer.start(theirs);
  prioritizeSession();
  prioritize(idle.pid, SERVER_PRIORITY);
  os.setPriority(LOAD_PRIORITY);
  try {
    const our = await phases(ours, scenario, idle);
    const their = await phases(theirs, scenario, idle);
    return scenario.phases.map((phase, i) => ({
      family,
      row: `${scenario.name}: ${phase.name}`,
      waits: [our[i], their[i]],
    }));
  } finally {
    await idle.stop();
  }
}

/**
 * @param {Program} program
 * @param {StallScenario} scenario
 * @param {RunningServer} idle
 */
async function phases(program, scenario, idle) {
  const server = await RunningServer.start(program);
  prioritize(server.pid, SERVER_PRIORITY);
  try {
    const load = new Loader(server.port);
    /** @type {Waits[]} */
    const waits = [];
    await server.withConnection(async (connection) => {
      for (const phase of scenario.phases) {
        if (phase.prepare !== undefined) await phase.prepare(load, connection);
        waits.push(await pingedDuring(server, idle, () => phase.run(load, connection)));
      }
    });
    return waits;
  } finally {
    await server.stop();
  }
}

/**
 * Pings a server, and an idle one, a thousand times a second while `work` goes on.
 * @param {RunningServer} server
 * @param {RunningServer} idle
 * @param {() => Promise<void>} work
 * @returns {Promise<Waits>}
 */
async function pingedDuring(server, idle, work) {
  const pinger = fork(
    PINGER,
    [server, idle].map(({ port, pid }) => `${port}:${pid}`),
  );
  try {
    prioritize(/** @type {number} */ (pinger.pid), PINGER_PRIORITY);
    await once(pinger, 'message'); // it is connected and has begun
    await work();
    pinger.send('stop');
    const [[{ waits, ownWaits }, { waits: idleWaits }]] = await once(pinger, 'message');
    return {
      max: percentile(waits, 1),
      p999: percentile(waits, 0.999),
      ownMax: percentile(ownWaits, 1),
      pings: waits.length,
      idleMax: percentile(idleWaits, 1),
    };
  } finally {
    pinger.kill();
  }
}

/** Linux may share the cores out among sessions first (sched(7), autogroup); then this one is to come before others. */
function prioritizeSession() {
  try {
    writeFileSync('/proc/self/autogroup', String(SERVER_PRIORITY));
  } catch {
    // Not permitted, or a kernel without: nothing is lost but precision.
  }
}

/**
 * @param {number} pid
 * @param {number} priority
 */
function prioritize(pid, priority) {
  try {
    os.setPriority(pid, priority);
  } catch (error) {
    // Without the permission the figures also contain waits for a core, as `idleMax` will show.
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'ERR_SYSTEM_ERROR') throw error;
  }
}
