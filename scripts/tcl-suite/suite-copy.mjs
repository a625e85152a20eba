import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { REPOSITORY_ROOT } from './command-line.mjs';

const OVERLAY = fileURLToPath(new URL('overlay.tcl', import.meta.url));

/** Upstream's test directories, in the order of its harness. moduleapi is not among them: it needs C modules. */
const TEST_DIRECTORIES = ['unit', 'unit/type', 'unit/cluster', 'integration'];

/** The line of tests/test_helper.tcl before which the overlay is sourced: all procedures exist by then. */
const OVERLAY_ANCHOR = '\nif {$::client} {\n';

/** Programs that the tests run and that stay the real ones. */
const REAL_TOOLS = ['redis-cli', 'redis-benchmark'];

/** Programs that are ours when the server is, by what they are called next to it. */
const CHECK_TOOLS = { 'redis-check-aof': 'check-aof.js', 'redis-check-rdb': 'check-rdb.js' };

/**
 * Where the peers are.
 * @returns {{ source: string, bin: string }}
 * @throws when scripts/install-peers has not been run
 */
export function findSuite() {
  const installPeers = path.join(REPOSITORY_ROOT, 'scripts/install-peers');
  /** @param {string[]} args */
  const ask = (...args) => execFileSync(installPeers, args, { encoding: 'utf8' }).trim();
  return { source: ask('--source'), bin: ask('--path', '8.0') };
}

/**
 * The test files of a suite, named as the harness names them ("unit/type/incr").
 * @param {string} source
 */
export function listTestFiles(source) {
  return TEST_DIRECTORIES.flatMap((directory) =>
    fs
      .readdirSync(path.join(source, 'tests', directory))
      .filter((name) => name.endsWith('.tcl'))
      .sort()
      .map((name) => `${directory}/${path.basename(name, '.tcl')}`),
  );
}

/**
 * Makes a private copy of the suite with our server in it. The path is short because unix sockets in it must stay below
 * 108 bytes.
 *
 *   copy/tests/            upstream's, with the overlay sourced from test_helper.tcl
 *   copy/src/redis-server  a script that execs the server, so that the pid which Tcl sees is the server's own
 *   copy/src/redis-check-… ours, the same way
 *   copy/src/redis-cli …   the real ones
 *
 * @param {{ source: string, bin: string }} suite
 * @param {string} server  absolute path
 * @returns {string} the directory
 */
export function makeSuiteCopy(suite, server) {
  const copy = fs.mkdtempSync(path.join(os.tmpdir(), 'rts-'));
  const sourceTests = path.join(suite.source, 'tests');
  fs.cpSync(sourceTests, path.join(copy, 'tests'), {
    recursive: true,
    filter: (from) => path.relative(sourceTests, from) !== 'modules',
  });
  fs.mkdirSync(path.join(copy, 'tests/tmp'), { recursive: true });
  fs.mkdirSync(path.join(copy, 'src'));
  for (const tool of REAL_TOOLS) fs.symlinkSync(path.join(suite.bin, tool), path.join(copy, 'src', tool));
  writeLauncher(path.join(copy, 'src/redis-server'), server);
  for (const [name, ours] of Object.entries(CHECK_TOOLS)) {
    const tool = path.join(path.dirname(server), ours);
    if (fs.existsSync(tool)) writeLauncher(path.join(copy, 'src', name), tool);
    else fs.symlinkSync(path.join(suite.bin, name), path.join(copy, 'src', name));
  }

  const helperPath = path.join(copy, 'tests/test_helper.tcl');
  const helper = fs.readFileSync(helperPath, 'utf8');
  if (helper.split(OVERLAY_ANCHOR).length !== 2) {
    throw new Error(`${helperPath} is not the harness we know: no single place for the overlay`);
  }
  fs.writeFileSync(
    helperPath,
    helper.replace(OVERLAY_ANCHOR, () => `\nsource {${OVERLAY}}\n${OVERLAY_ANCHOR}`),
  );
  return copy;
}

/**
 * Writes a script that becomes a program.
 * @param {string} file
 * @param {string} program  absolute path
 */
function writeLauncher(file, program) {
  const command = serverCommand(program).map(shellQuote).join(' ');
  fs.writeFileSync(file, `#!/bin/sh\nexec ${command} "$@"\n`, { mode: 0o755 });
}

/**
 * The command that starts a server: a JavaScript file is run with this node, anything else is a program.
 * @param {string} server  absolute path
 */
export function serverCommand(server) {
  return /\.[cm]?js$/.test(server) ? [process.execPath, server] : [server];
}

/** @param {string} text */
function shellQuote(text) {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
