import type { DirectiveValues } from '../config/directives.js';
import type { TimestampMs } from '../structures/deadlines.js';
import type { Client } from './client.js';

/**
 * Whether a client has let more unsent output pile up than `client-output-buffer-limit` allows it: over the
 * hard limit at once, over the soft limit for so many seconds.
 */
export function exceedsOutputLimit(client: Client, values: DirectiveValues, nowMs: TimestampMs): boolean {
  const limit = values['client-output-buffer-limit'].normal;
  const bytes = client.connection.queuedBytes;
  if (limit.hardBytes > 0 && bytes >= limit.hardBytes) return true;
  if (limit.softBytes === 0 || bytes < limit.softBytes) {
    client.softLimitSinceMs = 0;
    return false;
  }
  if (client.softLimitSinceMs === 0) client.softLimitSinceMs = nowMs;
  return nowMs - client.softLimitSinceMs > limit.softSeconds * 1000;
}
