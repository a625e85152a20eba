import { type DirectiveTable, INT_MAX, UINT_MAX } from '../directive.js';

/** Where the server listens, how connections are kept, and who may use the commands that reach beyond the data. */
export const networkDirectives = {
  bind: { kind: 'addresses', default: ['*', '-::*'], flags: ['multiple-arguments'], actedOn: true },
  'bind-source-addr': { kind: 'string', default: '', emptyIsUnset: true },
  'protected-mode': { kind: 'boolean', default: true, actedOn: true },
  'enable-protected-configs': {
    kind: 'enum',
    values: ['no', 'yes', 'local'],
    default: 'no',
    flags: ['immutable'],
    actedOn: true,
  },
  'enable-debug-command': {
    kind: 'enum',
    values: ['no', 'yes', 'local'],
    default: 'no',
    flags: ['immutable'],
    actedOn: true,
  },
  'enable-module-command': {
    kind: 'enum',
    values: ['no', 'yes', 'local'],
    default: 'no',
    flags: ['immutable'],
  },
  port: { kind: 'integer', range: [0, 65535], default: 6379, actedOn: true },
  'tcp-backlog': { kind: 'integer', range: [0, INT_MAX], default: 511, flags: ['immutable'], actedOn: true },
  unixsocket: { kind: 'string', default: '', emptyIsUnset: true, flags: ['immutable'], actedOn: true },
  unixsocketperm: { kind: 'octal', range: [0, 0o777], default: 0, flags: ['immutable'], actedOn: true },
  timeout: { kind: 'integer', range: [0, INT_MAX], default: 0, actedOn: true },
  'tcp-keepalive': { kind: 'integer', range: [0, INT_MAX], default: 300, actedOn: true },
  'socket-mark-id': { kind: 'integer', range: [0, UINT_MAX], default: 0, flags: ['immutable'] },
  'max-new-connections-per-cycle': { kind: 'integer', range: [1, 1000], default: 10 },
} as const satisfies DirectiveTable;
