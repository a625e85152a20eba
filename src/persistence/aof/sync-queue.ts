import { close, fdatasync } from 'node:fs';
import { systemErrorCode } from '../../config/system-error.js';

/** An open file, as the system numbers it. */
export type FileDescriptor = number;

/** Hears of the end of a sync: what went wrong, if something did. */
export type Synced = (error: Error | undefined) => void;

interface SyncJob {
  readonly fd: FileDescriptor;
  readonly isLast: boolean;
  readonly done: Synced;
}

/**
 * Syncs files in the thread pool, one after the other: when a sync is reported, all that were asked for before it are
 * over. Nobody waits for them.
 */
export class SyncQueue {
  private readonly jobs: SyncJob[] = [];

  /** Syncs that are not over, but for those of files that nobody writes to any more. */
  get length(): number {
    return this.jobs.reduce((count, job) => (job.isLast ? count : count + 1), 0);
  }

  /** Syncs a file. */
  sync(fd: FileDescriptor, done: Synced): void {
    this.add({ fd, isLast: false, done });
  }

  /** Syncs a file for the last time, and closes it. */
  close(fd: FileDescriptor, done: Synced): void {
    this.add({ fd, isLast: true, done });
  }

  private add(job: SyncJob): void {
    this.jobs.push(job);
    if (this.jobs.length === 1) this.run(job);
  }

  private run(job: SyncJob): void {
    fdatasync(job.fd, (error) => {
      if (job.isLast) close(job.fd, () => {});
      this.jobs.shift();
      // Pipes and the like, which cannot be synced, are none of our business.
      job.done(error === null || systemErrorCode(error) === 'EINVAL' ? undefined : error);
      if (this.jobs.length > 0) this.run(this.jobs[0]);
    });
  }
}
