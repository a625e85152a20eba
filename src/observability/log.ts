import { appendFileSync, writeSync } from 'node:fs';
import { pino } from 'pino';

/** What the server logs to. */
export type Log = pino.Logger;

/** How log lines look: Redis's lines, or JSON. */
export type LogFormat = 'text' | 'json';

/** Redis's levels, `loglevel`, and nothing at all. */
export type LogLevel = 'debug' | 'verbose' | 'notice' | 'warning' | 'nothing';

const PINO_LEVELS: Record<LogLevel, string> = {
  debug: 'trace',
  verbose: 'debug',
  notice: 'info',
  warning: 'warn',
  nothing: 'silent',
};

const LINE_MARKS: Record<number, string> = { 10: '.', 20: '-', 30: '*', 40: '#', 50: '#', 60: '#' };
const STANDARD_OUTPUT = 1;
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/**
 * A log, one line an event. Text lines are those of Redis, which tools read:
 *
 *     4711:M 23 Nov 2026 02:58:06.123 * Ready to accept connections tcp
 *
 * @param path the file, or '' for standard output. Lines are appended without a buffer, and a file is opened for each,
 *   so that it may be moved away at any time.
 * @param role `M` of a master, `S` of a replica, `C` of a process that is no server yet.
 */
export function createLog(format: LogFormat, level: LogLevel, path: string, role: () => string): Log {
  const write = (line: string) => {
    const text = format === 'json' ? line : textLine(line, role());
    try {
      if (path === '') writeSync(STANDARD_OUTPUT, text);
      else appendFileSync(path, text);
    } catch {
      // A log that cannot be written (a closed terminal, a full disk) must not stop the server.
    }
  };
  return pino(
    { level: PINO_LEVELS[level], base: null, timestamp: pino.stdTimeFunctions.epochTime },
    { write },
  );
}

/** The level of pino that a `loglevel` means. */
export function pinoLevel(level: LogLevel): string {
  return PINO_LEVELS[level];
}

/** A log that says nothing, for servers inside tests and other programs. */
export function silentLog(): Log {
  return pino({ level: 'silent' });
}

function textLine(json: string, role: string): string {
  const { level, time, msg, err, ...fields } = JSON.parse(json) as {
    level: number;
    time: number;
    msg?: string;
    err?: { stack?: string };
  };
  const details = Object.entries(fields).map(([name, value]) => ` ${name}=${JSON.stringify(value)}`);
  const stack = err?.stack === undefined ? '' : ` ${err.stack.replaceAll('\n', ' | ')}`;
  return `${process.pid}:${role} ${formatTime(new Date(time))} ${LINE_MARKS[level]} ${msg ?? ''}${details.join('')}${stack}\n`;
}

function formatTime(time: Date): string {
  const two = (value: number) => String(value).padStart(2, '0');
  const date = `${two(time.getDate())} ${MONTHS[time.getMonth()]} ${time.getFullYear()}`;
  const clock = `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`;
  return `${date} ${clock}.${String(time.getMilliseconds()).padStart(3, '0')}`;
}
