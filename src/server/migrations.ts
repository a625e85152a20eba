import type { Database } from '../keyspace/database.js';
import { EVENT_KEY_MISS, type KeyEvent } from '../keyspace/events.js';
import type { ChangeListener, Keyspace } from '../keyspace/keyspace.js';
import type { ByteLength, ByteOffset } from '../memory/reference.js';
import { latin1 } from '../protocol/arguments.js';
import { type Migration, type MigrationOutcome, MigrationSockets } from './migration-sockets.js';
import { MigrationThread } from './migration-thread.js';

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
  private readonly sockets = new MigrationSockets();
  private readonly thread = new MigrationThread();
  private cachedSockets = 0;
  private readonly moving = new Set<MovingKey>();

  constructor(keyspace: Keyspace) {
    this.keyspace = keyspace;
    this.sockets.onCachedCount = (count) => {
      this.cachedSockets = count;
    };
  }

  /** Connections that are kept: `migrate_cached_sockets`. */
  get cachedCount(): number {
    return this.cachedSockets + this.thread.cachedCount;
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
  run(migration: Migration): Promise<MigrationOutcome> {
    return this.sockets.run(migration);
  }

  /** The same, and everything else waits for it: for a command that cannot be suspended. */
  runBlocking(migration: Migration): MigrationOutcome {
    return this.thread.run(migration);
  }

  /** Closes all connections. */
  stop(): void {
    this.sockets.stop();
    this.thread.stop();
  }
}
