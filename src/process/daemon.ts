import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** Set in the environment of a process that was started to be the daemon. */
const IS_DAEMON = 'RESPITE_IS_DAEMON';

/** Whether this process was started as the daemon. Asked once, so that what the daemon starts is none. */
export function takeDaemonMark(): boolean {
  const isDaemon = process.env[IS_DAEMON] !== undefined;
  delete process.env[IS_DAEMON];
  return isDaemon;
}

/**
 * `daemonize yes`: starts the server again, with the same command line, as a process in a session of its own that
 * has no terminal and no standard output, and resolves when that runs. (Node cannot fork, as redis-server does.)
 * Process ids are in the pid file.
 *
 * @param stdin what the configuration had from standard input, which is to be had only once
 */
export async function startDaemon(stdin: string): Promise<void> {
  const daemon = spawn(process.execPath, [...process.execArgv, ...process.argv.slice(1)], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
    env: { ...process.env, [IS_DAEMON]: '1' },
  });
  await once(daemon, 'spawn');
  daemon.stdin.end(stdin, 'latin1');
  await once(daemon.stdin, 'close');
  daemon.unref();
}
