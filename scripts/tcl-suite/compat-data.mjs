import fs from 'node:fs';
import path from 'node:path';
import { COMPAT_DIRECTORY } from './command-line.mjs';

/**
 * The data files of tests/compat. All are tab-separated with a heading or comment line first.
 *
 *   tcl-baseline.tsv      file, tests that the real redis-server 8.0.6 runs (and passes) on a machine like ours
 *   tcl-c-internals.tsv   file, glob of test names, reason, how many tests of the baseline these are
 *   tcl-floor.tsv         file, tests that have passed before: the ratchet
 *
 * @typedef {Map<string, number>} CountByFile
 * @typedef {{ file: string, testGlob: string, reason: string, tests: number }} Exclusion
 */

/** @param {string} filePath */
function readRows(filePath) {
  return fs
    .readFileSync(filePath, 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#') && !line.startsWith('file\t'))
    .map((line) => line.split('\t'));
}

/**
 * @param {string} filePath
 * @returns {CountByFile}
 */
function readCounts(filePath) {
  return new Map(
    readRows(filePath).map(([file = '', count = '']) => {
      if (!/^[0-9]+$/.test(count)) throw new Error(`${filePath}: '${count}' is no count (${file})`);
      return [file, Number(count)];
    }),
  );
}

/** Tests of each file that the real server runs. */
export function readBaseline() {
  return readCounts(path.join(COMPAT_DIRECTORY, 'tcl-baseline.tsv'));
}

/**
 * Tests that depend on the insides of a C server.
 * @returns {Exclusion[]}
 */
export function readExclusions() {
  return readRows(path.join(COMPAT_DIRECTORY, 'tcl-c-internals.tsv')).map(
    ([file = '', testGlob = '', reason = '', tests = '']) => ({
      file,
      testGlob,
      reason,
      tests: Number(tests),
    }),
  );
}

/**
 * The ratchet. A file that does not exist yet is an empty one.
 * @param {string} filePath
 */
export function readFloor(filePath) {
  return fs.existsSync(filePath) ? readCounts(filePath) : /** @type {CountByFile} */ (new Map());
}

/**
 * @param {string} filePath
 * @param {CountByFile} floor
 */
export function writeFloor(filePath, floor) {
  const lines = [...floor].map(([file, passed]) => `${file}\t${passed}\n`);
  fs.writeFileSync(filePath, `file\tpassed\n${lines.join('')}`);
}

/** What the wildcards of a file glob stand for. */
const FILE_WILDCARDS = new Map([
  ['**', '.*'],
  ['*', '[^/]*'],
  ['?', '[^/]'],
]);

/**
 * A matcher for file names as the shell has them: `*` stays within a directory, `**` does not.
 * @param {string} glob
 */
export function fileGlobMatcher(glob) {
  const parts = glob.split(/(\*\*|\*|\?)/);
  const pattern = parts.map((part) => FILE_WILDCARDS.get(part) ?? escapeForRegularExpression(part));
  return new RegExp(`^${pattern.join('')}$`);
}

/**
 * A test name with `*` in it as the regular expression that the harness's --skipfile takes.
 * @param {string} testGlob
 */
export function harnessPattern(testGlob) {
  return `/^${testGlob.split('*').map(escapeForRegularExpression).join('.*')}$`;
}

/**
 * Escapes what JavaScript's and Tcl's regular expressions both give a meaning.
 * @param {string} text
 */
function escapeForRegularExpression(text) {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
