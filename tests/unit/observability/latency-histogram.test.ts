import { expect, test } from 'vitest';
import { LatencyHistogram } from '../../../src/observability/latency-histogram.js';

test('values below 256 ns are told apart exactly, larger ones to less than 1 %', () => {
  for (let value = 1; value < 2_000_000; value = Math.ceil(value * 1.37)) {
    const histogram = new LatencyHistogram();
    histogram.record(value, 1);
    const shown = histogram.valueAt(50);
    expect(shown).toBeGreaterThanOrEqual(value);
    if (value < 256) expect(shown).toBe(value);
    else expect(shown).toBeLessThan(value * 1.01);
    expect(histogram.valueAt(0)).toBeLessThanOrEqual(value);
  }
});

test('a figure that redis-server printed', () => {
  const histogram = new LatencyHistogram();
  histogram.record(14_000, 1);
  expect(histogram.valueAt(99)).toBe(14_015);
});

test('percentiles are those of the sorted values', () => {
  const histogram = new LatencyHistogram();
  const values = Array.from({ length: 200 }, (_, i) => i + 1);
  for (const value of values) histogram.record(value, 1);
  for (const percentile of [1, 25, 50, 75, 99, 100]) {
    expect(histogram.valueAt(percentile)).toBe(values[Math.max(0, Math.floor(percentile * 2 + 0.5) - 1)]);
  }
  expect(histogram.count).toBe(200);
});

test('what is shorter or longer than it can tell counts as its shortest or longest', () => {
  const histogram = new LatencyHistogram();
  histogram.record(0, 1);
  histogram.record(5e9, 3);
  expect(histogram.valueAt(1)).toBe(1);
  expect(histogram.valueAt(100)).toBeGreaterThanOrEqual(1e9);
});
