/**
 * What a client's suite is to the runner.
 *
 * @typedef {{ name: string, status: 'passed' | 'failed' | 'skipped', error?: string }} TestResult
 *   error: its first line
 * @typedef {{ suite: string, test: string, reason: string }} Exclusion
 *
 * @typedef {object} SuiteRun
 * @property {string} directory  what prepare returned; may be shared with other runs
 * @property {string[]} serverCommand  the server's program and its first arguments, for suites that start it themselves
 * @property {() => Promise<import('./server-process.mjs').RunningServer>} startServer  an empty one, for the others
 * @property {string} workDirectory  private to this run
 * @property {Exclusion[]} exclusions  of this suite
 * @property {number} secondsMax
 *
 * @typedef {{ tests: TestResult[], isInTime: boolean, output: string }} SuiteResult
 *
 * @typedef {object} ClientSuite
 * @property {string} version  of the client
 * @property {() => string} prepare  fetches and builds what is not in the cache; the directory
 * @property {(run: SuiteRun) => Promise<SuiteResult>} run
 */

export {};
