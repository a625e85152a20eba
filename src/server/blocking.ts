import type { Database } from '../keyspace/database.js';
import { EVENT_NEW, type KeyEvent } from '../keyspace/events.js';
import type { ChangeListener, Keyspace } from '../keyspace/keyspace.js';
import type { ValueType } from '../keyspace/record.js';
import type { ByteLength, ByteOffset } from '../memory/reference.js';
import { NULL_REFERENCE } from '../memory/reference.js';
import { Arguments, latin1 } from '../protocol/arguments.js';
import { parseDouble } from '../protocol/doubles.js';
import type { ReplyWriter } from '../protocol/reply-writer.js';
import type { Client } from './client.js';
import type { CommandContext } from './context.js';
import type { RegisteredCommand } from './registered-command.js';

/** The longest time that a timer of Node can wait, in ms; a longer wait is made of several. */
const TIMER_MS_MAX = 0x7fffffff;
/** A wait must end within the range of an int64 of ms. */
const INT64_MAX_MS = 2 ** 63;

/** A client that waits for one of some keys, and the command that it will run then. */
interface Waiter {
  readonly client: Client;
  readonly command: RegisteredCommand;
  readonly request: Arguments;
  readonly database: Database;
  readonly type: ValueType;
  readonly keys: readonly string[];
  /** Replies that nothing came in time. */
  readonly replyTimeout: (reply: ReplyWriter) => void;
  /** Until when it waits, ms since the epoch; 0 for ever. */
  readonly untilMs: number;
  timer: NodeJS.Timeout | undefined;
}

/** What blocking needs of the server. */
export interface BlockingServer {
  readonly keyspace: Keyspace;
  /** Runs a command for a client, its reply included, as if the client had sent it now. */
  rerun(client: Client, command: RegisteredCommand, request: Arguments): void;
  /** Replies to a client outside of a command of its own. */
  replyTo(client: Client, write: (reply: ReplyWriter) => void): void;
  /** Goes on with the requests that a client sent while it waited, at the end of the turn. */
  resumeLater(client: Client): void;
}

/**
 * Clients that wait for keys: BLPOP and its kin.
 *
 * A blocking command that finds nothing calls `block` instead of replying. When one of its keys appears (the
 * keyspace says so, whoever made it), the command is run again, client after client in the order in which they
 * came, until the key is gone. A command that finds nothing again simply blocks again.
 *
 * Waiting costs nothing: no polling, and the keyspace is only listened to while somebody waits.
 */
export class Blocking implements ChangeListener {
  private readonly server: BlockingServer;
  private readonly waiters = new Map<Client, Waiter>();
  /** By database and key, who waits, longest first. Keys are latin1 text. */
  private readonly queues: Map<string, Set<Waiter>>[] = [];
  /** Keys that appeared and were not looked at yet, in order. */
  private ready: { database: Database; key: string }[] = [];
  private isServing = false;
  /** While a command runs again, until when it may wait: its timeout does not start anew. */
  private rerunUntilMs: number | undefined;

  constructor(server: BlockingServer) {
    this.server = server;
  }

  /** How many clients wait. */
  get count(): number {
    return this.waiters.size;
  }

  /** How many of them wait for a limited time. */
  get timedCount(): number {
    let count = 0;
    for (const { untilMs } of this.waiters.values()) if (untilMs > 0) count++;
    return count;
  }

  /** How many keys are waited for. */
  get keyCount(): number {
    return this.queues.reduce((sum, queue) => sum + queue.size, 0);
  }

  /** Whether a key appeared that somebody waits for. */
  get hasReady(): boolean {
    return this.ready.length > 0;
  }

  /**
   * Makes the client of the current command wait for a key of some type; inside a transaction its time is up at once.
   * @param first @param last the arguments that are the keys, both included
   * @param timeoutMs how long at most; 0: for ever
   */
  block(
    context: CommandContext,
    first: number,
    last: number,
    type: ValueType,
    timeoutMs: number,
    replyTimeout: (reply: ReplyWriter) => void,
  ): void {
    const { client, command, database, arguments: request } = context;
    if (client.deniesBlocking) {
      replyTimeout(context.reply);
      return;
    }
    const keys = new Set<string>();
    for (let i = first; i <= last; i++) keys.add(request.text(i));
    const own = new Arguments();
    own.assign(Array.from({ length: request.count }, (_, i) => request.copy(i)));
    const untilMs = timeoutMs === 0 ? 0 : this.server.keyspace.nowMs + timeoutMs;
    const waiter: Waiter = {
      client,
      command,
      request: own,
      database,
      type,
      keys: [...keys],
      replyTimeout,
      untilMs: this.rerunUntilMs ?? untilMs,
      timer: undefined,
    };
    if (this.waiters.size === 0) this.server.keyspace.addListener(this);
    this.waiters.set(client, waiter);
    const queues = this.queuesOf(database);
    for (const key of waiter.keys) {
      const queue = queues.get(key);
      if (queue === undefined) queues.set(key, new Set([waiter]));
      else queue.add(waiter);
    }
    client.unblock = (withError) => this.giveUp(waiter, withError);
    this.arm(waiter);
  }

  /** Forgets a client that is gone. */
  forget(client: Client): void {
    const waiter = this.waiters.get(client);
    if (waiter !== undefined) this.remove(waiter);
  }

  keyChanged(
    database: Database,
    event: KeyEvent,
    bytes: Uint8Array,
    offset: ByteOffset,
    length: ByteLength,
  ): void {
    if (event !== EVENT_NEW) return;
    const key = latin1(bytes, offset, length);
    if (this.queues[database.index]?.has(key) === true) this.ready.push({ database, key });
  }

  databaseChanged(database: Database): void {
    const queues = this.queues[database.index];
    if (queues === undefined) return;
    for (const key of queues.keys()) this.ready.push({ database, key });
  }

  /** Serves those who wait for keys that appeared. Called after each command, when it is complete. */
  serve(): void {
    if (this.isServing) return;
    this.isServing = true;
    // A client that is served may make further keys appear (BLMOVE): they come behind.
    while (this.ready.length > 0) {
      const ready = this.ready;
      this.ready = [];
      for (const { database, key } of ready) this.serveKey(database, key);
    }
    this.isServing = false;
  }

  private serveKey(database: Database, key: string): void {
    const queue = this.queues[database.index]?.get(key);
    if (queue === undefined) return;
    const bytes = Buffer.from(key, 'latin1');
    const { keyspace } = this.server;
    const hash = keyspace.hash(bytes, 0, bytes.length);
    for (const waiter of [...queue]) {
      const record = keyspace.peek(database, hash, bytes, 0, bytes.length);
      if (record === NULL_REFERENCE) return;
      if (keyspace.records.type(record) !== waiter.type) continue;
      this.remove(waiter);
      this.rerunUntilMs = waiter.untilMs;
      this.server.rerun(waiter.client, waiter.command, waiter.request);
      this.rerunUntilMs = undefined;
      if (waiter.client.unblock === undefined) this.server.resumeLater(waiter.client);
    }
  }

  /** Ends a wait in vain. */
  private giveUp(waiter: Waiter, withError: boolean): void {
    this.remove(waiter);
    if (waiter.client.isClosed) return;
    this.server.replyTo(waiter.client, (reply) => {
      if (withError) reply.error('UNBLOCKED client unblocked via CLIENT UNBLOCK');
      else waiter.replyTimeout(reply);
    });
    this.server.resumeLater(waiter.client);
  }

  private remove(waiter: Waiter): void {
    clearTimeout(waiter.timer);
    waiter.client.unblock = undefined;
    this.waiters.delete(waiter.client);
    const queues = this.queuesOf(waiter.database);
    for (const key of waiter.keys) {
      const queue = queues.get(key);
      queue?.delete(waiter);
      if (queue?.size === 0) queues.delete(key);
    }
    if (this.waiters.size === 0) this.server.keyspace.removeListener(this);
  }

  private arm(waiter: Waiter): void {
    if (waiter.untilMs === 0) return;
    const delayMs = Math.max(0, waiter.untilMs - Date.now());
    waiter.timer = setTimeout(
      () => {
        if (Date.now() >= waiter.untilMs) this.giveUp(waiter, false);
        else this.arm(waiter);
      },
      Math.min(delayMs, TIMER_MS_MAX),
    );
    waiter.timer.unref();
  }

  private queuesOf(database: Database): Map<string, Set<Waiter>> {
    let queues = this.queues[database.index];
    if (queues === undefined) {
      queues = new Map();
      this.queues[database.index] = queues;
    }
    return queues;
  }
}

/**
 * Argument `index` of a blocking command as a wait in ms, 0 for ever; NaN when it is none, with the error
 * replied. It is given in seconds, with a fraction if need be.
 */
export function blockingTimeoutMs(context: CommandContext, index: number): number {
  const { bytes, offsets, lengths } = context.arguments;
  const seconds = parseDouble(bytes, offsets[index], lengths[index]);
  if (seconds === undefined) {
    context.reply.error('ERR timeout is not a float or out of range');
    return NaN;
  }
  const timeoutMs = Math.ceil(seconds * 1000);
  if (timeoutMs < 0) context.reply.error('ERR timeout is negative');
  else if (timeoutMs + context.keyspace.nowMs > INT64_MAX_MS)
    context.reply.error('ERR timeout is out of range');
  else return timeoutMs;
  return NaN;
}
