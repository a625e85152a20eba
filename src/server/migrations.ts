import type { Database } from '../keyspace/database.js';
import { EVENT_KEY_MISS, type KeyEvent } from '../keyspace/events.js';
import type { ChangeListener, Keyspace } from '../keyspace/keyspace.js';
import type { ByteLength, ByteOffset } from '../memory/reference.js';
import { LineSocket, LineSocketError } from '../network/line-socket.js';
import { latin1 } from '../protocol/arguments.js';

/** Connections that are kept for the next MIGRATE, and for how long after the last. */
const CACHED_SOCKETS_MAX = 64;
const CACHED_MS = 10_000;

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

/** A key that is on its way. */
interface MovingKey {
  readonly database: Database;
  readonly name: string;
  hasChanged: boolean;
}

/**
 * The conversations of MIGRATE with other servers, and the keys that are on their way: nobody is to change these
 * meanwhile, and what changes nevertheless is noted.
 */
export class Migrations implements ChangeListener {
  /** Called when keys that were on their way are so no more. */
  onEnd: () => void = () => {};
  /** Called when `isIdle` changes. */
  onActive: (isActive: boolean) => void = () => {};

  private readonly keyspace: Keyspace;
  private readonly sockets = new Map<string, CachedSocket>();
  private readonly moving = new Set<MovingKey>();

  constructor(keyspace: Keyspace) {
    this.keyspace = keyspace;
  }

  /** Connections that are kept: `migrate_cached_sockets`. */
  get cachedCount(): number {
    return this.sockets.size;
  }

  /** Whether no key is on its way. */
  get isIdle(): boolean {
    return this.moving.size === 0;
  }

  /** Whether a key is on its way. */
  isMoving(database: Database, bytes: Uint8Array, offset: ByteOffset, length: ByteLength): boolean {
    if (this.moving.size === 0) return false;
    const name = latin1(bytes, offset, length);
    for (const key of this.moving) if (key.name === name && key.database === database) return true;
    return false;
  }

  /**
   * Marks keys as being on their way. Returns what ends that, and tells which of them have changed nevertheless.
   * @param names (latin1)
   */
  hold(database: Database, names: readonly string[]): () => ReadonlySet<string> {
    const keys = names.map((name) => ({ database, name, hasChanged: false }));
    if (this.moving.size === 0) {
      this.keyspace.addListener(this);
      this.onActive(true);
    }
    for (const key of keys) this.moving.add(key);
    return () => {
      for (const key of keys) this.moving.delete(key);
      if (this.moving.size === 0) {
        this.keyspace.removeListener(this);
        this.onActive(false);
      }
      this.onEnd();
      return new Set(keys.filter(({ hasChanged }) => hasChanged).map(({ name }) => name));
    };
  }

  keyChanged(
    database: Database,
    event: KeyEvent,
    bytes: Uint8Array,
    offset: ByteOffset,
    length: ByteLength,
  ): void {
    if (event === EVENT_KEY_MISS) return;
    const name = latin1(bytes, offset, length);
    for (const key of this.moving) {
      if (key.name === name && key.database === database) key.hasChanged = true;
    }
  }

  databaseChanged(database: Database): void {
    for (const key of this.moving) if (key.database === database) key.hasChanged = true;
  }

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

  /** Closes all connections. */
  stop(): void {
    for (const { socket, timer } of this.sockets.values()) {
      clearTimeout(timer);
      socket.close();
    }
    this.sockets.clear();
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
      this.sockets.delete(`${host}:${port}`);
      clearTimeout(cached.timer);
      if (!cached.socket.isBroken) return cached;
    }
    try {
      const socket = await LineSocket.connect(host, Number.parseInt(port, 10), timeoutMs);
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
    if (this.sockets.size >= CACHED_SOCKETS_MAX && oldest !== undefined) {
      clearTimeout(oldest[1].timer);
      oldest[1].socket.close();
      this.sockets.delete(oldest[0]);
    }
    cached.timer = setTimeout(() => {
      this.sockets.delete(`${host}:${port}`);
      cached.socket.close();
    }, CACHED_MS);
    cached.timer.unref();
    this.sockets.set(`${host}:${port}`, cached);
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

function selectCommand(database: number): string {
  const text = String(database);
  return `*2\r\n$6\r\nSELECT\r\n$${text.length}\r\n${text}\r\n`;
}
