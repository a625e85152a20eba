import { rmSync } from 'node:fs';
import type { Server, ShutdownRequest } from '../server/server.js';
import { removePidFile } from './pid-file.js';

/** The end of the process: by SHUTDOWN, SIGTERM or SIGINT. */
export class Shutdown {
  /** Whether it has begun and is not over. */
  isUnderWay = false;
  private readonly server: Server;
  private readonly pidFile: string | undefined;

  constructor(server: Server, pidFile: string | undefined) {
    this.server = server;
    this.pidFile = pidFile;
    server.onShutdown = (request) => this.begin(request);
  }

  /** Does what is to be done before the end, and ends the process with exit code 0. */
  begin(_request: ShutdownRequest): void {
    if (this.isUnderWay) return;
    this.isUnderWay = true;
    this.server.log.info('User requested shutdown...');
    // What this turn has done so far is committed and answered.
    this.server.turn.endEarly();
    this.leave();
  }

  private leave(): never {
    const { log, configuration } = this.server;
    const { unixsocket } = configuration.values;
    if (this.pidFile !== undefined) removePidFile(log, this.pidFile);
    if (unixsocket !== '') {
      log.info('Removing the unix socket file.');
      rmSync(unixsocket, { force: true });
    }
    log.warn('Redis is now ready to exit, bye bye...');
    process.exit(0);
  }
}
