import { type DirectiveTable, INT_MAX } from '../directive.js';

/** Encrypted connections. */
export const tlsDirectives = {
  'tls-port': { kind: 'integer', range: [0, 65535], default: 0 },
  'tls-cert-file': { kind: 'string', default: '', emptyIsUnset: true, flags: ['volatile'] },
  'tls-key-file': { kind: 'string', default: '', emptyIsUnset: true, flags: ['volatile'] },
  'tls-key-file-pass': { kind: 'string', default: '', emptyIsUnset: true, flags: ['sensitive'] },
  'tls-client-cert-file': { kind: 'string', default: '', emptyIsUnset: true, flags: ['volatile'] },
  'tls-client-key-file': { kind: 'string', default: '', emptyIsUnset: true, flags: ['volatile'] },
  'tls-client-key-file-pass': { kind: 'string', default: '', emptyIsUnset: true, flags: ['sensitive'] },
  'tls-dh-params-file': { kind: 'string', default: '', emptyIsUnset: true, flags: ['volatile'] },
  'tls-ca-cert-file': { kind: 'string', default: '', emptyIsUnset: true, flags: ['volatile'] },
  'tls-ca-cert-dir': { kind: 'string', default: '', emptyIsUnset: true, flags: ['volatile'] },
  'tls-auth-clients': { kind: 'enum', values: ['no', 'yes', 'optional'], default: 'yes' },
  'tls-replication': { kind: 'boolean', default: false },
  'tls-cluster': { kind: 'boolean', default: false },
  'tls-protocols': { kind: 'string', default: '', emptyIsUnset: true },
  'tls-ciphers': { kind: 'string', default: '', emptyIsUnset: true },
  'tls-ciphersuites': { kind: 'string', default: '', emptyIsUnset: true },
  'tls-prefer-server-ciphers': { kind: 'boolean', default: false },
  'tls-session-caching': { kind: 'boolean', default: true },
  'tls-session-cache-size': { kind: 'integer', range: [0, INT_MAX], default: 20480 },
  'tls-session-cache-timeout': { kind: 'integer', range: [0, INT_MAX], default: 300 },
  'max-new-tls-connections-per-cycle': { kind: 'integer', range: [1, 1000], default: 1 },
} as const satisfies DirectiveTable;
