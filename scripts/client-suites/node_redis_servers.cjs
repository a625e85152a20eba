// Stands in for test-utils/lib/dockers.ts of node-redis: starts the server under test instead of a container.
const { spawn } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const net = require('node:net');
const path = require('node:path');

const COMMAND = JSON.parse(process.env.RESPITE_SERVER_COMMAND ?? '[]');
const DIRECTORY = process.env.RESPITE_SERVER_DIRECTORY ?? '';

/** How often the port of a starting server is tried. */
const CONNECT_INTERVAL_MILLISECONDS = 50;

/**
 * The servers that run, by their arguments: tests that name the same array share one.
 * @type {Map<string[], Promise<{ port: number, stop: () => void }>>}
 */
const servers = new Map();

/**
 * @param {unknown} _image
 * @param {string[]} serverArguments
 */
exports.spawnRedisServer = (_image, serverArguments) => {
  const running = servers.get(serverArguments) ?? start(serverArguments);
  servers.set(serverArguments, running);
  return running;
};

/** A cluster is not there yet: without one, a test of it skips itself. */
exports.spawnRedisCluster = () => undefined;

/** @param {string[]} serverArguments */
async function start(serverArguments) {
  const port = await findFreePort();
  const directory = fs.mkdtempSync(path.join(DIRECTORY, 'server-'));
  const [program, ...programArguments] = COMMAND;
  const settings = ['--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--dir', directory];
  const child = spawn(program, [...programArguments, ...settings, ...serverArguments], { stdio: 'ignore' });
  await once(child, 'spawn');
  while (!(await accepts(port))) {
    if (child.exitCode !== null) throw new Error(`${program} does not start`);
    await new Promise((resolve) => setTimeout(resolve, CONNECT_INTERVAL_MILLISECONDS));
  }
  return { port, stop: () => child.kill('SIGKILL') };
}

after(async () => {
  for (const server of servers.values()) (await server).stop();
});

async function findFreePort() {
  const listener = net.createServer().listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address();
  listener.close();
  await once(listener, 'close');
  return port;
}

function accepts(port) {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(socket.destroy() && true));
    socket.once('error', () => resolve(false));
  });
}
