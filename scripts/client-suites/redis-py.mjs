import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { runProgram } from './programs.mjs';
import { preparedDirectory } from './sources.mjs';
import { runTestsInTurns } from './test-turns.mjs';

/** @typedef {import('./suite.mjs').ClientSuite} ClientSuite */

const VERSION = '6.4.0';

/** What building the package's metadata and running its tests takes. */
const TOOLS = ['hatchling', 'packaging', 'pytest', 'pytest-asyncio', 'pytest-timeout', 'numpy', 'mock'];

/** Where pytest finds redis_py_results. */
const PLUGIN_DIRECTORY = fileURLToPath(new URL('.', import.meta.url));

/** A test that hangs where Python can interrupt it; what cannot be interrupted, runTestsInTurns ends. */
const TEST_SECONDS_MAX = 10;

/** The markers of tests that need more than one plain server. */
const MARKERS =
  'not onlycluster and not redismod and not ssl and not replica and not cp_integration and not experimental';

/**
 * redis-py's tests from its source distribution: those of the synchronous client, or those of the asyncio one.
 * @param {'sync' | 'asyncio'} half
 * @returns {ClientSuite}
 */
function redisPyTests(half) {
  return {
    version: VERSION,
    prepare,
    run: ({ directory, startServer, workDirectory, exclusions, secondsMax }) => {
      const isWholeFile = (/** @type {string} */ test) => test.endsWith('.py') || test.endsWith('/');
      const leftOut = exclusions.map(
        ({ test }) => `${isWholeFile(test) ? '--ignore' : '--deselect'}=tests/${test}`,
      );
      if (half === 'sync') leftOut.push('--ignore=tests/test_asyncio');
      return runTestsInTurns({
        workDirectory,
        secondsMax,
        async begin() {
          const server = await startServer();
          return {
            program: 'python3',
            programArguments: [
              ...['-m', 'pytest', half === 'sync' ? 'tests' : 'tests/test_asyncio', '-q', '-o', 'addopts='],
              // The limit is the test's alone: pytest itself breaks when it strikes in a fixture's clean-up. Its own tracebacks
              // cost seconds each, for they parse the client's largest file.
              ...['--timeout', `${TEST_SECONDS_MAX}`, '-o', 'timeout_func_only=true', '--tb=native'],
              ...['-p', 'no:cacheprovider', '-p', 'redis_py_results', '-m', MARKERS],
              ...['--redis-url', `redis://127.0.0.1:${server.port}/9`, ...leftOut],
            ],
            directory,
            environment: {
              PYTHONPATH: [path.join(directory, 'site'), PLUGIN_DIRECTORY].join(path.delimiter),
              PYTHONDONTWRITEBYTECODE: '1',
            },
            end: server.stop,
          };
        },
      });
    },
  };
}

/** The suites `redis-py` and `redis-py-asyncio`. */
export const redisPy = redisPyTests('sync');
export const redisPyAsyncio = redisPyTests('asyncio');

/** @returns {string} the unpacked source distribution, with what its tests import in site/ */
function prepare() {
  const tools = preparedDirectory('redis-py-tools', (directory) => {
    runProgram('python3', ['-m', 'pip', 'install', '--quiet', '--target', 'site', ...TOOLS], { directory });
  });
  return preparedDirectory(`redis-py-${VERSION}`, (directory) => {
    const download = ['-m', 'pip', 'download', '--quiet', '--no-deps', '--no-binary', 'redis'];
    runProgram('python3', [...download, '--no-build-isolation', `redis==${VERSION}`], {
      directory,
      environment: { PYTHONPATH: path.join(tools, 'site') },
    });
    runProgram('tar', ['-xzf', `redis-${VERSION}.tar.gz`, '--strip-components=1'], { directory });
    fs.symlinkSync(path.join(tools, 'site'), path.join(directory, 'site'));
  });
}
