import fs from 'node:fs';
import path from 'node:path';
import { countTests } from './scoreboard.mjs';

/** Lines of an error that are shown unless all are asked for. */
const ERROR_LINES_MAX = 8;

/** Characters of such a line. */
const ERROR_LINE_LENGTH_MAX = 300;

/** Different errors between tests, and stderr texts, that are shown of one file unless all are asked for. */
const ERROR_TEXTS_MAX = 6;

/**
 * What happened in one file, for people: every failed test with its place in the file and its Tcl error.
 * @param {import('./file-run.mjs').FileResult} result
 * @param {{ fullErrors: boolean, source: string }} options  source: the suite, to look places up in
 */
export function formatResult(result, { fullErrors, source }) {
  const linesMax = fullErrors ? Number.POSITIVE_INFINITY : ERROR_LINES_MAX;
  const lineLengthMax = fullErrors ? Number.POSITIVE_INFINITY : ERROR_LINE_LENGTH_MAX;
  const textsMax = fullErrors ? Number.POSITIVE_INFINITY : ERROR_TEXTS_MAX;
  /** @param {string} text */
  const indent = (text) => {
    const lines = text.split('\n');
    const shown = lines.slice(0, linesMax).map((line) => line.slice(0, lineLengthMax));
    if (lines.length > shown.length) shown.push(`… ${lines.length - shown.length} more lines`);
    return shown.map((line) => `      ${line}`);
  };
  /**
   * @param {string} heading
   * @param {string[]} texts
   */
  const section = (heading, texts) => {
    const counts = countEqual(texts);
    const lines = [...counts]
      .slice(0, textsMax)
      .flatMap(([text, count]) => [`  ${heading}${count > 1 ? ` (${count} times)` : ''}`, ...indent(text)]);
    if (counts.size > textsMax) lines.push(`  … ${counts.size - textsMax} more: ${heading}`);
    return lines;
  };

  const counts = `${countTests(result, 'passed')} passed, ${countTests(result, 'failed')} failed`;
  const ending = result.ending === 'done' ? '' : ` (${result.ending})`;
  const lines = [`${result.file}: ${counts} in ${result.seconds} s${ending}`];
  const testFile = fs.readFileSync(path.join(source, 'tests', `${result.file}.tcl`), 'utf8').split('\n');
  for (const test of result.tests) {
    if (test.status !== 'failed') continue;
    lines.push(`  FAILED ${test.name}${placeOfTest(test.name, testFile)}`, ...indent(test.error ?? ''));
  }
  lines.push(...section('ERROR between tests', result.outsideErrors));
  for (const test of result.stalledTests) lines.push(`  STALLED, so its servers were killed: ${test}`);
  lines.push(...section('stderr of a server', result.serverErrors));
  if (result.keptCopy !== undefined) lines.push(`  kept: ${result.keptCopy} (tests/tmp, harness.log)`);
  return lines.join('\n');
}

/**
 * The line of a test, where its name stands there as it is; names with a Tcl variable in them are not found.
 * @param {string} name
 * @param {string[]} testFile  its lines
 */
function placeOfTest(name, testFile) {
  const index = testFile.findIndex((line) => /^\s*test\b/.test(line) && line.includes(name));
  return index === -1 ? '' : ` (line ${index + 1})`;
}

/** @param {string[]} texts */
function countEqual(texts) {
  const counts = /** @type {Map<string, number>} */ (new Map());
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1);
  return counts;
}
