import { expect, test } from 'vitest';
import { ErrorStatistics } from '../../../src/observability/error-statistics.js';

test('errors are counted by their first word', () => {
  const statistics = new ErrorStatistics(() => {});
  for (const text of ['ERR a', 'ERR b', 'WRONGTYPE x', 'NOSPACE', ' leading', `${'X'.repeat(31)} too long`]) {
    statistics.count(text);
  }
  expect(statistics.total).toBe(6);
  expect([...statistics.counts]).toEqual([
    ['ERR', 5],
    ['WRONGTYPE', 1],
  ]);
});

test('too many codes are told of once, and end the counting until a reset', () => {
  const told: (readonly string[])[] = [];
  const statistics = new ErrorStatistics((codes) => told.push(codes));
  for (let i = 0; i < 200; i++) statistics.count(`E${i} text`);
  expect(told.length).toBe(1);
  expect(told[0].length).toBe(128);
  expect([...statistics.counts]).toEqual([['ERRORSTATS_DISABLED', 1]]);
  expect(statistics.total).toBe(200);
  statistics.reset();
  statistics.count('ERR again');
  expect([...statistics.counts]).toEqual([['ERR', 1]]);
});
