import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';

/** Lines of a failed program's output that are shown. */
const ERROR_LINES_MAX = 30;

/** How often a test program's progress is looked at. */
const PROGRESS_INTERVAL_MILLISECONDS = 500;

/** Process groups that run now, for an interrupt to end. */
const activeGroups = /** @type {Set<number>} */ (new Set());

/** Ends every test program that still runs. Synchronous: for the end of this process. */
export function killTestPrograms() {
  for (const groupId of activeGroups) killGroup(groupId);
}

/**
 * Runs a program that prepares something (unpacks, installs, builds).
 * @param {string} program
 * @param {string[]} programArguments
 * @param {{ directory: string, environment?: NodeJS.ProcessEnv }} place
 * @returns {string} what it printed
 * @throws with the end of its output when it fails
 */
export function runProgram(program, programArguments, { directory, environment = {} }) {
  const result = spawnSync(program, programArguments, {
    cwd: directory,
    encoding: 'utf8',
    env: { ...process.env, ...environment },
    maxBuffer: 1 << 28,
  });
  if (result.error !== undefined) throw new Error(`${program} cannot run: ${result.error.message}`);
  if (result.status !== 0) {
    const output = `${result.stdout}${result.stderr}`.trim().split('\n').slice(-ERROR_LINES_MAX).join('\n');
    throw new Error(`${program} ${programArguments.join(' ')} failed:\n${output}`);
  }
  return result.stdout;
}

/**
 * How a test program is run.
 *
 * @typedef {object} TestProgramPlace
 * @property {string} directory
 * @property {NodeJS.ProcessEnv} [environment]  over that of this process
 * @property {string} outputPath  where what it prints goes
 * @property {number} secondsMax  for the whole program
 * @property {Progress} [progress]
 *
 * @typedef {object} Progress
 * @property {string} path  of a file that is empty and grows at every test's begin and end
 * @property {number} firstSecondsMax  how long it may stay empty
 * @property {number} secondsMax  how long it may stay as it is afterwards
 */

/**
 * Runs the tests of a client, in a process group of their own that is killed when time is up or a test hangs.
 * @param {string} program
 * @param {string[]} programArguments
 * @param {TestProgramPlace} place
 * @returns {Promise<{ isInTime: boolean, isStalled: boolean, output: string }>}  failing tests are no error here
 */
export async function runTestProgram(program, programArguments, place) {
  const output = fs.openSync(place.outputPath, 'w');
  const child = spawn(program, programArguments, {
    cwd: place.directory,
    detached: true,
    env: { ...process.env, ...place.environment },
    stdio: ['ignore', output, output],
  });
  fs.closeSync(output);
  await once(child, 'spawn');
  const groupId = /** @type {number} */ (child.pid);
  activeGroups.add(groupId);
  let isInTime = true;
  const limit = setTimeout(() => {
    isInTime = false;
    killGroup(groupId);
  }, place.secondsMax * 1000);
  let isStalled = false;
  const stopWatching = watchProgress(place.progress, () => {
    isStalled = true;
    killGroup(groupId);
  });
  await once(child, 'exit');
  clearTimeout(limit);
  stopWatching();
  // Children that the tests left behind go with it.
  killGroup(groupId);
  activeGroups.delete(groupId);
  return { isInTime, isStalled, output: fs.readFileSync(place.outputPath, 'utf8') };
}

/**
 * @param {Progress | undefined} progress
 * @param {() => void} onStall
 * @returns {() => void} ends the watch
 */
function watchProgress(progress, onStall) {
  if (progress === undefined) return () => {};
  let size = 0;
  let grewAt = Date.now();
  const interval = setInterval(() => {
    const sizeNow = fs.statSync(progress.path).size;
    if (sizeNow !== size) {
      size = sizeNow;
      grewAt = Date.now();
      return;
    }
    const secondsMax = size === 0 ? progress.firstSecondsMax : progress.secondsMax;
    if (Date.now() - grewAt > secondsMax * 1000) onStall();
  }, PROGRESS_INTERVAL_MILLISECONDS);
  return () => clearInterval(interval);
}

/** @param {number} groupId */
function killGroup(groupId) {
  try {
    process.kill(-groupId, 'SIGKILL');
  } catch {
    // Already gone.
  }
}
