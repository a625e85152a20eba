import type { ReplyWriter } from '../protocol/reply-writer.js';
import { type Client, type ClientId, RESTRICTED_SUBSCRIBED } from './client.js';
import type { ClientTracking } from './client-tracking.js';
import type { Clients } from './clients.js';
import type { Outbox } from './outbox.js';

/** The channel on which RESP2 clients hear of keys that are no longer valid. */
const CHANNEL = '__redis__:invalidate';

/**
 * What clients that track keys are told: `invalidate` pushes in RESP3; in RESP2, to the client that messages are
 * redirected to, messages on a channel. A RESP2 client that does not redirect cannot be told anything.
 */
export class InvalidationMessages {
  private readonly clients: Clients;
  private readonly outbox: Outbox;

  constructor(clients: Clients, outbox: Outbox) {
    this.clients = clients;
    this.outbox = outbox;
  }

  /** Tells readers that some keys (latin1) are no longer valid, but for those that broadcast or changed them. */
  send(readers: Iterable<ClientId>, keys: readonly string[]): void {
    const direct: Client[] = [];
    for (const id of readers) {
      const client = this.clients.find(id);
      const tracking = client?.tracking;
      if (client === undefined || tracking === undefined || tracking.isBroadcasting) continue;
      if (tracking.isNoLoop && client === this.outbox.currentClient) continue;
      if (tracking.redirectTo !== 0) this.redirect(client, tracking, keys);
      else if (client.resp === 3) direct.push(client);
    }
    if (direct.length > 0) this.outbox.broadcast(direct, (reply) => writeInvalidation(reply, keys));
  }

  /** Tells clients in broadcasting mode that some keys are no longer valid. */
  sendBroadcast(clients: Iterable<Client>, keys: readonly string[]): void {
    const direct: Client[] = [];
    for (const client of clients) {
      const { tracking } = client;
      if (tracking === undefined) continue;
      if (tracking.redirectTo !== 0) this.redirect(client, tracking, keys);
      else if (client.resp === 3) direct.push(client);
    }
    if (direct.length > 0) this.outbox.broadcast(direct, (reply) => writeInvalidation(reply, keys));
  }

  /** Tells a client that no key is valid any more. */
  sendAll(client: Client, tracking: ClientTracking): void {
    if (tracking.redirectTo !== 0) this.redirect(client, tracking, undefined);
    else if (client.resp === 3) {
      this.outbox.broadcast([client], (reply) => writeInvalidation(reply, undefined));
    }
  }

  private redirect(client: Client, tracking: ClientTracking, keys: readonly string[] | undefined): void {
    const target = this.clients.find(tracking.redirectTo);
    if (target === undefined) {
      tracking.isRedirectBroken = true;
      if (client.resp === 3) {
        this.outbox.broadcast([client], (reply) => {
          reply.pushHeader(2);
          reply.bulkText('tracking-redir-broken');
          reply.integer(tracking.redirectTo);
        });
      }
    } else if (target.resp === 3) {
      this.outbox.broadcast([target], (reply) => writeInvalidation(reply, keys));
    } else if ((target.restrictions & RESTRICTED_SUBSCRIBED) !== 0) {
      this.outbox.broadcast([target], (reply) => {
        reply.pushHeader(3);
        reply.bulkText('message');
        reply.bulkText(CHANNEL);
        writeKeys(reply, keys);
      });
    }
  }
}

function writeInvalidation(reply: ReplyWriter, keys: readonly string[] | undefined): void {
  reply.pushHeader(2);
  reply.bulkText('invalidate');
  writeKeys(reply, keys);
}

/** The keys; undefined: all that there are. */
function writeKeys(reply: ReplyWriter, keys: readonly string[] | undefined): void {
  if (keys === undefined) {
    reply.nullBulk();
    return;
  }
  reply.arrayHeader(keys.length);
  for (const key of keys) reply.bulkText(key);
}
