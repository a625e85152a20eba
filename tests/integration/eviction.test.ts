import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createServer, type RespiteServer } from '../../src/index.js';

/** `maxmemory`: what goes, and what is refused. */

const KEYS = 2000;
const VALUE = 'x'.repeat(200);

let respite: RespiteServer;
let redis: Redis;

beforeEach(async () => {
  respite = await createServer();
  redis = new Redis(respite.url);
});

afterEach(async () => {
  redis.disconnect();
  await respite.close();
});

/** Sets the limit to what is used now, and a little. */
async function limitToUsed(policy: string): Promise<void> {
  const limit = respite.server.keyspace.memory.usedBytes + 1000;
  await redis.config('SET', 'maxmemory-policy', policy, 'maxmemory', String(limit));
}

async function fill(prefix: string, ...options: string[]): Promise<void> {
  const pipeline = redis.pipeline();
  for (let i = 0; i < KEYS; i++) pipeline.call('SET', `${prefix}:${i}`, VALUE, ...options);
  const replies = await pipeline.exec();
  for (const [error] of replies ?? []) if (error !== null) throw error;
}

async function count(prefix: string): Promise<number> {
  return (await redis.keys(`${prefix}:*`)).length;
}

test('noeviction refuses what needs memory, and nothing else', async () => {
  await fill('old');
  await limitToUsed('noeviction');
  await expect(fill('new')).rejects.toThrow("OOM command not allowed when used memory > 'maxmemory'.");
  expect(await count('old')).toBe(KEYS);
  expect(await redis.get('old:1')).toBe(VALUE);
  expect(await redis.del('old:1', 'old:2', 'old:3', 'old:4', 'old:5', 'old:6', 'old:7', 'old:8')).toBe(8);
  expect(await redis.set('small', 'x')).toBe('OK');
});

test('a transaction that needs memory is refused as a whole', async () => {
  await redis.config('SET', 'maxmemory', '1');
  await expect(redis.multi().set('a', 'x').exec()).rejects.toThrow('EXECABORT');
});

describe.each(['allkeys-lru', 'allkeys-lfu', 'allkeys-random'])('%s', (policy) => {
  test('makes room for all that comes, and stays below the limit', async () => {
    await fill('old');
    await limitToUsed(policy);
    await fill('new');
    const { memory } = respite.server.keyspace;
    expect(memory.usedBytes).toBeLessThan(
      Number(((await redis.config('GET', 'maxmemory')) as string[])[1]) + 1000,
    );
    const evicted = Number(/evicted_keys:(\d+)/.exec(await redis.info('stats'))?.[1]);
    expect(evicted).toBeGreaterThan(KEYS / 2);
    expect(await redis.dbsize()).toBe(2 * KEYS - evicted);
  });
});

test('allkeys-lfu keeps what is used often', async () => {
  await redis.config('SET', 'maxmemory-policy', 'allkeys-lfu', 'lfu-log-factor', '0');
  await fill('often');
  for (let i = 0; i < 20; i++) await redis.mget(...Array.from({ length: KEYS }, (_, key) => `often:${key}`));
  await limitToUsed('allkeys-lfu');
  await fill('once');
  // At random, half would be left.
  expect(await count('often')).toBeGreaterThan(KEYS * 0.6);
});

describe.each(['volatile-lru', 'volatile-lfu', 'volatile-random', 'volatile-ttl'])('%s', (policy) => {
  test('only removes keys that expire', async () => {
    await fill('stays');
    await fill('goes', 'EX', '1000');
    await limitToUsed(policy);
    await expect(fill('new')).resolves.toBeUndefined();
    await expect(fill('newer')).rejects.toThrow('OOM');
    expect(await count('stays')).toBe(KEYS);
    expect(await count('goes')).toBe(0);
  });
});

test('volatile-ttl begins with what would expire first', async () => {
  await fill('soon', 'EX', '100');
  await fill('late', 'EX', '100000');
  await limitToUsed('volatile-ttl');
  await fill('new');
  expect(await count('late')).toBeGreaterThan(await count('soon'));
});

test('INFO tells what went, and how long there was too much', async () => {
  const field = async (name: string) =>
    Number(new RegExp(`^${name}:(.*)\r$`, 'm').exec(await redis.info('stats'))?.[1]);
  await fill('old');
  expect(await field('total_eviction_exceeded_time')).toBe(0);
  await redis.config('SET', 'maxmemory', '1');
  await expect.poll(async () => await field('current_eviction_exceeded_time')).toBeGreaterThan(0);
  await redis.config('SET', 'maxmemory-policy', 'allkeys-random');
  await expect.poll(async () => await redis.dbsize()).toBe(0);
  expect(await field('evicted_keys')).toBe(KEYS);
  await redis.config('SET', 'maxmemory', '0');
  await expect.poll(async () => await field('current_eviction_exceeded_time')).toBe(0);
  expect(await field('total_eviction_exceeded_time')).toBeGreaterThan(0);
  await redis.config('RESETSTAT');
  expect(await field('evicted_keys')).toBe(0);
  expect(await field('total_eviction_exceeded_time')).toBe(0);
});

test('the limit holds after a file was loaded', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'respite-eviction-'));
  const saving = await createServer({ directives: { dir } });
  const client = new Redis(saving.url);
  await client.set('key', VALUE);
  await client.save();
  client.disconnect();
  await saving.close();

  const loading = await createServer({ directives: { dir, maxmemory: '1' } });
  const other = new Redis(loading.url);
  expect(await other.get('key')).toBe(VALUE);
  await expect(other.set('key', VALUE)).rejects.toThrow('OOM command not allowed');
  other.disconnect();
  await loading.close();
  rmSync(dir, { recursive: true });
});
