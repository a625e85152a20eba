import { beforeEach, describe, expect, test, vi } from 'vitest';
import { CommandTimes, type TimedCommand } from '../../../src/observability/command-times.js';

/** A clock that only moves when a test says so, and counts how often it is read. */
let nowMs = 0;
let readings = 0;

beforeEach(() => {
  nowMs = 1000;
  readings = 0;
  vi.spyOn(performance, 'now').mockImplementation(() => {
    readings++;
    return nowMs;
  });
  return () => vi.restoreAllMocks();
});

function command(id: number): TimedCommand {
  return { id, calls: 0, microseconds: 0 };
}

/** Runs a command that takes so long; what it runs itself comes in between. */
function run(times: CommandTimes, timed: TimedCommand, takesMs: number, nested = () => {}): number {
  const depth = times.begin(timed);
  nowMs += takesMs;
  nested();
  return times.end(depth, false);
}

const GET = 0;
const SET = 1;
const EXEC = 2;

describe('a pipeline', () => {
  let times: CommandTimes;

  beforeEach(() => {
    times = new CommandTimes(Uint8Array.of(0, 0, 1));
  });

  test('of one command shares its time among the calls, with two looks at the clock', () => {
    const get = command(GET);
    for (let i = 0; i < 100; i++) expect(run(times, get, 0.001)).toBe(-1);
    expect(get.calls).toBe(0);
    times.endPipeline();
    expect(get.calls).toBe(100);
    expect(get.microseconds).toBeCloseTo(100);
    expect(readings).toBe(2);
    expect(times.latenciesOf(get)?.valueAt(50)).toBeCloseTo(1000, -1);
  });

  test('of two commands gives each its own time', () => {
    const get = command(GET);
    const set = command(SET);
    for (let i = 0; i < 3; i++) {
      run(times, get, 1);
      run(times, set, 2);
    }
    times.endPipeline();
    expect([get.calls, get.microseconds, set.calls, set.microseconds]).toEqual([3, 3000, 3, 6000]);
    expect(times.calls).toBe(6);
    expect(times.microseconds).toBe(9000);
  });

  test('does not count the time until the next', () => {
    const get = command(GET);
    run(times, get, 1);
    times.endPipeline();
    nowMs += 500;
    run(times, get, 1);
    times.endPipeline();
    expect(get.microseconds).toBe(2000);
  });

  test('of very many calls is looked at from time to time', () => {
    const get = command(GET);
    for (let i = 0; i < 1000; i++) run(times, get, 0.001);
    expect(get.calls).toBeGreaterThan(800);
    times.endPipeline();
    expect(get.calls).toBe(1000);
    expect(get.microseconds).toBeCloseTo(1000);
  });

  test('a command that may take long is timed alone, and says how long it took', () => {
    const exec = command(EXEC);
    expect(run(times, exec, 7)).toBe(7000);
    expect(exec.calls).toBe(1);
  });

  test('every call is timed alone when that is wanted', () => {
    times.timesEachCall = true;
    const get = command(GET);
    expect(run(times, get, 3)).toBe(3000);
    expect(run(times, get, 4)).toBe(4000);
  });

  test('a call that shows that it took long ends its run', () => {
    const get = command(GET);
    run(times, get, 0);
    const depth = times.begin(get);
    nowMs += 20;
    expect(times.end(depth, true)).toBe(20000);
    expect(get.calls).toBe(2);
  });
});

describe('commands within a command', () => {
  test('count for themselves, and their time for it too', () => {
    const times = new CommandTimes(Uint8Array.of(0, 0, 1));
    const [get, set, exec] = [command(GET), command(SET), command(EXEC)];
    run(times, exec, 1, () => {
      run(times, get, 2);
      run(times, get, 2);
      run(times, set, 4);
    });
    times.endPipeline();
    expect([get.calls, get.microseconds]).toEqual([2, 4000]);
    expect([set.calls, set.microseconds]).toEqual([1, 4000]);
    expect([exec.calls, exec.microseconds]).toEqual([1, 9000]);
    expect(times.calls).toBe(4);
    expect(times.microseconds).toBe(9000);
  });

  test('go on with the run that they interrupt', () => {
    const times = new CommandTimes(Uint8Array.of(0, 0, 0));
    const [get, exec] = [command(GET), command(EXEC)];
    run(times, exec, 1);
    run(times, exec, 1, () => run(times, get, 5));
    run(times, exec, 1);
    times.endPipeline();
    expect([exec.calls, exec.microseconds]).toEqual([3, 8000]);
    expect([get.calls, get.microseconds]).toEqual([1, 5000]);
  });
});

test('a command that has to wait does not count until it has ended', () => {
  const times = new CommandTimes(Uint8Array.of(0));
  const get = command(GET);
  times.cancel(times.begin(get));
  times.endPipeline();
  expect(get.calls).toBe(0);
  run(times, get, 1);
  times.endPipeline();
  expect(get.calls).toBe(1);
});

test('a reset forgets totals and latencies', () => {
  const times = new CommandTimes(Uint8Array.of(0));
  const get = command(GET);
  run(times, get, 1);
  times.endPipeline();
  times.reset();
  expect(times.calls).toBe(0);
  expect(times.latenciesOf(get)).toBeUndefined();
});

test('latencies are only kept when they are wanted', () => {
  const times = new CommandTimes(Uint8Array.of(0));
  times.recordsLatencies = false;
  const get = command(GET);
  run(times, get, 1);
  times.endPipeline();
  expect(times.latenciesOf(get)).toBeUndefined();
  expect(get.calls).toBe(1);
});
