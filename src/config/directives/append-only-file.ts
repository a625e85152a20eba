import { type DirectiveTable, INT_MAX, LONG_MAX } from '../directive.js';
import { isNonEmptyFileName } from '../string-checks.js';

/** The append-only file. */
export const appendOnlyFileDirectives = {
  appendonly: { kind: 'boolean', default: false, actedOn: true },
  appendfilename: {
    kind: 'string',
    default: 'appendonly.aof',
    check: isNonEmptyFileName(
      "appendfilename can't be empty",
      "appendfilename can't be a path, just a filename",
    ),
    flags: ['immutable'],
    actedOn: true,
  },
  appenddirname: {
    kind: 'string',
    default: 'appendonlydir',
    check: isNonEmptyFileName(
      "appenddirname can't be empty",
      "appenddirname can't be a path, just a dirname",
    ),
    flags: ['immutable'],
    actedOn: true,
  },
  appendfsync: { kind: 'enum', values: ['everysec', 'always', 'no'], default: 'everysec', actedOn: true },
  'no-appendfsync-on-rewrite': { kind: 'boolean', default: false, actedOn: true },
  'auto-aof-rewrite-percentage': { kind: 'integer', range: [0, INT_MAX], default: 100, actedOn: true },
  'auto-aof-rewrite-min-size': { kind: 'memory', range: [0, LONG_MAX], default: 67108864, actedOn: true },
  'aof-load-truncated': { kind: 'boolean', default: true, actedOn: true },
  'aof-use-rdb-preamble': { kind: 'boolean', default: true, actedOn: true },
  'aof-timestamp-enabled': { kind: 'boolean', default: false, actedOn: true },
  'aof-rewrite-incremental-fsync': { kind: 'boolean', default: true, actedOn: true },
} as const satisfies DirectiveTable;
