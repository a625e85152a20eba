import type { OutputBufferLimit } from '../config/directive.js';
import type { DirectiveValues } from '../config/directives.js';
import type { ByteLength } from '../memory/reference.js';
import type { TimestampMs } from '../structures/deadlines.js';
import { type Client, RESTRICTED_SUBSCRIBED } from './client.js';

/** What may wait for a client that has not logged in. */
const UNAUTHENTICATED_BYTES_MAX: ByteLength = 1024;

/**
 * `client-output-buffer-limit`: how much output of a client may wait. Over the hard limit of its class it is closed at
 * once, and over the soft limit after some seconds.
 *
 * What waits is what the system has not taken, and what the present turn has for the client. So a turn that has more
 * for it than the hard limit sends nothing of it, as in Redis, and messages do not pile up for it within a turn.
 */
export class OutputLimits {
  /** No client with less output than this is over any limit, so that all others need not be looked at. */
  leastBytes: ByteLength = Number.POSITIVE_INFINITY;
  private limits: DirectiveValues['client-output-buffer-limit'] | undefined;
  /** Clients with output that the system has not taken. */
  private readonly congested = new Set<Client>();
  private readonly condemned: Client[] = [];
  private readonly close: (client: Client) => void;

  /** @param close closes a client at once */
  constructor(close: (client: Client) => void) {
    this.close = close;
  }

  /** Sets the limits. */
  set(limits: DirectiveValues['client-output-buffer-limit']): void {
    this.limits = limits;
    const all = [limits.normal, limits.pubsub].flatMap(({ hardBytes, softBytes }) => [hardBytes, softBytes]);
    this.leastBytes = Math.min(...all.map((bytes) => (bytes === 0 ? Number.POSITIVE_INFINITY : bytes)));
  }

  /** Whether there is a hard limit for a client. */
  isHard(client: Client): boolean {
    return this.limitOf(client).hardBytes > 0;
  }

  /**
   * Has a client closed at the end of the turn, if more waits for it than its hard limit.
   * @param moreBytes of the reply that is being written
   */
  condemn(client: Client, moreBytes: ByteLength = 0): void {
    const { hardBytes } = this.limitOf(client);
    const bytes = client.connection.queuedBytes + client.unsentBytes + moreBytes;
    if (hardBytes === 0 || bytes < hardBytes || client.isCondemned) return;
    client.isCondemned = true;
    this.condemned.push(client);
  }

  /** Closes those who have too much output from this turn. */
  closeCondemned(): void {
    for (let client = this.condemned.pop(); client !== undefined; client = this.condemned.pop()) {
      if (!client.isClosed) this.close(client);
    }
  }

  /** Looks at a client some of whose output the system has not taken. */
  noteQueued(client: Client, nowMs: TimestampMs): void {
    this.congested.add(client);
    const { hardBytes, softBytes, softSeconds } = this.limitOf(client);
    const bytes = client.connection.queuedBytes;
    const isTooMuch = hardBytes > 0 && bytes >= hardBytes;
    if (isTooMuch || (!client.isAuthenticated && bytes > UNAUTHENTICATED_BYTES_MAX)) this.close(client);
    else if (softBytes === 0 || bytes < softBytes) client.softLimitSinceMs = 0;
    else if (client.softLimitSinceMs === 0) client.softLimitSinceMs = nowMs;
    else if (nowMs - client.softLimitSinceMs > softSeconds * 1000) this.close(client);
  }

  /** Looks at all such clients; called now and then. */
  checkQueued(nowMs: TimestampMs): void {
    for (const client of this.congested) this.noteQueued(client, nowMs);
  }

  /** The system has taken all of a client's output, or the client is gone. */
  drained(client: Client): void {
    client.softLimitSinceMs = 0;
    this.congested.delete(client);
  }

  private limitOf(client: Client): OutputBufferLimit {
    const isSubscribed = (client.restrictions & RESTRICTED_SUBSCRIBED) !== 0;
    return (isSubscribed ? this.limits?.pubsub : this.limits?.normal) ?? NO_LIMIT;
  }
}

const NO_LIMIT: OutputBufferLimit = { hardBytes: 0, softBytes: 0, softSeconds: 0 };
