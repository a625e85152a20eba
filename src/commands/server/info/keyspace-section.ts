import type { Server } from '../../../server/server.js';
import { type KeySample, sampleKeys } from './key-sample.js';
import type { InfoSection } from './section.js';

/** Keys whose deadlines are looked at for `avg_ttl`. */
const SAMPLED_KEYS_MAX = 1024;

/** How many keys each database has, and how many of them expire. */
export const keyspaceSection: InfoSection = {
  name: 'keyspace',
  title: 'Keyspace',
  shownBy: 'default',
  *fields(server) {
    for (const sample of sampleKeys(server, SAMPLED_KEYS_MAX)) {
      const { database } = sample;
      const { deadlines, fieldDeadlines } = database;
      yield [
        `db${database.index}`,
        `keys=${database.size},expires=${deadlines.count},avg_ttl=${averageTtlMs(server, sample)},` +
          `subexpiry=${fieldDeadlines.count}`,
      ];
    }
  },
};

/** The mean time that keys with a deadline have left, in ms; 0 when there are none. */
function averageTtlMs({ keyspace }: Server, { database, records }: KeySample): number {
  if (database.deadlines.count === 0) return 0;
  let sum = 0;
  let count = 0;
  for (const record of records) {
    if (!keyspace.records.hasDeadline(record)) continue;
    sum += Math.max(0, keyspace.deadline(record) - keyspace.nowMs);
    count++;
  }
  return count === 0 ? 0 : Math.floor(sum / count);
}
