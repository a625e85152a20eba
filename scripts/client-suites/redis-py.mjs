import fs from 'node:fs';
import path from 'node:path';
import { runProgram, runTestProgram } from './programs.mjs';
import { preparedDirectory } from './sources.mjs';

/** @typedef {import('./suite.mjs').ClientSuite} ClientSuite */
/** @typedef {import('./suite.mjs').TestResult} TestResult */

const VERSION = '6.4.0';

/** What building the package's metadata and running its tests takes. */
const TOOLS = ['hatchling', 'packaging', 'pytest', 'pytest-asyncio', 'pytest-timeout', 'numpy', 'mock'];

/** One test that hangs must not cost the rest. */
const TEST_SECONDS_MAX = 10;

/** The markers of tests that need more than one plain server. */
const MARKERS =
  'not onlycluster and not redismod and not ssl and not replica and not cp_integration and not experimental';

/**
 * redis-py's synchronous and asynchronous tests, from its source distribution.
 * @type {ClientSuite}
 */
export const redisPy = {
  version: VERSION,
  prepare() {
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
  },
  async run({ directory, server, workDirectory, exclusions, secondsMax }) {
    const reportPath = path.join(workDirectory, 'report.xml');
    const files = exclusions.filter(({ test }) => test.endsWith('.py') || test.endsWith('/'));
    const { isInTime, output } = await runTestProgram(
      'python3',
      [
        ...['-m', 'pytest', 'tests', '-q', '-o', 'addopts=', '-p', 'no:cacheprovider', '--tb=short'],
        ...['-m', MARKERS, '--timeout', `${TEST_SECONDS_MAX}`, '--junitxml', reportPath],
        ...['--redis-url', `redis://127.0.0.1:${server.port}/9`],
        ...files.map(({ test }) => `--ignore=tests/${test}`),
        ...exclusions.filter((one) => !files.includes(one)).map(({ test }) => `--deselect=tests/${test}`),
      ],
      {
        directory,
        environment: { PYTHONPATH: path.join(directory, 'site'), PYTHONDONTWRITEBYTECODE: '1' },
        outputPath: path.join(workDirectory, 'output'),
        secondsMax,
      },
    );
    if (!fs.existsSync(reportPath)) return { tests: [], isInTime, output };
    return { tests: readJUnitReport(fs.readFileSync(reportPath, 'utf8')), isInTime, output };
  },
};

/**
 * Reads pytest's report: <testcase classname="…" name="…"/>, or with <failure message="…">, <error …>, <skipped …> in it.
 * A test that fails and whose clean-up fails too has two entries; it counts once.
 * @param {string} xml
 * @returns {TestResult[]}
 */
function readJUnitReport(xml) {
  const tests = /** @type {Map<string, TestResult>} */ (new Map());
  for (const [, attributes = '', body = ''] of xml.matchAll(
    /<testcase ([^>]*?)(?:\/>|>([\s\S]*?)<\/testcase>)/g,
  )) {
    const name = `${attribute(attributes, 'classname')}.${attribute(attributes, 'name')}`;
    const [, kind, details = ''] = /<(failure|error|skipped) ?([^>]*)/.exec(body) ?? [];
    const status = kind === undefined ? 'passed' : kind === 'skipped' ? 'skipped' : 'failed';
    if (tests.get(name)?.status === 'failed') continue;
    tests.set(name, {
      name,
      status,
      ...(status === 'failed' && { error: attribute(details, 'message').split('\n')[0] }),
    });
  }
  return [...tests.values()];
}

/**
 * @param {string} attributes  a="…" b="…"
 * @param {string} name
 */
function attribute(attributes, name) {
  const value = new RegExp(`(?:^| )${name}="([^"]*)"`).exec(attributes)?.[1] ?? '';
  return value
    .replaceAll('&#10;', '\n')
    .replaceAll('&quot;', '"')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&');
}
