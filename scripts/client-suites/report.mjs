/** @typedef {import('./suite.mjs').TestResult} TestResult */

/** Characters of an error that are printed. */
const ERROR_LENGTH_MAX = 160;

/** Tests that are named for one cause. */
const NAMES_PER_CAUSE_MAX = 12;

/**
 * The result of a run, for people: the failures by cause, the commonest first, and the totals.
 * @param {{ suite: string, clientVersion: string, server: { version: string }, seconds: number, passed: number,
 *   failed: number, skipped: number, outOf: number | undefined, tests: TestResult[] }} result
 */
export function formatReport(result) {
  const lines = [];
  const failures = groupByCause(result.tests.filter(({ status }) => status === 'failed'));
  for (const [cause, tests] of [...failures].sort(([, one], [, other]) => other.length - one.length)) {
    lines.push(`${tests.length} failed: ${cause}`);
    for (const { name, error = '' } of tests.slice(0, NAMES_PER_CAUSE_MAX)) {
      const shown = error.slice(0, ERROR_LENGTH_MAX);
      lines.push(shown === cause ? `    ${name}` : `    ${name}: ${shown}`);
    }
    if (tests.length > NAMES_PER_CAUSE_MAX) lines.push(`    … ${tests.length - NAMES_PER_CAUSE_MAX} more`);
  }
  const { passed, failed, skipped, outOf } = result;
  lines.push(
    '',
    `${result.suite} ${result.clientVersion} with ${result.server.version}, ${Math.round(result.seconds)} s`,
    `passed ${passed}, failed ${failed}, skipped ${skipped}; ` +
      (outOf === undefined
        ? 'how many the real server passes has not been recorded'
        : `${passed} of the ${outOf} that redis-server 8.0 passes`),
  );
  return lines.join('\n');
}

/**
 * @param {TestResult[]} failures
 * @returns {Map<string, TestResult[]>}
 */
function groupByCause(failures) {
  const groups = /** @type {Map<string, TestResult[]>} */ (new Map());
  for (const failure of failures) {
    const cause = causeOf(failure.error ?? '');
    groups.set(cause, [...(groups.get(cause) ?? []), failure]);
  }
  return groups;
}

/**
 * A command that does not exist is one cause whatever its arguments were.
 * @param {string} error
 */
function causeOf(error) {
  const unknown = /unknown (command|subcommand) ['‘"`]?([^'’"`,\s]+)/i.exec(error);
  if (unknown !== null) return `unknown ${unknown[1]} ${unknown[2]?.toUpperCase()}`;
  return error.slice(0, ERROR_LENGTH_MAX);
}
