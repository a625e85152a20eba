import type { Database } from '../keyspace/database.js';
import { EVENT_NEW, type KeyEvent } from '../keyspace/events.js';
import type { ChangeListener, Keyspace } from '../keyspace/keyspace.js';
import { type ByteLength, type ByteOffset, NULL_REFERENCE } from '../memory/reference.js';
import { latin1 } from '../protocol/arguments.js';
import type { Client } from './client.js';

/** A key that a client watches; the key is latin1 text. */
interface WatchedKey {
  readonly database: Database;
  readonly key: string;
}

/**
 * WATCH: who watches which keys, and whether one has changed since.
 *
 * The keyspace is only listened to while somebody watches. A key past its deadline that is still there counts as
 * changed when EXEC looks at it; one that was past it when WATCH came is removed then, and so is absent.
 */
export class Watching implements ChangeListener {
  private readonly keyspace: Keyspace;
  private readonly watched = new Map<Client, WatchedKey[]>();
  /** By database and key, who watches. */
  private readonly watchers: Map<string, Set<Client>>[] = [];
  /** Clients one of whose keys has changed. */
  private readonly touched = new Set<Client>();

  constructor(keyspace: Keyspace) {
    this.keyspace = keyspace;
  }

  /** Clients that watch a key: `watching_clients`. */
  get clientCount(): number {
    return this.watched.size;
  }

  /** Watched keys of all databases: `total_watched_keys`. */
  get keyCount(): number {
    return this.watchers.reduce((sum, keys) => sum + keys.size, 0);
  }

  /** How many keys a client watches. */
  countOf(client: Client): number {
    return this.watched.get(client)?.length ?? 0;
  }

  /** Makes a client watch a key. */
  watch(client: Client, database: Database, bytes: Uint8Array, offset: ByteOffset, length: ByteLength): void {
    if (this.watched.size === 0) this.keyspace.addListener(this);
    // Looking it up removes a key that is past its deadline, so that this is no change later.
    this.keyspace.peek(database, this.keyspace.hash(bytes, offset, length), bytes, offset, length);
    const key = latin1(bytes, offset, length);
    const keys = this.watchersIn(database);
    const clients = keys.get(key) ?? new Set();
    if (clients.has(client)) return;
    clients.add(client);
    keys.set(key, clients);
    const own = this.watched.get(client) ?? [];
    own.push({ database, key });
    this.watched.set(client, own);
  }

  /** Makes a client watch nothing. */
  unwatch(client: Client): void {
    this.touched.delete(client);
    const own = this.watched.get(client);
    if (own === undefined) return;
    for (const { database, key } of own) {
      const keys = this.watchersIn(database);
      const clients = keys.get(key);
      clients?.delete(client);
      if (clients?.size === 0) keys.delete(key);
    }
    this.watched.delete(client);
    if (this.watched.size === 0) this.keyspace.removeListener(this);
  }

  /** Whether a key that the client watches has changed, or is past its deadline. */
  isTouched(client: Client): boolean {
    for (const { database, key } of this.watched.get(client) ?? []) {
      if (this.touched.has(client)) return true;
      this.exists(database, key); // removes it when it is past its deadline, which is a change
    }
    return this.touched.has(client);
  }

  keyChanged(
    database: Database,
    event: KeyEvent,
    bytes: Uint8Array,
    offset: ByteOffset,
    length: ByteLength,
  ): void {
    if (event === EVENT_NEW) return; // what made it new follows
    const clients = this.watchers[database.index]?.get(latin1(bytes, offset, length));
    if (clients !== undefined) for (const client of clients) this.touched.add(client);
  }

  databaseChanged(database: Database, other: Database | undefined): void {
    for (const [key, clients] of this.watchersIn(database)) {
      const isAffected = this.exists(database, key) || (other !== undefined && this.exists(other, key));
      if (isAffected) for (const client of clients) this.touched.add(client);
    }
  }

  private exists(database: Database, key: string): boolean {
    const bytes = Buffer.from(key, 'latin1');
    const hash = this.keyspace.hash(bytes, 0, bytes.length);
    return this.keyspace.peek(database, hash, bytes, 0, bytes.length) !== NULL_REFERENCE;
  }

  private watchersIn(database: Database): Map<string, Set<Client>> {
    let keys = this.watchers[database.index];
    if (keys === undefined) {
      keys = new Map();
      this.watchers[database.index] = keys;
    }
    return keys;
  }
}
