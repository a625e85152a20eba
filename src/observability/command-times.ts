import { LatencyHistogram } from './latency-histogram.js';

/** Calls that are timed together, at most. It bounds how much a slow call is blamed for that came before it. */
const RUN_CALLS_MAX = 64;

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
 * pipeline, or after 64 calls. Commands that may take long are timed each by itself. The time includes that of
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
  /** The run that is open. */
  private command: TimedCommand | undefined;
  private runCalls = 0;
  private runStartMs = 0;
  /** The clock as it was read at the end of the last run; NaN when time may have passed since. */
  private freshNowMs = Number.NaN;
  /** Whether a command is running at this depth, so that one that begins is nested in it. */
  private isRunning = false;
  private readonly interrupted: InterruptedRun[] = [];

  /** @param isTimedAlone by command number, 1 for commands that are worth a look at the clock each */
  constructor(isTimedAlone: Uint8Array) {
    this.isTimedAlone = isTimedAlone;
  }

  /** A command starts to run. Returns how deep it is nested, for `end`. */
  begin(command: TimedCommand): number {
    if (this.isRunning) this.interrupt();
    if (this.command !== command) {
      this.closeRun();
      this.openRun(command);
    }
    this.isRunning = true;
    return this.interrupted.length;
  }

  /**
   * A command has run.
   * @param depth what `begin` returned for it
   * @param tookLong whether something shows that it was no quick one, such as a large reply
   * @returns how many microseconds it took, or -1 when it was quick and its run goes on
   */
  end(command: TimedCommand, depth: number, tookLong: boolean): number {
    while (this.interrupted.length > depth) this.goOnWithInterrupted();
    this.isRunning = false;
    this.runCalls++;
    if (tookLong || this.timesEachCall || this.isTimedAlone[command.id] === 1) return this.closeRun();
    if (this.runCalls === RUN_CALLS_MAX) this.closeRun();
    return -1;
  }

  /** A command has begun, and now waits for something: its call counts when it has ended. */
  cancel(depth: number): void {
    while (this.interrupted.length > depth) this.goOnWithInterrupted();
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

  private openRun(command: TimedCommand): void {
    this.command = command;
    this.runCalls = 0;
    this.runStartMs = Number.isNaN(this.freshNowMs) ? performance.now() : this.freshNowMs;
    this.freshNowMs = Number.NaN;
  }

  /** Counts the calls of the open run, if there is one. Returns how many microseconds it took, or 0. */
  private closeRun(): number {
    const { command, runCalls } = this;
    if (command === undefined) return 0;
    this.command = undefined;
    if (runCalls === 0) return 0;
    this.freshNowMs = performance.now();
    const microseconds = (this.freshNowMs - this.runStartMs) * 1000;
    command.calls += runCalls;
    command.microseconds += microseconds;
    this.calls += runCalls;
    if (this.interrupted.length === 0) this.microseconds += microseconds;
    if (this.recordsLatencies) {
      const histogram = this.histograms[command.id] ?? this.addHistogram(command);
      histogram.record((microseconds * 1000) / runCalls, runCalls);
    }
    return microseconds;
  }

  private interrupt(): void {
    this.interrupted.push({ command: this.command, calls: this.runCalls, startMs: this.runStartMs });
    this.command = undefined;
    this.isRunning = false;
  }

  private goOnWithInterrupted(): void {
    this.closeRun();
    const run = this.interrupted.pop();
    if (run === undefined) throw new Error('a command ends that has not begun');
    this.command = run.command;
    this.runCalls = run.calls;
    this.runStartMs = run.startMs;
  }

  private addHistogram(command: TimedCommand): LatencyHistogram {
    const histogram = new LatencyHistogram();
    this.histograms[command.id] = histogram;
    return histogram;
  }
}
