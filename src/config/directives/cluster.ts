import { type DirectiveTable, INT_MAX, LONG_MAX, ULLONG_MAX } from '../directive.js';
import { isHostName, isNodeName } from '../string-checks.js';

/** Redis Cluster. */
export const clusterDirectives = {
  'cluster-enabled': { kind: 'boolean', default: false, flags: ['immutable'] },
  'cluster-config-file': { kind: 'string', default: 'nodes.conf', flags: ['immutable'] },
  'cluster-node-timeout': { kind: 'integer', range: [0, LONG_MAX], default: 15000 },
  'cluster-port': { kind: 'integer', range: [0, 65535], default: 0, flags: ['immutable'] },
  'cluster-replica-validity-factor': {
    kind: 'integer',
    alias: 'cluster-slave-validity-factor',
    range: [0, INT_MAX],
    default: 10,
  },
  'cluster-migration-barrier': { kind: 'integer', range: [0, INT_MAX], default: 1 },
  'cluster-allow-replica-migration': { kind: 'boolean', default: true },
  'cluster-require-full-coverage': { kind: 'boolean', default: true },
  'cluster-replica-no-failover': { kind: 'boolean', alias: 'cluster-slave-no-failover', default: false },
  'cluster-allow-reads-when-down': { kind: 'boolean', default: false },
  'cluster-allow-pubsubshard-when-down': { kind: 'boolean', default: true },
  'cluster-link-sendbuf-limit': { kind: 'memory', range: [0, ULLONG_MAX], default: 0 },
  'cluster-announce-hostname': { kind: 'string', default: '', emptyIsUnset: true, check: isHostName },
  'cluster-announce-human-nodename': { kind: 'string', default: '', emptyIsUnset: true, check: isNodeName },
  'cluster-preferred-endpoint-type': {
    kind: 'enum',
    values: ['ip', 'hostname', 'unknown-endpoint'],
    default: 'ip',
  },
  'cluster-compatibility-sample-ratio': { kind: 'integer', range: [0, 100], default: 0 },
  'cluster-announce-ip': { kind: 'string', default: '', emptyIsUnset: true },
  'cluster-announce-port': { kind: 'integer', range: [0, 65535], default: 0 },
  'cluster-announce-tls-port': { kind: 'integer', range: [0, 65535], default: 0 },
  'cluster-announce-bus-port': { kind: 'integer', range: [0, 65535], default: 0 },
} as const satisfies DirectiveTable;
