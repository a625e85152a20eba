import { type DirectiveTable, LONG_MAX } from '../directive.js';

/** Users and passwords. */
export const securityDirectives = {
  requirepass: { kind: 'bytes', default: '', emptyIsUnset: true, flags: ['sensitive'], actedOn: true },
  aclfile: { kind: 'string', default: '', flags: ['immutable'] },
  'acl-pubsub-default': { kind: 'enum', values: ['allchannels', 'resetchannels'], default: 'resetchannels' },
  'acllog-max-len': { kind: 'integer', range: [0, LONG_MAX], default: 128 },
} as const satisfies DirectiveTable;
