import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';

/** What is used of scripts/client-suites/test-turns.mjs. */
interface TestTurns {
  runTestsInTurns(suite: {
    workDirectory: string;
    secondsMax: number;
    testSecondsMax?: number;
    begin(): Promise<unknown>;
  }): Promise<{ tests: { name: string; status: string; error?: string }[]; isInTime: boolean }>;
}

const { runTestsInTurns }: TestTurns = await import(
  path.resolve(import.meta.dirname, '../../scripts/client-suites/test-turns.mjs')
);

/** A test program whose tests are named for what they do. */
const PROGRAM = `
  const { appendFileSync, readFileSync } = require('node:fs');
  const { RESPITE_TEST_PROGRESS: progressPath, RESPITE_TESTS_FINISHED: finishedPath } = process.env;
  const finished = JSON.parse(readFileSync(finishedPath, 'utf8'));
  const tests = process.argv.slice(1);
  const write = (name, status, error) =>
    appendFileSync(progressPath, JSON.stringify({ name, status, error }) + '\\n');
  for (const name of tests.filter((test) => !finished.includes(test))) {
    write(name, 'started');
    if (name === 'crashes') process.exit(7);
    if (name === 'hangs') for (;;);
    write(name, name, name === 'failed' ? 'not equal' : undefined);
    if (name === 'passed') write(name, name);
    write(name, 'ended');
  }`;

let workDirectory: string;

beforeEach(() => {
  workDirectory = fs.mkdtempSync(path.join(os.tmpdir(), 'respite-turns-'));
});

afterEach(() => {
  fs.rmSync(workDirectory, { recursive: true, force: true });
});

function run(limits: { secondsMax: number; testSecondsMax: number }, ...tests: string[]) {
  let turns = 0;
  let ended = 0;
  const outcome = runTestsInTurns({
    workDirectory,
    ...limits,
    async begin() {
      turns += 1;
      return {
        program: process.execPath,
        programArguments: ['-e', PROGRAM, ...tests],
        directory: workDirectory,
        environment: {},
        end: () => {
          ended += 1;
        },
      };
    },
  });
  return outcome.then((result) => ({ ...result, turns, ended }));
}

test('a test that hangs and one that ends the program fail, and those behind them are run', async () => {
  const limits = { secondsMax: 60, testSecondsMax: 1 };
  const result = await run(limits, 'passed', 'hangs', 'failed', 'crashes', 'skipped');
  expect(result.tests).toEqual([
    { name: 'passed', status: 'passed' },
    { name: 'hangs', status: 'failed', error: 'took more than 1 seconds' },
    { name: 'failed', status: 'failed', error: 'not equal' },
    { name: 'crashes', status: 'failed', error: 'the test program ended here' },
    { name: 'skipped', status: 'skipped' },
  ]);
  expect(result).toMatchObject({ isInTime: true, turns: 3, ended: 3 });
});

test('the suite ends when its own time is up', async () => {
  const result = await run({ secondsMax: 2, testSecondsMax: 30 }, 'passed', 'hangs', 'failed');
  expect(result.tests.map(({ name }) => name)).toEqual(['passed', 'hangs']);
  expect(result).toMatchObject({ isInTime: false, turns: 1, ended: 1 });
});
