import { beforeEach, describe, expect, test } from 'vitest';
import { Configuration } from '../../../src/config/configuration.js';
import { Keyspace } from '../../../src/keyspace/keyspace.js';
import type { RecordReference } from '../../../src/keyspace/record.js';
import { LatencyMonitor } from '../../../src/observability/latency-monitor.js';
import { Eviction } from '../../../src/server/eviction.js';
import { Types } from '../../../src/types/types.js';

/** Keys that a snapshot has yet to write, and that are large, stay as long as there are others. */

const NOW_MS = 1_790_000_000_000;
const VALUE = Buffer.alloc(1000, 'x');
const SMALL_KEYS = 100;
const LARGE_KEYS = 2;

let keyspace: Keyspace;
let types: Types;
let eviction: Eviction;
/** The names of those that went although their removal was postponed. */
let hasty: string[];

function nameOf(record: RecordReference): string {
  return Buffer.from(keyspace.records.key(record)).toString();
}

function isLarge(record: RecordReference): boolean {
  return nameOf(record).startsWith('large');
}

function add(name: string, deadlineMs: number): void {
  const key = Buffer.from(name);
  const hash = keyspace.hash(key, 0, key.length);
  const [database] = keyspace.databases;
  types.strings.add(database, hash, key, 0, key.length, VALUE, 0, VALUE.length, deadlineMs);
}

/** Makes room until so many keys have gone. */
function evict(keys: number, policy: Configuration['values']['maxmemory-policy']): void {
  const [database] = keyspace.databases;
  const { values } = new Configuration();
  while (eviction.evictedKeys < keys) {
    const maxmemory = keyspace.memory.usedBytes - 1;
    eviction.configure({ ...values, maxmemory, 'maxmemory-policy': policy });
    expect(eviction.makeRoom()).toBe(true);
  }
  expect(database.size + eviction.evictedKeys).toBe(SMALL_KEYS + LARGE_KEYS);
}

beforeEach(() => {
  keyspace = new Keyspace({ databases: 1, nowMs: NOW_MS });
  types = new Types(keyspace);
  eviction = new Eviction(keyspace, new LatencyMonitor());
  hasty = [];
  // Those that had better stay would be the first to go.
  for (let i = 0; i < LARGE_KEYS; i++) add(`large ${i}`, NOW_MS + 1000 + i);
  for (let i = 0; i < SMALL_KEYS; i++) add(`small ${i}`, NOW_MS + 5000 + i);
  keyspace.setGuard({
    beforeChange: (_, record) => {
      if (isLarge(record)) hasty.push(nameOf(record));
    },
    postponesRemoval: (_, record) => isLarge(record),
    keepsTable: () => false,
  });
});

describe.each(['allkeys-lru', 'allkeys-random', 'volatile-ttl', 'volatile-random'] as const)(
  '%s',
  (policy) => {
    test('takes another key than one whose removal is postponed', () => {
      evict(SMALL_KEYS / 2, policy);
      expect(hasty).toEqual([]);
    });

    test('takes one whose removal is postponed when there are no others', () => {
      evict(SMALL_KEYS + LARGE_KEYS / 2, policy);
      expect(hasty.length).toBeGreaterThanOrEqual(LARGE_KEYS / 2);
    });
  },
);
