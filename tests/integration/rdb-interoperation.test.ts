import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterEach, expect, test } from 'vitest';
import { createServer, type RespiteServer } from '../../src/index.js';
import { Program } from '../support/program.js';
import { RealRedis, realRedisSource } from '../support/real-redis.js';

/** RDB files go both ways between Respite and redis-server 8.0 and 7.0, with the same data in them. */

const cleanups: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'respite-rdb-'));
  cleanups.push(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

async function startOurs(dir: string, directives: Record<string, string> = {}): Promise<Redis> {
  const server: RespiteServer = await createServer({
    directives: { dir, 'enable-debug-command': 'yes', ...directives },
  });
  const client = new Redis(server.url);
  cleanups.push(async () => {
    client.disconnect();
    await server.close();
  });
  return client;
}

async function startReal(version: '7.0' | '8.0', dir: string, ...args: string[]): Promise<Redis> {
  const real = await RealRedis.startVersion(version, [
    '--enable-debug-command',
    'yes',
    '--dir',
    dir,
    ...args,
  ]);
  cleanups.push(() => real.stop());
  return real.client;
}

/** Values of every type on both sides of every encoding's limits, with and without deadlines. */
async function fill(client: Redis): Promise<void> {
  const words = (count: number, length: number) =>
    Array.from({ length: count }, (_, i) => `${'w'.repeat((i * 7) % length)}${i}`);
  await client.mset({ int: '-123', big: '9223372036854775807', short: 'x', long: 'abc'.repeat(500) });
  await client.set('binary', Buffer.from(Array.from({ length: 70_000 }, (_, i) => (i * i) % 251)));
  await client.rpush('list', ...words(10, 5), '17', '-70000');
  await client.rpush('quicklist', ...words(3000, 40));
  await client.rpush('plain', 'a', 'p'.repeat(20_000), 'b');
  await client.sadd('intset', 1, -5, 70_000, '99999999999');
  await client.sadd('table', ...words(600, 30));
  await client.hset('hash', Object.fromEntries(words(20, 9).map((w) => [w, `${w}!`])));
  await client.hset('hash-table', Object.fromEntries(words(900, 90).map((w) => [w, `${w}!`])));
  // Scores that 7.0 spells as 8.0 does: digests are made of that.
  await client.zadd('zset', '-inf', 'a', 2.5, 'b', 1000, 'c');
  await client.zadd('skiplist', ...words(700, 30).flatMap((w, i) => [i / 8, w]));
  await client.pexpireat('short', Date.now() + 1_000_000);
  await client.pexpireat('table', Date.now() + 2_000_000);
  await client.select(5);
  await client.set('elsewhere', 'too', 'EX', 1000);
  await client.select(0);
}

async function fillNewer(client: Redis): Promise<void> {
  await client.sadd('listpack-set', 'a', 'b', 'c');
  for (const key of ['hash', 'hash-table']) {
    await client.hset(key, 'f', 'v');
    await client.call('HPEXPIREAT', key, Date.now() + 1_000_000, 'FIELDS', 1, 'f');
  }
}

function versionOf(dir: string): string {
  return readFileSync(join(dir, 'dump.rdb')).toString('latin1', 5, 9);
}

test.each(['7.0', '8.0'] as const)(
  'files of ours and of redis-server %s are each loaded by the other',
  async (version) => {
    const dir = temporaryDirectory();
    const ours = await startOurs(dir);
    await fill(ours);
    if (version === '8.0') await fillNewer(ours);
    await ours.save();
    expect(versionOf(dir)).toBe(version === '8.0' ? '0012' : '0010');
    const digest = await ours.call('DEBUG', 'DIGEST');
    const real = await startReal(version, dir);
    expect(await real.call('DEBUG', 'DIGEST')).toBe(digest);
    await real.flushall();
    await fill(real);
    if (version === '8.0') await fillNewer(real);
    for (const policy of ['noeviction', 'allkeys-lru', 'allkeys-lfu']) {
      await real.config('SET', 'maxmemory-policy', policy);
      await ours.config('SET', 'maxmemory-policy', policy);
      await real.save();
      expect(await ours.call('DEBUG', 'RELOAD', 'NOSAVE')).toBe('OK');
      expect(await ours.call('DEBUG', 'DIGEST')).toBe(await real.call('DEBUG', 'DIGEST'));
      await ours.bgsave();
      while (/rdb_bgsave_in_progress:1/.test(await ours.info('persistence')));
      expect(await real.call('DEBUG', 'RELOAD', 'NOSAVE')).toBe('OK');
      expect(await real.call('DEBUG', 'DIGEST')).toBe(await ours.call('DEBUG', 'DIGEST'));
    }
  },
);

test('a set in a listpack makes a file of version 11', async () => {
  const dir = temporaryDirectory();
  const ours = await startOurs(dir);
  await ours.sadd('s', 'a', 'b');
  await ours.save();
  expect(versionOf(dir)).toBe('0011');
  const real = await startReal('8.0', dir);
  expect(await real.smembers('s')).toHaveLength(2);
});

/** Of these the real server refuses one, and so must we. */
const BROKEN_ASSETS = new Set(['corrupt_ziplist.rdb']);
const assetsDirectory = join(realRedisSource(), 'tests', 'assets');
const assets = readdirSync(assetsDirectory).filter((name) => name.endsWith('.rdb'));

test.each(assets)('%s is loaded as redis-server loads it', async (name) => {
  const dir = temporaryDirectory();
  copyFileSync(join(assetsDirectory, name), join(dir, 'dump.rdb'));
  for (const sanitize of ['no', 'yes']) {
    if (BROKEN_ASSETS.has(name)) {
      await expect(startOurs(dir, { 'sanitize-dump-payload': sanitize })).rejects.toThrow(
        /integrity check failed/,
      );
      continue;
    }
    const ours = await startOurs(dir, { 'sanitize-dump-payload': sanitize });
    const real = await startReal('8.0', dir, '--sanitize-dump-payload', sanitize);
    expect(await ours.call('DEBUG', 'DIGEST')).toBe(await real.call('DEBUG', 'DIGEST'));
    expect(await ours.dbsize()).toBe(await real.dbsize());
  }
});

/**
 * A hash with the field `f` twice, as a listpack that is whole otherwise:
 *
 *     REDIS0011 │ FE 00: database │ 10: hash, listpack │ key h │ 19 bytes: f v f w │ FF │ no checksum
 */
const TWICE = Buffer.from(
  '524544495330303131fe0010016813130000000400816602817602816602817702ffff0000000000000000',
  'hex',
);

test.each(['no', 'clients', 'yes'])('a field twice, sanitize-dump-payload %s', async (sanitize) => {
  const dir = temporaryDirectory();
  writeFileSync(join(dir, 'dump.rdb'), TWICE);
  const fields = (client: Redis) => client.call('HGETALL', 'h');
  const ours = await startOurs(dir, { 'sanitize-dump-payload': sanitize }).then(fields, () => 'refused');
  const real = await startReal('8.0', dir, '--sanitize-dump-payload', sanitize).then(fields, () => 'refused');
  expect(ours).toEqual(real);
  expect(ours === 'refused').toBe(sanitize === 'yes');
});

async function startProgram(dir: string, ...args: string[]): Promise<{ program: Program; client: Redis }> {
  const program = new Program(['--port', '0', '--unixsocket', join(dir, 'socket'), '--dir', dir, ...args]);
  cleanups.push(() => program.kill());
  await program.prints('Ready to accept connections');
  const client = new Redis(join(dir, 'socket'), { maxRetriesPerRequest: 0, retryStrategy: () => null });
  client.on('error', () => {});
  cleanups.push(() => client.disconnect());
  return { program, client };
}

test('the program saves at its end, and loads at its start; a kill in the middle of a save loses nothing older', async () => {
  const dir = temporaryDirectory();
  const first = await startProgram(dir, '--save', '900 1');
  await first.client.set('k', 'v');
  first.program.process.kill('SIGTERM');
  expect((await first.program.end).code).toBe(0);
  expect(first.program.stdout).toContain('DB saved on disk');
  const before = readFileSync(join(dir, 'dump.rdb'));

  const second = await startProgram(dir, '--save', '900 1', '--rdb-key-save-delay', '1000');
  expect(second.program.stdout).toContain('Done loading RDB, keys loaded: 1, keys expired: 0.');
  expect(second.program.stdout).toContain('DB loaded from disk: ');
  expect(await second.client.get('k')).toBe('v');
  await second.client.mset(Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`k${i}`, 'v'])));
  await second.client.bgsave();
  while (!/current_save_keys_processed:[1-9]/.test(await second.client.info('persistence')));
  second.program.process.kill('SIGKILL');
  await second.program.end;
  expect(readFileSync(join(dir, 'dump.rdb')).equals(before)).toBe(true);

  const third = await startProgram(dir, '--save', '');
  expect(await third.client.dbsize()).toBe(1);
  await third.client.set('k2', 'v');
  await third.client.shutdown('SAVE').catch(() => 0);
  expect((await third.program.end).code).toBe(0);
  const fourth = await startProgram(dir, '--save', '');
  expect(await fourth.client.dbsize()).toBe(2);
});

test('functions that an RDB file brings are not run here, but saved again', async () => {
  const dir = temporaryDirectory();
  const real = await startReal('8.0', dir);
  const code = "#!lua name=mylib\nredis.register_function('f', function() return 42 end)";
  await real.call('FUNCTION', 'LOAD', code);
  await real.save();
  const ours = await startOurs(dir);
  await ours.set('a', 'b');
  await ours.bgsave();
  while (/rdb_bgsave_in_progress:1/.test(await ours.info('persistence')));
  const again = await startReal('8.0', dir);
  expect(await again.get('a')).toBe('b');
  expect(await again.call('FCALL', 'f', 0)).toBe(42);
});

test('SHUTDOWN saves the data if it is to, and the server tells when it is closed', async () => {
  const dir = temporaryDirectory();
  for (const [save, args, isSaved] of [
    ['', ['SAVE'], true],
    ['900 1', [], true],
    ['900 1', ['NOSAVE'], false],
    ['', [], false],
  ] as const) {
    const server = await createServer({ directives: { dir, save } });
    const client = new Redis(server.url, { retryStrategy: () => null });
    client.on('error', () => {});
    await client.flushall();
    await client.save();
    await client.set('key', 'value');
    await client.call('SHUTDOWN', ...args).catch(() => undefined);
    await server.closed;
    client.disconnect();
    const loaded = await startOurs(dir);
    expect(await loaded.get('key')).toBe(isSaved ? 'value' : null);
  }
});
