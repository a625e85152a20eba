import type { ByteLength, ByteOffset } from '../memory/reference.js';
import { latin1 } from '../protocol/arguments.js';
import type { ReplyWriter } from '../protocol/reply-writer.js';
import { type Client, RESTRICTED_SUBSCRIBED } from './client.js';
import type { Outbox } from './outbox.js';
import { PatternIndex } from './pattern-index.js';

/** What a client subscribes to: channels by name, channels by pattern, shard channels by name. */
export type SubscriptionKind = 'channel' | 'pattern' | 'shard';

/** Bytes of a channel's name or a message. */
export interface ByteRange {
  readonly bytes: Uint8Array;
  readonly offset: ByteOffset;
  readonly length: ByteLength;
}

/** The first word of each message about a subscription. */
const WORDS = {
  channel: { subscribe: 'subscribe', unsubscribe: 'unsubscribe', message: 'message' },
  pattern: { subscribe: 'psubscribe', unsubscribe: 'punsubscribe', message: 'pmessage' },
  shard: { subscribe: 'ssubscribe', unsubscribe: 'sunsubscribe', message: 'smessage' },
} as const;

/** The first words of messages, as bytes. */
const MESSAGE_WORDS = {
  channel: Buffer.from(WORDS.channel.message),
  pattern: Buffer.from(WORDS.pattern.message),
  shard: Buffer.from(WORDS.shard.message),
} as const;

const NO_NAMES: ReadonlySet<string> = new Set();

/**
 * Who is subscribed to what, and the delivery of messages. Names are latin1 text.
 *
 * A message is written once for each protocol version, and every subscriber's part of the turn's output points to the
 * same bytes, so that a further subscriber costs no copying.
 */
export class PubSub {
  private readonly outbox: Outbox;
  private readonly subscribers: Record<SubscriptionKind, Map<string, Set<Client>>> = {
    channel: new Map(),
    pattern: new Map(),
    shard: new Map(),
  };
  private readonly patterns = new PatternIndex();

  constructor(outbox: Outbox) {
    this.outbox = outbox;
  }

  /** How many channels or patterns have subscribers. */
  count(kind: SubscriptionKind): number {
    return this.subscribers[kind].size;
  }

  /** The names of channels or patterns that have subscribers. */
  names(kind: SubscriptionKind): Iterable<string> {
    return this.subscribers[kind].keys();
  }

  /** How many clients are subscribed to a channel by its name. */
  subscriberCount(kind: SubscriptionKind, name: string): number {
    return this.subscribers[kind].get(name)?.size ?? 0;
  }

  /** What a client is subscribed to. */
  subscriptionsOf(client: Client, kind: SubscriptionKind): ReadonlySet<string> {
    return client.subscriptions?.[kind] ?? NO_NAMES;
  }

  /** Subscribes a client, and tells it so. */
  subscribe(client: Client, kind: SubscriptionKind, name: string): void {
    client.subscriptions ??= { channel: new Set(), pattern: new Set(), shard: new Set() };
    client.subscriptions[kind].add(name);
    client.restrictions |= RESTRICTED_SUBSCRIBED;
    const subscribers = this.subscribers[kind];
    const clients = subscribers.get(name);
    if (clients !== undefined) {
      clients.add(client);
    } else {
      subscribers.set(name, new Set([client]));
      if (kind === 'pattern') this.patterns.add(name);
    }
    this.confirm(client, WORDS[kind].subscribe, name, kind);
  }

  /** Ends a subscription, whether there was one or not, and tells the client so. */
  unsubscribe(client: Client, kind: SubscriptionKind, name: string): void {
    this.drop(client, kind, name);
    this.confirm(client, WORDS[kind].unsubscribe, name, kind);
  }

  /** Ends all subscriptions of a kind, and tells the client so, once also when there was none. */
  unsubscribeAll(client: Client, kind: SubscriptionKind): void {
    const names = [...this.subscriptionsOf(client, kind)];
    for (const name of names) this.unsubscribe(client, kind, name);
    if (names.length === 0) this.confirm(client, WORDS[kind].unsubscribe, undefined, kind);
  }

  /** Ends all subscriptions of a client without a word (RESET, disconnection). */
  forget(client: Client): void {
    for (const kind of ['channel', 'pattern', 'shard'] as const) {
      for (const name of [...this.subscriptionsOf(client, kind)]) this.drop(client, kind, name);
    }
  }

  /** How many subscriptions a client has that put it into RESP2's restricted mode. */
  countOf(client: Client): number {
    const { subscriptions } = client;
    if (subscriptions === undefined) return 0;
    return subscriptions.channel.size + subscriptions.pattern.size + subscriptions.shard.size;
  }

  /** Delivers a message. Returns how many subscriptions got it. */
  publish(kind: 'channel' | 'shard', channel: ByteRange, message: ByteRange): number {
    const subscribers = this.subscribers[kind];
    const hasPatterns = kind === 'channel' && this.patterns.size > 0;
    if (subscribers.size === 0 && !hasPatterns) return 0;
    const name = latin1(channel.bytes, channel.offset, channel.length);
    const clients = subscribers.get(name);
    let receivers = 0;
    if (clients !== undefined) {
      receivers = clients.size;
      this.outbox.broadcast(clients, (reply) => {
        reply.pushHeader(3);
        reply.bulkBytes(MESSAGE_WORDS[kind]);
        writeRange(reply, channel);
        writeRange(reply, message);
      });
    }
    return hasPatterns ? receivers + this.publishToPatterns(name, channel, message) : receivers;
  }

  /** Whether a message to a channel could reach anybody. */
  get hasSubscribers(): boolean {
    return this.subscribers.channel.size > 0 || this.patterns.size > 0;
  }

  private publishToPatterns(name: string, channel: ByteRange, message: ByteRange): number {
    let receivers = 0;
    for (const pattern of this.patterns.matching(name, channel.bytes, channel.offset, channel.length)) {
      const clients = this.subscribers.pattern.get(pattern);
      if (clients === undefined) continue;
      receivers += clients.size;
      this.outbox.broadcast(clients, (reply) => {
        reply.pushHeader(4);
        reply.bulkBytes(MESSAGE_WORDS.pattern);
        reply.bulkText(pattern);
        writeRange(reply, channel);
        writeRange(reply, message);
      });
    }
    return receivers;
  }

  private drop(client: Client, kind: SubscriptionKind, name: string): void {
    if (client.subscriptions?.[kind].delete(name) !== true) return;
    const clients = this.subscribers[kind].get(name);
    clients?.delete(client);
    if (clients?.size === 0) {
      this.subscribers[kind].delete(name);
      if (kind === 'pattern') this.patterns.remove(name);
    }
    if (this.countOf(client) === 0) client.restrictions &= ~RESTRICTED_SUBSCRIBED;
  }

  /** The reply to one subscription or its end, with the number of those that are left. */
  private confirm(client: Client, word: string, name: string | undefined, kind: SubscriptionKind): void {
    const { subscriptions } = client;
    const left =
      kind === 'shard'
        ? (subscriptions?.shard.size ?? 0)
        : (subscriptions?.channel.size ?? 0) + (subscriptions?.pattern.size ?? 0);
    const write = (reply: ReplyWriter) => {
      reply.pushHeader(3);
      reply.bulkText(word);
      if (name === undefined) reply.nullBulk();
      else reply.bulkText(name);
      reply.integer(left);
    };
    // CLIENT REPLY OFF is about replies; this is a message, though one that stands where a reply does.
    if (client.replyMode === 'on') write(this.outbox.reply);
    else this.outbox.broadcast([client], write);
  }
}

function writeRange(reply: ReplyWriter, range: ByteRange): void {
  reply.bulk(range.bytes, range.offset, range.length);
}
