import type { Database } from '../keyspace/database.js';
import type { ByteLength } from '../memory/reference.js';
import type { Connection, ConnectionListener } from '../network/connection.js';
import type { RespVersion } from '../protocol/reply-writer.js';
import type { RequestDecoder } from '../protocol/request-decoder.js';
import type { TimestampMs } from '../structures/deadlines.js';
import type { ClientTracking } from './client-tracking.js';
import type { SubscriptionKind } from './pubsub.js';
import type { RegisteredCommand } from './registered-command.js';
import type { Transaction } from './transaction.js';

/** A client's number, never used again: CLIENT ID. */
export type ClientId = number;

/** Bits of `Client.restrictions`: why a command may have to be refused or put off. */
export const RESTRICTED_UNAUTHENTICATED = 1;
export const RESTRICTED_IN_MULTI = 2;
export const RESTRICTED_SUBSCRIBED = 4;
/** What its commands read is remembered. */
export const RESTRICTED_TRACKING = 8;
/** It sees the commands of others (MONITOR), and may not use data itself. */
export const RESTRICTED_MONITOR = 16;

/** Instead of the number of a part of the output: there is none. */
export const NO_PART = -1;

/** Whether a client wants replies (CLIENT REPLY). */
export type ReplyMode = 'on' | 'off' | 'skip' | 'skip-next';

/** Whom a client hands its bytes to. */
export interface ClientOwner {
  receive(client: Client, bytes: Uint8Array, length: ByteLength): void;
  inputEnded(): void;
  drained(client: Client): void;
  disconnected(client: Client): void;
}

/** A connected client, with what its commands change about it. */
export class Client implements ConnectionListener {
  readonly id: ClientId;
  readonly connection: Connection;
  readonly createdMs: TimestampMs;
  /** When it last sent something or was sent something. */
  lastActiveMs: TimestampMs;

  database: Database;
  resp: RespVersion = 2;
  name = '';
  libraryName = '';
  libraryVersion = '';
  user = 'default';
  /** RESTRICTED_ bits; 0 for a client whose commands simply run. */
  restrictions = 0;
  replyMode: ReplyMode = 'on';
  /** CLIENT NO-EVICT and NO-TOUCH. */
  isNoEvict = false;
  isNoTouch = false;
  /** The commands since MULTI. */
  transaction: Transaction | undefined;
  /** Names by kind; undefined until it first subscribes. */
  subscriptions: Record<SubscriptionKind, Set<string>> | undefined;
  /** How CLIENT TRACKING is set; undefined while it is off. */
  tracking: ClientTracking | undefined;
  /** Whether its command must not wait, as it runs inside of another (EXEC). */
  deniesBlocking = false;
  lastCommand: RegisteredCommand | undefined;
  /** Where the stream of changes was behind its last write: what WAITAOF waits for. */
  writeOffset = 0;

  /** Bytes of requests that are not executed yet, of which `queryLength` are valid. */
  queryBuffer: Uint8Array = EMPTY;
  queryLength: ByteLength = 0;
  /** The state of a request whose rest is still to come; undefined between requests. */
  decoder: RequestDecoder | undefined;
  /** Whether the transport reads into `queryBuffer` itself. */
  readsDirectly = false;
  /** Bytes received and sent. */
  inputBytes = 0;
  outputBytes = 0;

  /** The first and the last part of this turn's output that is for this client (of `Outbox`), and all their bytes. */
  firstPart = NO_PART;
  lastPart = NO_PART;
  unsentBytes: ByteLength = 0;
  /** Too much output waits for it: it gets no more, and is closed at the end of the turn. */
  isCondemned = false;
  /** What `ClientEviction` has counted of it. */
  measuredBytes: ByteLength = 0;
  /** When its queued output first passed the soft limit; 0 when it is below. */
  softLimitSinceMs: TimestampMs = 0;

  /** Why its requests wait: CLIENT PAUSE, or a blocking command. */
  isPostponed = false;
  /** What ends the wait of a blocking command with a timeout or an error reply; undefined when it does not wait. */
  unblock: ((withError: boolean) => void) | undefined;

  /** It is closed when its replies are out; nothing more of it is executed. */
  closesAfterReply = false;
  isClosed = false;

  private readonly owner: ClientOwner;

  constructor(
    id: ClientId,
    connection: Connection,
    database: Database,
    owner: ClientOwner,
    nowMs: TimestampMs,
  ) {
    this.id = id;
    this.connection = connection;
    this.database = database;
    this.owner = owner;
    this.createdMs = nowMs;
    this.lastActiveMs = nowMs;
  }

  /** Whether it may run commands: authenticated, or no password is needed. */
  get isAuthenticated(): boolean {
    return (this.restrictions & RESTRICTED_UNAUTHENTICATED) === 0;
  }

  /** Memory that its requests and replies take: what arrived, what waits for EXEC, and what waits to be sent. */
  get bufferBytes(): ByteLength {
    return this.queryBuffer.length + (this.transaction?.byteLength ?? 0) + this.connection.queuedBytes;
  }

  /** Whether its requests are not to be executed now. */
  get isHeld(): boolean {
    return this.isPostponed || this.unblock !== undefined || this.closesAfterReply || this.isClosed;
  }

  received(bytes: Uint8Array, length: ByteLength): void {
    this.owner.receive(this, bytes, length);
  }

  inputEnded(): void {
    this.owner.inputEnded();
  }

  drained(): void {
    this.owner.drained(this);
  }

  closed(): void {
    this.isClosed = true;
    this.owner.disconnected(this);
  }
}

const EMPTY = new Uint8Array(0);
