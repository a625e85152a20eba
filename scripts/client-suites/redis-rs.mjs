import fs from 'node:fs';
import path from 'node:path';
import { runProgram, runTestProgram } from './programs.mjs';
import { preparedDirectory, replaceOnce } from './sources.mjs';

/** @typedef {import('./suite.mjs').ClientSuite} ClientSuite */
/** @typedef {import('./suite.mjs').TestResult} TestResult */

const VERSION = '0.32.7';

/** The crate with which the tests start their servers, in the version that belongs to VERSION. */
const TEST_CRATE_VERSION = '0.12.0';

/** The parts of the client whose tests need one plain server. */
const FEATURES = 'tokio-comp,connection-manager,cache-aio';

/** JSON on the standard output, but what the compiler has to say elsewhere. */
const MESSAGES = 'json-render-diagnostics';

/** A case of a test that is there even without the feature that it belongs to. */
const CASE_OF_FEATURE = '#[case::async_std(RuntimeType::AsyncStd)]';

/** For one test; some start several servers and wait for a connection to come back. */
const TEST_SECONDS_MAX = 30;

const LATE = { status: /** @type {const} */ ('failed'), error: `took more than ${TEST_SECONDS_MAX} seconds` };

/** Where prepare notes the test programs: a JSON object from name to path in the directory. */
const PROGRAMS_FILE = 'test-programs.json';

/**
 * redis-rs' own integration tests, from its published crate. Every test starts a server of its own.
 * @type {ClientSuite}
 */
export const redisRs = {
  version: VERSION,
  prepare: () => preparedDirectory(`redis-rs-${VERSION}`, build),
  async run({ directory, serverCommand, workDirectory, exclusions, secondsMax }) {
    const endAt = Date.now() + secondsMax * 1000;
    const binDirectory = path.join(workDirectory, 'bin');
    fs.mkdirSync(binDirectory);
    const words = serverCommand.map((word) => `'${word}'`).join(' ');
    fs.writeFileSync(path.join(binDirectory, 'redis-server'), `#!/bin/sh\nexec ${words} "$@"\n`, {
      mode: 0o755,
    });
    const environment = {
      PATH: [binDirectory, process.env.PATH].join(path.delimiter),
      REDISRS_SERVER_TYPE: 'tcp',
      RUST_BACKTRACE: '0',
    };
    const tests = /** @type {TestResult[]} */ ([]);
    for (const { name, program, test } of listTests(directory, exclusions)) {
      const secondsLeft = (endAt - Date.now()) / 1000;
      if (secondsLeft <= 0) return { tests, isInTime: false, output: `${name} and what follows was not run` };
      const { isInTime, output } = await runTestProgram(program, ['--exact', test], {
        directory: workDirectory,
        environment,
        outputPath: path.join(workDirectory, 'output'),
        secondsMax: Math.min(TEST_SECONDS_MAX, secondsLeft),
      });
      tests.push({ name, ...(isInTime ? readOutcome(output) : LATE) });
    }
    return { tests, isInTime: true, output: '' };
  },
};

/**
 * Every test is run in a process of its own: one that fails would take the next with it, through a flag that they share.
 * @param {string} directory
 * @param {import('./suite.mjs').Exclusion[]} exclusions
 * @returns {{ name: string, program: string, test: string }[]}
 */
function listTests(directory, exclusions) {
  const programs = JSON.parse(fs.readFileSync(path.join(directory, PROGRAMS_FILE), 'utf8'));
  const leftOut = exclusions.map(({ test }) => test);
  return Object.entries(programs)
    .filter(([name]) => !leftOut.includes(`${name}.rs`))
    .flatMap(([name, relativePath]) => {
      const program = path.join(directory, relativePath);
      const list = runProgram(program, ['--list', '--format', 'terse'], { directory });
      return [...list.matchAll(/^(\S+): test$/gm)].map(([, test = '']) => ({
        name: `${name}::${test}`,
        program,
        test,
      }));
    })
    .filter(({ name }) => !leftOut.includes(name));
}

/** @param {string} directory */
function build(directory) {
  const stub = path.join(directory, 'stub');
  fs.mkdirSync(path.join(stub, 'src'), { recursive: true });
  fs.writeFileSync(path.join(stub, 'src/lib.rs'), '');
  fs.writeFileSync(
    path.join(stub, 'Cargo.toml'),
    `[package]\nname = "stub"\nedition = "2021"\n[dependencies]\nredis = { version = "=${VERSION}", default-features = false }\n`,
  );
  const about = runProgram('cargo', ['metadata', '--quiet', '--format-version', '1'], { directory: stub });
  const crate = JSON.parse(about).packages.find((/** @type {any} */ { name }) => name === 'redis');
  fs.cpSync(path.dirname(crate.manifest_path), directory, { recursive: true });
  fs.rmSync(stub, { recursive: true });
  adaptManifest(path.join(directory, 'Cargo.toml'));
  replaceOnce(path.join(directory, 'tests/test_async.rs'), CASE_OF_FEATURE, '');

  const names = fs.readdirSync(path.join(directory, 'tests')).filter((file) => file.endsWith('.rs'));
  const messages = runProgram(
    'cargo',
    [
      ...['test', '--quiet', '--no-run', '--jobs', '1', '--features', FEATURES, '--message-format', MESSAGES],
      ...names.filter(isBuilt).flatMap((file) => ['--test', path.basename(file, '.rs')]),
    ],
    { directory, environment: { CARGO_PROFILE_DEV_DEBUG: '0', CARGO_TARGET_DIR: 'target' } },
  );
  const programs = messages
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line))
    .filter(({ executable }) => executable)
    .map(({ target, executable }) => [target.name, path.relative(fs.realpathSync(directory), executable)])
    .sort();
  fs.writeFileSync(path.join(directory, PROGRAMS_FILE), JSON.stringify(Object.fromEntries(programs)));
}

/** The published manifest lacks the crate that the tests start servers with, and has benchmarks that take minutes. */
function adaptManifest(/** @type {string} */ manifestPath) {
  fs.rmSync(path.join(path.dirname(manifestPath), 'Cargo.lock'));
  const sections = fs.readFileSync(manifestPath, 'utf8').split(/^(?=\[)/m);
  const kept = sections.filter((section) => !/^\[\[bench\]\]|^\[dev-dependencies\.criterion\]/.test(section));
  fs.writeFileSync(manifestPath, kept.join(''));
  // The two crates pin different ones.
  replaceOnce(manifestPath, 'version = "=3.21.0"', 'version = "3"');
  fs.appendFileSync(
    manifestPath,
    `\n[dev-dependencies.redis-test]\nversion = "=${TEST_CRATE_VERSION}"\n\n[patch.crates-io.redis]\npath = "."\n`,
  );
}

/** Whether a test file belongs to the features that are built; cluster, sentinel and module tests do not compile then. */
function isBuilt(/** @type {string} */ file) {
  return !/cluster|sentinel|module/.test(file);
}

/**
 * Reads the output of a test program that ran one test.
 * @param {string} output
 * @returns {Omit<TestResult, 'name'>}
 */
function readOutcome(output) {
  const [, result = ''] = /^test result: ok\. (.*)$/m.exec(output) ?? [];
  if (result.startsWith('1 passed')) return { status: 'passed' };
  if (result.includes('1 ignored')) return { status: 'skipped' };
  // The first panic: the one of the test itself may only say that there was one.
  const [, message = ''] =
    /panicked at .*\n([\s\S]*?)(?=\nnote: |\n\n|\nthread |\nPanic: |$)/.exec(output) ?? [];
  return { status: 'failed', error: message.replace(/\s+/g, ' ').trim() || 'no message' };
}
