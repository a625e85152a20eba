import { expect, test } from 'vitest';
import { LoadSlices } from '../../../src/persistence/load-slices.js';

function settings(intervalBytes: number, keyDelay = 0) {
  return { 'loading-process-events-interval-bytes': intervalBytes, 'key-load-delay': keyDelay };
}

test('a slice ends behind each multiple of the interval', () => {
  const slices = new LoadSlices(settings(1024));
  const ends: number[] = [];
  slices.begin(0);
  for (let position = 100; position <= 5000; position += 100) {
    // Asked so rarely that the clock is not looked at.
    if (!slices.isOver(position, 1)) continue;
    ends.push(position);
    slices.begin(position);
  }
  expect(ends).toEqual([1100, 2100, 3100, 4100]);
  slices.begin(5000);
  expect(slices.isOver(5119, 1)).toBe(false);
  expect(slices.isOver(5120, 1)).toBe(true);
});

test('a slice ends in time, however few bytes there are', async () => {
  const slices = new LoadSlices(settings(2 ** 31 - 1));
  slices.begin(0);
  let asked = 1;
  while (!slices.isOver(asked, 1)) asked++;
  expect(asked % 32).toBe(0);
  await slices.pause();
});

test.each([
  [100, 1, 10],
  [100, 2, 5],
  [-0.5, 25, 20],
  [5000, 1, 1],
])('with a key-load-delay of %f and %i keys at a time, a slice is %i of them', (delay, keys, expected) => {
  const slices = new LoadSlices(settings(2 ** 31 - 1, delay));
  slices.begin(0);
  let asked = 1;
  while (!slices.isOver(0, keys)) asked++;
  expect(asked).toBe(expected);
});
