import Denque from 'denque';
import type { Keyspace } from '../keyspace/keyspace.js';
import { afterReads } from '../network/after-reads.js';
import type { Client } from './client.js';
import type { Outbox } from './outbox.js';

/** Makes what a turn did durable, or passes it on, before its replies leave: the AOF, replication. */
export interface Committer {
  commit(): void;
}

/** What the turn tells its server at the end. */
export interface TurnEvents {
  /** A turn begins. */
  opened(): void;
  /** Something was sent to a client: its queue may be too long. */
  sent(client: Client): void;
  /** A request waits: the client is to be resumed when what it waits for is over. */
  postponed(client: Client): void;
  /** All that arrived is executed. */
  executed(): void;
  /** What a client waited for is over: its further requests can run. */
  resumed(client: Client): void;
  /** The turn is over: work that it left behind can be seen to. */
  ended(): void;
}

/**
 * One turn of the loop: read → decode → execute → commit → reply.
 *
 * It opens with the first bytes that the system has for any client, and ends when all that arrived has been executed
 * (see `afterReads`). Only then it is committed, once for all clients, and only then the replies leave.
 */
export class Turn {
  readonly outbox: Outbox;
  private readonly keyspace: Keyspace;
  private readonly events: TurnEvents;
  private readonly committers: Committer[] = [];
  private readonly closing: Client[] = [];
  private readonly resuming = new Denque<Client>();
  private isOpen = false;
  private readonly endTurn = () => this.end();
  private readonly reportSent = (client: Client) => this.events.sent(client);

  constructor(keyspace: Keyspace, outbox: Outbox, events: TurnEvents) {
    this.keyspace = keyspace;
    this.outbox = outbox;
    this.events = events;
  }

  /** Adds something that must happen before replies leave. They run in the order in which they were added. */
  addCommitter(committer: Committer): void {
    this.committers.push(committer);
  }

  /** Begins a turn unless one is open, and reads the clock. Everything that replies or changes data is in one. */
  open(): void {
    if (this.isOpen) return;
    this.isOpen = true;
    this.readClock();
    this.events.opened();
    afterReads(this.endTurn);
  }

  /** Reads the clock. All of a turn happens at one time. */
  readClock(): void {
    const nowMs = Date.now();
    this.keyspace.nowMs = nowMs;
    this.keyspace.accessClock.tick(nowMs);
  }

  /** Closes a client when its replies are out. */
  closeAfterReply(client: Client): void {
    if (client.closesAfterReply) return;
    client.closesAfterReply = true;
    this.closing.push(client);
    this.open();
  }

  /** Notes that a request waits. */
  postpone(client: Client): void {
    client.isPostponed = true;
    this.events.postponed(client);
  }

  /** Goes on with a client's waiting requests when the commands of this turn are through. */
  resumeLater(client: Client): void {
    this.resuming.push(client);
    this.open();
  }

  /** Commits and sends what there is in the middle of a turn, so that large replies do not pile up. */
  endEarly(): void {
    const { outbox } = this;
    const client = outbox.switchTo(undefined);
    this.commitAndSend();
    outbox.switchTo(client);
  }

  /** Ends the turn: commit, reply, close. */
  end(): void {
    this.events.executed();
    for (let client = this.resuming.shift(); client !== undefined; client = this.resuming.shift()) {
      if (!client.isClosed) this.events.resumed(client);
    }
    this.isOpen = false;
    this.commitAndSend();
    for (let client = this.closing.pop(); client !== undefined; client = this.closing.pop()) {
      client.connection.end();
    }
    this.events.ended();
  }

  private commitAndSend(): void {
    for (let i = 0; i < this.committers.length; i++) this.committers[i].commit();
    this.outbox.flush(this.reportSent);
  }
}
