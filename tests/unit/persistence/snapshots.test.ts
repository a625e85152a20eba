import { describe, expect, it } from 'vitest';
import { snapshotSliceMs } from '../../../src/persistence/snapshots.js';

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
