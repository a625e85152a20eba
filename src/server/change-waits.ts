import type { Database } from '../keyspace/database.js';
import type { Keyspace } from '../keyspace/keyspace.js';
import { NULL_REFERENCE } from '../memory/reference.js';
import type { Snapshots } from '../persistence/snapshots.js';
import { Arguments } from '../protocol/arguments.js';
import type { Client } from './client.js';
import { FLAG_WRITE } from './command-flags.js';
import { findKeys, KeyList } from './key-specs.js';
import type { Migrations } from './migrations.js';
import type { RegisteredCommand } from './registered-command.js';

/** What the waits of changes need of the server. */
export interface ChangeWaitsServer {
  readonly keyspace: Keyspace;
  readonly snapshots: Snapshots;
  readonly migrations: Migrations;
  /** Goes on with the requests of a client, at the end of the turn. */
  resumeLater(client: Client): void;
  /** Serves the blocked clients that were not served because `delaysServing` said so, at the end of the turn. */
  serveLater(): void;
}

/**
 * Clients whose command would change what must stay as it is for a while: a large value that a snapshot has yet to write,
 * any that it must write first while the disk cannot keep up, and keys that MIGRATE is moving. They wait, and nobody else
 * does. Clients that BLPOP or its kin made wait are not served before, either. What changes a value unforeseen (keys in
 * another database that a transaction selects, the end of MIGRATE) does not wait: the snapshot writes the value at once
 * then, and MIGRATE leaves the key here.
 */
export class ChangeWaits {
  private readonly server: ChangeWaitsServer;
  private readonly waiting = new Set<Client>();
  private readonly keys = new KeyList();
  private readonly queuedRequest = new Arguments();

  constructor(server: ChangeWaitsServer) {
    this.server = server;
    server.snapshots.onProgress = () => this.resumeAll();
    server.migrations.onEnd = () => this.resumeAll();
  }

  has(client: Client): boolean {
    return this.waiting.has(client);
  }

  remove(client: Client): void {
    this.waiting.delete(client);
  }

  /** Whether a command that is about to run has to wait; its client is noted then. */
  holds(client: Client, command: RegisteredCommand, request: Arguments): boolean {
    const { snapshots, migrations } = this.server;
    if (snapshots.current === undefined && migrations.isIdle) return false;
    if (!this.mustWait(client, command, request)) return false;
    this.waiting.add(client);
    return true;
  }

  /** Whether a client that is blocked cannot be served its command now; `serveLater` is called when it may be. */
  delaysServing(client: Client, command: RegisteredCommand, request: Arguments): boolean {
    const { snapshots, migrations } = this.server;
    if (snapshots.current === undefined && migrations.isIdle) return false;
    return this.changesDelayed(client.database, command, request);
  }

  private mustWait(client: Client, command: RegisteredCommand, request: Arguments): boolean {
    const { transaction, database } = client;
    if (transaction === undefined) return this.changesDelayed(database, command, request);
    if (command.fullName !== 'exec' || (transaction.commandFlags & FLAG_WRITE) === 0) return false;
    let isDelayed = false;
    for (let i = 0; i < transaction.commands.length && !isDelayed; i++) {
      transaction.read(i, this.queuedRequest);
      isDelayed = this.changesDelayed(database, transaction.commands[i], this.queuedRequest);
    }
    transaction.rewind();
    return isDelayed;
  }

  private changesDelayed(database: Database, command: RegisteredCommand, request: Arguments): boolean {
    const { keyspace, snapshots, migrations } = this.server;
    if (!command.has(FLAG_WRITE)) return false;
    const { keys } = this;
    findKeys(command, request, keys);
    const { bytes, offsets, lengths } = request;
    for (let i = 0; i < keys.count; i++) {
      const index = keys.indexes[i];
      if (migrations.isMoving(database, bytes, offsets[index], lengths[index])) return true;
      if (snapshots.current === undefined) continue;
      const hash = keyspace.hash(bytes, offsets[index], lengths[index]);
      const record = database.find(hash, bytes, offsets[index], lengths[index]);
      // The command that looks the key up next is not to be taken for one that names it again.
      keyspace.hashTable.forgetFound();
      if (record !== NULL_REFERENCE && snapshots.current.delays(database, record)) return true;
    }
    return false;
  }

  private resumeAll(): void {
    for (const client of this.waiting) {
      client.isPostponed = false;
      this.server.resumeLater(client);
    }
    this.waiting.clear();
    this.server.serveLater();
  }
}
