import { spawn } from 'node:child_process';
import type { DirectiveValues } from '../config/directives.js';
import type { Log } from '../observability/log.js';

/** Who looks after the process. */
export type Supervisor = 'no' | 'upstart' | 'systemd';

/** Who looks after the process, as `supervised` says and the environment shows. */
export function findSupervisor(log: Log, { supervised }: DirectiveValues): Supervisor {
  const { NOTIFY_SOCKET, UPSTART_JOB } = process.env;
  if (supervised === 'systemd' || (supervised === 'auto' && NOTIFY_SOCKET !== undefined)) {
    if (NOTIFY_SOCKET !== undefined) return 'systemd';
    log.warn('systemd supervision requested or auto-detected, but NOTIFY_SOCKET is not set');
  } else if (supervised === 'upstart' || (supervised === 'auto' && UPSTART_JOB !== undefined)) {
    if (UPSTART_JOB !== undefined) return 'upstart';
    log.warn('upstart supervision requested, but UPSTART_JOB not found');
  }
  return 'no';
}

/**
 * Tells the supervisor that clients may come. Node has no datagram sockets on paths, so systemd is told by its own
 * tool, which needs `NotifyAccess=all` in the unit.
 */
export function reportReady(log: Log, supervisor: Supervisor): void {
  if (supervisor === 'upstart') process.kill(process.pid, 'SIGSTOP');
  if (supervisor !== 'systemd') return;
  const args = ['--ready', '--status=Ready to accept connections', `--pid=${process.pid}`];
  const tool = spawn('systemd-notify', args, { stdio: 'ignore' });
  tool.on('error', (error) => log.warn(`systemd cannot be told that the server is ready: ${error.message}`));
  tool.unref();
}
