import { constants } from 'node:os';
import { REDIS_VERSION } from '../config/redis-version.js';
import type { Log } from './log.js';

/** What is told of a server that ends by a crash. */
export interface CrashReport {
  readonly log: Log;
  /** Whether more than the headlines is told: `crash-log-enabled`. */
  readonly isDetailed: boolean;
  /** Why it ends. */
  readonly headlines: readonly string[];
  readonly stack: string;
  /** Further facts, a line each, under their titles. */
  readonly facts: ReadonlyMap<string, readonly string[]>;
}

const RULE = '------';

/** Logs a crash, with the marks that tools look for in the reports of Redis. */
export function logCrash({ log, isDetailed, headlines, stack, facts }: CrashReport): void {
  const details = isDetailed
    ? [
        ...section('STACK TRACE', [...stack.split('\n'), `${RULE} STACK TRACE DONE ${RULE}`]),
        ...allFacts(facts),
      ]
    : [];
  const lines = [
    '=== REDIS BUG REPORT START: Cut & paste starting from here ===',
    ...headlines,
    ...details,
    '=== REDIS BUG REPORT END. Make sure to include from START to END. ===',
  ];
  for (const line of lines) log.warn(line);
}

/** The headline of a crash by a signal. */
export function signalHeadline(signal: NodeJS.Signals): string {
  return `Redis ${REDIS_VERSION} crashed by signal: ${constants.signals[signal]}, si_code: 0`;
}

/** Ends the process as a signal ends one that does nothing about it. */
export function dieBySignal(signal: NodeJS.Signals): never {
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
  // The signal may take a moment to arrive, or be blocked by whoever started this process.
  process.abort();
}

function section(title: string, lines: readonly string[]): string[] {
  return ['', `${RULE} ${title} ${RULE}`, ...lines];
}

function allFacts(facts: ReadonlyMap<string, readonly string[]>): string[] {
  return [...facts].flatMap(([title, lines]) => section(title, lines));
}
