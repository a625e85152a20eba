import { type DirectiveTable, INT_MAX, LONG_MAX } from '../directive.js';
import { isNonEmptyFileName } from '../string-checks.js';

/** The append-only file. */
export const appendOnlyFileDirectives = {
  appendonly: { kind: 'boolean', default: false },
  appendfilename: {
    kind: 'string',
    default: 'appendonly.aof',
    check: isNonEmptyFileName(
      "appendfilename can't be empty",
      "appendfilename can't be a path, just a filename",
    ),
    flags: ['immutable'],
  },
  appenddirname: {
    kind: 'string',
    default: 'appendonlydir',
    check: isNonEmptyFileName(
      "appenddirname can't be empty",
      "appenddirname can't be a path, just a dirname",
    ),
    flags: ['immutable'],
  },
  appendfsync: { kind: 'enum', values: ['everysec', 'always', 'no'], default: 'everysec' },
  'no-appendfsync-on-rewrite': { kind: 'boolean', default: false },
  'auto-aof-rewrite-percentage': { kind: 'integer', range: [0, INT_MAX], default: 100 },
  'auto-aof-rewrite-min-size': { kind: 'memory', range: [0, LONG_MAX], default: 67108864 },
  'aof-load-truncated': { kind: 'boolean', default: true },
  'aof-use-rdb-preamble': { kind: 'boolean', default: true },
  'aof-timestamp-enabled': { kind: 'boolean', default: false },
  'aof-rewrite-incremental-fsync': { kind: 'boolean', default: true },
} as const satisfies DirectiveTable;
