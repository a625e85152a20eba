import { type DirectiveTable, INT_MAX, LONG_MAX, ULLONG_MAX } from '../directive.js';

/** Eviction, expiry, lazy freeing and defragmentation. */
export const memoryDirectives = {
  maxmemory: { kind: 'memory', range: [0, ULLONG_MAX], default: 0, actedOn: true },
  'maxmemory-policy': {
    kind: 'enum',
    values: [
      'volatile-lru',
      'volatile-lfu',
      'volatile-random',
      'volatile-ttl',
      'allkeys-lru',
      'allkeys-lfu',
      'allkeys-random',
      'noeviction',
    ],
    default: 'noeviction',
    actedOn: true,
  },
  'maxmemory-samples': { kind: 'integer', range: [1, 64], default: 5, actedOn: true },
  'maxmemory-eviction-tenacity': { kind: 'integer', range: [0, 100], default: 10 },
  'replica-ignore-maxmemory': { kind: 'boolean', alias: 'slave-ignore-maxmemory', default: true },
  'lfu-log-factor': { kind: 'integer', range: [0, INT_MAX], default: 10, actedOn: true },
  'lfu-decay-time': { kind: 'integer', range: [0, INT_MAX], default: 1, actedOn: true },
  'active-expire-effort': { kind: 'integer', range: [1, 10], default: 1 },

  'lazyfree-lazy-eviction': { kind: 'boolean', default: false, flags: ['debug'], actedOn: true },
  'lazyfree-lazy-expire': { kind: 'boolean', default: false, flags: ['debug'], actedOn: true },
  'lazyfree-lazy-server-del': { kind: 'boolean', default: false, flags: ['debug'], actedOn: true },
  'lazyfree-lazy-user-del': { kind: 'boolean', default: false, flags: ['debug'] },
  'lazyfree-lazy-user-flush': { kind: 'boolean', default: false, flags: ['debug'], actedOn: true },

  activedefrag: { kind: 'boolean', default: false, flags: ['debug'] },
  'active-defrag-ignore-bytes': { kind: 'memory', range: [1, LONG_MAX], default: 104857600 },
  'active-defrag-threshold-lower': { kind: 'integer', range: [0, 1000], default: 10 },
  'active-defrag-threshold-upper': { kind: 'integer', range: [0, 1000], default: 100 },
  'active-defrag-cycle-min': { kind: 'integer', range: [1, 99], default: 1 },
  'active-defrag-cycle-max': { kind: 'integer', range: [1, 99], default: 25 },
  'active-defrag-max-scan-fields': { kind: 'integer', range: [1, LONG_MAX], default: 1000 },
  'jemalloc-bg-thread': { kind: 'boolean', default: true },
} as const satisfies DirectiveTable;
