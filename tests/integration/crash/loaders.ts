/** What becomes of files on which a server is started: in this process, which is fast, and in a real redis-server. */
import { cpSync } from 'node:fs';
import { createServer, type RespiteServer } from '../../../src/index.js';
import { InMemoryClient } from '../../support/in-memory-client.js';
import type { CrashSite } from './crash-site.js';
import { withConnection } from './crash-site.js';
import type { ServerUnderTest } from './server-under-test.js';

/** What a server makes of the files: the digest of all that it has loaded, or why it refuses. */
export type LoadOutcome = { readonly digest: string } | { readonly reason: string };

/** Loads files in one server of this process, again and again: a process for each would take long. */
export class LoaderHere {
  private readonly respite: RespiteServer;
  private readonly client: InMemoryClient;

  private constructor(respite: RespiteServer) {
    this.respite = respite;
    this.client = InMemoryClient.enter(respite.server);
  }

  /** Starts a server on a directory with intact files. */
  static async start(directory: string, directives: Readonly<Record<string, string>>): Promise<LoaderHere> {
    const given = { dir: directory, 'enable-debug-command': 'yes', ...directives };
    return new LoaderHere(await createServer({ directives: given }));
  }

  /** Loads the files that are in the directory now. */
  async load(): Promise<LoadOutcome> {
    const { saving, dataLoading, keyspace, configuration } = this.respite.server;
    try {
      if (configuration.values.appendonly) dataLoading.reloadAtOnce();
      else {
        for (const database of keyspace.databases) if (database.size > 0) keyspace.clear(database, false);
        saving.loadAtOnce();
      }
    } catch (error) {
      if (isReason(error)) return { reason: error.message };
      throw error;
    }
    this.client.received = '';
    this.client.command('DEBUG', 'DIGEST');
    await this.client.turn();
    return { digest: this.client.received.trim().slice(1) };
  }

  async stop(): Promise<void> {
    this.client.leave();
    await this.respite.close();
  }
}

/** Errors that are the file's. Any other is a mistake of ours that the file has brought to light. */
const REASONS = new Set(['RdbError', 'AppendOnlyFileError', 'OutOfMemoryError']);

function isReason(error: unknown): error is Error {
  return error instanceof Error && REASONS.has(error.name);
}

/** What redis-server makes of them; sometimes it crashes on a value that it does not look at while loading. */
export type RealOutcome = LoadOutcome | { readonly crash: NodeJS.Signals };

/** Loads files in one redis-server after the other: one process goes on for as long as the files are good. */
export class RealLoader {
  private readonly site: CrashSite;
  private readonly args: readonly string[];
  private readonly reload: readonly string[];
  private readonly directory: string;
  private server: ServerUnderTest | undefined;

  /** @param reload the command that loads the files of a server that runs */
  constructor(site: CrashSite, reload: readonly string[], args: readonly string[]) {
    this.site = site;
    // Copies: a DEBUG LOADAOF of redis-server adds itself to the file.
    this.directory = `${site.directory}-of-redis`;
    this.reload = reload;
    this.args = ['--enable-debug-command', 'yes', ...args];
  }

  /** Loads the files that are in the site's directory now. */
  async load(): Promise<RealOutcome> {
    const { server, directory } = this;
    cpSync(this.site.directory, directory, { recursive: true });
    if (server !== undefined) {
      const outcome = await outcomeIn(server, this.reload);
      if ('digest' in outcome) return outcome;
      // Whether it is the fault of the file, a start on it tells.
      await server.kill();
      this.server = undefined;
      cpSync(this.site.directory, directory, { recursive: true });
    }
    const next = this.site.launch(this.args, { kind: 'redis', directory });
    try {
      await next.prints('Ready to accept connections');
    } catch {
      const { code, signal } = await next.end;
      return signal === null ? { reason: `exit code ${code}: ${next.log}` } : { crash: signal };
    }
    this.server = next;
    return await outcomeIn(next, ['PING']);
  }
}

/** The digest after a command that succeeds. */
async function outcomeIn(server: ServerUnderTest, command: readonly string[]): Promise<RealOutcome> {
  try {
    return await withConnection(server, async (connection) => {
      const reply = await connection.call(...command);
      if (typeof reply !== 'object' || !('status' in reply)) return { reason: JSON.stringify(reply) };
      const digest = await connection.call('DEBUG', 'DIGEST');
      if (typeof digest !== 'object' || !('status' in digest)) return { reason: JSON.stringify(digest) };
      return { digest: digest.status };
    });
  } catch {
    const { code, signal } = await server.end;
    return signal === null ? { reason: `exit code ${code}: ${server.log}` } : { crash: signal };
  }
}

/** DEBUG DIGEST of a server. */
export async function digestOf(server: ServerUnderTest): Promise<string> {
  const reply = await withConnection(server, (connection) => connection.call('DEBUG', 'DIGEST'));
  return typeof reply === 'object' && 'status' in reply ? reply.status : JSON.stringify(reply);
}
