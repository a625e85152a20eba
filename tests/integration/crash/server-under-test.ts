/**
 * A server as a process that can be killed at any moment and started again on the same directory: Respite as it was
 * compiled (`dist/main.js`), or a real redis-server, on which the crash tests themselves are proved.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { programPath } from '../../support/program.js';
import { RawConnection } from '../../support/raw-connection.js';
import { realRedisDirectory } from '../../support/real-redis.js';

/** Whose server it is. */
export type ServerKind = 'respite' | 'redis';

/** What a server is started with. */
export interface ServerStart {
  readonly kind: ServerKind;
  /** Where its data is, and where it leaves nothing else. */
  readonly directory: string;
  /** Its Unix socket; it has no port. */
  readonly socketPath: string;
  /** Directives as on the command line. */
  readonly args?: readonly string[];
  /** A command that runs the server's command, which is appended: a tracer, say. */
  readonly wrapper?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** How it ended. */
export interface ServerEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** Servers that run: whatever becomes of a test, none outlives this process. */
const running = new Set<ChildProcess>();

process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** A server's process. */
export class ServerUnderTest {
  /** What it printed. */
  log = '';
  readonly end: Promise<ServerEnd>;
  readonly process: ChildProcess;
  private readonly socketPath: string;
  private hasEnded = false;
  private wake: () => void = () => {};

  /** Starts a server; `prints` and `end` tell what becomes of it. */
  constructor(start: ServerStart) {
    const [command, ...args] = commandOf(start);
    this.socketPath = start.socketPath;
    this.process = spawn(command, args, {
      cwd: start.directory,
      env: { ...process.env, ...start.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    running.add(this.process);
    for (const stream of [this.process.stdout, this.process.stderr]) {
      stream?.on('data', (chunk) => {
        this.log += chunk;
        this.wake();
      });
    }
    this.end = once(this.process, 'close').then(([code, signal]) => {
      this.hasEnded = true;
      running.delete(this.process);
      this.wake();
      return { code, signal };
    });
  }

  /** Waits until it has printed a text. Rejects when it ends first. */
  async prints(text: string): Promise<void> {
    while (!this.log.includes(text)) {
      if (this.hasEnded) throw new Error(`the server ended without '${text}':\n${this.log}`);
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
  }

  /** Whether its process runs. */
  get isRunning(): boolean {
    return !this.hasEnded;
  }

  /** Opens a connection to it. */
  connect(): Promise<RawConnection> {
    return RawConnection.open(this.socketPath);
  }

  /** SIGKILL: the process does nothing any more. What it has written is in the page cache, and not lost. */
  async kill(): Promise<void> {
    this.process.kill('SIGKILL');
    await this.end;
  }
}

/** The command line that starts a server. */
function commandOf({ kind, directory, socketPath, args = [], wrapper = [] }: ServerStart): string[] {
  const program =
    kind === 'redis' ? [join(realRedisDirectory(), 'redis-server')] : [process.execPath, programPath];
  const directives = ['--port', '0', '--unixsocket', socketPath, '--dir', directory, '--save', '', ...args];
  return [...wrapper, ...program, ...directives];
}
