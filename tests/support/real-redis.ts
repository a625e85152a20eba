/**
 * A real redis-server 8.0, the oracle of what Redis does: started on a Unix socket in a directory of its own.
 *
 * It comes from `scripts/install-peers`. A test that needs it fails without it, rather than passing for nothing.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Redis } from 'ioredis';

/** The directory of redis-server's programs, 8.0 or 7.0. Throws with what to do when they are not installed. */
export function realRedisDirectory(version = '8.0'): string {
  const script = new URL('../../scripts/install-peers', import.meta.url).pathname;
  try {
    return execFileSync(script, ['--path', version], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    }).trim();
  } catch (cause) {
    throw new Error('this test compares with redis-server: run scripts/install-peers first', { cause });
  }
}

/** A running redis-server and a RESP2 client of it. */
export class RealRedis {
  readonly client: Redis;

  private constructor(
    readonly directory: string,
    readonly socketPath: string,
    private readonly process: ChildProcess,
  ) {
    this.client = new Redis(socketPath, { maxRetriesPerRequest: 0 });
  }

  /** Starts a server without persistence, with further arguments such as `'--zset-max-listpack-entries', '0'`. */
  static start(...args: readonly string[]): Promise<RealRedis> {
    return RealRedis.startVersion('8.0', args);
  }

  /** The same for one of the versions that are installed. */
  static async startVersion(version: '7.0' | '8.0', args: readonly string[]): Promise<RealRedis> {
    const program = join(realRedisDirectory(version), 'redis-server');
    const directory = mkdtempSync(join(tmpdir(), 'respite-real-redis-'));
    const socketPath = join(directory, 'socket');
    const process = spawn(
      program,
      [
        '--port',
        '0',
        '--unixsocket',
        socketPath,
        '--dir',
        directory,
        '--save',
        '',
        '--appendonly',
        'no',
        ...args,
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    let log = '';
    for await (const line of createInterface(process.stdout)) {
      log += `${line}\n`;
      if (/ready to accept connections/i.test(line)) {
        process.stdout.resume();
        return new RealRedis(directory, socketPath, process);
      }
    }
    rmSync(directory, { recursive: true, force: true });
    throw new Error(`redis-server did not start:\n${log}`);
  }

  /** Sends commands in one pipeline; each answer is the reply, or the text of the error. */
  async answers(commands: readonly (readonly (string | Buffer)[])[]): Promise<unknown[]> {
    const pipeline = this.client.pipeline();
    for (const [name, ...args] of commands) pipeline.call(String(name), ...args);
    const results = (await pipeline.exec()) ?? [];
    return results.map(([error, reply]) => (error === null ? reply : error.message));
  }

  /** Stops the server and removes its directory. */
  async stop(): Promise<void> {
    this.client.disconnect();
    if (this.process.exitCode === null && this.process.signalCode === null) {
      const hasEnded = once(this.process, 'exit');
      this.process.kill('SIGKILL');
      await hasEnded;
    }
    rmSync(this.directory, { recursive: true, force: true });
  }
}
