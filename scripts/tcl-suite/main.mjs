import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseCommandLine } from './command-line.mjs';
import {
  fileGlobMatcher,
  harnessPattern,
  readBaseline,
  readExclusions,
  readFloor,
  writeFloor,
} from './compat-data.mjs';
import { abandonActiveRuns, runTestFile } from './file-run.mjs';
import { formatResult } from './report.mjs';
import { findBelowFloor, formatTable, raiseFloor, scoreFile, totalScore } from './scoreboard.mjs';
import { findSuite, listTestFiles, serverCommand } from './suite-copy.mjs';

/**
 * @typedef {import('./command-line.mjs').Options} Options
 * @typedef {import('./compat-data.mjs').CountByFile} CountByFile
 * @typedef {import('./compat-data.mjs').Exclusion} Exclusion
 * @typedef {import('./file-run.mjs').FileResult} FileResult
 */

/**
 * The program.
 * @param {string[]} argv
 * @returns {Promise<number>} the exit code
 */
export async function runTclSuite(argv) {
  const options = parseCommandLine(argv);
  if ('exitCode' in options) return options.exitCode;
  if (!fs.existsSync(options.server)) {
    return complain(`there is no server at ${options.server} (npm run build?)`);
  }
  const suite = findSuite();
  const allFiles = listTestFiles(suite.source);
  const floor = options.floorPath === undefined ? new Map() : readFloor(options.floorPath);
  const files = chooseFiles(options, allFiles, floor);
  const strayGlob = options.fileGlobs.find(
    (glob) => !allFiles.some((file) => fileGlobMatcher(glob).test(file)),
  );
  if (strayGlob !== undefined) return complain(`no test file matches ${strayGlob}`);
  if (files.length === 0) return complain(`${options.floorPath} names no test file`);
  // A test that is asked for by name is run whatever it needs.
  const exclusions = options.includeCInternals || options.onlyTests.length > 0 ? [] : readExclusions();
  const baseline = readBaseline();
  /** @param {FileResult} result */
  const score = (result) => scoreFile(result, baseline, exclusions);
  cleanUpAtExit();

  const startedAt = new Date();
  const results = await mapConcurrently(files, options.jobs, async (file) => {
    const first = await runAndPrint(file, suite, exclusions, options);
    if (findBelowFloor([score(first)], floor).length === 0) return first;
    process.stdout.write(`${file} is below its floor of ${floor.get(file)}: running it again\n`);
    const second = await runAndPrint(file, suite, exclusions, options);
    return score(second).passed > score(first).passed ? second : first;
  });
  if (options.onlyTests.length > 0) return judgeSingleTests(results);

  const scores = results.map(score);
  process.stdout.write(`\n${formatTable(scores)}\n`);
  if (options.jsonPath !== undefined) {
    const report = {
      startedAt: startedAt.toISOString(),
      server: { path: options.server, version: serverVersion(options.server) },
      suite: `Redis ${suiteVersion(suite.source)}`,
      total: totalScore(scores),
      files: scores.map((fileScore, index) => ({ ...fileScore, details: results[index] })),
    };
    fs.writeFileSync(options.jsonPath, `${JSON.stringify(report, undefined, 1)}\n`);
  }
  if (options.raisedFloorPath !== undefined) {
    writeFloor(options.raisedFloorPath, raiseFloor(scores, readFloor(options.raisedFloorPath), allFiles));
  }
  const belowFloor = findBelowFloor(scores, floor);
  for (const { file, passed } of belowFloor) {
    process.stdout.write(`BELOW ITS FLOOR: ${file} passes ${passed} tests, ${floor.get(file)} before\n`);
  }
  const couldNotRun = results.some((result) => result.ending === 'aborted' && result.tests.length === 0);
  return belowFloor.length > 0 || couldNotRun ? 1 : 0;
}

/** The harness and its servers are in process groups of their own and would outlive this process. */
function cleanUpAtExit() {
  process.once('exit', abandonActiveRuns);
  process.stdout.once('error', () => process.exit(1));
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
    process.once(signal, () => process.exit(128 + os.constants.signals[signal]));
  }
}

/**
 * @param {string} file
 * @param {{ source: string, bin: string }} suite
 * @param {Exclusion[]} exclusions
 * @param {Options} options
 */
async function runAndPrint(file, suite, exclusions, options) {
  const exclusionsOfFile = exclusions.filter((exclusion) => exclusion.file === file);
  const result = await runTestFile(file, {
    suite,
    server: options.server,
    onlyTests: options.onlyTests,
    skippedTests: exclusionsOfFile.map(({ testGlob }) => harnessPattern(testGlob)),
    fileSecondsMax: options.fileSecondsMax,
    testSecondsMax: options.testSecondsMax,
    keepCopies: options.keepCopies,
  });
  const text = formatResult(result, { fullErrors: options.fullErrors, source: suite.source });
  process.stdout.write(`${text}\n`);
  return result;
}

/**
 * @param {FileResult[]} results
 * @returns {number} the exit code
 */
function judgeSingleTests(results) {
  const tests = results.flatMap((result) => result.tests);
  const passed = tests.filter(({ status }) => status === 'passed').length;
  const failed = tests.filter(({ status }) => status === 'failed').length;
  process.stdout.write(`\n${passed} passed, ${failed} failed\n`);
  if (passed + failed === 0) return complain('no test has a name that --only asks for');
  return failed === 0 ? 0 : 1;
}

/**
 * @param {Options} options
 * @param {string[]} allFiles
 * @param {CountByFile} floor
 */
function chooseFiles(options, allFiles, floor) {
  if (options.fileGlobs.length > 0) {
    const matchers = options.fileGlobs.map(fileGlobMatcher);
    return allFiles.filter((file) => matchers.some((matcher) => matcher.test(file)));
  }
  // The ratchet guards what passes; only raising it looks at the rest.
  if (options.floorPath !== undefined && options.raisedFloorPath === undefined) {
    return allFiles.filter((file) => floor.has(file));
  }
  return allFiles;
}

/**
 * Like Promise.all over map, with a limit on how many run at once. Results keep the order of the items.
 * @template Item, Result
 * @param {Item[]} items
 * @param {number} limit
 * @param {(item: Item) => Promise<Result>} run
 */
async function mapConcurrently(items, limit, run) {
  const results = /** @type {Result[]} */ ([]);
  const queue = items.entries();
  const worker = async () => {
    for (const [index, item] of queue) results[index] = await run(item);
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
  return results;
}

/**
 * What `--version` prints, or '' from a server that does not know it.
 * @param {string} server
 */
function serverVersion(server) {
  const [command = server, ...args] = serverCommand(server);
  return spawnSync(command, [...args, '--version'], { encoding: 'utf8' }).stdout?.trim() ?? '';
}

/** @param {string} source */
function suiteVersion(source) {
  const header = fs.readFileSync(path.join(source, 'src/version.h'), 'utf8');
  return /REDIS_VERSION "([^"]+)"/.exec(header)?.[1] ?? 'unknown';
}

/**
 * @param {string} message
 * @returns {number} the exit code
 */
function complain(message) {
  process.stderr.write(`run-tcl-suite: ${message}\n`);
  return 2;
}
