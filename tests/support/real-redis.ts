/**
 * A real redis-server, the oracle of what Redis does.
 *
 * It comes from `scripts/install-peers`. A test that needs it fails without it, rather than passing for nothing.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { byteStringOf } from '../../src/config/byte-string.js';

/** What a server printed that ended instead of accepting connections. */
export interface Refusal {
  readonly message: string;
}

const NO_PERSISTENCE = ['--save', '', '--appendonly', 'no'];

function installedPeers(...args: readonly string[]): string {
  const script = new URL('../../scripts/install-peers', import.meta.url).pathname;
  try {
    return execFileSync(script, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();
  } catch (cause) {
    throw new Error('this test compares with redis-server: run scripts/install-peers first', { cause });
  }
}

/** The directory of redis-server's programs, 8.0 or 7.0. Throws with what to do when they are not installed. */
export function realRedisDirectory(version = '8.0'): string {
  return installedPeers('--path', version);
}

/** The directory of the source tree of redis-server 8.0. Throws with what to do when it is not installed. */
export function realRedisSource(): string {
  return installedPeers('--source');
}

/** Makes a temporary directory, and the function that removes it again. */
export function temporaryDirectory(): { directory: string; remove: () => void } {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'respite-')));
  return { directory, remove: () => rmSync(directory, { recursive: true, force: true }) };
}

/** The arguments with a port in place of the word PORT. */
export function fillInPort(args: readonly string[], port: number): string[] {
  return args.map((arg) => arg.replaceAll('PORT', String(port)));
}

/** Where a server is. */
interface Place {
  readonly directory: string;
  /** '' when it does not listen on a Unix socket. */
  readonly socketPath: string;
  /** 0 when it does not listen on a port. */
  readonly port: number;
  /** Called when the server has been stopped. */
  readonly remove?: (() => void) | undefined;
}

/** A running redis-server and a RESP2 client of it. */
export class RealRedis {
  readonly client: Redis;
  readonly directory: string;
  readonly socketPath: string;
  readonly port: number;

  private constructor(
    private readonly process: ChildProcess,
    private readonly place: Place,
  ) {
    const { directory, socketPath, port } = place;
    this.directory = directory;
    this.socketPath = socketPath;
    this.port = port;
    const address = socketPath === '' ? { host: '127.0.0.1', port } : { path: socketPath };
    this.client = new Redis({ ...address, maxRetriesPerRequest: 0 });
  }

  /**
   * Starts a server without persistence on a Unix socket in a directory of its own, with further arguments such as
   * `'--zset-max-listpack-entries', '0'`.
   */
  static start(...args: readonly string[]): Promise<RealRedis> {
    return RealRedis.startVersion('8.0', args);
  }

  /** The same for one of the versions that are installed. */
  static async startVersion(version: '7.0' | '8.0', args: readonly string[]): Promise<RealRedis> {
    const { directory, remove } = temporaryDirectory();
    const socketPath = join(directory, 'socket');
    const own = ['--port', '0', '--unixsocket', socketPath, '--dir', directory, ...NO_PERSISTENCE];
    const launched = await launch(directory, [...own, ...args], '', version);
    if (!('message' in launched)) {
      return new RealRedis(launched, { directory, socketPath, port: 0, remove });
    }
    remove();
    throw new Error(`redis-server did not start:\n${launched.message}`);
  }

  /** As `start`, on a free port. */
  static async startOnPort(...args: readonly string[]): Promise<RealRedis> {
    const { directory, remove } = temporaryDirectory();
    const own = ['--port', 'PORT', ...NO_PERSISTENCE, ...args];
    const { server } = await RealRedis.startIn(directory, own, '', remove);
    if (!('message' in server)) return server;
    remove();
    throw new Error(`redis-server did not start:\n${server.message}`);
  }

  /**
   * Starts a server as the arguments say in a directory that there is, on a free port, for which the word PORT stands in
   * the arguments. Another process may take that port first; then another one is tried.
   */
  static async startIn(
    directory: string,
    args: readonly string[],
    stdin = '',
    remove?: () => void,
  ): Promise<{ server: RealRedis | Refusal; port: number }> {
    for (;;) {
      const port = await freePort();
      const launched = await launch(directory, fillInPort(args, port), stdin);
      if (!('message' in launched)) {
        return { server: new RealRedis(launched, { directory, socketPath: '', port, remove }), port };
      }
      if (!launched.message.includes('Failed listening on port')) return { server: launched, port };
    }
  }

  /** Sends commands in one pipeline; each answer is the reply, or the text of the error. */
  async answers(commands: readonly (readonly (string | Buffer)[])[]): Promise<unknown[]> {
    const pipeline = this.client.pipeline();
    for (const [name, ...args] of commands) pipeline.call(String(name), ...args);
    const results = (await pipeline.exec()) ?? [];
    return results.map(([error, reply]) => (error === null ? reply : error.message));
  }

  /** Stops the server, and removes its directory if it was made for it. */
  async stop(): Promise<void> {
    this.client.disconnect();
    if (this.process.exitCode === null && this.process.signalCode === null) {
      const hasEnded = once(this.process, 'close');
      this.process.kill('SIGKILL');
      await hasEnded;
    }
    this.place.remove?.();
  }
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

/** Starts a process, and waits until it accepts connections or ends. */
async function launch(
  cwd: string,
  args: readonly string[],
  stdin: string,
  version: '7.0' | '8.0' = '8.0',
): Promise<ChildProcess | Refusal> {
  const process = spawn(join(realRedisDirectory(version), 'redis-server'), args, {
    cwd,
    stdio: 'pipe',
  });
  process.stdin.on('error', () => {}); // it may end before it reads
  process.stdin.end(stdin);
  let log = '';
  const isReady = new Promise<boolean>((resolve) => {
    process.stdout.on('data', (chunk) => {
      log += chunk;
      if (/ready to accept connections/i.test(log)) {
        process.stdout.removeAllListeners('data').resume();
        resolve(true);
      }
    });
    process.on('close', () => resolve(false));
  });
  process.stderr.on('data', (chunk) => {
    log += chunk;
  });
  return (await isReady) ? process : { message: log };
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
