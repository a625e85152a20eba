/** A directory in which servers are started, killed and started again; `leave` removes all traces. */
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RawConnection } from '../../support/raw-connection.js';
import type { Writer } from './load.js';
import { type ServerKind, type ServerStart, ServerUnderTest } from './server-under-test.js';
import { type Survival, takeSurvival } from './survival.js';

/** How many kills a test of them does: RESPITE_CRASH_ROUNDS, by default few. */
export const crashRounds = Number(process.env.RESPITE_CRASH_ROUNDS ?? 5);
/** RESPITE_CRASH_SEED repeats what was random in a run. */
export const crashSeed = Number(process.env.RESPITE_CRASH_SEED ?? Date.now() % 1_000_000);
/** RESPITE_CRASH_SERVER=redis does it all to a real redis-server, which proves the tests themselves. */
export const crashKind: ServerKind = process.env.RESPITE_CRASH_SERVER === 'redis' ? 'redis' : 'respite';

/** A directory in memory where there is one: for thousands of files that no disk needs to see. */
export const memoryDirectory = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

/** Where one test lets servers crash. */
export class CrashSite {
  /** The directory of the servers' data. */
  readonly directory: string;
  private readonly root: string;
  private readonly servers: ServerUnderTest[] = [];

  /** @param parent where it makes its directories */
  constructor(parent = tmpdir()) {
    this.root = mkdtempSync(join(parent, 'respite-crash-'));
    this.directory = join(this.root, 'data');
    mkdirSync(this.directory);
  }

  /** Starts a server on the data that is there, and waits until it is ready. */
  async start(args: readonly string[], options: Partial<ServerStart> = {}): Promise<ServerUnderTest> {
    const server = this.launch(args, options);
    await server.prints('Ready to accept connections');
    return server;
  }

  /** Starts a server that may not get ready. */
  launch(args: readonly string[], options: Partial<ServerStart> = {}): ServerUnderTest {
    const server = new ServerUnderTest({
      kind: crashKind,
      directory: this.directory,
      socketPath: join(this.root, 'socket'),
      args,
      ...options,
    });
    this.servers.push(server);
    return server;
  }

  /** Looks what a server holds of what was written to the one before it. */
  async survivalIn(server: ServerUnderTest, writers: readonly Writer[]): Promise<Survival> {
    return await withConnection(server, (connection) => takeSurvival(connection, writers));
  }

  /** Ends all servers and removes the directory. */
  async leave(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.kill()));
    rmSync(this.root, { recursive: true, force: true });
  }
}

/** Lets a connection be used and closes it. */
export async function withConnection<T>(
  server: ServerUnderTest,
  use: (connection: RawConnection) => Promise<T>,
): Promise<T> {
  const connection = await server.connect();
  try {
    return await use(connection);
  } finally {
    await connection.close();
  }
}

/** A field of INFO. */
export async function infoField(connection: RawConnection, section: string, name: string): Promise<string> {
  const info = String(await connection.call('INFO', section));
  return new RegExp(`^${name}:(.*)\r$`, 'm').exec(info)?.[1] ?? '';
}
