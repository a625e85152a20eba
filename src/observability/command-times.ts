import { performance } from 'node:perf_hooks';
import { LatencyHistogram } from './latency-histogram.js';

/** Calls that are timed together, at most. It bounds how much a slow call is blamed for that came before it. */
const RUN_CALLS_MAX = 128;

/** What is counted of a command. */
export interface TimedCommand {
  /** Its number in the command table. */
  readonly id: number;
  calls: number;
  microseconds: number;
}

/** A run of calls that is interrupted because its last command runs others. */
interface InterruptedRun {
  readonly command: TimedCommand | undefined;
  readonly calls: number;
  readonly startMs: number;
}

/**
 * How often commands are called, and how long they take: `commandstats` and `latencystats` of INFO.
 *
 * Reading the clock takes about 50 ns, a tenth of a pipelined GET. So calls of one command that follow each other in
 * a pipeline are timed together, as a run, and share the time equally; a run ends with another command, with the
 * pipeline, or after 128 calls. Commands that may take long are timed each by itself. The time includes that of
 * decoding the next request of the pipeline, about 50 ns.
 *
 *     clock read   ↓           ↓     ↓    ↓
 *     pipeline      GET GET GET SET   KEYS │
 *
 * A command that runs others (EXEC, EVAL) is timed as a whole, and they are timed within it.
 */
export class CommandTimes {
  /** Calls of all commands: `total_commands_processed`. */
  calls = 0;
  /** The time of all commands in microseconds; that of nested ones counts once. */
  microseconds = 0;
  /** Whether every call is timed by itself, for a slow log that wants to know of calls shorter than a millisecond. */
  timesEachCall = false;
  /** Whether latencies go into histograms: `latency-tracking`. */
  recordsLatencies = true;

  private readonly isTimedAlone: Uint8Array;
  /** By command number. */
  private readonly histograms: (LatencyHistogram | undefined)[] = [];
  /** The run that is open, its calls that have ended, and how many it may have. */
  private command: TimedCommand | undefined;
  private runCalls = 0;
  private runCallsMax = 0;
  private runStartMs = 0;
  /** How long the last run took that was closed: a field, as returned it would be allocated. */
  private runMicroseconds = 0;
  /** The clock as it was read at the end of the last run; NaN when time may have passed since. */
  private freshNowMs = Number.NaN;
  /** Whether the last call of the run has not ended, so that a command that begins is nested in it. */
  private isRunning = false;
  /** Runs that wait for those nested in them; `depth` is how many. */
  private readonly interrupted: InterruptedRun[] = [];
  private depth = 0;

  /** @param isTimedAlone by command number, 1 for commands that are worth a look at the clock each */
  constructor(isTimedAlone: Uint8Array) {
    this.isTimedAlone = isTimedAlone;
  }

  /** A command starts to run. Returns how deep it is nested, for `end`. */
  begin(command: TimedCommand): number {
    if (this.command !== command || this.isRunning) this.change(command);
    this.isRunning = true;
    return this.depth;
  }

  /**
   * A command has run.
   * @param depth what `begin` returned for it
   * @param tookLong whether something shows that it was no quick one, such as a large reply
   * @returns how many whole microseconds it took, or -1 when it was quick and timed in a run
   */
  end(depth: number, tookLong: boolean): number {
    if (this.depth !== depth) this.returnTo(depth);
    this.isRunning = false;
    if (++this.runCalls < this.runCallsMax && !tookLong) return -1;
    this.closeRun();
    return tookLong || this.runCallsMax === 1 ? Math.floor(this.runMicroseconds) : -1;
  }

  /** A command has begun, and now waits for something: its call counts when it has ended. */
  cancel(depth: number): void {
    this.returnTo(depth);
    this.isRunning = false;
    this.closeRun();
  }

  /** A pipeline is executed: what comes next is something else. */
  endPipeline(): void {
    this.closeRun();
    this.freshNowMs = Number.NaN;
  }

  /** The latencies of a command; undefined when none were recorded. */
  latenciesOf(command: TimedCommand): LatencyHistogram | undefined {
    return this.histograms[command.id];
  }

  /** Forgets everything but what the commands themselves hold. */
  reset(): void {
    this.calls = 0;
    this.microseconds = 0;
    this.histograms.length = 0;
  }

  /** Opens a run of another command, or one that is nested. */
  private change(command: TimedCommand): void {
    if (this.isRunning) {
      this.interrupted.push({ command: this.command, calls: this.runCalls, startMs: this.runStartMs });
      this.depth++;
      this.command = undefined;
    }
    this.closeRun();
    this.command = command;
    this.runCalls = 0;
    this.runCallsMax = this.callsMaxOf(command);
    if (Number.isNaN(this.freshNowMs)) this.runStartMs = performance.now();
    else this.runStartMs = this.freshNowMs;
    this.freshNowMs = Number.NaN;
  }

  private callsMaxOf(command: TimedCommand): number {
    return this.timesEachCall || this.isTimedAlone[command.id] === 1 ? 1 : RUN_CALLS_MAX;
  }

  /** Counts the calls of the open run, if there is one, and notes how long it took. */
  private closeRun(): void {
    const { command, runCalls } = this;
    if (command === undefined) return;
    this.command = undefined;
    if (runCalls === 0) return;
    this.freshNowMs = performance.now();
    const microseconds = (this.freshNowMs - this.runStartMs) * 1000;
    this.runMicroseconds = microseconds;
    command.calls += runCalls;
    command.microseconds += microseconds;
    this.calls += runCalls;
    if (this.depth === 0) this.microseconds += microseconds;
    if (this.recordsLatencies) {
      const histogram = this.histograms[command.id] ?? this.addHistogram(command);
      histogram.record(Math.round((microseconds * 1000) / runCalls), runCalls);
    }
  }

  /** Goes on with the run at a depth, from within which others have run. */
  private returnTo(depth: number): void {
    while (this.depth > depth) {
      this.closeRun();
      const run = this.interrupted.pop();
      if (run === undefined) throw new Error('a command ends that has not begun');
      this.depth--;
      this.command = run.command;
      this.runCalls = run.calls;
      this.runCallsMax = run.command === undefined ? 0 : this.callsMaxOf(run.command);
      this.runStartMs = run.startMs;
    }
  }

  private addHistogram(command: TimedCommand): LatencyHistogram {
    const histogram = new LatencyHistogram();
    this.histograms[command.id] = histogram;
    return histogram;
  }
}
