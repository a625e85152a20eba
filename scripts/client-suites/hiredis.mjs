import path from 'node:path';
import { fetchDebianSource } from './debian-source.mjs';
import { runProgram, runTestProgram } from './programs.mjs';
import { preparedDirectory, replaceOnce } from './sources.mjs';

/** @typedef {import('./suite.mjs').ClientSuite} ClientSuite */
/** @typedef {import('./suite.mjs').TestResult} TestResult */

const VERSION = '1.2.0';

/** A test that connects to an address outside this machine and waits for nobody to answer; its first lines. */
const BLACK_HOLE_TEST = `if (config.type == CONN_TCP || config.type == CONN_SSL) {
        /* timeout can only be simulated with network */`;

/** Colours and bold print of the test program. */
const TERMINAL_SEQUENCE = /\u001b\[[0-9;]*m/g;

/**
 * hiredis' own test program, from Debian's source package.
 * @type {ClientSuite}
 */
export const hiredis = {
  version: VERSION,
  prepare: () =>
    preparedDirectory(`hiredis-${VERSION}`, (directory) => {
      fetchDebianSource('hiredis', VERSION, directory);
      const source = path.join(directory, 'source');
      replaceOnce(path.join(source, 'test.c'), BLACK_HOLE_TEST, 'if (0) {');
      runProgram('make', ['-j2', 'hiredis-test'], { directory: source });
    }),
  async run({ directory, startServer, workDirectory, secondsMax }) {
    const server = await startServer();
    // An assertion ends the program: unbuffered, what came before is not lost.
    const { isInTime, output } = await runTestProgram(
      'stdbuf',
      [
        ...['-o0', path.join(directory, 'source/hiredis-test'), '--skip-throughput'],
        ...['-h', '127.0.0.1', '-p', `${server.port}`, '-s', server.socketPath],
      ],
      { directory: workDirectory, outputPath: path.join(workDirectory, 'output'), secondsMax },
    );
    return { tests: readTestOutput(output.replaceAll(TERMINAL_SEQUENCE, '')), isInTime, output };
  },
};

/**
 * Reads "#12 Name of a test: PASSED"; a test in which the program ended has no verdict and failed.
 * @param {string} output
 * @returns {TestResult[]}
 */
function readTestOutput(output) {
  const [, ...parts] = output.split(/^#(?=[0-9]+ )/m);
  return parts.map((part) => {
    const [, name = part, rest = ''] = /^([0-9]+ [^\n]*?): ?([\s\S]*)$/.exec(part) ?? [];
    const verdict = /\b(PASSED|FAILED|SKIPPED)\b/.exec(rest)?.[1];
    if (verdict === 'PASSED') return { name, status: 'passed' };
    if (verdict === 'SKIPPED') return { name, status: 'skipped' };
    return { name, status: 'failed', error: rest.trim().split('\n')[0] || 'the test program ended here' };
  });
}
