import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Connection } from './connection.mjs';

const REPOSITORY = fileURLToPath(new URL('..', import.meta.url));
/** How long a server may take to listen and to load its data. */
const START_MS_MAX = 120_000;

/**
 * A server program that can be started.
 * @typedef {object} Program
 * @property {string} name  as the tables show it
 * @property {string} version
 * @property {string} executable
 * @property {string[]} args  those that come before the server's own
 */

/** @returns {Program} */
export function respite() {
  const main = path.join(REPOSITORY, 'dist/main.js');
  if (!existsSync(main)) throw new Error(`${main} is not there: run npm run build`);
  return {
    name: 'Respite',
    version: `${revision()}, Node.js ${process.version}`,
    executable: process.execPath,
    args: [main],
  };
}

/** The commit that is checked out, or what package.json says where there is no repository. */
function revision() {
  try {
    return firstLineOf('git', ['-C', REPOSITORY, 'describe', '--always', '--dirty']);
  } catch {
    return JSON.parse(readFileSync(path.join(REPOSITORY, 'package.json'), 'utf8')).version;
  }
}

/**
 * @param {string | undefined} executable  by default redis-server 8.0 of scripts/install-peers
 * @returns {Program}
 */
export function peer(executable) {
  const file = executable ?? path.join(toolsDirectory(), 'redis-server');
  const line = firstLineOf(file, ['--version']);
  const version = /\bv=?(\d+\.\d+\.\d+)/.exec(line)?.[1] ?? 'of unknown version';
  return { name: path.basename(file), version, executable: file, args: [] };
}

/** The directory that has redis-benchmark. */
export function toolsDirectory() {
  try {
    return firstLineOf(path.join(REPOSITORY, 'scripts/install-peers'), ['--path', '8.0']);
  } catch (cause) {
    throw new Error('redis-benchmark 8.0 is not there: run scripts/install-peers', { cause });
  }
}

/** A running server under test: no persistence, a port and directory of its own. */
export class RunningServer {
  /**
   * @param {Program} program
   * @param {import('node:child_process').ChildProcess} child
   * @param {number} port
   * @param {string} directory
   */
  constructor(program, child, port, directory) {
    this.program = program;
    this.child = child;
    this.port = port;
    this.directory = directory;
    this.pid = /** @type {number} */ (child.pid);
  }

  /**
   * Starts a server and waits until it answers.
   * @param {Program} program
   * @param {readonly string[]} [options]  further ones of its command line, whose word is the last
   * @param {(directory: string) => void} [prepare]  puts files into its folder
   */
  static async start(program, options = [], prepare = () => {}) {
    const port = await freePort();
    const directory = mkdtempSync(path.join(tmpdir(), 'respite-bench-'));
    prepare(directory);
    const args = [
      '--port',
      String(port),
      '--bind',
      '127.0.0.1',
      '--dir',
      directory,
      '--save',
      '',
      '--appendonly',
      'no',
      ...options,
    ];
    const child = spawn(program.executable, [...program.args, ...args], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const server = new RunningServer(program, child, port, directory);
    running.add(server);
    await server.#listening();
    return server;
  }

  /**
   * @template Result
   * @param {(connection: Connection) => Promise<Result>} use
   */
  async withConnection(use) {
    const connection = await Connection.open(this.port);
    try {
      return await use(connection);
    } finally {
      connection.close();
    }
  }

  /**
   * The commands among `names` that the server does not have.
   * @param {readonly string[]} names
   */
  async unknownCommands(names) {
    /** @type {string[]} */
    const unknown = [];
    await this.withConnection(async (connection) => {
      for (const name of names) {
        // Without arguments nothing happens: it is an arity error, or an unknown command.
        const reply = await connection.ask(name).catch((/** @type {Error} */ problem) => problem.message);
        if (String(reply).startsWith('ERR unknown command')) unknown.push(name);
      }
    });
    return unknown;
  }

  async stop() {
    running.delete(this);
    if (this.child.exitCode === null && this.child.signalCode === null) {
      const ended = once(this.child, 'exit');
      this.child.kill('SIGKILL');
      await ended;
    }
    rmSync(this.directory, { recursive: true, force: true });
  }

  async #listening() {
    const end = Date.now() + START_MS_MAX;
    for (;;) {
      try {
        await this.withConnection((connection) => connection.ask('PING'));
        return;
      } catch (cause) {
        if (this.child.exitCode !== null)
          throw new Error(`${this.program.executable} ended at once`, { cause });
        if (Date.now() > end) throw new Error(`${this.program.executable} does not listen`, { cause });
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
  }
}

/** Servers that would be left over if the benchmark ended now. @type {Set<RunningServer>} */
const running = new Set();

/** Ends all servers, however the benchmark ends. */
process.on('exit', () => {
  for (const server of running) {
    server.child.kill('SIGKILL');
    rmSync(server.directory, { recursive: true, force: true });
  }
});
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM'])) process.on(signal, () => process.exit(1));

async function freePort() {
  const listener = createServer().listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = /** @type {import('node:net').AddressInfo} */ (listener.address());
  listener.close();
  await once(listener, 'close');
  return port;
}

/**
 * @param {string} file
 * @param {string[]} args
 */
function firstLineOf(file, args) {
  return execFileSync(file, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).split('\n')[0];
}
