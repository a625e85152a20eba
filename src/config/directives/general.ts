import { type DirectiveTable, INT_MAX } from '../directive.js';

/** The process: its log, its title, its databases, its end. */
export const generalDirectives = {
  daemonize: { kind: 'boolean', default: false, flags: ['immutable'], actedOn: true },
  supervised: {
    kind: 'enum',
    values: ['upstart', 'systemd', 'auto', 'no'],
    default: 'no',
    flags: ['immutable'],
    actedOn: true,
  },
  pidfile: { kind: 'string', default: '', emptyIsUnset: true, flags: ['immutable'], actedOn: true },
  loglevel: {
    kind: 'enum',
    values: ['debug', 'verbose', 'notice', 'warning', 'nothing'],
    default: 'notice',
    actedOn: true,
  },
  logfile: { kind: 'string', default: '', flags: ['immutable'], actedOn: true },
  'hide-user-data-from-log': { kind: 'boolean', default: false, actedOn: true },
  'syslog-enabled': { kind: 'boolean', default: false, flags: ['immutable'] },
  'syslog-ident': { kind: 'string', default: 'redis', flags: ['immutable'] },
  'syslog-facility': {
    kind: 'enum',
    values: ['user', 'local0', 'local1', 'local2', 'local3', 'local4', 'local5', 'local6', 'local7'],
    default: 'local0',
    flags: ['immutable'],
  },
  'crash-log-enabled': { kind: 'boolean', default: true, actedOn: true },
  'crash-memcheck-enabled': { kind: 'boolean', default: true },
  databases: { kind: 'integer', range: [1, INT_MAX], default: 16, flags: ['immutable'], actedOn: true },
  'always-show-logo': { kind: 'boolean', default: false, flags: ['immutable'], actedOn: true },
  'set-proc-title': { kind: 'boolean', default: true, flags: ['immutable'], actedOn: true },
  'proc-title-template': {
    kind: 'title-template',
    default: '{title} {listen-addr} {server-mode}',
    actedOn: true,
  },
  'locale-collate': { kind: 'string', default: '' },
  'ignore-warnings': { kind: 'string', default: '' },
  'shutdown-timeout': { kind: 'integer', range: [0, INT_MAX], default: 10 },
  'shutdown-on-sigint': {
    kind: 'enum-set',
    none: 'default',
    values: ['save', 'nosave', 'now', 'force'],
    exclusive: {
      values: ['save', 'nosave'],
      rejection: "shutdown options SAVE and NOSAVE can't be used simultaneously",
    },
    default: [],
    flags: ['multiple-arguments'],
    actedOn: true,
  },
  'shutdown-on-sigterm': {
    kind: 'enum-set',
    none: 'default',
    values: ['save', 'nosave', 'now', 'force'],
    exclusive: {
      values: ['save', 'nosave'],
      rejection: "shutdown options SAVE and NOSAVE can't be used simultaneously",
    },
    default: [],
    flags: ['multiple-arguments'],
    actedOn: true,
  },
} as const satisfies DirectiveTable;
