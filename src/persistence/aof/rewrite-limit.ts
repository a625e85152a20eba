import type { Log } from '../../observability/log.js';
import type { TimestampMs } from '../../structures/deadlines.js';

/** After so many rewrites in a row that failed, the next ones that begin by themselves wait. */
const FAILURES_ALLOWED = 3;
const MINUTES_MAX = 60;
const MINUTE_MS = 60_000;

/** Rewrites that fail leave small files behind: after some failures they are tried less and less often. */
export class RewriteLimit {
  /** Rewrites that failed since the last that did not: `aof_rewrites_consecutive_failures`. */
  failures = 0;

  private readonly log: Log;
  private minutes = 0;
  private nextMs: TimestampMs = 0;

  constructor(log: Log) {
    this.log = log;
  }

  failed(): void {
    this.failures++;
  }

  succeeded(): void {
    this.failures = 0;
  }

  /** Whether no rewrite is to begin by itself now. */
  forbids(nowMs: TimestampMs): boolean {
    if (this.failures < FAILURES_ALLOWED) {
      this.minutes = 0;
      this.nextMs = 0;
      return false;
    }
    if (this.nextMs !== 0) {
      if (nowMs < this.nextMs) return true;
      this.nextMs = 0;
      return false;
    }
    this.minutes = this.minutes === 0 ? 1 : Math.min(this.minutes * 2, MINUTES_MAX);
    this.nextMs = nowMs + this.minutes * MINUTE_MS;
    this.log.warn(
      'Background AOF rewrite has repeatedly failed and triggered the limit, will retry in ' +
        `${this.minutes} minutes`,
    );
    return true;
  }
}
