import { dieBySignal, logCrash, signalHeadline } from '../../observability/crash-report.js';
import type { CommandContext } from '../../server/context.js';
import { renderInfo } from '../server/info.js';
import type { DebugSubcommand } from './subcommand.js';

export const crashSubcommands: readonly DebugSubcommand[] = [
  {
    name: 'assert',
    syntax: '',
    summary: 'End the server as a failed assertion does.',
    least: 0,
    most: 0,
    handler: (context) => panic(context, ['=== ASSERTION FAILED ===', "==> debug:1 '1 == 2' is not true"]),
  },
  {
    name: 'oom',
    syntax: '',
    summary: 'End the server as an allocation that fails does.',
    least: 0,
    most: 0,
    handler: (context) => panic(context, [`Out Of Memory allocating ${2 ** 63} bytes!`]),
  },
  {
    name: 'panic',
    syntax: '',
    summary: 'End the server as a bug does that it finds in itself.',
    least: 0,
    most: 0,
    handler: (context) =>
      panic(context, [
        '------------------------------------------------',
        '!!! Software Failure. Press left mouse button to continue',
        `Guru Meditation: DEBUG PANIC called at Unix time ${Math.floor(Date.now() / 1000)} #debug:1`,
        '------------------------------------------------',
      ]),
  },
  {
    name: 'segfault',
    syntax: '',
    summary: 'End the server by the signal for a wrong memory access.',
    least: 0,
    most: 0,
    handler: (context) => {
      report(context, [signalHeadline('SIGSEGV')]);
      dieBySignal('SIGSEGV');
    },
  },
];

function panic(context: CommandContext, headlines: readonly string[]): never {
  const exits = context.configuration.values['use-exit-on-panic'];
  report(context, exits ? headlines : [...headlines, signalHeadline('SIGABRT')]);
  if (exits) process.exit(1);
  dieBySignal('SIGABRT');
}

function report(context: CommandContext, headlines: readonly string[]): void {
  const { server, configuration, arguments: request } = context;
  const isHidden = configuration.values['hide-user-data-from-log'];
  const words: string[] = [];
  for (let i = 0; i < request.count; i++) {
    words.push(`argv[${i}]: '${isHidden && i > 0 ? '*redacted*' : request.text(i)}'`);
  }
  logCrash({
    log: server.log,
    isDetailed: configuration.values['crash-log-enabled'],
    headlines,
    stack: new Error('DEBUG').stack ?? '',
    facts: new Map([
      ['INFO OUTPUT', renderInfo(server, ['all']).split('\r\n')],
      ['CURRENT CLIENT INFO', words],
    ]),
  });
}
