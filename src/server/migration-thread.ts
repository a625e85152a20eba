import { strict as assert } from 'node:assert';
import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads';
import { CHUNK_BYTES } from '../network/line-socket.js';
import { CACHED_MS, type Migration, type MigrationOutcome } from './migration-sockets.js';

/**
 * What both threads see, as 32-bit integers:
 *
 *     0  how many migrations the thread has answered; who waits for it is woken
 *     1  how many connections it keeps
 */
export const ANSWERS = 0;
/** Index of the number of connections that the thread keeps. */
export const CACHED_SOCKETS = 1;

/** What the thread is given when it starts. */
export interface MigrationThreadData {
  /** Migrations come in, and a MigrationAnswer goes out for each. */
  readonly port: MessagePort;
  readonly state: Int32Array;
}

/** What the thread says: what has become of a migration, or the fault that it has found in itself. */
export type MigrationAnswer = { readonly outcome: MigrationOutcome } | { readonly fault: string };

/** A started thread. */
interface StartedThread {
  readonly worker: Worker;
  readonly port: MessagePort;
  readonly state: Int32Array;
}

/** What the thread may take beyond the timeouts of a conversation, its start included; after that it must be dead. */
const PATIENCE_MS = 30_000;

/**
 * MIGRATE where nothing else may happen until it has its reply: inside EXEC. A thread of its own speaks with the other
 * server while the one that serves sleeps. It is started when it is first needed, and ended when it has not been for as
 * long as a connection is kept; the process never stays alive for it. Another server of this very process cannot answer
 * meanwhile: the keys stay here then, as they do when Redis is told to move them to itself.
 *
 *     serves:  EXEC ─ postMessage ─ Atomics.wait ┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄ receiveMessageOnPort ─ reply
 *     thread:                       connect ─ RESTORE … ─ +OK ─ postMessage, Atomics.notify
 */
export class MigrationThread {
  private thread: StartedThread | undefined;
  private idleTimer: NodeJS.Timeout | undefined;

  /** How many connections it keeps. */
  get cachedCount(): number {
    return this.thread === undefined ? 0 : Atomics.load(this.thread.state, CACHED_SOCKETS);
  }

  /** Sends keys to another server, and returns when that is over. */
  run(migration: Migration): MigrationOutcome {
    clearTimeout(this.idleTimer);
    this.thread ??= start();
    const { port, state } = this.thread;
    const answers = Atomics.load(state, ANSWERS);
    port.postMessage(migration);
    Atomics.wait(state, ANSWERS, answers, longestMs(migration));
    const received = receiveMessageOnPort(port) as { message: MigrationAnswer } | undefined;
    assert(received !== undefined, 'the thread of MIGRATE does not answer');
    const { message } = received;
    if ('fault' in message) assert.fail(`the thread of MIGRATE: ${message.fault}`);
    this.idleTimer = setTimeout(() => this.stop(), CACHED_MS);
    this.idleTimer.unref();
    return message.outcome;
  }

  /** Ends the thread, and with it its connections. */
  stop(): void {
    clearTimeout(this.idleTimer);
    void this.thread?.worker.terminate();
    this.thread = undefined;
  }
}

function start(): StartedThread {
  const { port1: port, port2 } = new MessageChannel();
  const state = new Int32Array(new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT));
  const workerData: MigrationThreadData = { port: port2, state };
  const worker = new Worker(new URL('./migration-worker.js', import.meta.url), {
    name: 'migrate',
    // Not the options of the process: some of them, such as --input-type, are for its own main module.
    execArgv: [],
    workerData,
    transferList: [port2],
  });
  worker.unref();
  port.unref();
  return { worker, port, state };
}

/** How long a conversation takes at most: each of its steps may take its timeout, and all of them may happen twice. */
function longestMs({ timeoutMs, keys }: Migration): number {
  const bytes = keys.reduce((sum, { command }) => sum + command.length, 0);
  const connectsAndWrites = 2 + Math.ceil(bytes / CHUNK_BYTES);
  const reads = 2 + keys.length;
  return PATIENCE_MS + 2 * timeoutMs * (connectsAndWrites + reads);
}
