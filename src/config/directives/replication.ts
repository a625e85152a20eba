import { type DirectiveTable, INT_MAX, LONG_MAX } from '../directive.js';

/** A primary and its replicas. */
export const replicationDirectives = {
  replicaof: {
    kind: 'primary-address',
    alias: 'slaveof',
    default: undefined,
    flags: ['immutable', 'multiple-arguments'],
  },
  masterauth: { kind: 'bytes', default: '', emptyIsUnset: true, flags: ['sensitive'] },
  masteruser: { kind: 'string', default: '', emptyIsUnset: true, flags: ['sensitive'] },
  'replica-serve-stale-data': { kind: 'boolean', alias: 'slave-serve-stale-data', default: true },
  'replica-read-only': { kind: 'boolean', alias: 'slave-read-only', default: true, flags: ['debug'] },
  'repl-diskless-sync': { kind: 'boolean', default: true, flags: ['debug'] },
  'repl-diskless-sync-delay': { kind: 'integer', range: [0, INT_MAX], default: 5 },
  'repl-diskless-sync-max-replicas': { kind: 'integer', range: [0, INT_MAX], default: 0 },
  'repl-diskless-load': {
    kind: 'enum',
    values: ['disabled', 'on-empty-db', 'swapdb'],
    default: 'disabled',
    flags: ['deny-loading', 'debug'],
  },
  'repl-ping-replica-period': {
    kind: 'integer',
    alias: 'repl-ping-slave-period',
    range: [1, INT_MAX],
    default: 10,
  },
  'repl-timeout': { kind: 'integer', range: [1, INT_MAX], default: 60 },
  'repl-disable-tcp-nodelay': { kind: 'boolean', default: false },
  'repl-backlog-size': {
    kind: 'memory',
    range: [1, LONG_MAX],
    clampOnSet: [16384, Number.POSITIVE_INFINITY],
    default: 1048576,
  },
  'repl-backlog-ttl': { kind: 'integer', range: [0, LONG_MAX], default: 3600 },
  'replica-full-sync-buffer-limit': { kind: 'memory', range: [0, LONG_MAX], default: 0 },
  'replica-priority': { kind: 'integer', alias: 'slave-priority', range: [0, INT_MAX], default: 100 },
  'replica-announced': { kind: 'boolean', default: true },
  'replica-announce-ip': { kind: 'string', alias: 'slave-announce-ip', default: '', emptyIsUnset: true },
  'replica-announce-port': { kind: 'integer', alias: 'slave-announce-port', range: [0, 65535], default: 0 },
  'replica-ignore-disk-write-errors': { kind: 'boolean', default: false },
  'replica-lazy-flush': { kind: 'boolean', alias: 'slave-lazy-flush', default: false },
  'min-replicas-to-write': { kind: 'integer', alias: 'min-slaves-to-write', range: [0, INT_MAX], default: 0 },
  'min-replicas-max-lag': { kind: 'integer', alias: 'min-slaves-max-lag', range: [0, INT_MAX], default: 10 },
  'propagation-error-behavior': {
    kind: 'enum',
    values: ['ignore', 'panic', 'panic-on-replicas'],
    default: 'ignore',
  },
} as const satisfies DirectiveTable;
