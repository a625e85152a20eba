import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { SERVER_PORTS_PER_SLOT, takePortSlot } from './ports.mjs';
import { killProcesses, listRunProcesses } from './processes.mjs';
import { makeSuiteCopy } from './suite-copy.mjs';

/** How often the events of the harness are read. */
const POLL_INTERVAL_MS = 250;

/** Characters of a server's stderr that are kept: its last ones. */
const SERVER_STDERR_LENGTH_MAX = 3000;

/** The harness has a limit without progress of its own; ours come first. */
const HARNESS_TIMEOUT_SECONDS = 1_000_000;

/**
 * @typedef {'passed' | 'failed' | 'skipped' | 'ignored'} TestStatus
 *   skipped: not asked for (--only) or excluded; ignored: the suite itself leaves it out (--large-memory and the like)
 * @typedef {{ name: string, status: TestStatus, elapsedMs: number, error?: string }} TestResult
 *
 * @typedef {object} FileResult
 * @property {string} file
 * @property {'done' | 'aborted' | 'timeout'} ending  aborted: an exception outside every test and every server block
 * @property {TestResult[]} tests
 * @property {string[]} outsideErrors  what went wrong between tests, e.g. a server that does not start
 * @property {string[]} stalledTests  tests whose servers were killed because they took too long
 * @property {string[]} serverErrors  what the servers wrote to stderr, each once
 * @property {number} seconds
 * @property {string | undefined} keptCopy  the private copy, when it was kept
 *
 * @typedef {object} FileRunOptions
 * @property {{ source: string, bin: string }} suite
 * @property {string} server
 * @property {string[]} onlyTests
 * @property {string[]} skippedTests  names, or /regular expressions
 * @property {number} fileSecondsMax
 * @property {number} testSecondsMax
 * @property {boolean} keepCopies
 */

/** Runs that are under way, for an interrupt to end. */
const activeRuns = /** @type {Set<{ groupId: number, copy: string }>} */ (new Set());

/** Ends everything that was started and removes it from the disk. Synchronous: for the end of this process. */
export function abandonActiveRuns() {
  for (const { groupId, copy } of activeRuns) {
    endRunProcesses(groupId, copy);
    fs.rmSync(copy, { recursive: true, force: true });
  }
}

/**
 * Runs one test file in a private copy of the suite.
 * @param {string} file  as the harness names it: "unit/type/incr"
 * @param {FileRunOptions} options
 * @returns {Promise<FileResult>}
 */
export async function runTestFile(file, options) {
  const ports = await takePortSlot();
  const copy = makeSuiteCopy(options.suite, options.server);
  const eventsPath = path.join(copy, 'events.jsonl');
  fs.writeFileSync(eventsPath, '');
  const output = fs.openSync(path.join(copy, 'harness.log'), 'w');
  const startedAt = Date.now();
  // Detached: a process group of its own, which can be killed as a whole.
  const harness = spawn('tclsh', harnessArguments(file, ports.basePort, copy, options), {
    cwd: copy,
    detached: true,
    stdio: ['ignore', output, output],
    env: { ...process.env, RESPITE_TCL_EVENTS: eventsPath, TERM: 'dumb' },
  });
  fs.closeSync(output);
  try {
    await once(harness, 'spawn');
    const groupId = /** @type {number} */ (harness.pid);
    const run = { groupId, copy };
    activeRuns.add(run);
    const record = new RunRecord(eventsPath);
    const cutOff = await watch(harness, groupId, copy, record, options);
    record.readNewEvents();
    endRunProcesses(groupId, copy);
    activeRuns.delete(run);
    const aborted = cutOff === undefined && !record.isDone;
    if (aborted && record.exception === undefined) {
      record.outsideErrors.push(`the harness ended early:\n${readTail(path.join(copy, 'harness.log'))}`);
    }
    record.failTestsInProgress(cutOff ?? 'the file was aborted');
    return {
      file,
      ending: cutOff !== undefined ? 'timeout' : aborted ? 'aborted' : 'done',
      tests: record.tests,
      outsideErrors: record.outsideErrors,
      stalledTests: record.stalledTests,
      serverErrors: collectServerErrors(copy),
      seconds: Math.round((Date.now() - startedAt) / 100) / 10,
      keptCopy: options.keepCopies ? copy : undefined,
    };
  } finally {
    ports.release();
    if (!options.keepCopies) fs.rmSync(copy, { recursive: true, force: true });
  }
}

/**
 * @param {string} file
 * @param {number} basePort
 * @param {string} copy
 * @param {FileRunOptions} options
 */
function harnessArguments(file, basePort, copy, options) {
  const skipFile = path.join(copy, 'skipped-tests');
  fs.writeFileSync(skipFile, options.skippedTests.map((test) => `${test}\n`).join(''));
  return [
    'tests/test_helper.tcl',
    ...['--single', file, '--clients', '1', '--durable', '--dont-clean', '--dont-pre-clean'],
    ...['--baseport', String(basePort), '--portcount', String(SERVER_PORTS_PER_SLOT)],
    ...['--timeout', String(HARNESS_TIMEOUT_SECONDS), '--skipfile', skipFile],
    ...options.onlyTests.flatMap((test) => ['--only', test]),
  ];
}

/**
 * Follows the harness to its end, or to the time limit of the file. A test that takes too long loses its servers: the
 * Tcl client that waits for a reply then gets an error, and the file goes on with the next server. A few wait for ever
 * even then: that ends the file.
 *
 * @param {import('node:child_process').ChildProcess} harness
 * @param {number} groupId
 * @param {string} copy
 * @param {RunRecord} record
 * @param {FileRunOptions} options
 * @returns {Promise<string | undefined>} why it was cut off, if it did not end by itself
 */
async function watch(harness, groupId, copy, record, options) {
  const ended = once(harness, 'exit').then(() => 'ended');
  const deadline = Date.now() + options.fileSecondsMax * 1000;
  for (;;) {
    const outcome = await Promise.race([ended, pause(POLL_INTERVAL_MS)]);
    if (outcome === 'ended') return undefined;
    record.readNewEvents();
    if (Date.now() > deadline) return `the file took over ${options.fileSecondsMax} s`;
    if (Date.now() - record.lastEventAt > options.testSecondsMax * 1000) {
      record.noteStall();
      const others = listRunProcesses(groupId, copy).filter(({ isTcl }) => !isTcl);
      if (others.length === 0) return 'it waited for ever, though its servers were gone';
      killProcesses(others.map(({ pid }) => pid));
    }
  }
}

/** @param {number} milliseconds */
function pause(milliseconds) {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
  });
}

/**
 * @param {number} groupId
 * @param {string} copy
 */
function endRunProcesses(groupId, copy) {
  killProcesses([-groupId]);
  killProcesses(listRunProcesses(groupId, copy).map(({ pid }) => pid));
}

/** What the harness has reported so far (events of overlay.tcl). */
class RunRecord {
  tests = /** @type {TestResult[]} */ ([]);
  outsideErrors = /** @type {string[]} */ ([]);
  stalledTests = /** @type {string[]} */ ([]);
  exception = /** @type {string | undefined} */ (undefined);
  isDone = false;
  lastEventAt = Date.now();
  /** Tests that have begun and not ended, the innermost last: a few tests of the suite hold another. */
  #testsInProgress = /** @type {string[]} */ ([]);
  #eventsPath;
  #offset = 0;
  #partialLine = '';

  /** @param {string} eventsPath */
  constructor(eventsPath) {
    this.#eventsPath = eventsPath;
  }

  readNewEvents() {
    const size = fs.statSync(this.#eventsPath).size;
    if (size === this.#offset) return;
    const bytes = Buffer.alloc(size - this.#offset);
    const file = fs.openSync(this.#eventsPath, 'r');
    fs.readSync(file, bytes, 0, bytes.length, this.#offset);
    fs.closeSync(file);
    this.#offset = size;
    const lines = (this.#partialLine + bytes.toString('latin1')).split('\n');
    this.#partialLine = lines.pop() ?? '';
    for (const line of lines) this.#take(JSON.parse(line));
    this.lastEventAt = Date.now();
  }

  noteStall() {
    this.stalledTests.push(this.#testsInProgress.at(-1) ?? '(between tests)');
    this.lastEventAt = Date.now();
  }

  /** @param {string} why */
  failTestsInProgress(why) {
    for (const name of this.#testsInProgress.splice(0).reverse()) {
      this.tests.push({ name, status: 'failed', elapsedMs: 0, error: why });
    }
  }

  /** @param {{ status: string, text: string, elapsedMs: number }} event */
  #take({ status, text, elapsedMs }) {
    // After "done" the harness goes away, and its client may complain about that.
    if (this.isDone) return;
    switch (status) {
      case 'testing':
        this.#testsInProgress.push(text);
        break;
      case 'ok':
        this.#testsInProgress.pop();
        this.tests.push({ name: text, status: 'passed', elapsedMs });
        break;
      case 'skip':
        this.tests.push({ name: text, status: 'skipped', elapsedMs });
        break;
      case 'ignore':
        this.tests.push({ name: text, status: 'ignored', elapsedMs });
        break;
      case 'err':
        this.#takeError(text, elapsedMs);
        break;
      case 'exception':
        this.exception = text;
        this.outsideErrors.push(text);
        break;
      case 'done':
        this.isDone = true;
        break;
      default:
        throw new Error(`overlay.tcl sent an unknown event ${status}`);
    }
  }

  /**
   * A failed test reports "<name> in tests/<file>.tcl" and why; anything else went wrong around the tests.
   * @param {string} text
   * @param {number} elapsedMs
   */
  #takeError(text, elapsedMs) {
    const name = this.#testsInProgress.at(-1);
    if (name === undefined || !text.startsWith(`${name} in tests/`)) {
      this.outsideErrors.push(text);
      return;
    }
    this.#testsInProgress.pop();
    const lines = text.slice(text.indexOf('\n', name.length) + 1).split('\n');
    // Of an exception upstream gives the message without its first ten characters, and then as a whole.
    if (lines[0] !== undefined && lines[1]?.endsWith(lines[0])) lines.shift();
    this.tests.push({ name, status: 'failed', elapsedMs, error: lines.join('\n') });
  }
}

/** @param {string} copy */
function collectServerErrors(copy) {
  const directory = path.join(copy, 'tests/tmp');
  const errors = fs
    .readdirSync(directory)
    .filter((name) => name.startsWith('server.'))
    .map((name) => readTail(path.join(directory, name, 'stderr')))
    .filter((text) => text !== '');
  return [...new Set(errors)];
}

/** @param {string} filePath */
function readTail(filePath) {
  if (!fs.existsSync(filePath)) return '';
  return fs.readFileSync(filePath, 'utf8').slice(-SERVER_STDERR_LENGTH_MAX).trim();
}
