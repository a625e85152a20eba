import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { serverCommand } from '../tcl-suite/suite-copy.mjs';

/** A loaded machine may take seconds to start a server. */
const START_MILLISECONDS_MAX = 30_000;

/** How often the port of a starting server is tried. */
const CONNECT_INTERVAL_MILLISECONDS = 50;

/** Characters of a server's log that are shown when it does not start. */
const LOG_TAIL_LENGTH = 2000;

/**
 * A server that was started for one run.
 *
 * @typedef {object} RunningServer
 * @property {number} port  on the loopback interface
 * @property {string} socketPath  its unix socket
 * @property {() => boolean} hasDied  by itself: not because of stop
 * @property {() => string} logTail  the end of its log, kept when its directory is removed
 * @property {() => void} stop  kills it and removes its directory; synchronous, and harmless the second time
 */

/**
 * Starts a server with an empty data set on a free port, in a directory of its own.
 * @param {string} server  absolute path
 * @returns {Promise<RunningServer>}
 * @throws when it ends or does not accept connections in time
 */
export async function startServer(server) {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'rcs-'));
  const port = await findFreePort();
  const socketPath = path.join(directory, 'socket');
  const logPath = path.join(directory, 'log');
  const logFile = fs.openSync(logPath, 'w');
  const [program = '', ...programArguments] = serverCommand(server);
  // A file and not arguments: clients test CONFIG REWRITE.
  const configPath = path.join(directory, 'redis.conf');
  const settings = [
    ...[`port ${port}`, 'bind 127.0.0.1', `unixsocket ${socketPath}`, `dir ${directory}`],
    ...['save ""', 'enable-debug-command yes'],
  ];
  fs.writeFileSync(configPath, `${settings.join('\n')}\n`);
  const child = spawn(program, [...programArguments, configPath], {
    cwd: directory,
    stdio: ['ignore', logFile, logFile],
  });
  fs.closeSync(logFile);
  const isAlive = () => child.exitCode === null && child.signalCode === null;
  let isStopped = false;
  let diedAlone = false;
  let log = '';
  const stop = () => {
    if (isStopped) return;
    isStopped = true;
    diedAlone = !isAlive();
    log = fs.readFileSync(logPath, 'utf8').slice(-LOG_TAIL_LENGTH);
    child.kill('SIGKILL');
    fs.rmSync(directory, { recursive: true, force: true });
  };
  const hasDied = () => (isStopped ? diedAlone : !isAlive());
  const logTail = () => (isStopped ? log : fs.readFileSync(logPath, 'utf8').slice(-LOG_TAIL_LENGTH));
  await once(child, 'spawn');
  const deadline = Date.now() + START_MILLISECONDS_MAX;
  while (!(await accepts(port))) {
    if (!isAlive() || Date.now() > deadline) {
      stop();
      throw new Error(`${server} does not start:\n${logTail()}`);
    }
    await delay(CONNECT_INTERVAL_MILLISECONDS);
  }
  return { port, socketPath, hasDied, logTail, stop };
}

/** @returns {Promise<number>} a port that nobody listened on a moment ago */
async function findFreePort() {
  const listener = net.createServer().listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const address = listener.address();
  listener.close();
  await once(listener, 'close');
  if (address === null || typeof address === 'string') throw new Error('a TCP listener has no port');
  return address.port;
}

/**
 * @param {number} port
 * @returns {Promise<boolean>}
 */
function accepts(port) {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
