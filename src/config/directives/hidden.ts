import { type DirectiveTable, INT_MAX, INT_MIN, LONG_MAX } from '../directive.js';

/** Switches for tests and emergencies, which CONFIG GET shows only when they are named exactly. */
export const hiddenDirectives = {
  'repl-rdb-channel': { kind: 'boolean', default: true, flags: ['hidden'] },
  'rdb-key-save-delay': {
    kind: 'integer',
    range: [INT_MIN, INT_MAX],
    default: 0,
    flags: ['hidden'],
    actedOn: true,
  },
  'key-load-delay': {
    kind: 'integer',
    range: [INT_MIN, INT_MAX],
    default: 0,
    flags: ['hidden'],
    actedOn: true,
  },
  'loading-process-events-interval-bytes': {
    kind: 'integer',
    range: [1024, INT_MAX],
    default: 524288,
    flags: ['hidden'],
    actedOn: true,
  },
  'aof-disable-auto-gc': { kind: 'boolean', default: false, flags: ['hidden'], actedOn: true },
  'cluster-ping-interval': { kind: 'integer', range: [0, LONG_MAX], default: 0, flags: ['hidden'] },
  'watchdog-period': { kind: 'integer', range: [0, INT_MAX], default: 0, flags: ['hidden'] },
  'use-exit-on-panic': { kind: 'boolean', default: false, flags: ['hidden'], actedOn: true },
  'lua-enable-deprecated-api': { kind: 'boolean', default: false, flags: ['immutable', 'hidden'] },
} as const satisfies DirectiveTable;
