import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterEach, describe, expect, test } from 'vitest';
import { createServer, type RespiteServer } from '../../src/index.js';
import { Memory } from '../../src/memory/memory.js';
import { RandomBytes } from '../support/random-bytes.js';

/** Saving and loading: what was there when a save began is what the file holds, and nothing is lost or leaks. */

const cleanups: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'respite-rdb-'));
  cleanups.push(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

async function start(
  dir: string,
  directives: Record<string, string> = {},
): Promise<{ server: RespiteServer; client: Redis }> {
  const server = await createServer({
    memory: new Memory({ debug: true }),
    directives: { dir, 'enable-debug-command': 'yes', ...directives },
  });
  const client = new Redis(server.url);
  cleanups.push(async () => {
    client.disconnect();
    await server.close();
  });
  return { server, client };
}

async function persistenceField(client: Redis, name: string): Promise<string> {
  const info = await client.info('persistence');
  return new RegExp(`^${name}:(.*)\r$`, 'm').exec(info)?.[1] ?? '';
}

async function waitForSave(client: Redis): Promise<void> {
  while ((await persistenceField(client, 'rdb_bgsave_in_progress')) === '1');
}

/** Some keys of every type and encoding, in three databases. */
async function fill(client: Redis, random: RandomBytes, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    if (i % 100 === 0) await client.select(random.below(3));
    await change(client, random, count);
  }
}

/** A random change of a random key. Keys of different types have different names. */
async function change(client: Redis, random: RandomBytes, keys: number): Promise<void> {
  const number = random.below(keys);
  const text = `${'v'.repeat(random.below(80))}${number}`;
  const large = random.below(20) === 0 ? 300 : 3;
  const many = Array.from({ length: large }, (_, i) => `${text}:${i}`);
  switch (random.below(14)) {
    case 0:
      return void (await client.set(`s${number}`, text));
    case 1:
      return void (await client.set(`s${number}`, number));
    case 2:
      return void (await client.rpush(`l${number}`, ...many));
    case 3:
      return void (await client.sadd(`set${number}`, ...many));
    case 4:
      return void (await client.sadd(`ints${number}`, number, random.below(1000)));
    case 5:
      return void (await client.zadd(`z${number}`, ...many.flatMap((m, i) => [i / 3, m])));
    case 6:
      return void (await client.hset(`h${number}`, Object.fromEntries(many.map((m) => [m, number]))));
    case 7:
      return void (await client.call('HEXPIRE', `h${number}`, 1000, 'FIELDS', 1, `${text}:0`));
    case 8:
      return void (await client.expire(`s${number}`, 1000 + random.below(1000)));
    case 9:
      return void (await client.append(`s${number}`, text).catch(() => 0));
    case 10:
      return void (await client.hincrby(`h${number}`, `counter`, 1));
    case 11:
      return void (await client.setrange(`long${number}`, random.below(400), text));
    case 12:
      return void (await client.zincrby(`z${number}`, 1, text));
    default:
      return void (await client.lpush(`l${number}`, text));
  }
}

/** A change that takes keys away or moves them. */
async function disturb(client: Redis, random: RandomBytes, keys: number): Promise<void> {
  const number = random.below(keys);
  const prefix = random.pick(['s', 'l', 'set', 'z', 'h', 'ints']);
  switch (random.below(9)) {
    case 0:
      return void (await client.del(`${prefix}${number}`));
    case 1:
      return void (await client
        .rename(`${prefix}${number}`, `${prefix}${random.below(keys)}`)
        .catch(() => 0));
    case 2:
      return void (await client.move(`${prefix}${number}`, random.below(3)).catch(() => 0));
    case 3:
      return void (await client.copy(`${prefix}${number}`, `${prefix}copy${number}`, 'REPLACE'));
    case 4:
      return void (await client.pexpire(`${prefix}${number}`, 1));
    case 5:
      return void (await client.spop(`set${number}`));
    case 6:
      return void (await client.call('HPEXPIRE', `h${number}`, 1, 'FIELDS', 1, 'counter'));
    case 7:
      return void (await client.persist(`${prefix}${number}`));
    default:
      return void (await client.lmove(`l${number}`, `l${random.below(keys)}`, 'LEFT', 'RIGHT'));
  }
}

test.each([1, 2, 3, 4])(
  'a save under hard writes is the data of the moment it began (seed %i)',
  async (seed) => {
    const dir = temporaryDirectory();
    const { client, server } = await start(dir, { 'rdb-key-save-delay': '100' });
    const random = new RandomBytes(seed * 7919);
    await fill(client, random, 3000);
    const digest = await client.call('DEBUG', 'DIGEST');
    const keys = Number(await persistenceField(client, 'rdb_changes_since_last_save'));
    expect(keys).toBeGreaterThan(0);
    expect(await client.bgsave()).toBe('Background saving started');
    let changes = 0;
    while ((await persistenceField(client, 'rdb_bgsave_in_progress')) === '1') {
      for (let i = 0; i < 10; i++) {
        if (random.below(40) === 0) await client.select(random.below(4));
        await (random.below(2) === 0 ? change : disturb)(client, random, 3000);
      }
      changes += 10;
      if (changes === 200) await client.swapdb(0, 1);
      if (changes === 300) await client.flushdb('SYNC');
      if (changes === 400) await client.swapdb(1, 2);
      if (changes === 500) await client.flushdb('ASYNC');
    }
    expect(changes).toBeGreaterThan(100);
    expect(await persistenceField(client, 'rdb_last_bgsave_status')).toBe('ok');
    const loaded = await start(dir);
    expect(await loaded.client.call('DEBUG', 'DIGEST')).toBe(digest);
    // Another one, of what there is by now: all marks are as they should be.
    await client.config('SET', 'rdb-key-save-delay', '0');
    const later = await client.call('DEBUG', 'DIGEST');
    await client.bgsave();
    await waitForSave(client);
    const again = await start(dir);
    expect(await again.client.call('DEBUG', 'DIGEST')).toBe(later);
    await client.flushall('SYNC');
    server.server.keyspace.lazyFree.drain();
    expect(await client.dbsize()).toBe(0);
  },
);

test('a save that is given up leaves the file, and the next one is complete', async () => {
  const dir = temporaryDirectory();
  const { client, server } = await start(dir);
  await fill(client, new RandomBytes(5), 500);
  await client.save();
  const before = readFileSync(join(dir, 'dump.rdb'));
  await client.config('SET', 'rdb-key-save-delay', '1000');
  await client.set('another', 'key');
  await client.bgsave();
  expect(await client.bgsave().catch((error: Error) => error.message)).toBe(
    'ERR Background save already in progress',
  );
  server.server.saving.cancel();
  expect(readFileSync(join(dir, 'dump.rdb')).equals(before)).toBe(true);
  await client.config('SET', 'rdb-key-save-delay', '0');
  await client.bgsave();
  await waitForSave(client);
  const digest = await client.call('DEBUG', 'DIGEST');
  const loaded = await start(dir);
  expect(await loaded.client.call('DEBUG', 'DIGEST')).toBe(digest);
  expect(await client.dbsize()).toBeGreaterThan(0);
});

test('INFO counts what began in the background', async () => {
  const { client } = await start(temporaryDirectory());
  const forks = async () => /total_forks:(\d+)/.exec(await client.info('stats'))?.[1];
  expect(await forks()).toBe('0');
  await client.save();
  expect(await forks()).toBe('0');
  await client.bgsave();
  expect(await forks()).toBe('1');
  await waitForSave(client);
  await client.config('RESETSTAT');
  expect(await forks()).toBe('0');
});

test('DEBUG RELOAD keeps the data, and frees what it replaces', async () => {
  const { client, server } = await start(temporaryDirectory());
  const { memory } = server.server.keyspace;
  const empty = memory.liveBlocks().size;
  await fill(client, new RandomBytes(77), 2000);
  const digest = await client.call('DEBUG', 'DIGEST');
  for (let i = 0; i < 3; i++) {
    expect(await client.call('DEBUG', 'RELOAD')).toBe('OK');
    expect(await client.call('DEBUG', 'DIGEST')).toBe(digest);
  }
  expect(await client.call('DEBUG', 'RELOAD', 'MERGE', 'NOFLUSH')).toBe('OK');
  expect(await client.call('DEBUG', 'DIGEST')).toBe(digest);
  await expect(client.call('DEBUG', 'RELOAD', 'NOFLUSH')).rejects.toThrow('Error trying to load');
  await expect(client.call('DEBUG', 'RELOAD', 'BAD')).rejects.toThrow('only supports the MERGE');
  await client.flushall('SYNC');
  server.server.keyspace.lazyFree.drain();
  expect(memory.liveBlocks().size).toBe(empty);
});

test('a failed save refuses writes until one succeeds', async () => {
  const dir = temporaryDirectory();
  const { client } = await start(dir, { save: '900 1', 'enable-protected-configs': 'yes' });
  await client.set('a', 'b');
  const inner = join(dir, 'gone');
  mkdirSync(inner);
  await client.config('SET', 'dir', inner);
  rmSync(inner, { recursive: true });
  await client.bgsave().catch(() => 0);
  await waitForSave(client);
  expect(await persistenceField(client, 'rdb_last_bgsave_status')).toBe('err');
  await expect(client.set('a', 'c')).rejects.toThrow(/^MISCONF Redis is configured to save RDB snapshots/);
  await expect(client.ping()).rejects.toThrow(/^MISCONF/);
  expect(await client.get('a')).toBe('b');
  mkdirSync(inner);
  await client.bgsave();
  while ((await persistenceField(client, 'rdb_bgsave_in_progress')) === '1');
  expect(await client.set('a', 'c')).toBe('OK');
});

describe('a broken file', () => {
  test('is refused wherever it is cut off or changed, and nothing leaks', async () => {
    const dir = temporaryDirectory();
    const { client, server } = await start(dir);
    const { memory, lazyFree } = server.server.keyspace;
    const empty = memory.liveBlocks().size;
    await fill(client, new RandomBytes(31), 60);
    await client.save();
    const path = join(dir, 'dump.rdb');
    const intact = readFileSync(path);
    const random = new RandomBytes(8);
    const reload = () => client.call('DEBUG', 'RELOAD', 'NOSAVE').catch((error: Error) => error.message);
    for (let length = 0; length < intact.length; length += 7) {
      writeFileSync(path, intact.subarray(0, length));
      expect(await reload()).toMatch(/Error trying to load/);
    }
    for (let i = 0; i < 1000; i++) {
      const changed = Buffer.from(intact);
      changed[random.below(changed.length)] ^= 1 << random.below(8);
      writeFileSync(path, changed);
      expect(await reload()).toMatch(/Error trying to load|OK/);
    }
    expect(await client.ping()).toBe('PONG');
    await client.flushall('SYNC');
    lazyFree.drain();
    expect(memory.liveBlocks().size).toBe(empty);
  });
});

test('the limit of memory holds after the file is loaded, too', async () => {
  const dir = temporaryDirectory();
  const first = await start(dir);
  await first.client.set('key', 'value');
  await first.client.save();
  const { client } = await start(dir, { maxmemory: '1' });
  await expect(client.set('key', 'other')).rejects.toThrow('OOM');
  expect(await client.get('key')).toBe('value');
});
