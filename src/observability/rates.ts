import { Rate } from './rate.js';

/** The least time between two samples, in ms: a little less than 100, as timers may come early. */
const SAMPLE_MS_MIN = 90;

/** The counters whose growth is watched, as they are now. */
export interface RatedCounters {
  readonly commands: number;
  readonly inputBytes: number;
  readonly outputBytes: number;
  /** Turns of the event loop, and the microseconds that they took. */
  readonly cycles: number;
  readonly cycleDurations: number;
}

/** The `instantaneous_…` figures of INFO. */
export class Rates {
  /** Per millisecond. */
  readonly commands = new Rate();
  readonly inputBytes = new Rate();
  readonly outputBytes = new Rate();
  readonly cycles = new Rate();
  /** Microseconds per cycle. */
  readonly cycleDuration = new Rate();
  private lastMs = 0;

  /** Samples the counters, if it is time. */
  sample(nowMs: number, counters: RatedCounters): void {
    if (nowMs - this.lastMs < SAMPLE_MS_MIN) return;
    this.lastMs = nowMs;
    this.commands.sample(counters.commands, nowMs);
    this.inputBytes.sample(counters.inputBytes, nowMs);
    this.outputBytes.sample(counters.outputBytes, nowMs);
    this.cycles.sample(counters.cycles, nowMs);
    this.cycleDuration.sample(counters.cycleDurations, counters.cycles);
  }

  /** Forgets all samples. */
  reset(): void {
    this.commands.reset();
    this.inputBytes.reset();
    this.outputBytes.reset();
    this.cycles.reset();
    this.cycleDuration.reset();
  }
}
