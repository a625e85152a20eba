import { type DirectiveTable, INT_MAX, INT_MIN, LONG_MAX } from '../directive.js';

/** Up to which size a value keeps its compact encoding. */
export const encodingsDirectives = {
  'hash-max-listpack-entries': {
    kind: 'integer',
    alias: 'hash-max-ziplist-entries',
    range: [0, LONG_MAX],
    default: 512,
    actedOn: true,
  },
  'hash-max-listpack-value': {
    kind: 'memory',
    alias: 'hash-max-ziplist-value',
    range: [0, LONG_MAX],
    default: 64,
    actedOn: true,
  },
  'list-max-listpack-size': {
    kind: 'integer',
    alias: 'list-max-ziplist-size',
    range: [INT_MIN, INT_MAX],
    default: -2,
    actedOn: true,
  },
  'list-compress-depth': {
    kind: 'integer',
    range: [0, INT_MAX],
    default: 0,
    flags: ['debug'],
    actedOn: true,
  },
  'set-max-intset-entries': { kind: 'integer', range: [0, LONG_MAX], default: 512, actedOn: true },
  'set-max-listpack-entries': { kind: 'integer', range: [0, LONG_MAX], default: 128, actedOn: true },
  'set-max-listpack-value': { kind: 'integer', range: [0, LONG_MAX], default: 64, actedOn: true },
  'zset-max-listpack-entries': {
    kind: 'integer',
    alias: 'zset-max-ziplist-entries',
    range: [0, LONG_MAX],
    default: 128,
    actedOn: true,
  },
  'zset-max-listpack-value': {
    kind: 'memory',
    alias: 'zset-max-ziplist-value',
    range: [0, LONG_MAX],
    default: 64,
    actedOn: true,
  },
  'hll-sparse-max-bytes': { kind: 'memory', range: [0, LONG_MAX], default: 3000, actedOn: true },
  'stream-node-max-bytes': { kind: 'memory', range: [0, LONG_MAX], default: 4096 },
  'stream-node-max-entries': { kind: 'integer', range: [0, LONG_MAX], default: 100 },
} as const satisfies DirectiveTable;
