import fs from 'node:fs';
import path from 'node:path';
import { runTestProgram } from './programs.mjs';

/** @typedef {import('./suite.mjs').SuiteResult} SuiteResult */
/** @typedef {import('./suite.mjs').TestResult} TestResult */

/** How long one test may take before it is ended and counted as failed. */
const TEST_SECONDS_MAX = 20;

/** How long a test program may take to its first test: it is loaded, and a Python one is compiled. */
const FIRST_TEST_SECONDS_MAX = 60;

/**
 * One run of the test program over the tests that have no result yet.
 *
 * @typedef {object} Turn
 * @property {string} program
 * @property {string[]} programArguments
 * @property {string} directory
 * @property {NodeJS.ProcessEnv} environment
 * @property {() => void} end  stops what was started for it
 *
 * @typedef {object} Progress
 * @property {TestResult[]} tests  that came to an end; a name may come twice
 * @property {string | undefined} running  the test that began and did not end
 */

/**
 * Runs a test program that can leave tests out. A test that hangs, or takes the program with it, fails; the program is
 * run again for the tests behind it.
 * @param {object} suite
 * @param {string} suite.workDirectory
 * @param {number} suite.secondsMax  for all turns together
 * @param {number} [suite.testSecondsMax]  for one test
 * @param {() => Promise<Turn>} suite.begin  the program finds two paths in its environment: RESPITE_TEST_PROGRESS, a file
 *   to which it adds what readEvents says, and RESPITE_TESTS_FINISHED, a list (JSON) of the tests to leave out
 * @returns {Promise<SuiteResult>}
 */
export async function runTestsInTurns({
  workDirectory,
  secondsMax,
  testSecondsMax = TEST_SECONDS_MAX,
  begin,
}) {
  const tests = /** @type {Map<string, TestResult>} */ (new Map());
  const endAt = Date.now() + secondsMax * 1000;
  for (let number = 1; ; number += 1) {
    const progressPath = path.join(workDirectory, `progress-${number}`);
    fs.writeFileSync(progressPath, '');
    const finishedPath = path.join(workDirectory, 'finished.json');
    fs.writeFileSync(finishedPath, JSON.stringify([...tests.keys()]));
    const turn = await begin();
    const { isInTime, isStalled, output } = await runTestProgram(turn.program, turn.programArguments, {
      directory: turn.directory,
      environment: {
        ...turn.environment,
        RESPITE_TEST_PROGRESS: progressPath,
        RESPITE_TESTS_FINISHED: finishedPath,
      },
      outputPath: path.join(workDirectory, `output-${number}`),
      secondsMax: Math.max(1, (endAt - Date.now()) / 1000),
      progress: {
        path: progressPath,
        firstSecondsMax: FIRST_TEST_SECONDS_MAX,
        secondsMax: testSecondsMax,
      },
    });
    turn.end();
    const progress = readEvents(fs.readFileSync(progressPath, 'utf8'));
    for (const test of progress.tests) {
      // A test that fails and whose clean-up fails too has two results; it counts once.
      if (tests.get(test.name)?.status !== 'failed') tests.set(test.name, test);
    }
    if (progress.running !== undefined) {
      const error = isStalled ? `took more than ${testSecondsMax} seconds` : 'the test program ended here';
      tests.set(progress.running, { name: progress.running, status: 'failed', error });
    }
    if (!isInTime || progress.running === undefined) {
      return { tests: [...tests.values()], isInTime: isInTime && !isStalled, output };
    }
  }
}

/**
 * Reads {"name", "status": "started"}, then {"name", "status": "passed" | "failed" | "skipped", "error"?}, which a failing
 * clean-up may follow with another one, then {"name", "status": "ended"}.
 * @param {string} text
 * @returns {Progress}
 */
function readEvents(text) {
  const tests = /** @type {TestResult[]} */ ([]);
  let running;
  // The last line may be half of one: the program was killed.
  for (const line of text.split('\n').filter((candidate) => candidate.endsWith('}'))) {
    const event = JSON.parse(line);
    if (event.status === 'started') running = event.name;
    else if (event.status === 'ended') running = undefined;
    else tests.push(event);
  }
  return { tests, running };
}
