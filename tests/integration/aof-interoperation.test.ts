import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterEach, expect, test } from 'vitest';
import { createServer } from '../../src/index.js';
import { RealRedis } from '../support/real-redis.js';

/** Append-only directories go both ways between Respite and redis-server 8.0 and 7.0, with the same data in them. */

const cleanups: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'respite-aof-'));
  cleanups.push(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

const DIRECTIVES: Record<string, string> = {
  appendonly: 'yes',
  'enable-debug-command': 'yes',
  'auto-aof-rewrite-percentage': '0',
};

/** A server that can be asked, and stopped in order. */
interface Peer {
  readonly client: Redis;
  stop(): Promise<void>;
}

async function startOurs(dir: string, directives: Record<string, string>): Promise<Peer> {
  const server = await createServer({ directives: { dir, ...DIRECTIVES, ...directives } });
  const client = new Redis(server.url);
  const stop = async () => {
    client.disconnect();
    await server.close();
  };
  cleanups.push(stop);
  return { client, stop };
}

async function startReal(
  version: '7.0' | '8.0',
  dir: string,
  directives: Record<string, string>,
): Promise<Peer> {
  const options = Object.entries({ dir, ...DIRECTIVES, ...directives }).flatMap(([name, value]) => [
    `--${name}`,
    value,
  ]);
  const real = await RealRedis.startVersion(version, options);
  cleanups.push(() => real.stop());
  // It goes on trying to connect when the server has ended in order.
  real.client.on('error', () => {});
  const stop = async () => {
    const isOver = new Promise((resolve) => real.client.once('close', resolve));
    real.client.shutdown().catch(() => {});
    await isOver;
  };
  return { client: real.client, stop };
}

type Starter = (dir: string, directives: Record<string, string>) => Promise<Peer>;

const PEERS: Record<string, Starter> = {
  respite: startOurs,
  'redis 8.0': (dir, directives) => startReal('8.0', dir, directives),
  'redis 7.0': (dir, directives) => startReal('7.0', dir, directives),
};

/** Values of every type on both sides of every encoding's limits, with and without deadlines. */
async function fill(client: Redis, prefix: string): Promise<void> {
  const words = (count: number, length: number) =>
    Array.from({ length: count }, (_, i) => `${'w'.repeat((i * 7) % length)}${i}`);
  const key = (name: string) => `${prefix}:${name}`;
  await client.mset({
    [key('int')]: '-123',
    [key('big')]: '9223372036854775807',
    [key('long')]: 'abc'.repeat(500),
  });
  await client.set(key('binary'), Buffer.from(Array.from({ length: 70_000 }, (_, i) => (i * i) % 251)));
  await client.rpush(key('list'), ...words(10, 5), '17', '-70000');
  await client.rpush(key('quicklist'), ...words(3000, 40));
  await client.rpush(key('plain'), 'a', 'p'.repeat(20_000), 'b');
  await client.sadd(key('intset'), 1, -5, 70_000, '99999999999');
  await client.sadd(key('table'), ...words(600, 30));
  await client.hset(key('hash'), Object.fromEntries(words(20, 9).map((w) => [w, `${w}!`])));
  await client.hset(key('hash-table'), Object.fromEntries(words(900, 90).map((w) => [w, `${w}!`])));
  // Scores that 7.0 spells as 8.0 does: digests are made of that.
  await client.zadd(key('zset'), '-inf', 'a', 2.5, 'b', 1000, 'c', 7, '12');
  await client.zadd(key('skiplist'), ...words(700, 30).flatMap((w, i) => [i / 8, w]));
  await client.expire(key('int'), 1000);
  await client.pexpireat(key('table'), Date.now() + 2_000_000);
  await client.multi().incr(key('counter')).select(5).set(key('elsewhere'), 'too', 'EX', 1000).exec();
  await client.set(key('more'), 'x');
  await client.select(0);
  await client.spop(key('table'));
  await client.incrbyfloat(key('float'), 0.5);
}

/** What redis-server 7.0 has not got. */
async function fillNewer(client: Redis, prefix: string): Promise<void> {
  await client.sadd(`${prefix}:small`, 'a', 'b', '17');
  for (const name of ['hash', 'hash-table']) {
    const key = `${prefix}:${name}`;
    await client.hset(key, 'f', 'v', 'g', 'v');
    await client.call('HPEXPIREAT', key, Date.now() + 1_000_000, 'FIELDS', 1, 'f');
  }
}

async function waitForRewrite(client: Redis): Promise<void> {
  while (/aof_rewrite_in_progress:1|aof_rewrite_scheduled:1/.test(await client.info('persistence'))) {
    await client.ping();
  }
}

const PAIRS = [
  ['respite', 'redis 8.0'],
  ['redis 8.0', 'respite'],
  ['respite', 'redis 7.0'],
  ['redis 7.0', 'respite'],
] as const;

test.each(
  PAIRS.flatMap(([writer, reader]) => ['yes', 'no'].map((preamble) => [writer, reader, preamble] as const)),
)('what %s wrote, %s loads and goes on with, aof-use-rdb-preamble %s', async (writer, reader, preamble) => {
  const directives = { 'aof-use-rdb-preamble': preamble };
  const isNew = !`${writer} ${reader}`.includes('7.0');
  const dir = temporaryDirectory();
  const first = await PEERS[writer](dir, directives);
  await fill(first.client, 'base');
  if (isNew) await fillNewer(first.client, 'base');
  await first.client.bgrewriteaof();
  await fill(first.client, 'increment');
  if (isNew) await fillNewer(first.client, 'increment');
  await waitForRewrite(first.client);
  const digest = await first.client.call('DEBUG', 'DIGEST');
  await first.stop();

  const second = await PEERS[reader](dir, directives);
  expect(await second.client.call('DEBUG', 'DIGEST')).toBe(digest);
  await fill(second.client, 'further');
  await second.client.bgrewriteaof();
  await waitForRewrite(second.client);
  const after = await second.client.call('DEBUG', 'DIGEST');
  await second.stop();

  const third = await PEERS[writer](dir, directives);
  expect(await third.client.call('DEBUG', 'DIGEST')).toBe(after);
});

test('a base of commands is the one that redis-server 8.0 writes', async () => {
  const dir = temporaryDirectory();
  const directives = { 'aof-use-rdb-preamble': 'no' };
  const real = await PEERS['redis 8.0'](dir, directives);
  await fill(real.client, 'k');
  await fillNewer(real.client, 'k');
  await real.client.bgrewriteaof();
  await waitForRewrite(real.client);
  await real.stop();
  const copy = temporaryDirectory();
  cpSync(dir, copy, { recursive: true });
  const ours = await PEERS.respite(copy, directives);
  await ours.client.bgrewriteaof();
  await waitForRewrite(ours.client);
  expect(commandsByKey(copy, 3)).toEqual(commandsByKey(dir, 2));
});

/** The commands of a base, by key, with the order of what has none undone. */
function commandsByKey(dir: string, sequence: number): Map<string, string> {
  const folder = join(dir, 'appendonlydir');
  const name = readdirSync(folder).find((file) => file.includes(`.${sequence}.base.`)) ?? '';
  const text = readFileSync(join(folder, name), 'latin1');
  const found = new Map<string, string[]>();
  let position = 0;
  const header = () => {
    const end = text.indexOf('\r\n', position);
    const value = Number(text.slice(position + 1, end));
    position = end + 2;
    return value;
  };
  while (position < text.length) {
    const args: string[] = [];
    for (let left = header(); left > 0; left--) {
      const length = header();
      args.push(text.slice(position, position + length));
      position += length + 2;
    }
    if (args[0] === 'SELECT') continue;
    const commands = found.get(args[1]) ?? [];
    // Members of tables come in any order.
    const isOrdered = args[0] === 'RPUSH' || args[0] === 'SET' || args[0].endsWith('EXPIREAT');
    commands.push(isOrdered ? args.join(' ') : `${args[0]} of ${args.length}`);
    found.set(args[1], commands);
  }
  return new Map([...found].map(([key, commands]) => [key, commands.sort().join('\n')]));
}
