import { rmSync } from 'node:fs';
import type { Server, ShutdownRequest } from '../server/server.js';
import { removePidFile } from './pid-file.js';

/** The end of the process: by SHUTDOWN, SIGTERM or SIGINT. */
export class Shutdown {
  /** Whether it has begun and is not over. */
  isUnderWay = false;
  private readonly server: Server;
  private scheduled: ShutdownRequest | undefined;
  private readonly pidFile: string | undefined;

  constructor(server: Server, pidFile: string | undefined) {
    this.server = server;
    this.pidFile = pidFile;
    server.onShutdown = (request) => this.begin(request);
    server.onShutdownAbort = () => this.abort();
    server.onFatal = () => process.exit(1);
    server.cron.addTask(() => this.beginScheduled());
  }

  /** Whether a signal is to be seen to. */
  get isScheduled(): boolean {
    return this.scheduled !== undefined;
  }

  /** Begins soon: what a signal asks for is done by the clock, and can be taken back until then. */
  schedule(request: ShutdownRequest): void {
    this.scheduled = request;
  }

  /** SHUTDOWN ABORT: forgets what a signal asked for. False when there is nothing. */
  private abort(): boolean {
    if (this.scheduled === undefined) return false;
    this.scheduled = undefined;
    this.server.log.info('Shutdown manually aborted');
    return true;
  }

  private beginScheduled(): void {
    const { scheduled } = this;
    if (scheduled === undefined) return;
    this.scheduled = undefined;
    this.begin(scheduled);
  }

  /**
   * Does what is to be done before the end, and ends the process with exit code 0. Returns false when the data cannot
   * be saved: then nothing has ended.
   */
  begin(request: ShutdownRequest): boolean {
    if (this.isUnderWay) return true;
    this.isUnderWay = true;
    this.server.log.info('User requested shutdown...');
    if (!finishData(this.server, request)) {
      this.isUnderWay = false;
      return false;
    }
    // What this turn has done so far is committed and answered.
    this.server.turn.endEarly();
    return this.leave();
  }

  private leave(): never {
    const { log, configuration, appendOnlyFile } = this.server;
    appendOnlyFile.end();
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

/**
 * Does with the data what is to be done before a server ends: saves it, if that is wanted. Returns whether the server may
 * end; the log tells why not.
 */
export function finishData(server: Server, { save, force }: ShutdownRequest): boolean {
  const { saving, log, configuration, isLoading } = server;
  if (saving.isSaving) {
    log.warn('There is a child saving an .rdb. Killing it!');
    saving.cancel(true);
  }
  if (!finishAppendOnlyFile(server, force)) return false;
  const hasSavePoints = configuration.values.save.length > 0;
  const isWanted = save === 'save' || (save === 'default' && hasSavePoints);
  if (!isWanted || isLoading) return true;
  log.info('Saving the final RDB snapshot before exiting.');
  if (saving.saveAtOnce()) return true;
  log.warn(`Error trying to save the DB, ${force ? 'Exit anyway.' : "can't exit."}`);
  return force;
}

/** Sees to it that the append-only file holds everything. False when there is none yet, but the first is written. */
function finishAppendOnlyFile({ appendOnlyFile, log }: Server, isForced: boolean): boolean {
  if (appendOnlyFile.isRewriting) {
    if (appendOnlyFile.state === 'waiting') {
      log.warn(isForced ? 'Writing initial AOF. Exit anyway.' : "Writing initial AOF, can't exit.");
      if (!isForced) return false;
    }
    log.warn('There is a child rewriting the AOF. Killing it!');
    appendOnlyFile.cancelRewrite(true);
  }
  if (appendOnlyFile.state !== 'off') {
    log.info('Calling fsync() on the AOF file.');
    appendOnlyFile.writer.writeAndSync();
  }
  return true;
}
