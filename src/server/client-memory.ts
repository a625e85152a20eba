import type { ByteLength } from '../memory/reference.js';
import type { Client } from './client.js';
import type { Watching } from './watching.js';

/** About what the objects of a client take in V8's heap, in bytes. */
const CLIENT_BYTES: ByteLength = 1400;
/** The same for each name of a channel, pattern, prefix or watched key. */
const NAME_BYTES: ByteLength = 100;

/**
 * What a client takes: the client itself, its buffers, and the names that are kept for it. `tot-mem` of CLIENT LIST,
 * and what `maxmemory-clients` limits.
 */
export function clientMemory(client: Client, watching: Watching): ByteLength {
  return CLIENT_BYTES + client.bufferBytes + nameCount(client, watching) * NAME_BYTES;
}

/** How many names are kept for a client. */
function nameCount(client: Client, watching: Watching): number {
  const { subscriptions, tracking } = client;
  let count = watching.countOf(client) + (tracking?.prefixes.size ?? 0);
  if (subscriptions !== undefined) {
    count += subscriptions.channel.size + subscriptions.pattern.size + subscriptions.shard.size;
  }
  return count;
}
