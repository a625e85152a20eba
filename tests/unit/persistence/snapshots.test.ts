import { describe, expect, it } from 'vitest';
import { Keyspace } from '../../../src/keyspace/keyspace.js';
import { Snapshots, snapshotSliceMs } from '../../../src/persistence/snapshots.js';

describe('snapshotSliceMs', () => {
  it('has a share of the time of a busy server, and never takes more than a millisecond', () => {
    expect(snapshotSliceMs(0, false)).toBe(0.25);
    expect(snapshotSliceMs(1.5, false)).toBe(0.75);
    expect(snapshotSliceMs(100, false)).toBe(1);
  });

  it('is as long as it may be while a change waits', () => {
    expect(snapshotSliceMs(0, true)).toBe(1);
  });
});

describe('Snapshots', () => {
  it('have the first walks of a process rest after each slice, and no others', () => {
    const snapshots = new Snapshots(new Keyspace({ databases: 1, nowMs: 0 }));
    for (let walkedMs = 0; walkedMs < 30; walkedMs += 2) expect(snapshots.restAfter(2)).toBe(8);
    expect(snapshots.restAfter(2)).toBe(0);
    expect(snapshots.restAfter(1000)).toBe(0);
  });
});
