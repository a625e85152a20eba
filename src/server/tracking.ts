import type { Database } from '../keyspace/database.js';
import {
  EVENT_EVICTED,
  EVENT_EXPIRED,
  EVENT_KEY_MISS,
  EVENT_NEW,
  type KeyEvent,
} from '../keyspace/events.js';
import type { ChangeListener, Keyspace } from '../keyspace/keyspace.js';
import type { ByteLength, ByteOffset } from '../memory/reference.js';
import { type Arguments, latin1 } from '../protocol/arguments.js';
import { BroadcastPrefixes } from './broadcast-prefixes.js';
import { type Client, type ClientId, RESTRICTED_TRACKING } from './client.js';
import type { ClientTracking } from './client-tracking.js';
import type { Clients } from './clients.js';
import { FLAG_READONLY } from './command-flags.js';
import { InvalidationMessages } from './invalidation-messages.js';
import { findKeys, KeyList } from './key-specs.js';
import type { Outbox } from './outbox.js';
import type { RegisteredCommand } from './registered-command.js';
import type { Turn } from './turn.js';

/** A map of V8 holds no more than 2^24 entries. */
const TABLE_KEYS_MAX = 2 ** 24 - 1;
/** Keys that are given up at a time when there are too many; each time in a row that does not suffice, so many more. */
const GIVEN_UP_AT_A_TIME = 100;

/** What tracking needs of the server. */
export interface TrackingServer {
  readonly keyspace: Keyspace;
  readonly clients: Clients;
  readonly outbox: Outbox;
  readonly turn: Turn;
}

/**
 * Client-side caching: who may have read which keys, so that those are told when a key changes.
 *
 * Keys are remembered whatever their database, as in Redis. A key is forgotten when it changes: its readers are told
 * once, and must read it again to hear of it again. Clients that are gone stay in the table as numbers until then.
 * While nobody tracks and nothing is remembered, the keyspace is not listened to.
 */
export class Tracking implements ChangeListener {
  /** `tracking-table-max-keys`: 0 for no limit but the one of a map. */
  tableKeysMax = 0;

  private readonly server: TrackingServer;
  private readonly messages: InvalidationMessages;
  private readonly prefixes: BroadcastPrefixes;
  /** Readers by key (latin1): a number when there is one only. */
  private readonly readers = new Map<string, ClientId | Set<ClientId>>();
  private readerCount = 0;
  private trackingClients = 0;
  private isListening = false;
  private broadcasts = false;
  /** How often in a row the table was too large even after keys had been given up. */
  private overruns = 0;
  private readonly found = new KeyList();

  constructor(server: TrackingServer) {
    this.server = server;
    this.messages = new InvalidationMessages(server.clients, server.outbox);
    this.prefixes = new BroadcastPrefixes(this.messages);
  }

  /** How many clients have tracking on. */
  get clientCount(): number {
    return this.trackingClients;
  }

  /** Remembered keys, readers of all of them together, and prefixes that are broadcast. */
  get keyCount(): number {
    return this.readers.size;
  }

  get itemCount(): number {
    return this.readerCount;
  }

  get prefixCount(): number {
    return this.prefixes.count;
  }

  /** Turns tracking on for a client, or changes its options. In broadcasting mode the prefixes come to those it has. */
  enable(client: Client, state: ClientTracking, prefixes: readonly string[]): void {
    if (client.tracking === undefined) this.trackingClients++;
    client.tracking = state;
    client.restrictions |= RESTRICTED_TRACKING;
    if (state.isBroadcasting) {
      if (!this.broadcasts) this.server.turn.addCommitter(this.prefixes);
      this.broadcasts = true;
      for (const prefix of prefixes.length === 0 ? [''] : prefixes) this.prefixes.add(client, state, prefix);
    }
    this.listen();
  }

  /** Turns tracking off. What the client has read stays in the table until it changes. */
  disable(client: Client): void {
    const { tracking } = client;
    if (tracking === undefined) return;
    this.prefixes.remove(client, tracking);
    client.tracking = undefined;
    client.restrictions &= ~RESTRICTED_TRACKING;
    this.trackingClients--;
    this.listen();
  }

  /** Remembers what a command that has run for a client has read, if that client wants it so. */
  remember(client: Client, command: RegisteredCommand, request: Arguments): void {
    const { tracking } = client;
    if (tracking === undefined || !tracking.isRemembering || !command.has(FLAG_READONLY)) return;
    findKeys(command, request, this.found);
    const { count, indexes } = this.found;
    for (let i = 0; i < count; i++) this.addReader(client.id, request.text(indexes[i]));
  }

  /**
   * Gives keys up when more are remembered than may be: before each command of a client that tracks, and by the
   * clock. Their readers are told as if they had changed.
   */
  limitTable(): void {
    const most = Math.min(this.tableKeysMax === 0 ? TABLE_KEYS_MAX : this.tableKeysMax, TABLE_KEYS_MAX);
    if (this.readers.size <= most) {
      this.overruns = 0;
      return;
    }
    let left = GIVEN_UP_AT_A_TIME * ++this.overruns;
    for (const key of this.readers.keys()) {
      if (left-- === 0 || this.readers.size <= most) return;
      this.invalidate(key);
    }
  }

  keyChanged(
    _database: Database,
    event: KeyEvent,
    bytes: Uint8Array,
    offset: ByteOffset,
    length: ByteLength,
  ): void {
    if (event === EVENT_NEW || event === EVENT_KEY_MISS) return;
    const key = latin1(bytes, offset, length);
    if (this.prefixes.count > 0) {
      // What happens to a key by itself is nobody's doing, whoever noticed.
      const isByItself = event === EVENT_EXPIRED || event === EVENT_EVICTED;
      this.prefixes.keyChanged(key, isByItself ? undefined : this.server.outbox.currentClient);
    }
    this.invalidate(key);
  }

  databaseChanged(): void {
    // FLUSHDB and FLUSHALL say `flushed`; SWAPDB tells nobody, as in Redis.
  }

  /** One or all databases were flushed: everybody is told that all keys are invalid. */
  flushed(): void {
    if (this.trackingClients > 0) {
      for (const client of this.server.clients) {
        if (client.tracking !== undefined) this.messages.sendAll(client, client.tracking);
      }
    }
    this.readers.clear();
    this.readerCount = 0;
    this.listen();
  }

  private addReader(id: ClientId, key: string): void {
    const known = this.readers.get(key);
    if (known === id) return;
    if (known === undefined) this.readers.set(key, id);
    else if (typeof known === 'number') this.readers.set(key, new Set([known, id]));
    else if (known.has(id)) return;
    else known.add(id);
    this.readerCount++;
  }

  private invalidate(key: string): void {
    const readers = this.readers.get(key);
    if (readers === undefined) return;
    this.readers.delete(key);
    this.readerCount -= typeof readers === 'number' ? 1 : readers.size;
    this.messages.send(typeof readers === 'number' ? [readers] : readers, [key]);
    if (this.readers.size === 0) this.listen();
  }

  /** Listens to the keyspace exactly while that is needed. */
  private listen(): void {
    const isNeeded = this.trackingClients > 0 || this.readers.size > 0;
    if (isNeeded === this.isListening) return;
    this.isListening = isNeeded;
    if (isNeeded) this.server.keyspace.addListener(this);
    else this.server.keyspace.removeListener(this);
  }
}
