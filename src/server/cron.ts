import { performance } from 'node:perf_hooks';
import type { Keyspace } from '../keyspace/keyspace.js';
import type { LatencyMonitor } from '../observability/latency-monitor.js';
import type { Propagation } from './propagation.js';
import type { Turn } from './turn.js';

/** How long a slice of background work may take before it lets clients go first, in ms. */
const SLICE_MS = 1;
/** Pieces of work between two looks at the clock. */
const PIECES_PER_LOOK = 64;
/** The shortest and longest wait of the expiry timer, in ms. */
const WAIT_MS_MIN = 1;
const WAIT_MS_MAX = 0x7fffffff;

/** Something that has to be done `hz` times a second. */
export type PeriodicTask = (nowMs: number) => void;

/**
 * All that happens by the clock: keys expire when their time comes, deleted values are freed, periodic tasks
 * run. Work without an end of its own is done in slices of a millisecond between the turns of clients.
 */
export class Cron {
  /** False: nothing is expired by the clock (DEBUG SET-ACTIVE-EXPIRE 0). */
  expiresActively = true;
  /** Nothing expires for now, by the clock or otherwise (CLIENT PAUSE). */
  isExpiryPaused = false;
  /** True: periodic tasks do not run (DEBUG PAUSE-CRON). */
  isPaused = false;
  /** How many times the periodic tasks ran. */
  ticks = 0;
  /** How long they took: `eventloop_duration_cron_sum`. */
  taskMicroseconds = 0;
  /** How long removing what has expired took: `expire_cycle_cpu_milliseconds`. */
  expiryMs = 0;

  private readonly keyspace: Keyspace;
  private readonly turn: Turn;
  private readonly propagation: Propagation;
  private readonly latencies: LatencyMonitor;
  private readonly tasks: PeriodicTask[] = [];
  private ticker: NodeJS.Timeout | undefined;
  private expiryTimer: NodeJS.Timeout | undefined;
  private expiryTimerMs = Number.POSITIVE_INFINITY;
  private slice: NodeJS.Immediate | undefined;

  constructor(keyspace: Keyspace, turn: Turn, propagation: Propagation, latencies: LatencyMonitor) {
    this.keyspace = keyspace;
    this.turn = turn;
    this.propagation = propagation;
    this.latencies = latencies;
  }

  addTask(task: PeriodicTask): void {
    this.tasks.push(task);
  }

  /** Starts, or goes on at another rate. */
  start(hz: number): void {
    clearInterval(this.ticker);
    this.ticker = setInterval(() => this.tick(), 1000 / hz);
    this.ticker.unref();
  }

  stop(): void {
    clearInterval(this.ticker);
    clearTimeout(this.expiryTimer);
    if (this.slice !== undefined) clearImmediate(this.slice);
    this.slice = undefined;
    this.expiryTimerMs = Number.POSITIVE_INFINITY;
  }

  /** Sees to it that work which a turn has left behind is done: called at the end of each turn. */
  arm(): void {
    if (!this.keyspace.lazyFree.isEmpty) this.continueSoon();
    if (!this.mayExpire) return;
    let wakeMs = Number.POSITIVE_INFINITY;
    for (const database of this.keyspace.databases) {
      if (database.deadlines.wakeMs < wakeMs) wakeMs = database.deadlines.wakeMs;
      if (database.fieldDeadlines.wakeMs < wakeMs) wakeMs = database.fieldDeadlines.wakeMs;
    }
    if (wakeMs >= this.expiryTimerMs) return;
    clearTimeout(this.expiryTimer);
    this.expiryTimerMs = wakeMs;
    const waitMs = Math.min(Math.max(wakeMs - this.keyspace.nowMs, WAIT_MS_MIN), WAIT_MS_MAX);
    this.expiryTimer = setTimeout(() => {
      this.expiryTimerMs = Number.POSITIVE_INFINITY;
      this.continueSoon();
    }, waitMs);
    this.expiryTimer.unref();
  }

  private get mayExpire(): boolean {
    return this.expiresActively && !this.isExpiryPaused && !this.keyspace.ignoresDeadlines;
  }

  /** CONFIG RESETSTAT. */
  resetStatistics(): void {
    this.taskMicroseconds = 0;
    this.expiryMs = 0;
  }

  private tick(): void {
    if (this.isPaused) return;
    this.ticks++;
    this.turn.open();
    const startMs = performance.now();
    for (const task of this.tasks) task(this.keyspace.nowMs);
    this.taskMicroseconds += (performance.now() - startMs) * 1000;
  }

  private continueSoon(): void {
    this.slice ??= setImmediate(() => {
      this.slice = undefined;
      this.runSlice();
    });
  }

  /** Works for a millisecond, and comes back when something is left. */
  private runSlice(): void {
    this.turn.open();
    let nowMs = performance.now();
    const endMs = nowMs + SLICE_MS;
    let expiryMs = 0;
    let hasMore = true;
    while (hasMore && nowMs < endMs) {
      hasMore = this.keyspace.lazyFree.step(PIECES_PER_LOOK);
      const expiryStartMs = performance.now();
      if (this.mayExpire && this.expirePieces()) hasMore = true;
      nowMs = performance.now();
      expiryMs += nowMs - expiryStartMs;
    }
    this.propagation.flushSingly();
    this.latencies.note('expire-cycle', expiryMs);
    this.expiryMs += expiryMs;
    if (hasMore) this.continueSoon();
  }

  private expirePieces(): boolean {
    const { keyspace } = this;
    let hasMore = false;
    for (const database of keyspace.databases) {
      const { deadlines, fieldDeadlines } = database;
      if (deadlines.wakeMs <= keyspace.nowMs && keyspace.expireDue(database, PIECES_PER_LOOK)) hasMore = true;
      if (fieldDeadlines.wakeMs > keyspace.nowMs) continue;
      if (keyspace.expireFieldsDue(database, PIECES_PER_LOOK)) hasMore = true;
    }
    return hasMore;
  }
}
