import { Redis } from 'ioredis';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createServer, type RespiteServer } from '../../src/index.js';
import { Memory } from '../../src/memory/memory.js';
import { SEGMENT_BYTES } from '../../src/memory/reference.js';

/** Commands that set many things at once set all or none of them, also those that meet the end of memory. */

/** What is left of memory, so that it does not take long to come to its end. */
const LEFT_BYTES = 8 << 20;

let respite: RespiteServer;
let redis: Redis;

beforeEach(async () => {
  respite = await createServer({ memory: new Memory({ segmentBytesMax: SEGMENT_BYTES }) });
  redis = new Redis(respite.url);
  await redis.setrange('filler', SEGMENT_BYTES - LEFT_BYTES, 'x');
});

afterEach(async () => {
  redis.disconnect();
  await respite.close();
});

/** Arguments that set so many names to a value of so many bytes each. */
function pairs(start: number, count: number, bytes: number): string[] {
  return Array.from({ length: count }, (_, i) => [`name:${start + i}`, 'v'.repeat(bytes)]).flat();
}

const SIZES = [
  { count: 500, bytes: 10 },
  { count: 100, bytes: 3000 },
  { count: 3, bytes: 400_000 },
];

test.each(SIZES)('HSET of $count fields of $bytes bytes', async ({ count, bytes }) => {
  let stored = 0;
  await expect(async () => {
    for (;;) {
      await redis.hset('hash', ...pairs(stored, count, bytes));
      stored += count;
    }
  }).rejects.toThrow('OOM');
  expect(stored).toBeGreaterThan(count);
  expect(await redis.hlen('hash')).toBe(stored);
  await redis.watch('hash');
  await expect(redis.hset('hash', ...pairs(0, count, bytes + 1))).rejects.toThrow('OOM');
  expect(await redis.multi().ping().exec()).toEqual([[null, 'PONG']]);
  expect(await redis.hstrlen('hash', 'name:0')).toBe(bytes);
  // One more at a time is fine for a while.
  expect(await redis.hset('hash', 'one', 'more')).toBe(1);
});

test.each(SIZES)('MSET of $count keys of $bytes bytes', async ({ count, bytes }) => {
  let stored = 0;
  await expect(async () => {
    for (;;) {
      await redis.mset(...pairs(stored, count, bytes));
      stored += count;
    }
  }).rejects.toThrow('OOM');
  expect(stored).toBeGreaterThan(count);
  expect(await redis.dbsize()).toBe(stored + 1);
  await expect(redis.msetnx(...pairs(stored, count, bytes))).rejects.toThrow('OOM');
  expect(await redis.dbsize()).toBe(stored + 1);
  expect(await redis.set('one', 'more')).toBe('OK');
});
