import fs from 'node:fs';
import path from 'node:path';
import { causeOfError } from '../failure-causes.mjs';
import { COMPAT_DIRECTORY } from '../tcl-suite/command-line.mjs';
import { readRows } from './rows.mjs';

/** @typedef {import('./suite.mjs').TestResult} TestResult */

/**
 * What `run-client-suite --json` writes.
 *
 * @typedef {object} ClientRun
 * @property {string} suite
 * @property {string} clientVersion
 * @property {string} startedAt  ISO 8601
 * @property {number} passed
 * @property {number} failed
 * @property {number} skipped
 * @property {number} [outOf]
 * @property {TestResult[]} tests
 */

const SCOREBOARD = path.join(COMPAT_DIRECTORY, 'client-scoreboard.tsv');
const FAILURES = path.join(COMPAT_DIRECTORY, 'client-failures.tsv');
const KNOWN_CAUSES = path.join(COMPAT_DIRECTORY, 'client-causes.tsv');

/** Characters of an error that are kept. */
const ERROR_LENGTH_MAX = 120;

/**
 * Keeps the results of runs in tests/compat; suites that were not run keep theirs.
 * @param {string[]} jsonPaths
 */
export function recordClientRuns(jsonPaths) {
  const runs = jsonPaths.map(
    (jsonPath) => /** @type {ClientRun} */ (JSON.parse(fs.readFileSync(jsonPath, 'utf8'))),
  );
  const isKept = ([suite = '']) => !runs.some((run) => run.suite === suite);
  const byName = (/** @type {string[]} */ [one = ''], /** @type {string[]} */ [other = '']) =>
    one < other ? -1 : 1;
  const scores = runs.map((run) => [
    run.suite,
    run.clientVersion,
    ...[run.passed, run.failed, run.skipped, run.outOf ?? 0].map(String),
    run.startedAt.slice(0, 10),
  ]);
  writeRows(
    SCOREBOARD,
    'suite\tversion\tpassed\tfailed\tskipped\tof\tdate',
    [...readRows(SCOREBOARD).filter(isKept), ...scores].sort(byName),
  );
  const knownCauses = readRows(KNOWN_CAUSES);
  const failures = runs.flatMap((run) =>
    run.tests
      .filter(({ status }) => status === 'failed')
      .map(({ name, error = '' }) => {
        const known = knownCauses.find(([suite, test = '']) => suite === run.suite && name.startsWith(test));
        return [
          run.suite,
          printable(name),
          known?.[2] ?? causeOfError(error),
          printable(error).slice(0, ERROR_LENGTH_MAX),
        ];
      }),
  );
  writeRows(
    FAILURES,
    'suite\ttest\tcause\terror',
    [...readRows(FAILURES).filter(isKept), ...failures].sort(byName),
  );
}

/** The part of redis-compat.md that tells how the clients' own tests fare. */
export function clientScoreboardSection() {
  const rows = readRows(SCOREBOARD);
  if (rows.length === 0) return 'Not recorded yet: run `npm run compat`.';
  const total = (/** @type {number} */ column) => rows.reduce((sum, row) => sum + Number(row[column]), 0);
  const causes = /** @type {Map<string, number>} */ (new Map());
  for (const [, , cause = ''] of readRows(FAILURES)) causes.set(cause, (causes.get(cause) ?? 0) + 1);
  return [
    'The own tests of Redis clients, from their published sources (`scripts/run-client-suite`). "Of" is how many of',
    'them the real server passes on the same machine. Tests that need a cluster, a sentinel, TLS or a module are left',
    'out by name in `scripts/client-suites/exclusions.tsv`, with the reason; "skipped" is what the suites skip.',
    '',
    '| Client | Version | Passed | Failed | Skipped | Of | Date |',
    '| --- | --- | --- | --- | --- | --- | --- |',
    ...rows.map((row) => `| ${row.join(' | ')} |`),
    `| **total** | | **${total(2)}** | ${total(3)} | ${total(4)} | **${total(5)}** | |`,
    '',
    'Every failed test is in `tests/compat/client-failures.tsv` with its cause:',
    '',
    '| Failed tests | Cause |',
    '| --- | --- |',
    ...[...causes]
      .sort(([, one], [, other]) => other - one)
      .map(([cause, count]) => `| ${count} | ${cause} |`),
  ].join('\n');
}

/**
 * @param {string} filePath
 * @param {string} heading
 * @param {string[][]} rows
 */
function writeRows(filePath, heading, rows) {
  fs.writeFileSync(filePath, `${[heading, ...rows.map((row) => row.join('\t'))].join('\n')}\n`);
}

/**
 * One line of ASCII.
 * @param {string} text
 */
function printable(text) {
  return text.replace(/\s+/g, ' ').replace(/[^\x20-\x7e]/g, '?');
}
