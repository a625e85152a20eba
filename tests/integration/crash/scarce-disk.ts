/**
 * A disk that becomes full when a test says so, and has room again: a small tmpfs, where the system lets us mount one,
 * or a limit on the size of the server's files, which every system has.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, rmSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import type { ServerUnderTest } from './server-under-test.js';

/** What makes room scarce. */
export interface ScarceDisk {
  /** What the server says of a write that there is no room for. */
  readonly errorText: string;
  /** The command that the server's command is appended to. */
  readonly wrapper: readonly string[];
  /** The server's data as this process sees it. */
  readonly path: string;
  /** Leaves room for about so many bytes; with a size limit, for so many behind the end of `file`. */
  fill(server: ServerUnderTest, bytesLeft: number, file: string): void;
  /** Makes room again. */
  clear(server: ServerUnderTest): void;
  /** Takes the disk away. */
  remove(): Promise<void>;
}

/** Whether mount namespaces of our own and mounts in them are allowed here. */
export const canMount =
  process.platform === 'linux' &&
  spawnSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']).status === 0;

/** Whether limits of other processes can be set here. */
export const canLimit = process.platform === 'linux' && spawnSync('prlimit', ['--version']).status === 0;

const BALLAST = 'ballast';
const BLOCK_BYTES = 4096;

/**
 * A tmpfs in a mount namespace of its own: it goes with the last process in it, so that nothing can be left mounted. A
 * `cat` that reads from this process keeps it alive; it ends when this process does.
 */
export class SmallFileSystem implements ScarceDisk {
  readonly errorText = 'No space left on device';
  readonly wrapper: readonly string[];
  readonly path: string;
  private readonly keeper: ChildProcess;

  private constructor(keeper: ChildProcess, directory: string) {
    this.keeper = keeper;
    this.path = `/proc/${keeper.pid}/root${directory}`;
    this.wrapper = ['nsenter', '--mount', '--target', String(keeper.pid), '--'];
  }

  /** Mounts one over a directory, for the processes that `wrapper` starts. */
  static async mount(directory: string, bytes: number): Promise<SmallFileSystem> {
    const script = 'mount -t tmpfs -o size="$2" tmpfs "$1" && echo mounted && exec cat';
    const keeper = spawn('unshare', ['--mount', 'sh', '-c', script, 'sh', directory, String(bytes)], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    await once(keeper.stdout, 'data');
    return new SmallFileSystem(keeper, directory);
  }

  fill(_server: ServerUnderTest, bytesLeft: number): void {
    const ballast = join(this.path, BALLAST);
    const block = Buffer.alloc(BLOCK_BYTES);
    try {
      for (;;) appendFileSync(ballast, block);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    }
    truncateSync(ballast, Math.max(0, statSync(ballast).size - bytesLeft));
  }

  clear(): void {
    rmSync(join(this.path, BALLAST), { force: true });
  }

  async remove(): Promise<void> {
    const hasEnded = once(this.keeper, 'exit');
    this.keeper.stdin?.end();
    await hasEnded;
  }
}

/** A limit on the size of files: RLIMIT_FSIZE. Writes beyond it fail with EFBIG, or are short. */
export class FileSizeLimit implements ScarceDisk {
  readonly errorText = 'File too large';
  /** Node ignores the signal that comes with it, redis-server does not. */
  readonly wrapper = ['env', '--ignore-signal=XFSZ'];
  readonly path: string;

  constructor(directory: string) {
    this.path = directory;
  }

  fill(server: ServerUnderTest, bytesLeft: number, file: string): void {
    setLimit(server, String(statSync(join(this.path, file)).size + bytesLeft));
  }

  clear(server: ServerUnderTest): void {
    if (server.isRunning) setLimit(server, 'unlimited');
  }

  async remove(): Promise<void> {}
}

function setLimit(server: ServerUnderTest, limit: string): void {
  const { status, stderr } = spawnSync('prlimit', [
    `--pid=${server.process.pid}`,
    `--fsize=${limit}:unlimited`,
  ]);
  if (status !== 0) throw new Error(`prlimit: ${stderr}`);
}
