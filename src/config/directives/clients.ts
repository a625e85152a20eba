import { type DirectiveTable, LONG_MAX, UINT_MAX } from '../directive.js';

/** How many clients there may be, and how much memory each may take. */
export const clientsDirectives = {
  maxclients: { kind: 'integer', range: [1, UINT_MAX], default: 10000, actedOn: true },
  'client-output-buffer-limit': {
    kind: 'output-buffer-limits',
    default: {
      normal: { hardBytes: 0, softBytes: 0, softSeconds: 0 },
      replica: { hardBytes: 268435456, softBytes: 67108864, softSeconds: 60 },
      pubsub: { hardBytes: 33554432, softBytes: 8388608, softSeconds: 60 },
    },
    flags: ['multiple-arguments'],
    actedOn: true,
  },
  'client-query-buffer-limit': {
    kind: 'memory',
    range: [1048576, LONG_MAX],
    default: 1073741824,
    flags: ['debug'],
    actedOn: true,
  },
  'proto-max-bulk-len': {
    kind: 'memory',
    range: [1048576, LONG_MAX],
    default: 536870912,
    flags: ['debug'],
    actedOn: true,
  },
  'maxmemory-clients': {
    kind: 'memory-or-percent',
    range: [-100, LONG_MAX],
    default: 0,
    actedOn: true,
  },
  'tracking-table-max-keys': { kind: 'integer', range: [0, LONG_MAX], default: 1000000, actedOn: true },
} as const satisfies DirectiveTable;
