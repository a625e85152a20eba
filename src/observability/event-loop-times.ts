import { performance } from 'node:perf_hooks';

/** How long the turns of the event loop took, in microseconds: the `eventloop_…` figures of INFO. */
export class EventLoopTimes {
  /** Turns since the start or the last reset. */
  cycles = 0;
  durationSum = 0;
  durationMax = 0;
  /** The most commands that ran in one turn. */
  callsMax = 0;
  private startMs = 0;
  private startCalls = 0;

  /** A turn begins, `calls` commands having run before. */
  opened(calls: number): void {
    this.startMs = performance.now();
    this.startCalls = calls;
  }

  /** It ends, after `calls` commands altogether. */
  ended(calls: number): void {
    const duration = (performance.now() - this.startMs) * 1000;
    this.cycles++;
    this.durationSum += duration;
    if (duration > this.durationMax) this.durationMax = duration;
    if (calls - this.startCalls > this.callsMax) this.callsMax = calls - this.startCalls;
  }

  /** Sets everything back to zero. */
  reset(): void {
    this.cycles = 0;
    this.durationSum = 0;
    this.durationMax = 0;
    this.callsMax = 0;
  }
}
