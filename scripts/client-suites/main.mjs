import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { COMPAT_DIRECTORY, REPOSITORY_ROOT } from '../tcl-suite/command-line.mjs';
import { serverCommand } from '../tcl-suite/suite-copy.mjs';
import { goRedis } from './go-redis.mjs';
import { hiredis } from './hiredis.mjs';
import { nodeRedis } from './node-redis.mjs';
import { killTestPrograms } from './programs.mjs';
import { redisPy, redisPyAsyncio } from './redis-py.mjs';
import { redisRs } from './redis-rs.mjs';
import { formatReport } from './report.mjs';
import { readRows } from './rows.mjs';
import { startServer } from './server-process.mjs';

/** @typedef {import('./suite.mjs').ClientSuite} ClientSuite */

const SUITES = new Map(
  /** @type {[string, ClientSuite][]} */ ([
    ['redis-py', redisPy],
    ['redis-py-asyncio', redisPyAsyncio],
    ['hiredis', hiredis],
    ['go-redis', goRedis],
    ['redis-rs', redisRs],
    ['node-redis', nodeRedis],
  ]),
);

const HELP = `Usage: scripts/run-client-suite NAME [options]

Runs the tests of a Redis client against a server of ours. NAME: ${[...SUITES.keys()].join(', ')}.
The client's published source is fetched into a cache outside the tree the first time. Tests that need a cluster, a
sentinel, TLS, a replica or a module are left out by name: scripts/client-suites/exclusions.tsv.

  --server PATH    the server: a .js file is run with this node, anything else directly (default: dist/main.js)
  --timeout S      seconds that the whole suite may take (default 900)
  --json FILE      write the results there
  --help

Exit code: 0 when the suite ran to its end, whatever failed; 1 when it did not; 2 for wrong arguments.`;

/** Lines of a suite's output that are shown when it does not come to its end. */
const OUTPUT_LINES_MAX = 20;

/**
 * The program.
 * @param {string[]} argv
 * @returns {Promise<number>} the exit code
 */
export async function runClientSuite(argv) {
  const options = readArguments(argv);
  if (typeof options === 'number') return options;
  const { name, suite, server, secondsMax, jsonPath } = options;
  const directory = suite.prepare();
  const workDirectory = fs.mkdtempSync(path.join(os.tmpdir(), 'rcs-run-'));
  const servers = /** @type {import('./server-process.mjs').RunningServer[]} */ ([]);
  const cleanUp = () => {
    killTestPrograms();
    for (const running of servers) running.stop();
    fs.rmSync(workDirectory, { recursive: true, force: true });
  };
  process.once('exit', cleanUp);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => process.exit(1));

  const startedAt = new Date();
  const exclusions = readRows(new URL('exclusions.tsv', import.meta.url))
    .map(([suiteName = '', test = '', reason = '']) => ({ suite: suiteName, test, reason }))
    .filter((exclusion) => name.startsWith(exclusion.suite));
  const { tests, isInTime, output } = await suite.run({
    directory,
    serverCommand: serverCommand(server),
    startServer: async () => {
      const running = await startServer(server);
      servers.push(running);
      return running;
    },
    workDirectory,
    exclusions,
    secondsMax,
  });
  const serverLogs = servers.filter((running) => running.hasDied()).map((running) => running.logTail());
  cleanUp();

  const result = {
    suite: name,
    clientVersion: suite.version,
    server: { path: server, version: serverVersion(server) },
    startedAt: startedAt.toISOString(),
    seconds: (Date.now() - startedAt.getTime()) / 1000,
    passed: tests.filter(({ status }) => status === 'passed').length,
    failed: tests.filter(({ status }) => status === 'failed').length,
    skipped: tests.filter(({ status }) => status === 'skipped').length,
    outOf: readBaseline(name, suite.version),
    tests,
  };
  process.stdout.write(`${formatReport(result)}\n`);
  if (jsonPath !== undefined) fs.writeFileSync(jsonPath, `${JSON.stringify(result, undefined, 1)}\n`);
  if (!isInTime) process.stdout.write(`THE SUITE WAS ENDED after ${secondsMax} seconds\n`);
  for (const log of serverLogs) process.stdout.write(`THE SERVER DIED. Its log:\n${log}\n`);
  if (tests.length === 0 || !isInTime) {
    process.stdout.write(`${output.split('\n').slice(-OUTPUT_LINES_MAX).join('\n')}\n`);
  }
  return tests.length > 0 && isInTime && serverLogs.length === 0 ? 0 : 1;
}

/**
 * @param {string[]} argv
 * @returns an exit code when there is nothing to run (help printed, or a mistake)
 */
function readArguments(argv) {
  try {
    const { values, positionals } = parseArgs({
      args: argv,
      allowPositionals: true,
      options: {
        server: { type: 'string', default: path.join(REPOSITORY_ROOT, 'dist/main.js') },
        timeout: { type: 'string', default: '900' },
        json: { type: 'string' },
        help: { type: 'boolean', default: false },
      },
    });
    if (values.help) {
      process.stdout.write(`${HELP}\n`);
      return 0;
    }
    const [name = '', ...rest] = positionals;
    const suite = SUITES.get(name);
    if (suite === undefined || rest.length > 0) throw new Error(`one of ${[...SUITES.keys()].join(', ')}`);
    const secondsMax = Number(values.timeout);
    if (!(secondsMax > 0)) throw new Error('--timeout wants a number of seconds');
    const server = path.resolve(values.server);
    if (!fs.existsSync(server)) throw new Error(`there is no server at ${server} (npm run build?)`);
    return { name, suite, server, secondsMax, jsonPath: values.json };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    process.stderr.write(`run-client-suite: ${message}\nTry --help.\n`);
    return 2;
  }
}

/**
 * Tests that the real server passes with the same selection, or undefined when that has not been measured.
 * @param {string} name
 * @param {string} version
 */
function readBaseline(name, version) {
  const row = readRows(path.join(COMPAT_DIRECTORY, 'client-baseline.tsv')).find(
    ([suite, clientVersion]) => suite === name && clientVersion === version,
  );
  return row === undefined ? undefined : Number(row[2]);
}

/** @param {string} server */
function serverVersion(server) {
  const [program = '', ...programArguments] = serverCommand(server);
  return execFileSync(program, [...programArguments, '--version'], { encoding: 'utf8' }).trim();
}
