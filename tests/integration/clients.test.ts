import { Redis } from 'ioredis';
import { createClient } from 'redis';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createServer, type RespiteServer } from '../../src/index.js';

let respite: RespiteServer;

beforeAll(async () => {
  respite = await createServer();
});

afterAll(async () => {
  await respite.close();
});

describe('ioredis', () => {
  let redis: Redis;

  beforeAll(() => {
    redis = new Redis(respite.url);
  });

  beforeEach(async () => {
    await redis.flushall();
  });

  afterAll(async () => {
    await redis.quit();
  });

  test('becomes ready and reads the server version', async () => {
    expect(await redis.ping()).toBe('PONG');
    expect(redis.status).toBe('ready');
    expect(await redis.info('server')).toMatch(/redis_version:8\.0/);
  });

  test('strings', async () => {
    expect(await redis.set('a', 'x', 'EX', 100, 'NX')).toBe('OK');
    expect(await redis.set('a', 'y', 'NX')).toBeNull();
    expect(await redis.get('a')).toBe('x');
    expect(await redis.incrby('n', 41)).toBe(41);
    expect(await redis.incr('n')).toBe(42);
    expect(await redis.incrbyfloat('n', 0.5)).toBe('42.5');
    expect(await redis.mset('k1', 'v1', 'k2', 'v2')).toBe('OK');
    expect(await redis.mget('k1', 'none', 'k2')).toEqual(['v1', null, 'v2']);
    expect(await redis.append('k1', '!')).toBe(3);
    expect(await redis.getrange('k1', 0, -1)).toBe('v1!');
    expect(await redis.getdel('k1')).toBe('v1!');
    expect(await redis.exists('k1')).toBe(0);
  });

  test('binary keys and values', async () => {
    const key = Buffer.from([0, 255, 13, 10, 128]);
    const value = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
    await redis.set(key, value);
    expect(await redis.getBuffer(key)).toEqual(value);
  });

  test('expiry', async () => {
    await redis.set('a', 'x');
    expect(await redis.expire('a', 100)).toBe(1);
    expect(await redis.ttl('a')).toBe(100);
    expect(await redis.persist('a')).toBe(1);
    expect(await redis.ttl('a')).toBe(-1);
  });

  test('a long pipeline', async () => {
    const pipeline = redis.pipeline();
    for (let i = 0; i < 10_000; i++) pipeline.set(`key:${i}`, `value:${i}`);
    pipeline.dbsize();
    const results = await pipeline.exec();
    expect(results?.at(-1)).toEqual([null, 10_000]);
  });

  test('scan meets every key', async () => {
    const names = Array.from({ length: 1000 }, (_, i) => `key:${i}`);
    await redis.mset(names.flatMap((name) => [name, '1']));
    const seen = new Set<string>();
    for await (const keys of redis.scanStream({ match: 'key:*', count: 50 })) {
      for (const key of keys as string[]) seen.add(key);
    }
    expect(seen).toEqual(new Set(names));
  });

  test('errors are errors', async () => {
    await redis.set('a', 'x');
    await expect(redis.incr('a')).rejects.toThrow('ERR value is not an integer or out of range');
    await expect(redis.call('NOSUCH')).rejects.toThrow("ERR unknown command 'NOSUCH'");
  });

  test('a value of 64 MB goes there and back', async () => {
    const value = Buffer.alloc(64 << 20, 'respite!');
    await redis.set('large', value);
    expect(await redis.strlen('large')).toBe(value.length);
    expect((await redis.getBuffer('large'))?.equals(value)).toBe(true);
  });
});

describe.each([2, 3] as const)('node-redis in RESP%i', (version) => {
  const open = async () => createClient({ url: respite.url, RESP: version }).connect();
  let client: Awaited<ReturnType<typeof open>>;

  beforeAll(async () => {
    client = (await open()) as Awaited<ReturnType<typeof open>>;
  });

  beforeEach(async () => {
    await client.flushAll();
  });

  afterAll(async () => {
    await client.close();
  });

  test('strings and keys', async () => {
    expect(await client.ping()).toBe('PONG');
    expect(await client.set('a', 'x', { expiration: { type: 'EX', value: 100 } })).toBe('OK');
    expect(await client.get('a')).toBe('x');
    expect(await client.ttl('a')).toBe(100);
    expect(await client.get('none')).toBeNull();
    expect(await client.mSet({ b: '1', c: '2' })).toBe('OK');
    expect(await client.mGet(['a', 'b', 'none'])).toEqual(['x', '1', null]);
    expect(await client.del(['a', 'b'])).toBe(2);
    expect(await client.rename('c', 'd')).toBe('OK');
    expect(await client.keys('*')).toEqual(['d']);
    expect(await client.type('d')).toBe('string');
    expect(await client.copy('d', 'e')).toBe(1);
    expect(await client.dbSize()).toBe(2);
  });

  test('connection and server', async () => {
    await client.clientSetName('tester');
    expect(await client.clientGetName()).toBe('tester');
    expect(await client.configGet('maxclients')).toEqual({
      maxclients: '10000',
    });
    expect(await client.echo('hello')).toBe('hello');
    expect((await client.clientList()).some((entry) => entry.name === 'tester')).toBe(true);
    expect((await client.commandInfo(['get']))[0]?.name).toBe('get');
  });
});

test('a password is asked for', async () => {
  const guarded = await createServer({ password: 'secret' });
  const stranger = new Redis(guarded.port, {
    retryStrategy: () => null,
    lazyConnect: true,
  });
  const refusal = new Promise<Error>((resolve) => stranger.once('error', resolve));
  await expect(stranger.connect()).rejects.toThrow('Connection is closed');
  expect((await refusal).message).toContain('NOAUTH');
  const friend = new Redis(guarded.port, { password: 'secret' });
  expect(await friend.set('a', 'x')).toBe('OK');
  await friend.quit();
  await guarded.close();
});
