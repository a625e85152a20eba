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
