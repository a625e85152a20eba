import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

/** The checkout that this script belongs to. */
export const REPOSITORY_ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Data files of the scoreboard, committed. */
export const COMPAT_DIRECTORY = path.join(REPOSITORY_ROOT, 'tests/compat');

const HELP = `Usage: scripts/run-tcl-suite [options]

Runs the official Redis 8.0 Tcl suite, file by file, with a server of ours in the place of src/redis-server.
The suite and the tools beside the server come from scripts/install-peers.

  --file GLOB      a test file such as unit/type/incr or 'unit/type/*' ("**" also crosses a "/"); may be repeated
  --only NAME      run only the test of this name (or /regular expression); may be repeated
  --server PATH    the server: a .js file is run with this node, anything else directly (default: dist/main.js)
  --timeout S      seconds that one file may take (default 900)
  --stall S        seconds that one test may take before its servers are killed, so that the rest of the file goes on
                   (default 180)
  --jobs N         files at a time, each with ports of its own (default 1)
  --all            also run the tests of tests/compat/tcl-c-internals.tsv, which need jemalloc or C assertions
  --floor FILE     run the files that FILE names (file<TAB>passed; or those of --file) and exit 1 when one passes fewer
                   tests than its floor; a file that does is run a second time first
  --raise-floor    write what passed into the floor file (default tests/compat/tcl-floor.tsv) where it is more
  --json PATH      write the results there
  --full-errors    print whole failures (default: the first lines)
  --keep           keep the private copies with logs and data of every server, and print where they are
  --help

Exit code: 0 when the suite ran, 1 when a floor was not reached or a file could not run, 2 for wrong arguments.
With --only every failed test also makes it 1.`;

/**
 * @typedef {object} Options
 * @property {string[]} fileGlobs  empty: every file
 * @property {string[]} onlyTests  empty: every test
 * @property {string} server  absolute path
 * @property {number} fileSecondsMax
 * @property {number} testSecondsMax
 * @property {number} jobs
 * @property {boolean} includeCInternals
 * @property {string | undefined} floorPath  the file to compare with
 * @property {string | undefined} raisedFloorPath  the file to write
 * @property {string | undefined} jsonPath
 * @property {boolean} fullErrors
 * @property {boolean} keepCopies
 */

/**
 * Reads the arguments.
 * @param {string[]} argv
 * @returns {Options | { exitCode: number }}  an exit code when there is nothing to run (help printed, or a mistake)
 */
export function parseCommandLine(argv) {
  let values;
  try {
    values = parseArgs({
      args: argv,
      options: {
        file: { type: 'string', multiple: true, default: [] },
        only: { type: 'string', multiple: true, default: [] },
        server: { type: 'string', default: path.join(REPOSITORY_ROOT, 'dist/main.js') },
        timeout: { type: 'string', default: '900' },
        stall: { type: 'string', default: '180' },
        jobs: { type: 'string', default: '1' },
        all: { type: 'boolean', default: false },
        floor: { type: 'string' },
        'raise-floor': { type: 'boolean', default: false },
        json: { type: 'string' },
        'full-errors': { type: 'boolean', default: false },
        keep: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }).values;
    if (values.help) {
      process.stdout.write(`${HELP}\n`);
      return { exitCode: 0 };
    }
    if (values.only.length > 0 && (values.floor !== undefined || values['raise-floor'])) {
      throw new Error('--only runs parts of files, which no floor can be compared with');
    }
    const floorPath = values.floor && path.resolve(values.floor);
    return {
      fileGlobs: values.file,
      onlyTests: values.only,
      server: path.resolve(values.server),
      fileSecondsMax: positiveInteger(values.timeout, '--timeout'),
      testSecondsMax: positiveInteger(values.stall, '--stall'),
      jobs: positiveInteger(values.jobs, '--jobs'),
      includeCInternals: values.all,
      floorPath,
      raisedFloorPath: values['raise-floor']
        ? (floorPath ?? path.join(COMPAT_DIRECTORY, 'tcl-floor.tsv'))
        : undefined,
      jsonPath: values.json && path.resolve(values.json),
      fullErrors: values['full-errors'],
      keepCopies: values.keep,
    };
  } catch (error) {
    process.stderr.write(`run-tcl-suite: ${/** @type {Error} */ (error).message}\nTry --help.\n`);
    return { exitCode: 2 };
  }
}

/**
 * @param {string} text
 * @param {string} option
 */
function positiveInteger(text, option) {
  if (!/^[1-9][0-9]*$/.test(text)) throw new Error(`${option} wants a positive integer, not '${text}'`);
  return Number(text);
}
