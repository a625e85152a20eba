import type { ByteLength, ByteOffset } from '../memory/reference.js';
import { ReplyWriter } from '../protocol/reply-writer.js';
import { type Client, NO_PART } from './client.js';
import type { OutputLimits } from './output-limits.js';

const FROM_REPLIES = 0;
const FROM_MESSAGES = 1;

/**
 * What a turn sends: two buffers, and which part of them goes to which client.
 *
 *     reply.bytes     │ A: +OK │ B: $3 foo │ A: :1 :2 │ … position
 *     messages.bytes  │ >3 message … │
 *     parts    0: A replies 0..5   1: B replies 5..14   2: B messages 0..9   3: C messages 0..9   4: A replies 14..22
 *              └───────── next ───────────┼───── next ──────┘                                      ↑
 *                                         └─ client.firstPart, client.lastPart = 4 of A ───────────┘
 *
 * Nothing is sent before `flush`, which the turn calls once it is committed. A message may be the part of many
 * clients, and a client may have several parts. Messages have a buffer of their own because they are written in the
 * middle of commands, whose replies must stay in one piece; one to the client whose command runs waits for its end.
 */
export class Outbox {
  readonly reply = new ReplyWriter();
  private readonly messages = new ReplyWriter();
  /** How often something was sent, and how many bytes altogether. */
  sends = 0;
  sentBytes = 0;
  /** How many parts there are. */
  private parts = 0;
  /** Whose a part is, by the number of the part. It only grows, as arrays that are emptied are allocated again. */
  private readonly clients: (Client | undefined)[] = [];
  private starts = new Int32Array(256);
  private ends = new Int32Array(256);
  private sources = new Uint8Array(256);
  /** The number of the client's next part, or NO_PART. */
  private nexts = new Int32Array(256);
  private readonly limits: OutputLimits;
  /** Starts and ends of messages to the client whose command runs. */
  private readonly held: number[] = [];
  private current: Client | undefined;
  private currentStart: ByteOffset = 0;

  constructor(limits: OutputLimits) {
    this.limits = limits;
  }

  /** The client whose command runs. */
  get currentClient(): Client | undefined {
    return this.current;
  }

  /** Bytes that wait to be sent. */
  get pendingBytes(): ByteLength {
    return this.reply.position + this.messages.position;
  }

  /**
   * Whether the client whose command runs has more output by now than it may: it gets none of it, and is closed at
   * the end of the turn. For commands that may reply very much, so that they need not write the rest.
   */
  isOverLimit(): boolean {
    const { current, limits } = this;
    if (current === undefined) return false;
    limits.condemn(current, this.reply.position - this.currentStart);
    return current.isCondemned;
  }

  /** Makes what is written from now on a reply to `client`. Returns whom it was for before. */
  switchTo(client: Client | undefined): Client | undefined {
    const before = this.current;
    if (before !== undefined) {
      if (this.held.length > 0) this.releaseHeld();
      else this.add(before, FROM_REPLIES, this.currentStart, this.reply.position);
    }
    this.current = client;
    this.currentStart = this.reply.position;
    if (client !== undefined) this.reply.resp = client.resp;
    return before;
  }

  /** Takes back what was written to the present client since `start`; replies to others in between stay. */
  rewind(start: ByteOffset): void {
    const { reply, current, starts, ends } = this;
    if (this.currentStart <= start) {
      reply.position = start;
      return;
    }
    if (current === undefined) throw new Error('a reply to nobody is taken back');
    for (let part = current.firstPart; part !== NO_PART; part = this.nexts[part]) {
      if (this.sources[part] !== FROM_REPLIES || ends[part] <= start) continue;
      const end = Math.max(starts[part], start);
      current.unsentBytes -= ends[part] - end;
      ends[part] = end;
    }
    this.currentStart = reply.position;
  }

  /**
   * Sends a message to some clients, none of which waits for it. `write` is called once for each protocol version
   * that is among them.
   */
  broadcast(clients: Iterable<Client>, write: (writer: ReplyWriter) => void): void {
    const { messages } = this;
    let start2 = -1;
    let end2 = -1;
    let start3 = -1;
    let end3 = -1;
    for (const client of clients) {
      if (client.resp === 2 && start2 < 0) {
        messages.resp = 2;
        start2 = messages.position;
        write(messages);
        end2 = messages.position;
      } else if (client.resp === 3 && start3 < 0) {
        messages.resp = 3;
        start3 = messages.position;
        write(messages);
        end3 = messages.position;
      }
      const start = client.resp === 2 ? start2 : start3;
      const end = client.resp === 2 ? end2 : end3;
      if (client.isCondemned) continue;
      if (client === this.current) {
        this.held.push(start, end);
        continue;
      }
      this.add(client, FROM_MESSAGES, start, end);
      if (client.unsentBytes >= this.limits.leastBytes) this.limits.condemn(client);
    }
  }

  /** Whether messages wait for the end of a command. */
  get holdsMessages(): boolean {
    return this.held.length > 0;
  }

  /** A command is complete: the messages that it brought its own client come after its reply. */
  releaseHeld(): void {
    const { current } = this;
    if (current === undefined) throw new Error('messages are held for nobody');
    this.add(current, FROM_REPLIES, this.currentStart, this.reply.position);
    this.currentStart = this.reply.position;
    for (let i = 0; i < this.held.length; i += 2) {
      this.add(current, FROM_MESSAGES, this.held[i], this.held[i + 1]);
    }
    this.held.length = 0;
  }

  private add(client: Client, source: number, start: ByteOffset, end: ByteOffset): void {
    if (start === end) return;
    client.unsentBytes += end - start;
    const last = client.lastPart;
    if (last !== NO_PART && this.ends[last] === start && this.sources[last] === source) {
      this.ends[last] = end;
      return;
    }
    const part = this.parts++;
    if (part === this.starts.length) this.resizeParts(this.starts.length * 2);
    this.starts[part] = start;
    this.ends[part] = end;
    this.sources[part] = source;
    this.nexts[part] = NO_PART;
    this.clients[part] = client;
    if (last === NO_PART) client.firstPart = part;
    else this.nexts[last] = part;
    client.lastPart = part;
  }

  /** Sends everything. `sent` hears of each client that something was sent to. */
  flush(sent: (client: Client) => void): void {
    const { clients, starts, ends, reply, limits } = this;
    for (let i = 0; i < this.parts; i++) {
      const client = clients[i];
      clients[i] = undefined;
      if (client === undefined || client.firstPart !== i) continue; // went out with an earlier part
      if (client.unsentBytes >= limits.leastBytes) limits.condemn(client);
      if (!client.isCondemned && !client.isClosed) {
        if (client.lastPart === i) this.send(client, this.sourceOf(i), starts[i], ends[i] - starts[i]);
        else this.sendParts(client);
        sent(client);
      }
      this.forgetParts(client);
    }
    limits.closeCondemned();
    this.parts = 0;
    if (this.starts.length > 65536) {
      this.resizeParts(256);
      clients.length = 0;
    }
    reply.reset();
    this.messages.reset();
    this.currentStart = 0;
  }

  /** CONFIG RESETSTAT. */
  resetStatistics(): void {
    this.sends = 0;
    this.sentBytes = 0;
  }

  /** Joins all parts of a client, so that they cost one system call. */
  private sendParts(client: Client): void {
    const { starts, ends, nexts } = this;
    let size = 0;
    for (let part = client.firstPart; part !== NO_PART; part = nexts[part]) size += ends[part] - starts[part];
    const joined = Buffer.allocUnsafe(size);
    let position = 0;
    for (let part = client.firstPart; part !== NO_PART; part = nexts[part]) {
      this.sourceOf(part).copy(joined, position, starts[part], ends[part]);
      position += ends[part] - starts[part];
    }
    this.send(client, joined, 0, size);
  }

  private forgetParts(client: Client): void {
    client.firstPart = NO_PART;
    client.lastPart = NO_PART;
    client.unsentBytes = 0;
  }

  private send(client: Client, bytes: Uint8Array, offset: ByteOffset, length: ByteLength): void {
    this.sends++;
    this.sentBytes += length;
    client.outputBytes += length;
    client.connection.send(bytes, offset, length);
  }

  private sourceOf(part: number): Buffer {
    return this.sources[part] === FROM_REPLIES ? this.reply.bytes : this.messages.bytes;
  }

  private resizeParts(capacity: number): void {
    const { starts, ends, sources, nexts } = this;
    const kept = Math.min(capacity, starts.length);
    this.starts = new Int32Array(capacity);
    this.ends = new Int32Array(capacity);
    this.sources = new Uint8Array(capacity);
    this.nexts = new Int32Array(capacity);
    this.nexts.set(nexts.subarray(0, kept));
    this.starts.set(starts.subarray(0, kept));
    this.ends.set(ends.subarray(0, kept));
    this.sources.set(sources.subarray(0, kept));
  }
}
