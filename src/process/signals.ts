import { renderInfo } from '../commands/server/info.js';
import { dieBySignal, logCrash, signalHeadline } from '../observability/crash-report.js';
import type { Server, ShutdownRequest } from '../server/server.js';
import type { Shutdown } from './shutdown.js';

/** What `shutdown-on-sigterm` and `shutdown-on-sigint` consist of. */
type ShutdownOption = 'save' | 'nosave' | 'now' | 'force';

/** Connects the signals of the process, and the bugs that nobody caught, with the server. */
export function handleSignals(server: Server, shutdown: Shutdown): void {
  const { log, configuration } = server;
  const { values } = configuration;
  const end = (signal: NodeJS.Signals, options: readonly ShutdownOption[]) => {
    if (signal === 'SIGINT' && (shutdown.isScheduled || shutdown.isUnderWay)) {
      log.warn('You insist... exiting now.');
      process.exit(1);
    }
    log.warn(`Received ${signal} scheduling shutdown...`);
    shutdown.schedule(shutdownRequest(options));
  };
  process.on('SIGTERM', () => end('SIGTERM', values['shutdown-on-sigterm']));
  process.on('SIGINT', () => end('SIGINT', values['shutdown-on-sigint']));
  ignoreSignals();
  // Tests of Redis ask for a stack trace so. That of the event loop tells nothing.
  process.on('SIGALRM', () => log.warn('Received SIGALRM'));
  process.on('SIGABRT', () => {
    crash(server, [signalHeadline('SIGABRT')], '');
    dieBySignal('SIGABRT');
  });
  process.on('uncaughtException', (error: unknown) => {
    const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
    crash(server, ['the server ends by a bug that nobody caught'], stack);
    process.exit(1);
  });
}

/** Signals that redis-server ignores. Node would start its debugger on SIGUSR1, and end on SIGHUP. */
function ignoreSignals(): void {
  const signals = ['SIGHUP', 'SIGUSR1', 'SIGPIPE'] as const;
  for (const signal of process.platform === 'win32' ? [] : signals) process.on(signal, () => {});
}

function crash(server: Server, headlines: readonly string[], stack: string): void {
  logCrash({
    log: server.log,
    isDetailed: server.configuration.values['crash-log-enabled'],
    headlines,
    stack,
    facts: new Map([['INFO OUTPUT', renderInfo(server, ['all']).split('\r\n')]]),
  });
}

function shutdownRequest(options: readonly ShutdownOption[]): ShutdownRequest {
  return {
    save: options.includes('save') ? 'save' : options.includes('nosave') ? 'nosave' : 'default',
    now: options.includes('now'),
    force: options.includes('force'),
  };
}
