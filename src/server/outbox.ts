import type { ByteLength, ByteOffset } from '../memory/reference.js';
import { ReplyWriter } from '../protocol/reply-writer.js';
import type { Client } from './client.js';

/**
 * The replies of a turn: one buffer, and which part of it goes to which client.
 *
 *     reply.bytes   │ A: +OK │ B: $3 foo │ A: :1 :2 │ … position
 *     entries        A 0..5    B 5..14     A 14..22
 *
 * Nothing is sent before `flush`, which the turn calls once it is committed. A part may be named by many
 * entries (a message to many subscribers), and a client may have several.
 */
export class Outbox {
  readonly reply = new ReplyWriter();
  /** How often something was sent, and how many bytes altogether. */
  sends = 0;
  sentBytes = 0;
  private readonly clients: Client[] = [];
  private starts = new Int32Array(256);
  private ends = new Int32Array(256);
  private current: Client | undefined;
  private currentStart: ByteOffset = 0;

  /** Makes what is written from now on a reply to `client`. Returns whom it was for before. */
  switchTo(client: Client | undefined): Client | undefined {
    const before = this.current;
    if (before !== undefined) this.add(before, this.currentStart, this.reply.position);
    this.current = client;
    this.currentStart = this.reply.position;
    if (client !== undefined) this.reply.resp = client.resp;
    return before;
  }

  /** Sends a part of the buffer to a client at the end of the turn. */
  add(client: Client, start: ByteOffset, end: ByteOffset): void {
    if (start === end) return;
    const last = this.clients.length - 1;
    if (last >= 0 && this.clients[last] === client && this.ends[last] === start) {
      this.ends[last] = end;
      return;
    }
    if (last + 1 === this.starts.length) this.growEntries();
    this.starts[last + 1] = start;
    this.ends[last + 1] = end;
    this.clients.push(client);
    client.unsentParts++;
  }

  /** Sends everything. `sent` hears of each client that something was sent to. */
  flush(sent: (client: Client) => void): void {
    const { clients, starts, ends, reply } = this;
    for (let i = 0; i < clients.length; i++) {
      const client = clients[i];
      if (client.unsentParts === 0) continue; // went out with an earlier part
      if (client.unsentParts === 1) this.send(client, reply.bytes, starts[i], ends[i] - starts[i]);
      else this.sendParts(client, i);
      client.unsentParts = 0;
      sent(client);
    }
    clients.length = 0;
    if (this.starts.length > 65536) {
      this.starts = new Int32Array(256);
      this.ends = new Int32Array(256);
    }
    reply.reset();
    this.currentStart = 0;
  }

  /** CONFIG RESETSTAT. */
  resetStatistics(): void {
    this.sends = 0;
    this.sentBytes = 0;
  }

  /** Joins all parts of a client from entry `first` on, so that they cost one system call. */
  private sendParts(client: Client, first: number): void {
    let size = 0;
    for (let i = first; i < this.clients.length; i++) {
      if (this.clients[i] === client) size += this.ends[i] - this.starts[i];
    }
    const joined = Buffer.allocUnsafe(size);
    let position = 0;
    for (let i = first; i < this.clients.length; i++) {
      if (this.clients[i] !== client) continue;
      this.reply.bytes.copy(joined, position, this.starts[i], this.ends[i]);
      position += this.ends[i] - this.starts[i];
    }
    this.send(client, joined, 0, size);
  }

  private send(client: Client, bytes: Uint8Array, offset: ByteOffset, length: ByteLength): void {
    this.sends++;
    this.sentBytes += length;
    client.outputBytes += length;
    client.connection.send(bytes, offset, length);
  }

  private growEntries(): void {
    const starts = new Int32Array(this.starts.length * 2);
    const ends = new Int32Array(starts.length);
    starts.set(this.starts);
    ends.set(this.ends);
    this.starts = starts;
    this.ends = ends;
  }
}
