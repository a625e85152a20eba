import { LineSocket, LineSocketError } from '../network/line-socket.js';

/** Connections that are kept for the next MIGRATE. */
const CACHED_SOCKETS_MAX = 64;
/** For how long after the last use of a connection it is kept, in ms. */
export const CACHED_MS = 10_000;

/** A key with its value. */
export interface MovedKey {
  /** Which argument of the command it is. */
  readonly index: number;
  /** The whole RESTORE command. */
  readonly command: Uint8Array;
}

/** What is to be said to which server. */
export interface Migration {
  readonly host: string;
  readonly port: string;
  readonly databaseNumber: number;
  readonly timeoutMs: number;
  /** The AUTH command, if there is a password. */
  readonly authentication: Uint8Array | undefined;
  readonly keys: readonly MovedKey[];
}

/** What has become of it. */
export interface MigrationOutcome {
  /** The argument indexes of the keys that the other server has taken. */
  readonly taken: readonly number[];
  /** What the client is to be told, or '' for OK. */
  readonly error: string;
}

interface CachedSocket {
  readonly socket: LineSocket;
  /** The database that was selected last, or -1. */
  database: number;
  timer: NodeJS.Timeout | undefined;
}

/** Thrown when no connection can be made. */
class ConnectError extends Error {
  override name = 'ConnectError';
}

/**
 * The conversations of MIGRATE with other servers, and the connections that are kept for the next one. Both those who
 * wait for it without holding anybody up and those who do (`MigrationThread`) speak through one of these.
 */
export class MigrationSockets {
  /** Called with the new number of connections that are kept. */
  onCachedCount: (count: number) => void = () => {};

  private readonly sockets = new Map<string, CachedSocket>();

  /** Sends keys to another server. Never rejects. */
  async run(migration: Migration): Promise<MigrationOutcome> {
    for (let mayRetry = true; ; mayRetry = false) {
      const taken: number[] = [];
      try {
        return await this.converse(migration, taken);
      } catch (error) {
        if (error instanceof ConnectError) {
          return { taken, error: 'IOERR error or timeout connecting to the client' };
        }
        if (!(error instanceof ConversationError)) throw error;
        // Only if nothing can have happened there.
        if (mayRetry && !error.isTimeout && !error.hasAnswers) continue;
        const doing = error.wasWriting ? 'writing' : 'reading';
        return { taken, error: `IOERR error or timeout ${doing} to target instance` };
      }
    }
  }

  /** Closes the connections that are kept. */
  stop(): void {
    for (const [name, cached] of [...this.sockets]) this.close(name, cached);
  }

  private async converse(migration: Migration, taken: number[]): Promise<MigrationOutcome> {
    const { timeoutMs, databaseNumber, authentication, keys } = migration;
    const cached = await this.connect(migration);
    const { socket } = cached;
    const selects = cached.database !== databaseNumber;
    const parts = keys.map(({ command }) => command);
    if (selects) parts.unshift(Buffer.from(selectCommand(databaseNumber), 'latin1'));
    if (authentication !== undefined) parts.unshift(authentication);
    let error = '';
    let wasWriting = true;
    let hasAnswers = false;
    try {
      await socket.write(Buffer.concat(parts), timeoutMs);
      wasWriting = false;
      const noteError = (reply: string) => {
        if (reply.startsWith('-') && error === '') error = reply.slice(1);
      };
      if (authentication !== undefined) noteError(await socket.readLine(timeoutMs));
      if (selects) noteError(await socket.readLine(timeoutMs));
      const wasRefused = error !== '';
      for (const { index } of keys) {
        const reply = await socket.readLine(timeoutMs);
        hasAnswers = true;
        noteError(reply);
        if (!wasRefused && !reply.startsWith('-')) taken.push(index);
      }
    } catch (problem) {
      socket.close();
      if (!(problem instanceof LineSocketError)) throw problem;
      // What the other server has said before is what the client is told.
      if (error === '') throw new ConversationError(problem.isTimeout, wasWriting, hasAnswers);
    }
    cached.database = error === '' ? databaseNumber : -1;
    this.keep(migration, cached);
    return { taken, error: error === '' ? '' : `ERR Target instance replied with error: ${error}` };
  }

  private async connect({ host, port, timeoutMs }: Migration): Promise<CachedSocket> {
    const cached = this.sockets.get(`${host}:${port}`);
    if (cached !== undefined) {
      // Nobody else talks on it meanwhile.
      this.forget(`${host}:${port}`, cached);
      if (!cached.socket.isBroken) return cached;
    }
    const number = portNumber(port);
    try {
      const socket = await LineSocket.connect(host, number, timeoutMs);
      return { socket, database: -1, timer: undefined };
    } catch (error) {
      if (!(error instanceof LineSocketError)) throw error;
      // Redis does not see before it writes that nobody listens there.
      throw error.isRefused ? new ConversationError(false, true, false) : new ConnectError(error.message);
    }
  }

  private keep({ host, port }: Migration, cached: CachedSocket): void {
    if (cached.socket.isBroken || this.sockets.has(`${host}:${port}`)) {
      cached.socket.close();
      return;
    }
    const [oldest] = this.sockets;
    if (this.sockets.size >= CACHED_SOCKETS_MAX && oldest !== undefined) this.close(...oldest);
    const name = `${host}:${port}`;
    cached.timer = setTimeout(() => this.close(name, cached), CACHED_MS);
    cached.timer.unref();
    this.sockets.set(name, cached);
    this.onCachedCount(this.sockets.size);
  }

  private close(name: string, cached: CachedSocket): void {
    this.forget(name, cached);
    cached.socket.close();
  }

  private forget(name: string, cached: CachedSocket): void {
    this.sockets.delete(name);
    clearTimeout(cached.timer);
    this.onCachedCount(this.sockets.size);
  }
}

/** Thrown when a conversation breaks off. */
class ConversationError extends Error {
  override name = 'ConversationError';
  readonly isTimeout: boolean;
  readonly wasWriting: boolean;
  /** Whether the other server has answered for a key. */
  readonly hasAnswers: boolean;

  constructor(isTimeout: boolean, wasWriting: boolean, hasAnswers: boolean) {
    super('the conversation broke off');
    this.isTimeout = isTimeout;
    this.wasWriting = wasWriting;
    this.hasAnswers = hasAnswers;
  }
}

/**
 * The port that a text stands for in Redis: `atoi`, five digits of that for the resolver, and of those 16 bits.
 * @throws ConnectError for a negative one
 */
function portNumber(text: string): number {
  const number = Number.parseInt(text, 10) | 0;
  if (number < 0) throw new ConnectError('no port');
  return Number(String(number).slice(0, 5)) & 0xffff;
}

function selectCommand(database: number): string {
  const text = String(database);
  return `*2\r\n$6\r\nSELECT\r\n$${text.length}\r\n${text}\r\n`;
}
