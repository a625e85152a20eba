import type { DirectiveValues } from '../config/directives.js';
import type { ByteLength } from '../memory/reference.js';
import type { Client } from './client.js';
import { clientMemory } from './client-memory.js';
import type { Clients } from './clients.js';
import type { Watching } from './watching.js';

/** No limit is lower (as in Redis): else nobody could talk to the server any more, and raise it. */
const LIMIT_BYTES_MIN: ByteLength = 128 << 10;

/**
 * `maxmemory-clients`: how much all clients together may take. Over it the largest are closed, until the others fit.
 *
 * A client is measured again whenever it has sent something or was sent something, so that the sum is right at the end
 * of each turn, when it is looked at. Without a limit nothing is measured.
 */
export class ClientEviction {
  /** How many clients were closed: `evicted_clients`. */
  evictedClients = 0;
  private readonly clients: Clients;
  private readonly watching: Watching;
  private readonly close: (client: Client) => void;
  private limitBytes: ByteLength = Number.POSITIVE_INFINITY;
  private totalBytes: ByteLength = 0;

  /** @param close closes a client at once */
  constructor(clients: Clients, watching: Watching, close: (client: Client) => void) {
    this.clients = clients;
    this.watching = watching;
    this.close = close;
  }

  /** Whether there is a limit, so that `measure` has to be called. */
  get isLimited(): boolean {
    return this.limitBytes !== Number.POSITIVE_INFINITY;
  }

  /** Takes the limit over: bytes, or a negative percentage of `maxmemory`. */
  configure({ 'maxmemory-clients': limit, maxmemory }: DirectiveValues): void {
    const bytes = limit >= 0 ? limit : (maxmemory * -limit) / 100;
    this.limitBytes = bytes === 0 ? Number.POSITIVE_INFINITY : Math.max(bytes, LIMIT_BYTES_MIN);
    if (!this.isLimited) return;
    for (const client of this.clients) this.measure(client);
  }

  /** Looks at what a client takes now. */
  measure(client: Client): void {
    if (client.isClosed) return;
    const bytes = clientMemory(client, this.watching);
    this.totalBytes += bytes - client.measuredBytes;
    client.measuredBytes = bytes;
  }

  /** A client is gone. */
  forget(client: Client): void {
    this.totalBytes -= client.measuredBytes;
    client.measuredBytes = 0;
  }

  /** Closes the largest clients while there is too much. Those with CLIENT NO-EVICT count, and stay. */
  makeRoom(): void {
    if (this.totalBytes < this.limitBytes) return;
    const evictable = [...this.clients].filter(({ isNoEvict }) => !isNoEvict);
    evictable.sort((a, b) => b.measuredBytes - a.measuredBytes);
    for (const client of evictable) {
      if (this.totalBytes < this.limitBytes) return;
      this.evictedClients++;
      this.close(client);
    }
  }
}
