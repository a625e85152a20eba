import { Redis } from 'ioredis';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createServer, type RespiteServer } from '../../src/index.js';
import { Memory } from '../../src/memory/memory.js';
import { RandomBytes } from '../support/random-bytes.js';

/** A command during which memory cannot be had is refused as a whole: no sorted set has changed, and none is lost. */

const KEYS = ['a', 'b', 'c', 'd'];
const SET = 'set';

let memory: Memory;
let respite: RespiteServer;
let redis: Redis;
let emptyBlocks: number;
const random = new RandomBytes(5);

beforeEach(async () => {
  memory = new Memory({ debug: true });
  respite = await createServer({
    memory,
    directives: { 'zset-max-listpack-entries': '6', 'zset-max-listpack-value': '10' },
  });
  redis = new Redis(respite.url);
  await redis.ping();
  emptyBlocks = memory.blockCount;
});

afterEach(async () => {
  redis.disconnect();
  await respite.close();
});

function key(): string {
  return random.pick(KEYS);
}

function member(): string {
  return random.pick([String(random.below(30)), random.pick(['x', 'y', 'z']), 'long'.repeat(5)]);
}

function score(): string {
  return random.pick([String(random.below(5)), '0.1', '1e300', '123456789.123']);
}

function pairs(): string[] {
  return Array.from({ length: 1 + random.below(12) }, () => [score(), member()]).flat();
}

function places(): string[] {
  return Array.from({ length: 1 + random.below(8) }, () => [
    ...[String(random.below(90)), String(random.below(80))],
    member(),
  ]).flat();
}

function command(): string[] {
  return random.pick<() => string[]>([
    () => ['ZADD', key(), ...pairs()],
    () => ['ZADD', key(), ...pairs()],
    () => ['ZADD', key(), random.pick(['NX', 'XX', 'GT', 'CH']), ...pairs()],
    () => ['ZINCRBY', key(), score(), member()],
    () => ['ZREM', key(), member(), member()],
    () => ['ZPOPMIN', key(), String(random.below(12))],
    () => ['ZREMRANGEBYSCORE', key(), '0', score()],
    () => ['ZRANGESTORE', key(), key(), '0', random.pick(['-1', '3'])],
    () => ['ZRANGESTORE', key(), key(), '-inf', score(), 'BYSCORE'],
    () => [
      random.pick(['ZUNIONSTORE', 'ZINTERSTORE', 'ZDIFFSTORE']),
      key(),
      '2',
      key(),
      random.pick([...KEYS, SET]),
    ],
    () => [random.pick(['ZUNION', 'ZINTER', 'ZDIFF']), '2', key(), random.pick([...KEYS, SET])],
    () => ['COPY', 'a', 'b', 'REPLACE'],
    () => ['GEOADD', key(), ...places()],
    () => ['GEOSEARCHSTORE', key(), key(), 'FROMLONLAT', '0', '0', 'BYRADIUS', '20000', 'km'],
  ])();
}

/** All sorted sets, with their scores. */
async function contents(): Promise<string[][]> {
  const replies = KEYS.map((name) => redis.call('ZRANGE', name, 0, -1, 'WITHSCORES'));
  return (await Promise.all(replies)) as string[][];
}

test('an allocation that fails anywhere in a command leaves all sorted sets as they were', async () => {
  let failures = 0;
  await redis.sadd(SET, 'x', '1', '2', 'w');
  let before = await contents();
  for (let i = 0; i < 6000; i++) {
    const [name, ...args] = command();
    memory.allocationsUntilFailure = random.below(10);
    const reply = await redis.call(name, ...args).catch((error: Error) => error);
    memory.allocationsUntilFailure = Number.POSITIVE_INFINITY;
    const now = await contents();
    if (reply instanceof Error) {
      expect(reply.message).toContain('OOM command not allowed');
      expect([name, args, now]).toEqual([name, args, before]);
      failures++;
    }
    before = now;
    for (const one of KEYS) {
      expect(await redis.exists(one)).toBe(before[KEYS.indexOf(one)].length > 0 ? 1 : 0);
    }
  }
  expect(failures).toBeGreaterThan(300);
  await redis.flushall('SYNC');
  respite.server.keyspace.lazyFree.drain();
  expect(memory.blockCount).toBe(emptyBlocks);
});
