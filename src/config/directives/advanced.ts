import { type DirectiveTable, INT_MAX, LONG_MAX } from '../directive.js';

/** The pace of background work, and scripts that take too long. */
export const advancedDirectives = {
  activerehashing: { kind: 'boolean', default: true },
  hz: { kind: 'integer', range: [0, INT_MAX], clamp: [1, 500], default: 10, actedOn: true },
  'dynamic-hz': { kind: 'boolean', default: true },
  'busy-reply-threshold': { kind: 'integer', alias: 'lua-time-limit', range: [0, LONG_MAX], default: 5000 },
} as const satisfies DirectiveTable;
