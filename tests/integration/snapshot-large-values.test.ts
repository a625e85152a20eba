import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterEach, describe, expect, test } from 'vitest';
import { createServer, type RespiteServer } from '../../src/index.js';
import { RdbCheck } from '../../src/persistence/checks/rdb-check.js';
import { RdbInput } from '../../src/persistence/rdb/input.js';
import { RandomBytes } from '../support/random-bytes.js';

/** Values that take many slices to write: the file has them as they were, and who does not change them does not wait. */

const ELEMENTS = 12_000;
const LONG_STRING_BYTES = 17 << 20;
const cleanups: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function start(dir: string): Promise<{ server: RespiteServer; client: Redis; other: Redis }> {
  const server = await createServer({ directives: { dir, 'enable-debug-command': 'yes' } });
  const client = new Redis(server.url);
  const other = new Redis(server.url);
  cleanups.push(async () => {
    client.disconnect();
    other.disconnect();
    await server.close();
  });
  return { server, client, other };
}

function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'respite-snapshot-'));
  cleanups.push(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** One large value of each type, by its key, and small ones. */
async function fill(client: Redis, random: RandomBytes): Promise<void> {
  for (let from = 0; from < ELEMENTS; from += 1000) {
    const elements = Array.from({ length: 1000 }, (_, i) => `element ${from + i}`);
    const pairs = elements.flatMap((element, i) => [i / 7, element]);
    await client
      .pipeline()
      .hset('hash', ...elements.flatMap((element) => [element, random.below(1000)]))
      .sadd('set', ...elements)
      .zadd('zset', ...pairs)
      .rpush('list', ...elements)
      .exec();
  }
  await client.call('HPEXPIRE', 'hash', 100_000_000, 'FIELDS', 2, 'element 1', 'element 2');
  await client.hset('long fields', 'a', 'x'.repeat(1 << 20), 'b', '0123456789'.repeat(1 << 17));
  await client.rpush('long elements', 'y'.repeat(1 << 20), 'short', 'z'.repeat(100_000));
  await client.set('compressible', 'abcdefghij'.repeat(1 << 18));
  await client.setrange('long string', LONG_STRING_BYTES, 'end');
  for (let i = 0; i < 500; i++) await client.set(`small ${i}`, `value ${i}`);
}

/** A random change of one of the large values. */
async function changeLarge(client: Redis, random: RandomBytes): Promise<unknown> {
  const element = `element ${random.below(ELEMENTS * 1.1)}`;
  switch (random.below(12)) {
    case 0:
      return client.hset('hash', element, 'changed');
    case 1:
      return client.hdel('hash', element);
    case 2:
      return client.sadd('set', element, `new ${element}`);
    case 3:
      return client.srem('set', element);
    case 4:
      return client.zincrby('zset', 17, element);
    case 5:
      return client.zpopmin('zset', 3);
    case 6:
      return client.rpush('list', element);
    case 7:
      return client.ltrim('list', 1, -2);
    case 8:
      return client.setrange('long string', random.below(LONG_STRING_BYTES), element);
    case 9:
      return client.append('compressible', element);
    case 10:
      return client.hset('long fields', 'a', element);
    default:
      return client.multi().lpop('long elements').set('small 7', element).expire('set', 1000).exec();
  }
}

async function waitForSave(client: Redis): Promise<void> {
  while (/rdb_bgsave_in_progress:1/.test(await client.info('persistence')));
}

describe.each([
  ['changes of them wait', true],
  ['changes of them cannot wait', false],
])('large values in a save, when %s', (_, canWait) => {
  test.each([1, 2, 3])('are those of the moment it began (seed %i)', async (seed) => {
    const dir = temporaryDirectory();
    const { server, client, other } = await start(dir);
    if (!canWait) server.server.changeWaits.holds = () => false;
    const random = new RandomBytes(seed);
    await fill(client, random);
    const digest = await client.call('DEBUG', 'DIGEST');
    await client.bgsave();
    let isOver = false;
    const changeOthers = async () => {
      for (let i = 0; !isOver; i++) await other.set(`small ${i % 500}`, `changed ${i}`);
    };
    const others = changeOthers();
    for (let i = 0; i < 20; i++) await changeLarge(client, random);
    if (seed === 2) await client.swapdb(0, 1);
    if (seed === 3) await client.flushdb('ASYNC');
    await waitForSave(client);
    isOver = true;
    await others;
    expect(await client.info('persistence')).toMatch(/rdb_last_bgsave_status:ok/);
    const loaded = await start(dir);
    expect(await loaded.client.call('DEBUG', 'DIGEST')).toBe(digest);
  });
});

test('who changes a large value waits until it is written, and others do not', async () => {
  const { client, other } = await start(temporaryDirectory());
  await fill(client, new RandomBytes(9));
  await other.ping();
  // In one packet, so that the save cannot be further than its beginning.
  const [, change] = [client.bgsave(), client.hset('hash', 'element 1', 'changed')];
  const order: string[] = [];
  await Promise.all([
    change.then(() => order.push('change')),
    client.get('small 1').then(() => order.push('behind it')),
    other.ping().then(() => order.push('other')),
    other.hget('hash', 'element 1').then((value) => order.push(`reads ${value !== 'changed'}`)),
  ]);
  expect(order).toEqual(['other', 'reads true', 'change', 'behind it']);
  expect(await client.hget('hash', 'element 1')).toBe('changed');
  await waitForSave(client);
});

test('who is blocked is not served into a large value until it is written', async () => {
  const dir = temporaryDirectory();
  const { client, other } = await start(dir);
  await fill(client, new RandomBytes(11));
  const digest = await client.call('DEBUG', 'DIGEST');
  const moved = other.blmove('source', 'list', 'LEFT', 'RIGHT', 0);
  await expect.poll(() => client.info('clients')).toContain('blocked_clients:1');
  // In one packet, so that the save cannot be further than its beginning.
  const replies = [client.bgsave(), client.rpush('source', 'element'), client.llen('list')];
  expect((await Promise.all(replies)).slice(1)).toEqual([1, ELEMENTS]);
  expect(await moved).toBe('element');
  expect(await client.llen('list')).toBe(ELEMENTS + 1);
  await waitForSave(client);
  const loaded = await start(dir);
  expect(await loaded.client.call('DEBUG', 'DIGEST')).toBe(digest);
});

test('who is blocked is not served from a large value of another database until it is written', async () => {
  const { client, other } = await start(temporaryDirectory());
  await fill(client, new RandomBytes(12));
  await other.select(1);
  const popped = other.blpop('list', 0);
  await expect.poll(() => client.info('clients')).toContain('blocked_clients:1');
  const replies = [client.bgsave(), client.swapdb(0, 1), client.select(1), client.llen('list')];
  expect((await Promise.all(replies)).at(-1)).toBe(ELEMENTS);
  expect(await popped).toEqual(['list', 'element 0']);
  await waitForSave(client);
});

test('large values that expire or are evicted in a save are in the file', async () => {
  const dir = temporaryDirectory();
  const { client } = await start(dir);
  await fill(client, new RandomBytes(13));
  const keys = await client.dbsize();
  await client.call('HPEXPIRE', 'hash', 1000, 'FIELDS', 1, 'element 7');
  await client.pexpire('set', 1000);
  await client.pexpire('zset', 1000);
  await client.config('SET', 'rdb-key-save-delay', '10000');
  await client.bgsave();
  await expect.poll(() => client.exists('set', 'zset')).toBe(0);
  await expect.poll(() => client.dbsize()).toBe(keys - 2);
  await client.config('SET', 'maxmemory-policy', 'allkeys-random', 'maxmemory', '1');
  await expect.poll(() => client.dbsize()).toBe(0);
  await client.config('SET', 'maxmemory', '0', 'rdb-key-save-delay', '0');
  await waitForSave(client);
  let report = '';
  const file = readFileSync(join(dir, 'dump.rdb'));
  const check = new RdbCheck(RdbInput.over(file, 0, file.length), (text) => {
    report += text;
  });
  expect(check.run('dump.rdb')).toBe('fine');
  expect(report).toContain(`${keys} keys read`);
  expect(report).toContain('[info] 2 expires');
});

test('who waits goes on when the save is given up', async () => {
  const { client, other, server } = await start(temporaryDirectory());
  await fill(client, new RandomBytes(10));
  await other.ping();
  const [, change] = [client.bgsave(), client.hset('hash', 'new', 'field')];
  await other.ping();
  server.server.saving.cancel();
  expect(await change).toBe(1);
  await client.flushall();
  await client.set('a', 'b');
  await client.bgsave();
  await waitForSave(client);
  expect(await client.info('persistence')).toMatch(/rdb_last_bgsave_status:ok/);
});
