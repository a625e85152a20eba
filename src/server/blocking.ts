import type { Database } from '../keyspace/database.js';
import { EVENT_NEW, type KeyEvent } from '../keyspace/events.js';
import { type ChangeListener, KEY_PRESENT, type Keyspace } from '../keyspace/keyspace.js';
import type { ValueType } from '../keyspace/record.js';
import { type ByteLength, type ByteOffset, NULL_REFERENCE } from '../memory/reference.js';
import { Arguments, latin1 } from '../protocol/arguments.js';
import { parseDouble } from '../protocol/doubles.js';
import { parseLongDouble } from '../protocol/long-double.js';
import type { ReplyWriter } from '../protocol/reply-writer.js';
import type { TimestampMs } from '../structures/deadlines.js';
import type { Client } from './client.js';
import type { CommandContext } from './context.js';
import type { RegisteredCommand } from './registered-command.js';
import { KeyFilter, type Place, WaitQueue } from './wait-queue.js';

/** The longest time that a timer of Node can wait, in ms; a longer wait is made of several. */
const TIMER_MS_MAX = 0x7fffffff;
/** A wait must end within the range of an int64 of ms. */
const INT64_MAX_MS = 2 ** 63;
/** What CLIENT UNBLOCK with ERROR has the client get. */
const ERROR_UNBLOCKED = 'UNBLOCKED client unblocked via CLIENT UNBLOCK';

/** A client that waits for one of some keys, and the command that it will run then. */
interface Waiter {
  readonly client: Client;
  readonly command: RegisteredCommand;
  readonly request: Arguments;
  readonly type: ValueType;
  /** One in the queue of each key. */
  readonly places: Place<Waiter>[];
  /** Replies that nothing came in time. */
  readonly replyTimeout: (reply: ReplyWriter) => void;
  /** Until when it waits; 0: for ever. */
  readonly untilMs: TimestampMs;
  timer: NodeJS.Timeout | undefined;
}

/** What blocking needs of the server. */
export interface BlockingServer {
  readonly keyspace: Keyspace;
  /** Whether data is being loaded: until it is there, nobody is served. */
  readonly isLoading: boolean;
  /** Runs a command for a client that waited, its reply included, as if the client had sent it now. */
  rerun(client: Client, command: RegisteredCommand, request: Arguments): void;
  /** Replies to a client whose command waited in vain; the command counts as called. */
  endWait(
    client: Client,
    command: RegisteredCommand,
    request: Arguments,
    write: (reply: ReplyWriter) => void,
  ): void;
  /** Goes on with the requests that a client sent while it waited, at the end of the turn. */
  resumeLater(client: Client): void;
  /** Whether a command cannot run now; `releaseHeld` is called when it may. */
  holdsBack(client: Client, command: RegisteredCommand, request: Arguments): boolean;
}

/**
 * Clients that wait for keys: BLPOP and its kin.
 *
 * A blocking command that finds nothing calls `block` instead of replying. When one of its keys appears (the
 * keyspace says so, whoever made it), the command is run again, client after client in the order in which they
 * came, until the key is gone. A command that finds nothing again simply blocks again, behind the others.
 *
 *     LPUSH a …  ──▶ EVENT_NEW ──▶ ready: [a]       in the middle of a command, or of several in EXEC
 *     reply           ──▶ serve ──▶ rerun BLMOVE a b ──▶ EVENT_NEW ──▶ ready: [b] ──▶ rerun BLPOP b …
 *
 * Waiting costs nothing: no polling, and the keyspace is only listened to while somebody waits.
 */
export class Blocking implements ChangeListener {
  private readonly server: BlockingServer;
  private readonly waiters = new Map<Client, Waiter>();
  /** By type, how many wait for keys of it, if any. */
  private readonly counts = new Map<ValueType, number>();
  /** By database and key (latin1 text), who waits. No queue is empty. */
  private readonly queues: Map<string, WaitQueue<Waiter>>[] = [];
  private readonly filter = new KeyFilter();
  /** Keys that appeared and were not looked at yet, in order. */
  private ready: WaitQueue<Waiter>[] = [];
  /** Keys that are ready, but the commands that wait for them are held back. */
  private held: WaitQueue<Waiter>[] = [];
  private isServing = false;
  /** While a command runs again, until when it may wait: its timeout does not start anew. */
  private rerunUntilMs: TimestampMs | undefined;

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
    return this.queues.reduce((sum, queues) => sum + queues.size, 0);
  }

  /** Whether a key appeared that somebody waits for. */
  get hasReady(): boolean {
    return this.ready.length > 0;
  }

  /**
   * Makes the client of the current command wait for a key of some type; where it may not wait, as inside a
   * transaction, its time is up at once.
   * @param first @param last the arguments that are the keys, both included
   * @param timeoutMs how long at most; 0: for ever
   */
  block(
    context: CommandContext,
    first: number,
    last: number,
    type: ValueType,
    timeoutMs: number,
    replyTimeout: (reply: ReplyWriter) => void = replyNullArray,
  ): void {
    const { client, command, database, arguments: request } = context;
    if (client.deniesBlocking) {
      replyTimeout(context.reply);
      return;
    }
    const own = new Arguments();
    own.assign(Array.from({ length: request.count }, (_, i) => request.copy(i)));
    const untilMs = timeoutMs === 0 ? 0 : this.server.keyspace.nowMs + timeoutMs;
    const waiter: Waiter = {
      client,
      command,
      request: own,
      type,
      places: [],
      replyTimeout,
      untilMs: this.rerunUntilMs ?? untilMs,
      timer: undefined,
    };
    if (this.waiters.size === 0) this.server.keyspace.addListener(this);
    this.waiters.set(client, waiter);
    this.counts.set(type, (this.counts.get(type) ?? 0) + 1);
    const keys = new Set<string>();
    for (let i = first; i <= last; i++) keys.add(request.text(i));
    for (const key of keys) waiter.places.push(this.queueOf(database, key).join(waiter));
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
    if (event !== EVENT_NEW || !this.filter.mayHave(bytes, offset, length)) return;
    const queue = this.queues[database.index]?.get(latin1(bytes, offset, length));
    if (queue !== undefined) this.signal(queue, bytes, offset, length);
  }

  databaseChanged(database: Database, other: Database | undefined): void {
    const queues = this.queues[database.index];
    if (other === undefined || queues === undefined) return;
    for (const queue of queues.values()) {
      const bytes = Buffer.from(queue.key, 'latin1');
      this.signal(queue, bytes, 0, bytes.length);
    }
  }

  /** Whether commands are held back. */
  get hasHeld(): boolean {
    return this.held.length > 0;
  }

  /** Those who could not be served may be. */
  releaseHeld(): void {
    this.ready.push(...this.held);
    this.held = [];
  }

  /** Serves those who wait for keys that appeared. Called after each command, when it is complete. */
  serve(): void {
    if (this.isServing || this.server.isLoading) return;
    this.isServing = true;
    try {
      // A client that is served may make further keys appear (BLMOVE): they come behind.
      while (this.ready.length > 0) {
        const ready = this.ready;
        this.ready = [];
        for (const queue of ready) {
          queue.isReady = false;
          this.serveQueue(queue);
        }
      }
    } finally {
      this.isServing = false;
    }
  }

  /**
   * Notes that a key is ready, if it is there and somebody waits for a key of its type. Whoever waits here may wait for
   * another one; but a key keeps the place that it gets now, behind those that were ready before.
   */
  private signal(queue: WaitQueue<Waiter>, bytes: Uint8Array, offset: ByteOffset, length: ByteLength): void {
    if (queue.isReady) return;
    const { keyspace } = this.server;
    const record = queue.database.find(keyspace.hash(bytes, offset, length), bytes, offset, length);
    if (record === NULL_REFERENCE || !this.counts.has(keyspace.records.type(record))) return;
    queue.isReady = true;
    this.ready.push(queue);
  }

  private serveQueue(queue: WaitQueue<Waiter>): void {
    const { keyspace } = this.server;
    const { database } = queue;
    const bytes = Buffer.from(queue.key, 'latin1');
    const hash = keyspace.hash(bytes, 0, bytes.length);
    let place = queue.first;
    // No more than wait now: one that blocks again joins at the end.
    for (let left = queue.length; left > 0 && place !== undefined; left--) {
      const { waiter, next } = place;
      // One that has expired is left to the next command that meets it.
      const presence = keyspace.presence(database, hash, bytes, 0, bytes.length);
      if (presence !== KEY_PRESENT) return;
      const record = database.find(hash, bytes, 0, bytes.length);
      if (keyspace.records.type(record) === waiter.type) {
        if (this.server.holdsBack(waiter.client, waiter.command, waiter.request)) {
          queue.isReady = true;
          this.held.push(queue);
          return;
        }
        this.serveWaiter(waiter);
      }
      place = next?.isLeft === true ? queue.first : next;
    }
  }

  private serveWaiter(waiter: Waiter): void {
    const { client } = waiter;
    this.remove(waiter);
    this.rerunUntilMs = waiter.untilMs;
    this.server.rerun(client, waiter.command, waiter.request);
    this.rerunUntilMs = undefined;
    if (client.unblock === undefined) this.server.resumeLater(client);
  }

  /** Ends a wait in vain. */
  private giveUp(waiter: Waiter, withError: boolean): void {
    const { client, command, request } = waiter;
    this.remove(waiter);
    if (client.isClosed) return;
    this.server.endWait(client, command, request, withError ? replyUnblocked : waiter.replyTimeout);
    this.server.resumeLater(client);
  }

  private remove(waiter: Waiter): void {
    clearTimeout(waiter.timer);
    waiter.client.unblock = undefined;
    this.waiters.delete(waiter.client);
    const count = this.counts.get(waiter.type) ?? 0;
    if (count > 1) this.counts.set(waiter.type, count - 1);
    else this.counts.delete(waiter.type);
    for (const place of waiter.places) {
      const { queue } = place;
      queue.leave(place);
      if (queue.length > 0) continue;
      this.queues[queue.database.index].delete(queue.key);
      this.filter.remove(queue.key);
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

  private queueOf(database: Database, key: string): WaitQueue<Waiter> {
    this.queues[database.index] ??= new Map();
    const queues = this.queues[database.index];
    let queue = queues.get(key);
    if (queue === undefined) {
      queue = new WaitQueue(database, key);
      queues.set(key, queue);
      this.filter.add(key);
    }
    return queue;
  }
}

/** What most commands reply that waited in vain. */
function replyNullArray(reply: ReplyWriter): void {
  reply.nullArray();
}

function replyUnblocked(reply: ReplyWriter): void {
  reply.error(ERROR_UNBLOCKED);
}

/**
 * Argument `index` of a blocking command as a wait in ms, 0 for ever; NaN when it is none, with the error
 * replied. It is given in seconds, with a fraction if need be.
 */
export function blockingTimeoutMs(context: CommandContext, index: number): number {
  const { keyspace, reply } = context;
  const seconds = secondsIn(context, index);
  if (seconds === undefined) {
    reply.error('ERR timeout is not a float or out of range');
    return NaN;
  }
  const timeoutMs = Math.ceil(seconds * 1000);
  if (timeoutMs < 0) reply.error('ERR timeout is negative');
  else if (timeoutMs + keyspace.nowMs > INT64_MAX_MS) reply.error('ERR timeout is out of range');
  else return timeoutMs;
  return NaN;
}

/** Argument `index` as a number; one that only C's long double holds becomes an infinity or the least of its sign. */
function secondsIn({ arguments: request }: CommandContext, index: number): number | undefined {
  const { bytes, offsets, lengths } = request;
  const seconds = parseDouble(bytes, offsets[index], lengths[index]);
  if (seconds !== undefined) return seconds;
  const exact = parseLongDouble(bytes, offsets[index], lengths[index]);
  if (exact === undefined || typeof exact === 'number') return exact;
  const magnitude = exact.exponent > 0 ? Number.POSITIVE_INFINITY : Number.MIN_VALUE;
  return exact.significand < 0n ? -magnitude : magnitude;
}
