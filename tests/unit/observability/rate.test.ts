import { expect, test } from 'vitest';
import { Rate } from '../../../src/observability/rate.js';

test('a steady growth, once sixteen samples are taken', () => {
  const rate = new Rate();
  for (let i = 1; i <= 17; i++) rate.sample(i * 50, i * 100);
  expect(rate.mean).toBe(0.5);
});

test('is the mean of the last sixteen samples', () => {
  const rate = new Rate();
  for (let i = 1; i <= 5; i++) rate.sample(i, i);
  expect(rate.mean).toBe(4 / 16);
  for (let i = 6; i <= 40; i++) rate.sample(5, i);
  expect(rate.mean).toBe(0);
});

test('the first sample after a reset is only a start', () => {
  const rate = new Rate();
  rate.sample(0, 1);
  rate.sample(1600, 2);
  rate.reset();
  rate.sample(5000, 3);
  expect(rate.mean).toBe(0);
});

test('a base that does not grow makes no rate', () => {
  const rate = new Rate();
  rate.sample(1, 7);
  rate.sample(2, 7);
  expect(rate.mean).toBe(0);
});
