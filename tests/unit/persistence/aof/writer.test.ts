import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Configuration } from '../../../../src/config/configuration.js';
import { LatencyMonitor } from '../../../../src/observability/latency-monitor.js';
import { silentLog } from '../../../../src/observability/log.js';
import { AofWriter } from '../../../../src/persistence/aof/writer.js';

/** A file that every write to fails, as if its disk were full. */
const FULL = '/dev/full';

let directory = '';
let path = '';

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'respite-writer-'));
  path = join(directory, 'file');
});

afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

class Ended extends Error {}

interface Fixture {
  readonly writer: AofWriter;
  readonly clock: { nowMs: number };
  readonly outcomes: string[];
  readonly synced: number[];
}

function make(directives: Record<string, string> = {}): Fixture {
  const configuration = new Configuration();
  for (const [name, value] of Object.entries(directives)) {
    expect(configuration.assign(name, value)).toBeUndefined();
  }
  const clock = { nowMs: 1_000_000 };
  const outcomes: string[] = [];
  const synced: number[] = [];
  const writer: AofWriter = new AofWriter({
    configuration,
    log: silentLog(),
    latencies: new LatencyMonitor(),
    clock,
    isSnapshotUnderWay: () => false,
    onOutcome: () => outcomes.push(writer.problem),
    onSynced: () => synced.push(writer.syncedOffset),
    onFatal: () => {
      throw new Ended();
    },
  });
  return { writer, clock, outcomes, synced };
}

function append(writer: AofWriter, text: string): void {
  writer.append(Buffer.from(text, 'latin1'), text.length, 1);
}

function content(): string {
  return readFileSync(path, 'latin1');
}

describe('writing', () => {
  test('what a turn brings is written at its end, in one piece', () => {
    const { writer } = make({ appendfsync: 'no' });
    writer.use(AofWriter.openFile(path, true), 0);
    append(writer, 'one');
    append(writer, 'two');
    expect(content()).toBe('');
    expect(writer.bufferedBytes).toBe(6);
    writer.commit();
    expect(content()).toBe('onetwo');
    expect([writer.bufferedBytes, writer.size, writer.offset, writer.syncedOffset]).toEqual([0, 6, 2, 0]);
    append(writer, 'x'.repeat(100_000));
    writer.commit();
    expect(content().length).toBe(100_006);
    writer.closeAtOnce();
  });

  test('under always, it is synced at the end of the turn', () => {
    const { writer, synced } = make({ appendfsync: 'always' });
    writer.use(AofWriter.openFile(path, true), 0);
    append(writer, 'one');
    append(writer, 'two');
    writer.commit();
    expect(synced).toEqual([2]);
    writer.commit();
    expect(synced).toEqual([2]);
    writer.closeAtOnce();
  });

  test('under everysec, it is synced once a second, and nobody waits', async () => {
    const { writer, clock, synced } = make({ appendfsync: 'everysec' });
    writer.use(AofWriter.openFile(path, true), 0);
    writer.restart();
    append(writer, 'one');
    clock.nowMs += 999;
    writer.commit();
    expect(writer.pendingSyncs).toBe(0);
    clock.nowMs += 1;
    writer.commit();
    expect(writer.pendingSyncs).toBe(1);
    expect(synced).toEqual([]);
    // While the disk is busy, writes wait, but not for ever.
    append(writer, 'two');
    writer.commit();
    expect(content()).toBe('one');
    clock.nowMs += 1999;
    writer.commit();
    expect(content()).toBe('one');
    clock.nowMs += 1;
    writer.commit();
    expect(content()).toBe('onetwo');
    expect(writer.delayedSyncs).toBe(1);
    await expect.poll(() => synced).toEqual([1]);
    clock.nowMs += 1000;
    writer.commit();
    await expect.poll(() => synced).toEqual([1, 2]);
    writer.closeAtOnce();
  });

  test('what was put off is written when the sync is over', async () => {
    const { writer, clock } = make({ appendfsync: 'everysec' });
    writer.use(AofWriter.openFile(path, true), 0);
    append(writer, 'one');
    clock.nowMs += 1000;
    writer.commit();
    append(writer, 'two');
    writer.commit();
    await expect.poll(content).toBe('onetwo');
    writer.closeAtOnce();
  });

  test('another file takes over, and the one before is synced', async () => {
    const { writer, synced } = make({ appendfsync: 'no' });
    writer.use(AofWriter.openFile(path, true), 0);
    append(writer, 'one');
    writer.commit();
    const next = join(directory, 'next');
    writer.use(AofWriter.openFile(next, true), 0);
    append(writer, 'two');
    writer.commit();
    expect([content(), readFileSync(next, 'latin1')]).toEqual(['one', 'two']);
    await expect.poll(() => synced).toEqual([1]);
    writer.closeAtOnce();
  });

  test('each second is told once with aof-timestamp-enabled', () => {
    const { writer, clock } = make({ appendfsync: 'no', 'aof-timestamp-enabled': 'yes' });
    writer.use(AofWriter.openFile(path, true), 0);
    append(writer, 'a');
    append(writer, 'b');
    clock.nowMs += 1000;
    append(writer, 'c');
    writer.commit();
    expect(content()).toBe('#TS:1000\r\nab#TS:1001\r\nc');
    writer.closeAtOnce();
  });
});

describe.runIf(existsSync(FULL))('a full disk', () => {
  test('nothing is lost, and it is tried again until there is room', () => {
    const { writer, outcomes } = make({ appendfsync: 'no' });
    writer.use(AofWriter.openFile(FULL, false), 0);
    append(writer, 'one');
    writer.commit();
    expect(outcomes).toEqual(['No space left on device']);
    expect([writer.size, writer.bufferedBytes]).toEqual([0, 3]);
    append(writer, 'two');
    writer.commit();
    expect(writer.problem).toBe('No space left on device');
    writer.use(AofWriter.openFile(path, true), 0);
    writer.commit();
    expect(content()).toBe('onetwo');
    expect(outcomes.at(-1)).toBe('');
    expect(writer.problem).toBe('');
    writer.closeAtOnce();
  });

  test('under always, the process ends before anybody is told otherwise', () => {
    const { writer } = make({ appendfsync: 'always' });
    writer.use(AofWriter.openFile(FULL, false), 0);
    append(writer, 'one');
    expect(() => writer.commit()).toThrow(Ended);
    writer.close();
  });
});
