import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createServer, type RespiteServer } from '../../src/index.js';
import { Memory } from '../../src/memory/memory.js';
import { RandomBytes } from '../support/random-bytes.js';
import { RealRedis } from '../support/real-redis.js';

/** DUMP payloads go both ways between Respite and redis-server 8.0, and are the same bytes where order allows. */

let respite: RespiteServer;
let ours: Redis;
let real: RealRedis;
let theirs: Redis;

beforeAll(async () => {
  respite = await createServer({
    memory: new Memory({ debug: true }),
    directives: { 'enable-debug-command': 'yes' },
  });
  ours = new Redis(respite.url);
  real = await RealRedis.start('--enable-debug-command', 'yes');
  theirs = real.client as unknown as Redis;
});

afterAll(async () => {
  ours.disconnect();
  await real.stop();
  await respite.close();
});

async function onBoth(...command: [string, ...(string | Buffer)[]]): Promise<void> {
  const [name, ...rest] = command;
  await Promise.all([ours.call(name, rest), theirs.call(name, rest)]);
}

function strings(random: RandomBytes, count: number, longest: number): string[] {
  return Array.from({ length: count }, (_, i) =>
    random.below(3) === 0
      ? String(random.below(100_000) - 50_000)
      : `${i}${'x'.repeat(random.below(longest))}`,
  );
}

/** Values of every type on both sides of every encoding's limits. */
const VALUES: readonly (readonly [name: string, make: (random: RandomBytes) => Promise<void>])[] = [
  ['an int', () => onBoth('SET', 'k', '-1234567890123')],
  ['a short string', () => onBoth('SET', 'k', 'short')],
  ['a long string that LZF shortens', () => onBoth('SET', 'k', 'abc'.repeat(1000))],
  ['a binary string', (random) => onBoth('SET', 'k', random.bytes(5000))],
  ['a list in a listpack', (random) => onBoth('RPUSH', 'k', ...strings(random, 20, 30))],
  ['a quicklist', (random) => onBoth('RPUSH', 'k', ...strings(random, 2000, 60))],
  ['a list with a plain node', (random) => onBoth('RPUSH', 'k', 'a', random.bytes(20_000), 'b')],
  ['an intset', () => onBoth('SADD', 'k', '1', '-5', '70000', '99999999999')],
  ['a set in a listpack', (random) => onBoth('SADD', 'k', ...strings(random, 50, 20))],
  ['a set in a table', (random) => onBoth('SADD', 'k', ...strings(random, 500, 20))],
  ['a hash in a listpack', (random) => onBoth('HSET', 'k', ...pairs(strings(random, 60, 30)))],
  ['a hash in a table', (random) => onBoth('HSET', 'k', ...pairs(strings(random, 2000, 90)))],
  ['a sorted set in a listpack', () => onBoth('ZADD', 'k', '1', 'a', '2.5', 'b', '-inf', 'c', '1e300', 'd')],
  [
    'a sorted set in a skiplist',
    (random) => onBoth('ZADD', 'k', ...strings(random, 500, 30).flatMap((m, i) => [`${i / 7}`, m])),
  ],
];

function pairs(values: readonly string[]): string[] {
  return values.flatMap((value, i) => [`f${i}`, value]);
}

/** A value whose elements are in a table comes in the table's order, which no two servers share. */
const UNORDERED = new Set(['a set in a table', 'a hash in a table']);

describe.each(VALUES)('%s', (name, make) => {
  test('is dumped as redis-server dumps it, and restored on either side', async () => {
    await onBoth('FLUSHALL');
    await make(new RandomBytes(11));
    // Compressed, they would differ: two compressors find different repetitions.
    await onBoth('CONFIG', 'SET', 'rdbcompression', 'no');
    const plain = await Promise.all([ours.dumpBuffer('k'), theirs.dumpBuffer('k')]);
    if (!UNORDERED.has(name)) expect(plain[0].toString('hex')).toBe(plain[1].toString('hex'));
    await onBoth('CONFIG', 'SET', 'rdbcompression', 'yes');
    const [mine, other] = await Promise.all([ours.dumpBuffer('k'), theirs.dumpBuffer('k')]);
    await ours.restore('from-real', 0, other);
    await theirs.restore('from-ours', 0, mine);
    const digest = await theirs.call('DEBUG', 'DIGEST-VALUE', 'k');
    expect(await theirs.call('DEBUG', 'DIGEST-VALUE', 'from-ours')).toEqual(digest);
    expect(await ours.call('DEBUG', 'DIGEST-VALUE', 'k')).toEqual(digest);
    expect(await ours.call('DEBUG', 'DIGEST-VALUE', 'from-real')).toEqual(digest);
    expect(await ours.object('ENCODING', 'from-real')).toBe(await theirs.object('ENCODING', 'k'));
    expect(await theirs.object('ENCODING', 'from-ours')).toBe(await theirs.object('ENCODING', 'k'));
  });
});

test.each([10, 1000])('a hash of %i fields keeps the deadlines of its fields', async (count) => {
  await onBoth('FLUSHALL');
  await onBoth('HSET', 'k', ...pairs(strings(new RandomBytes(3), count, 10)));
  const deadline = String(Date.now() + 1_000_000);
  for (const field of ['f1', 'f3']) await onBoth('HPEXPIREAT', 'k', deadline, 'FIELDS', '1', field);
  const [mine, other] = await Promise.all([ours.dumpBuffer('k'), theirs.dumpBuffer('k')]);
  if (count === 10) expect(mine.toString('hex')).toBe(other.toString('hex'));
  await ours.restore('from-real', 0, other);
  await theirs.restore('from-ours', 0, mine);
  const deadlines = ['FIELDS', '3', 'f1', 'f2', 'f3'] as const;
  const expected = [Number(deadline), -1, Number(deadline)];
  expect(await ours.call('HPEXPIRETIME', 'from-real', ...deadlines)).toEqual(expected);
  expect(await theirs.call('HPEXPIRETIME', 'from-ours', ...deadlines)).toEqual(expected);
  expect(await ours.call('DEBUG', 'DIGEST-VALUE', 'from-real')).toEqual(
    await theirs.call('DEBUG', 'DIGEST-VALUE', 'k'),
  );
});

test('options and errors are those of redis-server', async () => {
  await onBoth('FLUSHALL');
  await onBoth('SET', 'k', 'value');
  const payload = await ours.dumpBuffer('k');
  const broken = Buffer.from(payload);
  broken[1] ^= 1;
  const cases: (string | Buffer)[][] = [
    ['k', '0', payload],
    ['k', '0', payload, 'REPLACE'],
    ['a', '-1', payload],
    ['a', 'x', payload],
    ['a', '0', broken],
    ['a', '0', Buffer.from('short')],
    ['a', '100', payload, 'ABSTTL'],
    ['a', '100000', payload, 'IDLETIME', '-1'],
    ['a', '100000', payload, 'IDLETIME', '100'],
    ['b', '0', payload, 'FREQ', '256'],
    ['b', '0', payload, 'FREQ', '1', 'IDLETIME', '1'],
    ['b', '0', payload, 'NOSUCH'],
  ];
  for (const args of cases) {
    const settle = (client: Redis) => client.call('RESTORE', args).catch((error: Error) => error.message);
    expect(await settle(ours)).toBe(await settle(theirs));
  }
  expect(await ours.object('IDLETIME', 'a')).toBeGreaterThanOrEqual(100);
});

test('payloads with any byte changed are refused or harmless, and nothing leaks', async () => {
  await ours.flushall('SYNC');
  await ours.call('DEBUG', 'SET-SKIP-CHECKSUM-VALIDATION', '1');
  const random = new RandomBytes(99);
  const { memory } = respite.server.keyspace;
  const before = memory.liveBlocks().size;
  await ours.rpush('list', ...strings(random, 30, 20));
  await ours.sadd('set', '1', '2', '3');
  await ours.sadd('words', 'a', 'b', '77');
  await ours.hset('hash', ...pairs(strings(random, 10, 20)));
  await ours.zadd('zset', 1, 'a', 2.5, 'b', 3, 'c');
  const payloads = await Promise.all(
    ['list', 'set', 'words', 'hash', 'zset'].map((key) => ours.dumpBuffer(key)),
  );
  for (let i = 0; i < 5000; i++) {
    const payload = Buffer.from(random.pick(payloads));
    for (let changes = random.below(3); changes >= 0; changes--) {
      payload[random.below(payload.length - 10)] = random.below(256);
    }
    await ours.restore('copy', 0, payload, 'REPLACE').catch((error: Error) => {
      expect(error.message).toMatch(/Bad data format|DUMP payload version or checksum/);
    });
    await ours.dumpBuffer('copy');
  }
  expect(await ours.ping()).toBe('PONG');
  await ours.flushall('SYNC');
  expect(memory.liveBlocks().size).toBe(before);
});
