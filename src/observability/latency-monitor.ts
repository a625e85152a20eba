/** Samples of an event that are kept. */
const SAMPLES_MAX = 160;

/** How long something took, in whole milliseconds, and when: seconds since the epoch. */
export interface LatencySample {
  readonly timeSeconds: number;
  milliseconds: number;
}

/** The latest samples of an event, one a second at most, oldest first. */
export class LatencySeries {
  readonly samples: LatencySample[] = [];
  /** The longest ever, in ms. */
  maxMs = 0;

  /** Adds a sample. Of those of one second the longest is kept. */
  add(timeSeconds: number, milliseconds: number): void {
    if (milliseconds > this.maxMs) this.maxMs = milliseconds;
    const last = this.samples.at(-1);
    if (last?.timeSeconds === timeSeconds) {
      if (milliseconds > last.milliseconds) last.milliseconds = milliseconds;
      return;
    }
    this.samples.push({ timeSeconds, milliseconds });
    if (this.samples.length > SAMPLES_MAX) this.samples.shift();
  }
}

/**
 * LATENCY: what took at least `latency-monitor-threshold` milliseconds, by event: `command`, `fast-command`,
 * `expire-cycle` and so on.
 */
export class LatencyMonitor {
  readonly series = new Map<string, LatencySeries>();
  /** In ms; 0: nothing is noted. */
  thresholdMs = 0;

  /** Notes that an event took so long, if that is long. */
  note(event: string, milliseconds: number): void {
    if (this.thresholdMs === 0 || milliseconds < this.thresholdMs) return;
    let series = this.series.get(event);
    if (series === undefined) {
      series = new LatencySeries();
      this.series.set(event, series);
    }
    series.add(Math.floor(Date.now() / 1000), Math.floor(milliseconds));
  }

  /** Forgets all events, or the one of a name, in any case. Returns how many. */
  reset(event?: string): number {
    let count = 0;
    for (const name of [...this.series.keys()]) {
      if (event !== undefined && name !== event.toLowerCase()) continue;
      this.series.delete(name);
      count++;
    }
    return count;
  }
}
