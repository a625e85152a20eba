import type { Client } from './client.js';
import type { ClientTracking } from './client-tracking.js';
import type { InvalidationMessages } from './invalidation-messages.js';
import type { Committer } from './turn.js';

/** Who is told of the keys with a prefix, and which of them changed in this turn. */
interface Broadcast {
  readonly clients: Set<Client>;
  /** Who changed each key (latin1) last. */
  readonly changed: Map<string, Client | undefined>;
}

const NO_BROADCAST: Broadcast = { clients: new Set(), changed: new Map() };

/**
 * CLIENT TRACKING … BCAST: prefixes whose keys are broadcast. All that changed in a turn goes out in one message for
 * each prefix, behind the replies of the turn, prefixes and keys in the order of their bytes (that of Redis's trees).
 */
export class BroadcastPrefixes implements Committer {
  private readonly messages: InvalidationMessages;
  private readonly broadcasts = new Map<string, Broadcast>();
  private hasChanges = false;

  constructor(messages: InvalidationMessages) {
    this.messages = messages;
  }

  /** How many prefixes there are. */
  get count(): number {
    return this.broadcasts.size;
  }

  /** Has a client told of the keys with a prefix. */
  add(client: Client, tracking: ClientTracking, prefix: string): void {
    let broadcast = this.broadcasts.get(prefix);
    if (broadcast === undefined) {
      broadcast = { clients: new Set(), changed: new Map() };
      this.broadcasts.set(prefix, broadcast);
    }
    broadcast.clients.add(client);
    tracking.prefixes.add(prefix);
  }

  /** Ends all broadcasts to a client. */
  remove(client: Client, tracking: ClientTracking): void {
    for (const prefix of tracking.prefixes) {
      const broadcast = this.broadcasts.get(prefix);
      broadcast?.clients.delete(client);
      if (broadcast?.clients.size === 0) this.broadcasts.delete(prefix);
    }
    tracking.prefixes.clear();
  }

  /** Notes that a key changed, by a client's command or by itself. */
  keyChanged(key: string, by: Client | undefined): void {
    for (const [prefix, { changed }] of this.broadcasts) {
      if (!key.startsWith(prefix)) continue;
      changed.set(key, by);
      this.hasChanges = true;
    }
  }

  commit(): void {
    if (!this.hasChanges) return;
    this.hasChanges = false;
    for (const prefix of [...this.broadcasts.keys()].sort()) {
      const { clients, changed } = this.broadcasts.get(prefix) ?? NO_BROADCAST;
      if (changed.size === 0) continue;
      const all = [...changed.keys()].sort();
      const toldAll: Client[] = [];
      for (const client of clients) {
        if (client.tracking?.isNoLoop !== true) {
          toldAll.push(client);
          continue;
        }
        const others = all.filter((key) => changed.get(key) !== client);
        if (others.length > 0) this.messages.sendBroadcast([client], others);
      }
      this.messages.sendBroadcast(toldAll, all);
      changed.clear();
    }
  }
}
