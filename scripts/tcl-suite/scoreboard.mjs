/**
 * @typedef {import('./file-run.mjs').FileResult} FileResult
 * @typedef {import('./file-run.mjs').TestStatus} TestStatus
 * @typedef {import('./compat-data.mjs').CountByFile} CountByFile
 * @typedef {import('./compat-data.mjs').Exclusion} Exclusion
 *
 * @typedef {object} FileScore
 * @property {string} file
 * @property {number} passed
 * @property {number} failed
 * @property {number} skipped  excluded as impossible, or left out by the suite itself
 * @property {number} notRun  tests that the real server runs and that were never reached
 * @property {number} outOf  tests that the real server passes, without the excluded ones
 * @property {number} excluded  tests of the baseline that are excluded
 * @property {number} outsideErrors  errors between tests
 * @property {number} seconds
 * @property {string} ending
 */

/** Files that draw lots on how often to run a test. What passes of a complete run is scaled to the baseline's number. */
const FILES_WITH_RANDOM_COUNTS = new Set(['integration/psync2-reg']);

/**
 * @param {FileResult} result
 * @param {CountByFile} baseline
 * @param {Exclusion[]} exclusions  empty when excluded tests were run too
 * @returns {FileScore}
 */
export function scoreFile(result, baseline, exclusions) {
  let passed = countTests(result, 'passed');
  let failed = countTests(result, 'failed');
  const tests = baseline.get(result.file);
  const isComplete = result.ending === 'done' && result.outsideErrors.length === 0 && passed + failed > 0;
  if (tests !== undefined && isComplete && FILES_WITH_RANDOM_COUNTS.has(result.file)) {
    passed = Math.floor((tests * passed) / (passed + failed));
    failed = tests - passed;
  }
  const excluded = sum(exclusions.filter(({ file }) => file === result.file).map(({ tests }) => tests));
  const outOf = (tests ?? passed + failed) - excluded;
  return {
    file: result.file,
    passed,
    failed,
    skipped: countTests(result, 'skipped') + countTests(result, 'ignored'),
    notRun: Math.max(0, outOf - passed - failed),
    outOf,
    excluded,
    outsideErrors: result.outsideErrors.length,
    seconds: result.seconds,
    ending: result.ending,
  };
}

/**
 * @param {FileResult} result
 * @param {TestStatus} status
 */
export function countTests(result, status) {
  return result.tests.filter((test) => test.status === status).length;
}

/** @param {FileScore[]} scores */
export function totalScore(scores) {
  return {
    files: scores.length,
    passed: sum(scores.map((score) => score.passed)),
    failed: sum(scores.map((score) => score.failed)),
    skipped: sum(scores.map((score) => score.skipped)),
    notRun: sum(scores.map((score) => score.notRun)),
    outOf: sum(scores.map((score) => score.outOf)),
    excluded: sum(scores.map((score) => score.excluded)),
    outsideErrors: sum(scores.map((score) => score.outsideErrors)),
  };
}

/**
 * The table for people.
 * @param {FileScore[]} scores
 */
export function formatTable(scores) {
  const total = totalScore(scores);
  const headings = ['file', 'passed', 'of', 'failed', 'not run', 'skipped', 'seconds', ''];
  const rows = scores.map((score) => [
    score.file,
    ...[score.passed, score.outOf, score.failed, score.notRun, score.skipped].map(String),
    score.seconds.toFixed(1),
    remark(score),
  ]);
  const totals = [
    `total (${total.files} files)`,
    ...[total.passed, total.outOf, total.failed, total.notRun, total.skipped].map(String),
    '',
    percentage(total.passed, total.outOf),
  ];
  const widths = headings.map((_, column) =>
    Math.max(...[headings, ...rows, totals].map((row) => row[column]?.length ?? 0)),
  );
  const textColumns = new Set([0, headings.length - 1]);
  /** @param {string[]} row */
  const formatRow = (row) => {
    const cells = row.map((cell, column) => {
      const width = widths[column] ?? 0;
      return textColumns.has(column) ? cell.padEnd(width) : cell.padStart(width);
    });
    return cells.join('  ').trimEnd();
  };
  const rule = '-'.repeat(formatRow(headings).length);
  const lines = [formatRow(headings), rule, ...rows.map(formatRow), rule, formatRow(totals)];
  if (total.excluded > 0) {
    lines.push(
      `${total.excluded} tests need jemalloc or C assertions and are not counted (tests/compat/tcl-c-internals.tsv); with them ${total.passed} of ${total.outOf + total.excluded}.`,
    );
  }
  return lines.join('\n');
}

/** @param {FileScore} score */
function remark(score) {
  const remarks = [];
  if (score.ending !== 'done') remarks.push(score.ending);
  if (score.outsideErrors > 0) remarks.push(`${score.outsideErrors} errors between tests`);
  return remarks.join(', ');
}

/**
 * Files that pass fewer tests than they have before.
 * @param {FileScore[]} scores
 * @param {CountByFile} floor
 */
export function findBelowFloor(scores, floor) {
  return scores.filter((score) => score.passed < (floor.get(score.file) ?? 0));
}

/**
 * The floor with what passes now where that is more; files that were not run keep theirs.
 * @param {FileScore[]} scores
 * @param {CountByFile} floor
 * @param {string[]} fileOrder  every file of the suite
 * @returns {CountByFile}
 */
export function raiseFloor(scores, floor, fileOrder) {
  const passedNow = new Map(scores.map((score) => [score.file, score.passed]));
  const raised = new Map();
  for (const file of fileOrder) {
    const passed = Math.max(floor.get(file) ?? 0, passedNow.get(file) ?? 0);
    if (passed > 0) raised.set(file, passed);
  }
  return raised;
}

/**
 * @param {number} part
 * @param {number} whole
 */
function percentage(part, whole) {
  return whole === 0 ? '' : `${((100 * part) / whole).toFixed(1)} %`;
}

/** @param {number[]} numbers */
function sum(numbers) {
  return numbers.reduce((total, number) => total + number, 0);
}
