import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';

/** Lines of a failed program's output that are shown. */
const ERROR_LINES_MAX = 30;

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
 * Runs the tests of a client, in a process group of their own that is killed when time is up.
 * @param {string} program
 * @param {string[]} programArguments
 * @param {{ directory: string, environment?: NodeJS.ProcessEnv, outputPath: string, secondsMax: number }} place
 * @returns {Promise<{ isInTime: boolean, output: string }>}  failing tests are no error here
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
  await once(child, 'exit');
  clearTimeout(limit);
  // Children that the tests left behind go with it.
  killGroup(groupId);
  activeGroups.delete(groupId);
  return { isInTime, output: fs.readFileSync(place.outputPath, 'utf8') };
}

/** @param {number} groupId */
function killGroup(groupId) {
  try {
    process.kill(-groupId, 'SIGKILL');
  } catch {
    // Already gone.
  }
}
