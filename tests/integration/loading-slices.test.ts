import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createServer } from '../../src/index.js';

/** While data is loaded, others get their turn each `loading-process-events-interval-bytes`. */

const KEYS = 300;
const VALUE_BYTES = 2000;
const INTERVAL_BYTES = 4096;
/** Elements of a large value, and how many of them fill an interval at least. */
const ELEMENTS = 20_000;
const ELEMENTS_PER_INTERVAL = 512;

let dir = '';

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'respite-loading-'));
});

afterEach(() => {
  rmSync(dir, { recursive: true, force: true });
});

async function start(directives: Record<string, string>) {
  return createServer({ directives: { dir, rdbcompression: 'no', ...directives } });
}

/** How often the loop of events comes round while something is done. */
async function turnsDuring(action: Promise<unknown>): Promise<number> {
  let turns = 0;
  let isOver = false;
  const count = () => {
    turns++;
    if (!isOver) setImmediate(count);
  };
  setImmediate(count);
  await action;
  isOver = true;
  return turns;
}

test.each([
  ['an RDB file', { appendonly: 'no', save: '3600 1' }],
  ['commands of an append-only file', { appendonly: 'yes' }],
  ['a base that is RDB', { appendonly: 'yes', rewrite: 'yes' }],
])('of %s', async (_name, { rewrite, ...directives }: Record<string, string>) => {
  const first = await start(directives);
  const client = new Redis(first.url);
  const pipeline = client.pipeline();
  for (let i = 0; i < KEYS; i++) pipeline.set(`key:${i}`, String(i).padEnd(VALUE_BYTES));
  await pipeline.exec();
  if (rewrite !== undefined) {
    await client.bgrewriteaof();
    await expect.poll(() => client.info('persistence')).toContain('aof_rewrite_in_progress:0');
  }
  if (directives.save !== undefined) await client.save();
  client.disconnect();
  await first.close();

  const options = { ...directives, 'loading-process-events-interval-bytes': String(INTERVAL_BYTES) };
  const next = start(options);
  expect(await turnsDuring(next)).toBeGreaterThanOrEqual(Math.floor((KEYS * VALUE_BYTES) / INTERVAL_BYTES));
  const server = await next;
  const again = new Redis(server.url);
  expect(await again.dbsize()).toBe(KEYS);
  again.disconnect();
  await server.close();
});

test('inside large values, which nobody sees in part', async () => {
  const directives = { 'enable-debug-command': 'yes', 'loading-process-events-interval-bytes': '1024' };
  const first = await start(directives);
  const client = new Redis(first.url);
  for (let from = 0; from < ELEMENTS; from += 1000) {
    const names = Array.from({ length: 1000 }, (_, i) => `element ${from + i}`);
    const pipeline = client
      .pipeline()
      .sadd('set', ...names)
      .rpush('list', ...names);
    pipeline.zadd('zset', ...names.flatMap((name, i) => [i / 3, name]));
    pipeline.hset('hash', ...names.flatMap((name) => [name, name]));
    pipeline.hset('expiring', ...names.flatMap((name) => [name, name]));
    pipeline.call('HPEXPIRE', 'expiring', 100_000_000 + from, 'FIELDS', 1000, ...names);
    for (const [error] of (await pipeline.exec()) ?? []) if (error !== null) throw error;
  }
  const digest = await client.call('DEBUG', 'DIGEST');
  await client.save();
  client.disconnect();
  await first.close();

  const next = start(directives);
  expect(await turnsDuring(next)).toBeGreaterThanOrEqual((4 * ELEMENTS) / ELEMENTS_PER_INTERVAL);
  const server = await next;
  const again = new Redis(server.url);
  expect(await again.call('DEBUG', 'DIGEST')).toBe(digest);
  expect(await again.call('DEBUG', 'RELOAD')).toBe('OK');
  expect(await again.call('DEBUG', 'DIGEST')).toBe(digest);
  for (const key of ['set', 'list', 'zset', 'hash', 'expiring']) {
    const payload = await again.dumpBuffer(key);
    await again.restore(`copy of ${key}`, 0, payload);
    expect(await again.call('DEBUG', 'DIGEST-VALUE', `copy of ${key}`)).toEqual(
      await again.call('DEBUG', 'DIGEST-VALUE', key),
    );
  }
  again.disconnect();
  await server.close();
});
