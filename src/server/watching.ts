import type { Database } from '../keyspace/database.js';
import { EVENT_EXPIRED, EVENT_KEY_MISS, EVENT_NEW, type KeyEvent } from '../keyspace/events.js';
import { type ChangeListener, KEY_EXPIRED, KEY_PRESENT, type Keyspace } from '../keyspace/keyspace.js';
import type { ByteLength, ByteOffset } from '../memory/reference.js';
import { latin1 } from '../protocol/arguments.js';
import type { Client } from './client.js';

/** A key that a client watches; the key is latin1 text. */
interface WatchedKey {
  readonly database: Database;
  readonly key: string;
  /** It was past its deadline, and still there, when the client came to watch it: that it goes is no change. */
  wasExpired: boolean;
}

/**
 * WATCH: who watches which keys, and whether one has changed since.
 *
 * The keyspace is only listened to while somebody watches. A key that passes its deadline has changed, whether it is
 * removed already or not; one that was past it when WATCH came counts as absent all along.
 */
export class Watching implements ChangeListener {
  private readonly keyspace: Keyspace;
  private readonly watched = new Map<Client, WatchedKey[]>();
  /** By database and key, who watches. */
  private readonly watchers: Map<string, Map<Client, WatchedKey>>[] = [];
  /** Clients one of whose keys has changed. They watch nothing any more, as their transaction will fail anyway. */
  private readonly failed = new Set<Client>();

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
    if (this.failed.has(client)) return;
    if (this.watched.size === 0) this.keyspace.addListener(this);
    const key = latin1(bytes, offset, length);
    const keys = this.watchersIn(database);
    const clients = keys.get(key) ?? new Map<Client, WatchedKey>();
    if (clients.has(client)) return;
    const watchedKey = { database, key, wasExpired: this.presence(database, key) === KEY_EXPIRED };
    clients.set(client, watchedKey);
    keys.set(key, clients);
    const own = this.watched.get(client) ?? [];
    own.push(watchedKey);
    this.watched.set(client, own);
  }

  /** Makes a client watch nothing, and forgets what it has seen. */
  unwatch(client: Client): void {
    this.failed.delete(client);
    this.forgetKeys(client);
  }

  /** Whether a key has changed that the client watched, as far as changes were noticed. */
  hasFailed(client: Client): boolean {
    return this.failed.has(client);
  }

  /** Whether a key has changed that the client watched, or is past its deadline. */
  isTouched(client: Client): boolean {
    if (this.failed.has(client)) return true;
    const own = this.watched.get(client) ?? [];
    return own.some(
      ({ database, key, wasExpired }) => !wasExpired && this.presence(database, key) === KEY_EXPIRED,
    );
  }

  keyChanged(
    database: Database,
    event: KeyEvent,
    bytes: Uint8Array,
    offset: ByteOffset,
    length: ByteLength,
  ): void {
    if (event === EVENT_NEW || event === EVENT_KEY_MISS) return; // what made it new follows
    const clients = this.watchers[database.index]?.get(latin1(bytes, offset, length));
    if (clients === undefined) return;
    for (const [client, watchedKey] of [...clients]) {
      if (event === EVENT_EXPIRED && watchedKey.wasExpired) watchedKey.wasExpired = false;
      else this.fail(client);
    }
  }

  databaseChanged(database: Database, other: Database | undefined): void {
    for (const [key, clients] of [...this.watchersIn(database)]) {
      const now = this.presence(database, key);
      const then = other === undefined ? now : this.presence(other, key);
      for (const [client, watchedKey] of [...clients]) {
        if (now === KEY_PRESENT || then === KEY_PRESENT) this.fail(client);
        else watchedKey.wasExpired = other !== undefined && now === KEY_EXPIRED;
      }
    }
  }

  private fail(client: Client): void {
    this.failed.add(client);
    this.forgetKeys(client);
  }

  private forgetKeys(client: Client): void {
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

  private presence(database: Database, key: string): number {
    const bytes = Buffer.from(key, 'latin1');
    const hash = this.keyspace.hash(bytes, 0, bytes.length);
    return this.keyspace.presence(database, hash, bytes, 0, bytes.length);
  }

  private watchersIn(database: Database): Map<string, Map<Client, WatchedKey>> {
    let keys = this.watchers[database.index];
    if (keys === undefined) {
      keys = new Map();
      this.watchers[database.index] = keys;
    }
    return keys;
  }
}
