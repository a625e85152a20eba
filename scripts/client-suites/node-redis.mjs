import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { fetchDebianTarball } from './debian-source.mjs';
import { runProgram } from './programs.mjs';
import { preparedDirectory } from './sources.mjs';
import { runTestsInTurns } from './test-turns.mjs';

/** @typedef {import('./suite.mjs').ClientSuite} ClientSuite */

const VERSION = '4.6.14';

/** The Debian release that has this version. */
const DEBIAN_SUITE = 'forky';

/** What the client and its tests import, and what compiles them. */
const PACKAGES = [
  ...['cluster-key-slot@1.1.2', 'generic-pool@3.9.0', 'yallist@4.0.0'],
  ...['mocha@10.8.2', 'sinon@16.1.3', 'yargs@17.7.2', 'typescript@5.4.5'],
];

/** For one test, where it waits for an event. */
const TEST_MILLISECONDS_MAX = 10_000;

/** Takes the place of the part of the client's test tools that runs servers in containers. */
const SERVERS_SOURCE = fileURLToPath(new URL('node_redis_servers.cjs', import.meta.url));

/** A reporter and hooks of mocha. */
const RESULTS_SOURCE = fileURLToPath(new URL('node_redis_results.cjs', import.meta.url));

/**
 * node-redis' own tests from Debian's source package: those of the client package that talk to a server.
 * @type {ClientSuite}
 */
export const nodeRedis = {
  version: VERSION,
  prepare: () => preparedDirectory(`node-redis-${VERSION}`, build),
  run: ({ directory, serverCommand, workDirectory, exclusions, secondsMax }) =>
    runTestsInTurns({
      workDirectory,
      secondsMax,
      async begin() {
        return {
          program: process.execPath,
          programArguments: [
            ...[path.join(directory, 'node_modules/mocha/bin/mocha.js'), 'lib/**/*.spec.js', '--exit'],
            ...['--timeout', `${TEST_MILLISECONDS_MAX}`, '--require', RESULTS_SOURCE],
            // The version is for the tests' own choice.
            ...['--reporter', RESULTS_SOURCE, '--redis-version', '8.0'],
          ],
          directory: path.join(directory, 'source/packages/client'),
          environment: {
            RESPITE_SERVER_COMMAND: JSON.stringify(serverCommand),
            RESPITE_SERVER_DIRECTORY: workDirectory,
            RESPITE_TESTS_EXCLUDED: JSON.stringify(exclusions.map(({ test }) => test)),
          },
          end: () => {},
        };
      },
    }),
};

/** @param {string} directory */
function build(directory) {
  fetchDebianTarball('node-redis', VERSION, DEBIAN_SUITE, directory);
  fs.writeFileSync(path.join(directory, 'package.json'), '{ "private": true }\n');
  runProgram('npm', ['install', '--silent', '--no-package-lock', '--no-audit', '--no-fund', ...PACKAGES], {
    directory,
  });
  const scope = path.join(directory, 'node_modules/@redis');
  fs.mkdirSync(scope, { recursive: true });
  fs.symlinkSync('../../source/packages/client', path.join(scope, 'client'));
  fs.symlinkSync('../../source/packages/test-utils', path.join(scope, 'test-utils'));
  compile(directory, 'source/packages/client', 'source/packages/client');
  const testTools = 'source/packages/test-utils';
  compile(directory, `${testTools}/lib`, `${testTools}/dist`);
  fs.copyFileSync(SERVERS_SOURCE, path.join(directory, testTools, 'dist/dockers.js'));
}

/**
 * Turns every TypeScript file of a directory into JavaScript, unchecked.
 * @param {string} directory  where the compiler is
 * @param {string} sourceDirectory  in it, like the next
 * @param {string} outputDirectory
 */
function compile(directory, sourceDirectory, outputDirectory) {
  const typescript = createRequire(path.join(directory, 'package.json'))('typescript');
  const compilerOptions = {
    target: typescript.ScriptTarget.ES2022,
    module: typescript.ModuleKind.CommonJS,
    // As the client's own settings have it.
    esModuleInterop: false,
    useDefineForClassFields: true,
  };
  const sources = path.join(directory, sourceDirectory);
  const files = fs.readdirSync(sources, { recursive: true, encoding: 'utf8' });
  for (const file of files.filter((name) => name.endsWith('.ts'))) {
    const text = fs.readFileSync(path.join(sources, file), 'utf8');
    const target = path.join(directory, outputDirectory, file.replace(/\.ts$/, '.js'));
    fs.mkdirSync(path.dirname(target), { recursive: true });
    fs.writeFileSync(target, typescript.transpileModule(text, { compilerOptions }).outputText);
  }
}
