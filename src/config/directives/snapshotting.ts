import type { DirectiveTable } from '../directive.js';
import { isFileName } from '../string-checks.js';

/** RDB files. */
export const snapshottingDirectives = {
  save: {
    kind: 'save-points',
    default: [
      { seconds: 3600, changes: 1 },
      { seconds: 300, changes: 100 },
      { seconds: 60, changes: 10000 },
    ],
    flags: ['multiple-arguments'],
    actedOn: true,
  },
  'stop-writes-on-bgsave-error': { kind: 'boolean', default: true, actedOn: true },
  rdbcompression: { kind: 'boolean', default: true, actedOn: true },
  rdbchecksum: { kind: 'boolean', default: true, flags: ['immutable'], actedOn: true },
  'sanitize-dump-payload': {
    kind: 'enum',
    values: ['no', 'yes', 'clients'],
    default: 'no',
    flags: ['debug'],
    actedOn: true,
  },
  dbfilename: {
    kind: 'string',
    default: 'dump.rdb',
    check: isFileName("dbfilename can't be a path, just a filename"),
    flags: ['protected'],
    actedOn: true,
  },
  'rdb-del-sync-files': { kind: 'boolean', default: false },
  dir: { kind: 'directory', default: '.', flags: ['protected', 'deny-loading'], actedOn: true },
  'rdb-save-incremental-fsync': { kind: 'boolean', default: true, actedOn: true },
} as const satisfies DirectiveTable;
