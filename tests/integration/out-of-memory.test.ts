import { Redis } from 'ioredis';
import { afterEach, expect, test } from 'vitest';
import { createServer, type RespiteServer } from '../../src/index.js';
import { Memory } from '../../src/memory/memory.js';
import { SEGMENT_BYTES } from '../../src/memory/reference.js';
import { RandomBytes } from '../support/random-bytes.js';

/** When memory cannot be had, that command gets the OOM error and nothing is lost. */

const OUT_OF_MEMORY = 'OOM command not allowed';

let respite: RespiteServer;
let redis: Redis;

async function start(memory: Memory): Promise<void> {
  respite = await createServer({ memory });
  redis = new Redis(respite.url);
}

afterEach(async () => {
  redis.disconnect();
  await respite.close();
});

test('a full memory refuses what needs more, serves the rest, and takes more when some is freed', async () => {
  await start(new Memory({ segmentBytesMax: SEGMENT_BYTES }));
  const value = 'x'.repeat(100_000);
  let stored = 0;
  await expect(async () => {
    for (;;) {
      await redis.set(`key:${stored}`, value);
      stored++;
    }
  }).rejects.toThrow(OUT_OF_MEMORY);
  expect(stored).toBeGreaterThan(500);
  expect(await redis.dbsize()).toBe(stored);
  await expect(redis.set('key:0', value.repeat(2))).rejects.toThrow(OUT_OF_MEMORY);
  for (let i = 0; i < stored; i += 50) expect(await redis.get(`key:${i}`)).toBe(value);
  expect(await redis.del('key:0', 'key:1', 'key:2')).toBe(3);
  expect(await redis.set('key:0', value.repeat(2))).toBe('OK');
  expect(await redis.get('key:0')).toBe(value.repeat(2));
});

test('an allocation that fails anywhere in a command leaves everything as it was', async () => {
  const memory = new Memory({ debug: true });
  await start(memory);
  const random = new RandomBytes(7);
  const model = new Map<string, string>();
  let failures = 0;
  for (let i = 0; i < 20_000; i++) {
    const key = `key:${random.below(300)}`;
    const value = random.below(4) === 0 ? String(random.below(1000)) : 'v'.repeat(random.below(600));
    memory.allocationsUntilFailure = random.below(3);
    const { reply, after } = await attempt(random.below(6), key, value, model.get(key));
    memory.allocationsUntilFailure = Number.POSITIVE_INFINITY;
    if (reply instanceof Error) {
      expect(reply.message).toContain(OUT_OF_MEMORY);
      failures++;
    } else if (after === undefined) model.delete(key);
    else model.set(key, after);
    const now = await redis.get(key);
    expect(now).toBe(model.get(key) ?? null);
  }
  expect(failures).toBeGreaterThan(1000);
  for (const [key, value] of model) expect(await redis.get(key)).toBe(value);
  expect(await redis.dbsize()).toBe(model.size);
  await redis.flushall('SYNC');
  // What is left is what a fresh server has.
  const fresh = new Memory();
  const other = await createServer({ memory: fresh });
  expect(memory.liveBlocks().size).toBe(fresh.blockCount);
  await other.close();
});

/** Runs one of some commands. Resolves to its reply or error, and to the value that the key has if it succeeds. */
async function attempt(kind: number, key: string, value: string, before: string | undefined) {
  const settle = (reply: Promise<unknown>) => reply.catch((error: Error) => error);
  switch (kind) {
    case 0:
      return { reply: await settle(redis.set(key, value)), after: value };
    case 1:
      return { reply: await settle(redis.append(key, value)), after: (before ?? '') + value };
    case 2:
      return { reply: await settle(redis.set(key, value, 'EX', 1000)), after: value };
    case 3:
      return { reply: await settle(redis.expire(key, 1000)), after: before };
    case 4:
      return { reply: await settle(redis.getset(key, value)), after: value };
    default:
      return { reply: await settle(redis.del(key)), after: undefined };
  }
}
