/**
 * A real redis-server 8.0 (installed by scripts/install-peers) for tests that compare with it.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { byteStringOf } from '../../src/config/byte-string.js';

function installPeers(option: string, ...args: string[]): string | undefined {
  try {
    const script = new URL('../../scripts/install-peers', import.meta.url).pathname;
    return execFileSync(script, [option, ...args], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return undefined;
  }
}

const bin = installPeers('--path', '8.0');

/** The path of redis-server 8.0, or undefined when it is not installed. */
export const realServerExecutable = bin === undefined ? undefined : join(bin, 'redis-server');

/** The directory of the source tree of redis-server 8.0, or undefined when it is not installed. */
export const realServerSource = installPeers('--source');

/** A real server that accepts connections. */
export interface RealServer {
  readonly client: Redis;
  readonly port: number;
  stop(): Promise<void>;
}

/** What a server printed that ended instead of accepting connections. */
export interface Refusal {
  readonly message: string;
}

/** Makes a temporary directory, and the function that removes it again. */
export function temporaryDirectory(): { directory: string; remove: () => void } {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'respite-')));
  return { directory, remove: () => rmSync(directory, { recursive: true, force: true }) };
}

/** A port that nobody listens on (yet). */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

/**
 * Starts a real server in a directory on a free port, for which the word PORT stands in the arguments.
 * Another process may take that port first; then another one is tried.
 */
export async function startRealServer(
  directory: string,
  args: readonly string[],
  stdin = '',
): Promise<{ server: RealServer | Refusal; port: number }> {
  for (;;) {
    const port = await freePort();
    const server = await startOnPort(directory, fillInPort(args, port), port, stdin);
    if (!('message' in server) || !server.message.includes('Failed listening on port'))
      return { server, port };
  }
}

/** The arguments with a port in place of the word PORT. */
export function fillInPort(args: readonly string[], port: number): string[] {
  return args.map((arg) => arg.replaceAll('PORT', String(port)));
}

async function startOnPort(
  cwd: string,
  args: readonly string[],
  port: number,
  stdin: string,
): Promise<RealServer | Refusal> {
  if (realServerExecutable === undefined) throw new Error('no redis-server 8.0');
  const process = spawn(realServerExecutable, args, {
    cwd,
    stdio: [stdin === '' ? 'ignore' : 'pipe', 'pipe', 'pipe'],
  });
  process.stdin?.end(stdin);
  let output = '';
  const isReady = new Promise<boolean>((resolve) => {
    process.stdout?.on('data', (chunk) => {
      output += chunk;
      if (output.includes('Ready to accept connections tcp')) resolve(true);
    });
    process.stderr?.on('data', (chunk) => {
      output += chunk;
    });
    process.on('close', () => resolve(false));
  });
  if (!(await isReady)) return { message: output };
  const client = new Redis({ port, host: '127.0.0.1' });
  return { client, port, stop: () => stop(process, client) };
}

async function stop(process: ChildProcess, client: Redis): Promise<void> {
  client.disconnect();
  if (process.exitCode !== null || process.signalCode !== null) return;
  process.kill('SIGKILL');
  await once(process, 'close');
}

/** A command's reply as texts that stand for bytes, an error's words included. */
export async function call(client: Redis, ...args: string[]): Promise<string[]> {
  try {
    const reply: unknown = await client.callBuffer(
      args[0],
      ...args.slice(1).map((arg) => Buffer.from(arg, 'latin1')),
    );
    return [reply].flat().map((part) => (part instanceof Buffer ? byteStringOf(part) : String(part)));
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  }
}
