import { type DirectiveTable, LONG_MAX } from '../directive.js';

/** What the server tells about itself: slow commands, latencies, keyspace events. */
export const observabilityDirectives = {
  'slowlog-log-slower-than': { kind: 'integer', range: [-1, LONG_MAX], default: 10000, actedOn: true },
  'slowlog-max-len': { kind: 'integer', range: [0, LONG_MAX], default: 128, actedOn: true },
  'latency-monitor-threshold': { kind: 'integer', range: [0, LONG_MAX], default: 0, actedOn: true },
  'latency-tracking': { kind: 'boolean', default: true, actedOn: true },
  'latency-tracking-info-percentiles': {
    kind: 'percentiles',
    default: [50, 99, 99.9],
    flags: ['multiple-arguments'],
    actedOn: true,
  },
  'notify-keyspace-events': { kind: 'notification-classes', default: 0, actedOn: true },
} as const satisfies DirectiveTable;
