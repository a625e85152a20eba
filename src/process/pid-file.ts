import { rmSync, writeFileSync } from 'node:fs';
import type { DirectiveValues } from '../config/directives.js';
import { systemErrorText } from '../config/system-error.js';
import type { Log } from '../observability/log.js';

/** Where a daemon's process id is written unless `pidfile` says. */
const DAEMON_PID_FILE = '/var/run/redis.pid';

/** The path of the file for the process id; undefined when none is wanted. */
export function pidFilePath(values: DirectiveValues): string | undefined {
  if (values.pidfile !== '') return values.pidfile;
  return values.daemonize ? DAEMON_PID_FILE : undefined;
}

/** Writes the process id to a file. That it cannot be written is no reason not to start. */
export function writePidFile(log: Log, path: string): void {
  try {
    writeFileSync(path, `${process.pid}\n`);
  } catch (error) {
    log.info(`Failed to write PID file: ${systemErrorText(error)}`);
  }
}

/** Removes the file, if it is there and may be removed. */
export function removePidFile(log: Log, path: string): void {
  log.info('Removing the pid file.');
  try {
    rmSync(path, { force: true });
  } catch {
    // Another user's file, such as in /var/run: it was never written.
  }
}
