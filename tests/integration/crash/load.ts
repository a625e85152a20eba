/** Numbered writes over several connections at once, and what is known of each: when it was sent, when acknowledged. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { RandomBytes } from '../../support/random-bytes.js';
import type { RawConnection, RawReply } from '../../support/raw-connection.js';
import { type Model, type NumberedWrite, numberedWrite, type WriteNumber } from './numbered-writes.js';
import type { ServerUnderTest } from './server-under-test.js';

/** A write that was sent. Times are of `performance.now()`, in ms. */
export interface SentWrite {
  readonly write: NumberedWrite;
  readonly number: WriteNumber;
  readonly sentMs: number;
  /** When its last reply had been read; undefined without one. */
  acknowledgedMs: number | undefined;
}

/** What one connection has written: in `model` what the server is known to hold, in `sent` all since then. */
export interface Writer {
  readonly index: number;
  /** The database that it writes to, so that SELECT must be right as well. */
  readonly database: number;
  model: Model;
  sent: SentWrite[];
  next: WriteNumber;
}

const DATABASES = 3;
const BATCH_MAX = 12;
/** So long after its connections a server that ends may end, in ms. */
const END_MS_MAX = 5000;

/** Writers that have written nothing yet. */
export function newWriters(count: number): Writer[] {
  return Array.from({ length: count }, (_, index) => ({
    index,
    database: index % DATABASES,
    model: new Map(),
    sent: [],
    next: 1,
  }));
}

/** Writes as hard as they can, until `stop` or until the server is gone. */
export class Load {
  /** Replies that were errors: only some tests expect such. */
  readonly errors: string[] = [];
  private hasStopped = false;
  private readonly done: Promise<unknown>;

  constructor(server: ServerUnderTest, writers: readonly Writer[], random: RandomBytes) {
    this.done = Promise.all(writers.map((writer) => this.run(server, writer, random)));
  }

  /** Sends nothing more, and waits for what was sent to be answered or for the server's end. */
  async stop(): Promise<void> {
    this.hasStopped = true;
    await this.done;
  }

  private async run(server: ServerUnderTest, writer: Writer, random: RandomBytes): Promise<void> {
    let connection: RawConnection | undefined;
    try {
      connection = await server.connect();
      await connection.call('SELECT', String(writer.database));
      while (!this.hasStopped) await this.writeBatch(connection, writer, 1 + random.below(BATCH_MAX));
    } catch (error) {
      // The server has ended, or is about to, and the connection with it.
      const hasEnded = server.end.then(() => true);
      if (!(await Promise.race([hasEnded, sleep(END_MS_MAX, false)]))) throw error;
    } finally {
      await connection?.close();
    }
  }

  private async writeBatch(connection: RawConnection, writer: Writer, count: number): Promise<void> {
    const sentMs = performance.now();
    const batch: SentWrite[] = [];
    for (let i = 0; i < count; i++) {
      const number = writer.next++;
      const write = numberedWrite(writer.index, number);
      batch.push({ write, number, sentMs, acknowledgedMs: undefined });
    }
    writer.sent.push(...batch);
    connection.send(...batch.flatMap(({ write }) => write.commands));
    for (const sent of batch) {
      let isRefused = false;
      for (let i = 0; i < sent.write.commands.length; i++) {
        const problem = errorOf(await connection.next());
        if (problem === undefined) continue;
        isRefused = true;
        this.errors.push(problem);
      }
      if (isRefused) writer.sent.splice(writer.sent.indexOf(sent), 1);
      else sent.acknowledgedMs = performance.now();
    }
  }
}

/** How many of the writes since the last look are acknowledged, for each connection. */
export function acknowledgedOf(writers: readonly Writer[]): number[] {
  return writers.map(({ sent }) => sent.filter(({ acknowledgedMs }) => acknowledgedMs !== undefined).length);
}

function errorOf(reply: RawReply): string | undefined {
  if (typeof reply === 'object' && 'error' in reply) return reply.error;
  if (Array.isArray(reply)) return reply.map(errorOf).find((error) => error !== undefined);
  return undefined;
}
