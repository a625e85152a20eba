import { allCommands } from './commands/all.js';
import { Configuration } from './config/configuration.js';
import type { Memory } from './memory/memory.js';
import { NetTransport } from './network/net-transport.js';
import { createLog, type Log, silentLog } from './observability/log.js';
import { AppendOnlyFileError } from './persistence/aof/directory.js';
import { finishData } from './process/shutdown.js';
import { CommandTable } from './server/command-table.js';
import { Listeners } from './server/listeners.js';
import { Server } from './server/server.js';

/** What `createServer` is told. Everything has a default that suits a test. */
export interface RespiteOptions {
  /** The TCP port; 0, the default, takes any free one. */
  readonly port?: number;
  /** The address to listen on. Default: 127.0.0.1. */
  readonly host?: string;
  /** A unix socket to listen on as well. */
  readonly unixSocket?: string;
  /** What clients must authenticate with. */
  readonly password?: string;
  /** Further directives of `redis.conf`: `{ 'maxmemory': '64mb', 'save': '' }`. */
  readonly directives?: Readonly<Record<string, string>>;
  /** Where log lines go: nowhere (the default), or to standard output as Redis writes them, or as JSON. */
  readonly log?: 'none' | 'text' | 'json';
  /** The off-heap memory, for tests that look for leaks. */
  readonly memory?: Memory;
}

/** A running server. */
export interface RespiteServer {
  readonly host: string;
  /** The port that it listens on. */
  readonly port: number;
  /** `redis://127.0.0.1:port`, as clients take it. */
  readonly url: string;
  /** The server itself, for tests that look inside. */
  readonly server: Server;
  /** Closes all connections and stops listening. Nothing is left over. */
  close(): Promise<void>;
  /**
   * Resolves when the server is closed, by `close` or by a client's SHUTDOWN, which saves the data as in Redis. Rejects
   * with AppendOnlyFileError when it closed by itself, as under `appendfsync always` the disk refused what clients wrote:
   * they were not answered. (There redis-server exits with 1.)
   */
  readonly closed: Promise<void>;
}

/**
 * Starts a server in this process.
 *
 * @throws Error when a directive is wrong, or the address cannot be listened on
 */
export async function createServer(options: RespiteOptions = {}): Promise<RespiteServer> {
  const configuration = new Configuration();
  const host = options.host ?? '127.0.0.1';
  const directives: Record<string, string> = {
    bind: host,
    port: String(options.port ?? 0),
    save: '',
    ...(options.unixSocket === undefined ? {} : { unixsocket: options.unixSocket }),
    ...(options.password === undefined ? {} : { requirepass: options.password }),
    ...options.directives,
  };
  for (const [name, value] of Object.entries(directives)) {
    const problem = configuration.assign(name, value);
    if (problem !== undefined) throw new Error(`directive ${name}: ${problem}`);
  }
  const server = new Server({
    configuration,
    commands: new CommandTable(allCommands),
    log: makeLog(options.log ?? 'none'),
    ...(options.memory === undefined ? {} : { memory: options.memory }),
  });
  const listeners = new Listeners(server, new NetTransport(), true);
  try {
    // Without a directory of its own, a server in a test is not to pick up what lies about, unless it is to write there.
    if (options.directives?.dir !== undefined || configuration.values.appendonly) {
      await server.dataLoading.load();
    }
    await listeners.open();
  } catch (error) {
    server.stop();
    throw error;
  }
  let tellClosed = () => {};
  let tellFailed = (_error: Error) => {};
  const closed = new Promise<void>((resolve, reject) => {
    tellClosed = resolve;
    tellFailed = reject;
  });
  // Who does not wait for it need not hear of it.
  closed.catch(() => {});
  const close = async () => {
    server.stop();
    await listeners.close();
    tellClosed();
  };
  server.onFatal = (reason) => {
    server.appendOnlyFile.abandon();
    server.stop();
    void listeners.close().then(() => tellFailed(new AppendOnlyFileError(reason)));
  };
  server.onShutdown = (request) => {
    if (!finishData(server, request)) return false;
    // What this turn has done so far is committed and answered.
    server.turn.endEarly();
    void close();
    return true;
  };
  return { host, port: server.port, url: `redis://${host}:${server.port}`, server, close, closed };
}

function makeLog(kind: 'none' | 'text' | 'json'): Log {
  return kind === 'none' ? silentLog() : createLog(kind, 'notice', '', () => 'M');
}
