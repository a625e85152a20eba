import { expect, test } from 'vitest';
import { afterReads, beginRound, endRound } from '../../../src/network/after-reads.js';

test("what is left for the end of a round runs there, in order, and what that leaves runs in Node's own", async () => {
  const calls: string[] = [];
  const kept: (() => void)[] = [];
  afterReads(() => calls.push('before'));
  beginRound(kept);
  afterReads(() => {
    calls.push('first');
    afterReads(() => calls.push('later'));
  });
  afterReads(() => calls.push('second'));
  expect(calls).toEqual([]);
  endRound();
  expect(calls).toEqual(['first', 'second']);
  expect(kept).toEqual([]);
  await new Promise((resolve) => setImmediate(resolve));
  expect(calls).toEqual(['first', 'second', 'before', 'later']);
  expect(() => endRound()).toThrow('has not begun');
});
