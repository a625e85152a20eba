import type { ReplicationOffset } from '../persistence/aof/manifest.js';
import { Arguments } from '../protocol/arguments.js';
import type { ReplyWriter } from '../protocol/reply-writer.js';
import type { TimestampMs } from '../structures/deadlines.js';
import type { Client } from './client.js';
import type { CommandContext } from './context.js';
import type { RegisteredCommand } from './registered-command.js';
import type { Server } from './server.js';

/** The reply to WAITAOF where there is no file that could be waited for. */
export const ERROR_NOT_LOCAL = 'ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled.';
const ERROR_UNBLOCKED = 'UNBLOCKED client unblocked via CLIENT UNBLOCK';

/** A client that waits for its writes to be on disks, its command, and on how many. */
interface Waiter {
  readonly client: Client;
  readonly command: RegisteredCommand;
  readonly request: Arguments;
  readonly offset: ReplicationOffset;
  readonly wantsLocal: boolean;
  readonly wantedReplicas: number;
  timer: NodeJS.Timeout | undefined;
}

/** The longest time that a timer of Node can wait, in ms; a longer wait is made of several. */
const TIMER_MS_MAX = 0x7fffffff;

/** Clients that wait for their writes to be synced: WAITAOF. There are no replicas so far. */
export class SyncWaits {
  private readonly server: Server;
  private readonly waiters = new Map<Client, Waiter>();

  constructor(server: Server) {
    this.server = server;
  }

  /** How many clients wait. */
  get count(): number {
    return this.waiters.size;
  }

  /**
   * Replies to WAITAOF once what its client wrote is on so many disks, or the time is over.
   * @param timeoutMs how long at most; 0: for ever
   */
  wait(context: CommandContext, wantsLocal: boolean, wantedReplicas: number, timeoutMs: number): void {
    const { client, command, arguments: request, reply } = context;
    if (this.isSatisfied(client.writeOffset, wantsLocal, wantedReplicas) || client.deniesBlocking) {
      this.replyCounts(reply, client.writeOffset);
      return;
    }
    const own = new Arguments();
    own.assign(Array.from({ length: request.count }, (_, i) => request.copy(i)));
    const waiter: Waiter = {
      client,
      command,
      request: own,
      offset: client.writeOffset,
      wantsLocal,
      wantedReplicas,
      timer: undefined,
    };
    this.waiters.set(client, waiter);
    client.unblock = (withError) => {
      this.end(waiter, (writer) => {
        if (withError) writer.error(ERROR_UNBLOCKED);
        else this.replyCounts(writer, waiter.offset);
      });
    };
    if (timeoutMs > 0) this.arm(waiter, context.keyspace.nowMs + timeoutMs);
  }

  /** Serves those whose writes are synced by now, and sends those away who wait in vain. */
  serve(): void {
    if (this.waiters.size === 0) return;
    const isLocalPossible = this.server.configuration.values.appendonly;
    for (const waiter of [...this.waiters.values()]) {
      if (waiter.wantsLocal && !isLocalPossible) this.end(waiter, (writer) => writer.error(ERROR_NOT_LOCAL));
      else if (this.isSatisfied(waiter.offset, waiter.wantsLocal, waiter.wantedReplicas)) {
        this.end(waiter, (writer) => this.replyCounts(writer, waiter.offset));
      }
    }
  }

  /** Forgets a client that is gone. */
  forget(client: Client): void {
    const waiter = this.waiters.get(client);
    if (waiter === undefined) return;
    clearTimeout(waiter.timer);
    this.waiters.delete(client);
    client.unblock = undefined;
  }

  private isSatisfied(offset: ReplicationOffset, wantsLocal: boolean, wantedReplicas: number): boolean {
    return wantedReplicas === 0 && (!wantsLocal || this.isSyncedHere(offset));
  }

  private isSyncedHere(offset: ReplicationOffset): boolean {
    const { appendOnlyFile } = this.server;
    return appendOnlyFile.state !== 'off' && appendOnlyFile.syncedOffset >= offset;
  }

  private replyCounts(reply: ReplyWriter, offset: ReplicationOffset): void {
    reply.arrayHeader(2);
    reply.integer(this.isSyncedHere(offset) ? 1 : 0);
    reply.integer(0);
  }

  private end(waiter: Waiter, write: (reply: ReplyWriter) => void): void {
    const { client, command, request } = waiter;
    this.forget(client);
    if (client.isClosed) return;
    this.server.endWait(client, command, request, write);
    this.server.resumeLater(client);
  }

  private arm(waiter: Waiter, untilMs: TimestampMs): void {
    const delayMs = Math.max(0, untilMs - Date.now());
    waiter.timer = setTimeout(
      () => {
        if (Date.now() >= untilMs) this.end(waiter, (writer) => this.replyCounts(writer, waiter.offset));
        else this.arm(waiter, untilMs);
      },
      Math.min(delayMs, TIMER_MS_MAX),
    );
    waiter.timer.unref();
  }
}
