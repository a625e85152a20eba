import type { Socket } from 'node:net';
import { Redis } from 'ioredis';
import { afterEach, expect, test } from 'vitest';
import { createServer, type RespiteServer } from '../../src/index.js';
import { startFakePeer } from '../support/fake-peer.js';

/** MIGRATE: keys go to another server, the client waits for it, and nobody else does. */

const cleanups: (() => Promise<unknown> | unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function start(
  directives: Record<string, string> = {},
): Promise<{ server: RespiteServer; client: Redis }> {
  const server = await createServer({ directives });
  const client = new Redis(server.url);
  cleanups.push(() => server.close());
  cleanups.push(() => client.disconnect());
  return { server, client };
}

function connect(server: RespiteServer): Redis {
  const client = new Redis(server.url);
  cleanups.push(() => client.disconnect());
  return client;
}

/** A port at which somebody takes connections and says what the test wants. */
async function listen(onSocket: (socket: Socket) => void): Promise<number> {
  const peer = await startFakePeer(onSocket);
  cleanups.push(() => peer.stop());
  return peer.port;
}

const error = (promise: Promise<unknown>) => promise.catch((problem: Error) => problem.message);

test('keys of every type arrive, with their time to live', async () => {
  const { client } = await start();
  const target = await start();
  await client.set('string', 'value', 'PX', 100_000);
  await client.rpush('list', ...Array.from({ length: 500 }, (_, i) => `element ${i}`));
  await client.zadd('zset', 1.5, 'a', 2, 'b');
  await client.hset('hash', 'field', 'value');
  const port = String(target.server.port);
  expect(await client.call('MIGRATE', '127.0.0.1', port, 'string', '3', '1000')).toBe('OK');
  expect(
    await client.call('MIGRATE', '127.0.0.1', port, '', '3', '1000', 'KEYS', 'list', 'no', 'zset', 'hash'),
  ).toBe('OK');
  expect(await client.dbsize()).toBe(0);
  await target.client.select(3);
  expect((await target.client.keys('*')).sort()).toEqual(['hash', 'list', 'string', 'zset']);
  expect(await target.client.pttl('string')).toBeGreaterThan(90_000);
  expect(await client.info('stats')).toMatch(/migrate_cached_sockets:1/);
});

test('options and errors', async () => {
  const { client } = await start();
  const target = await start({ requirepass: 'secret' });
  const port = String(target.server.port);
  const migrate = (...args: string[]) => error(client.call('MIGRATE', '127.0.0.1', port, ...args));
  await client.set('a', '1');
  expect(await migrate('absent', '0', '1000')).toBe('NOKEY');
  expect(await migrate('a', '0', '1000')).toBe(
    'ERR Target instance replied with error: NOAUTH Authentication required.',
  );
  expect(await migrate('a', '0', '1000', 'AUTH', 'wrong')).toMatch(
    /^ERR Target instance replied with error: WRONGPASS/,
  );
  expect(await migrate('a', '0', '1000', 'COPY', 'AUTH', 'secret')).toBe('OK');
  expect(await client.get('a')).toBe('1');
  expect(await migrate('a', '0', '1000', 'AUTH2', 'default', 'secret')).toBe(
    'ERR Target instance replied with error: BUSYKEY Target key name already exists.',
  );
  expect(await migrate('a', '0', '1000', 'REPLACE', 'AUTH', 'secret')).toBe('OK');
  expect(await client.exists('a')).toBe(0);
  expect(await migrate('a', '0', 'x')).toBe('ERR value is not an integer or out of range');
  expect(await migrate('a', '0', '1', 'AUTH')).toBe('ERR syntax error');
  expect(await migrate('a', '0', '1', 'KEYS', 'b')).toMatch(/must be set to the empty string$/);
  await client.set('a', '1');
  expect(await error(client.call('MIGRATE', '127.0.0.1', '1', 'a', '0', '1000'))).toBe(
    'IOERR error or timeout writing to target instance',
  );
  expect(await migrate('a', '99', '1000', 'AUTH', 'secret')).toBe(
    'ERR Target instance replied with error: ERR DB index is out of range',
  );
});

test('others are served meanwhile, but nobody changes the key', async () => {
  const { server, client } = await start();
  const other = connect(server);
  const writer = connect(server);
  await client.mset('a', '1', 'b', '2');
  const arrived: Socket[] = [];
  let tellArrived = () => {};
  const hasArrived = new Promise<void>((resolve) => {
    tellArrived = resolve;
  });
  const port = await listen((socket) => {
    socket.once('data', () => {
      arrived.push(socket);
      tellArrived();
    });
  });
  const moved = client.call('MIGRATE', '127.0.0.1', String(port), '', '0', '60000', 'KEYS', 'a', 'b');
  await hasArrived;
  const order: string[] = [];
  const change = writer.append('a', 'x').then((length) => order.push(`appended ${length}`));
  expect(await other.mget('a', 'b')).toEqual(['1', '2']);
  expect(await other.set('c', '3')).toBe('OK');
  // SELECT is answered, and RESTORE of the first key; then it hangs up.
  arrived[0].write('+OK\r\n+OK\r\n');
  arrived[0].end();
  expect(await error(moved)).toBe('IOERR error or timeout reading to target instance');
  await change;
  expect(order).toEqual(['appended 1']);
  expect(await other.mget('a', 'b', 'c')).toEqual(['x', '2', '3']);
});

test('a server that says nothing is given up in time', async () => {
  const { client } = await start();
  const port = await listen(() => {});
  await client.set('a', '1');
  expect(await error(client.call('MIGRATE', '127.0.0.1', String(port), 'a', '0', '50'))).toBe(
    'IOERR error or timeout reading to target instance',
  );
  expect(await client.get('a')).toBe('1');
});

test('a connection that was kept and closed since is made anew', async () => {
  const { client } = await start();
  let connections = 0;
  const port = await listen((socket) => {
    connections++;
    socket.once('data', () => {
      socket.write('+OK\r\n+OK\r\n');
      socket.once('data', () => socket.destroy());
    });
  });
  await client.mset('a', '1', 'b', '2');
  expect(await client.call('MIGRATE', '127.0.0.1', String(port), 'a', '0', '1000')).toBe('OK');
  expect(await client.call('MIGRATE', '127.0.0.1', String(port), 'b', '0', '1000')).toBe('OK');
  expect(connections).toBe(2);
  expect(await client.dbsize()).toBe(0);
});
