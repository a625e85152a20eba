import type { DirectiveTable } from '../directive.js';

/** Threads, processors, and what the kernel is asked to do. */
export const operatingSystemDirectives = {
  'io-threads': { kind: 'integer', range: [1, 128], default: 1, flags: ['immutable', 'debug'] },
  'server-cpulist': {
    kind: 'string',
    alias: 'server_cpulist',
    default: '',
    emptyIsUnset: true,
    flags: ['immutable'],
  },
  'bio-cpulist': {
    kind: 'string',
    alias: 'bio_cpulist',
    default: '',
    emptyIsUnset: true,
    flags: ['immutable'],
  },
  'aof-rewrite-cpulist': {
    kind: 'string',
    alias: 'aof_rewrite_cpulist',
    default: '',
    emptyIsUnset: true,
    flags: ['immutable'],
  },
  'bgsave-cpulist': {
    kind: 'string',
    alias: 'bgsave_cpulist',
    default: '',
    emptyIsUnset: true,
    flags: ['immutable'],
  },
  'oom-score-adj': {
    kind: 'enum',
    values: ['no', 'yes', 'relative', 'absolute'],
    synonyms: { relative: 'yes' },
    default: 'no',
    actedOn: true,
  },
  'oom-score-adj-values': {
    kind: 'oom-score-values',
    default: [0, 200, 800],
    flags: ['multiple-arguments'],
    actedOn: true,
  },
  'disable-thp': { kind: 'boolean', default: true, flags: ['immutable'] },
} as const satisfies DirectiveTable;
