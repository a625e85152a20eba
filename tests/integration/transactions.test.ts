import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createServer, type RespiteServer } from '../../src/index.js';
import { type Scenario, SideBySide } from '../support/side-by-side.js';

/** Commands of another client, each of which a watched key `k` = 1 may or may not survive. */
const CHANGES: readonly (readonly (readonly string[])[])[] = [
  [['GET', 'k']],
  [['SET', 'k', '1']],
  [['SET', 'k', '2', 'NX']],
  [['INCR', 'k']],
  [['APPEND', 'k', '']],
  [['DEL', 'k']],
  [['DEL', 'nosuch']],
  [['UNLINK', 'k']],
  [['EXPIRE', 'k', '100']],
  [['EXPIRE', 'k', '100', 'XX']],
  [['PEXPIREAT', 'k', '1']],
  [['PERSIST', 'k']],
  [['TOUCH', 'k']],
  [['RENAME', 'k', 'l']],
  [
    ['SET', 'l', 'x'],
    ['RENAME', 'l', 'k'],
  ],
  [
    ['SET', 'l', 'x'],
    ['RENAMENX', 'l', 'k'],
  ],
  [['COPY', 'k', 'l']],
  [
    ['SET', 'l', 'x'],
    ['COPY', 'l', 'k'],
  ],
  [
    ['SET', 'l', 'x'],
    ['COPY', 'l', 'k', 'REPLACE'],
  ],
  [['MOVE', 'k', '1']],
  [
    ['SELECT', '1'],
    ['SET', 'k', 'x'],
  ],
  [['SELECT', '1'], ['FLUSHDB']],
  [['FLUSHDB']],
  [['FLUSHALL', 'ASYNC']],
  [['SWAPDB', '0', '1']],
  [['SWAPDB', '2', '3']],
  [
    ['SELECT', '1'],
    ['SET', 'k', 'x'],
    ['SWAPDB', '0', '1'],
  ],
  [['GETEX', 'k', 'EX', '100']],
  [['GETEX', 'k', 'PERSIST']],
  [['GETDEL', 'k']],
  [['SETRANGE', 'k', '0', '']],
  [['MULTI'], ['SET', 'k', '3'], ['EXEC']],
  [['MULTI'], ['SET', 'k', '3'], ['DISCARD']],
];

describe('next to redis-server', () => {
  let servers: SideBySide;
  const play = (scenario: Scenario) => servers.play(scenario);

  beforeAll(async () => {
    servers = await SideBySide.start();
  });

  afterAll(async () => {
    await servers?.stop();
  });

  test('the rules of the queue', () =>
    play(async (stage) => {
      const a = await stage.enter('a');
      await a.pipeline(['EXEC'], ['DISCARD'], ['UNWATCH'], ['MULTI'], ['MULTI'], ['WATCH', 'k'], ['UNWATCH']);
      await a.pipeline(['SET', 'k', '1'], ['INCR', 'k'], ['LPUSH', 'k', 'x'], ['GET', 'k'], ['EXEC']);
      await a.pipeline(['MULTI'], ['NOSUCH', 'x'], ['SET', 'k', '5'], ['EXEC'], ['GET', 'k']);
      await a.pipeline(['MULTI'], ['SET', 'k'], ['EXEC'], ['MULTI'], ['CLIENT', 'NOSUCH'], ['EXEC']);
      await a.pipeline(['MULTI'], ['SET', 'k', '7'], ['DISCARD'], ['GET', 'k'], ['MULTI'], ['EXEC']);
      await a.pipeline(['MULTI'], ['EXEC', 'x'], ['EXEC'], ['MULTI'], ['DISCARD', 'x'], ['EXEC']);
      await a.pipeline(
        ['MULTI'],
        ['SHUTDOWN'],
        ['EXEC'],
        ['MULTI'],
        ['SELECT', '3'],
        ['SET', 'm', '1'],
        ['EXEC'],
      );
      await a.pipeline(['GET', 'm'], ['MULTI'], ['RESET'], ['EXEC'], ['MULTI'], ['QUIT']);
      await a.closed();
    }));

  test.each(
    CHANGES.map((commands) => [commands.map((words) => words.join(' ')).join(', '), commands] as const),
  )('a watched key and %s', (_, commands) =>
    play(async (stage) => {
      const a = await stage.enter('a');
      const b = await stage.enter('b');
      await a.pipeline(['SET', 'k', '1'], ['WATCH', 'nosuch', 'k', 'k']);
      await b.pipeline(...commands);
      await a.pipeline(['MULTI'], ['PING'], ['EXEC'], ['WATCH', 'nosuch']);
      await b.pipeline(...commands);
      await a.pipeline(['MULTI'], ['PING'], ['EXEC'], ['MULTI'], ['GET', 'k'], ['EXEC']);
    }),
  );

  test('too few replicas to write', () =>
    play(async (stage) => {
      const a = await stage.enter('a');
      const b = await stage.enter('b');
      await a.pipeline(['MULTI'], ['SET', 'k', '1'], ['GET', 'k']);
      await b.pipeline(
        ['CONFIG', 'SET', 'min-replicas-to-write', '1'],
        ['SET', 'l', '1'],
        ['GET', 'l'],
        ['PING'],
      );
      await b.pipeline(
        ['CLIENT', 'PAUSE', '0'],
        ['PUBLISH', 'c', 'm'],
        ['LPUSH', 'q', '1'],
        ['BLPOP', 'q', '1'],
      );
      await a.pipeline(
        ['EXEC'],
        ['GET', 'k'],
        ['MULTI'],
        ['GET', 'k'],
        ['EXEC'],
        ['MULTI'],
        ['SET', 'k', '1'],
        ['EXEC'],
      );
      await b.pipeline(['CONFIG', 'SET', 'min-replicas-max-lag', '0'], ['SET', 'l', '2'], ['GET', 'l']);
      await b.pipeline(
        ['CONFIG', 'SET', 'min-replicas-to-write', '0', 'min-replicas-max-lag', '10'],
        ['SET', 'l', '3'],
      );
    }));

  test('a key that expires', () =>
    play(async (stage) => {
      const a = await stage.enter('a');
      await a.pipeline(['SET', 'k', '1', 'PX', '1'], ['WATCH', 'k']);
      while ((await a.ask('EXISTS', 'k')) !== 0);
      await a.pipeline(['MULTI'], ['PING'], ['EXEC'], ['WATCH', 'k'], ['MULTI'], ['PING'], ['EXEC']);
    }));

  test('watching ends with UNWATCH, DISCARD, EXEC and RESET', () =>
    play(async (stage) => {
      const a = await stage.enter('a');
      const b = await stage.enter('b');
      for (const end of [[['UNWATCH']], [['MULTI'], ['DISCARD']], [['MULTI'], ['EXEC']], [['RESET']]]) {
        await a.pipeline(['WATCH', 'k'], ...end);
        await b.call('INCR', 'k');
        await a.pipeline(['MULTI'], ['GET', 'k'], ['EXEC']);
      }
    }));

  test('commands that would wait do not', () =>
    play(async (stage) => {
      const a = await stage.enter('a');
      await a.pipeline(['MULTI'], ['BLPOP', 'list', '0'], ['BLMOVE', 'list', 'other', 'LEFT', 'LEFT', '0']);
      await a.pipeline(['RPUSH', 'list', 'x'], ['BLPOP', 'list', '0'], ['MONITOR'], ['EXEC']);
    }));

  test('a blocked client is served after EXEC', () =>
    play(async (stage) => {
      const [a, b] = [await stage.enter('a'), await stage.enter('b')];
      b.send(['BLPOP', 'list', '0']);
      while (!String(await a.ask('INFO', 'clients')).includes('blocked_clients:1'));
      await a.pipeline(['MULTI'], ['RPUSH', 'list', 'x'], ['DEL', 'list'], ['RPUSH', 'list', 'y'], ['EXEC']);
      await b.hear();
    }));

  test('a subscription and messages within a transaction', () =>
    play(async (stage) => {
      const a = await stage.enter('a', 3);
      await a.pipeline(['MULTI'], ['SUBSCRIBE', 'c', 'd'], ['PUBLISH', 'c', 'x'], ['UNSUBSCRIBE', 'c']);
      await a.pipeline(['PUBLISH', 'c', 'y'], ['PUBLISH', 'd', 'z'], ['EXEC']);
      // Two confirmations stand where the reply to one command is expected, so that the last reply is behind the array.
      await a.hear(3);
      await a.call('PING');
    }));

  test('without replies', () =>
    play(async (stage) => {
      const a = await stage.enter('a');
      a.send(['CLIENT', 'REPLY', 'OFF'], ['MULTI'], ['SET', 'k', '1'], ['EXEC'], ['CLIENT', 'REPLY', 'ON']);
      await a.hear();
      a.send(['MULTI'], ['CLIENT', 'REPLY', 'SKIP'], ['GET', 'k'], ['EXEC'], ['GET', 'k'], ['PING', 'end']);
      await a.hear(4);
      a.send(['MULTI'], ['GET', 'k'], ['CLIENT', 'REPLY', 'OFF'], ['GET', 'k'], ['EXEC'], ['GET', 'k']);
      a.send(['CLIENT', 'REPLY', 'ON'], ['PING', 'end']);
      await a.hear(5);
    }));
});

describe('with ioredis', () => {
  let respite: RespiteServer;
  let redis: Redis;

  beforeAll(async () => {
    respite = await createServer({ directives: { 'client-query-buffer-limit': '1mb' } });
    redis = new Redis(respite.url);
  });

  beforeEach(async () => {
    await redis.flushall();
  });

  afterAll(async () => {
    await redis.quit();
    await respite.close();
  });

  test('multi', async () => {
    const results = await redis.multi().set('a', '1').incr('a').get('a').exec();
    expect(results).toEqual([
      [null, 'OK'],
      [null, 2],
      [null, '2'],
    ]);
  });

  test('multi without a pipeline', async () => {
    await redis.multi({ pipeline: false });
    expect(await redis.set('a', '1')).toBe('QUEUED');
    expect(await redis.exec()).toEqual([[null, 'OK']]);
  });

  test('optimistic locking lets one of many win each time', async () => {
    const clients = Array.from({ length: 8 }, () => redis.duplicate());
    const increment = async (client: Redis): Promise<void> => {
      for (;;) {
        await client.watch('counter');
        const value = Number((await client.get('counter')) ?? '0');
        if (
          (await client
            .multi()
            .set('counter', value + 1)
            .exec()) !== null
        )
          return;
      }
    };
    await Promise.all(
      clients.map(async (client) => {
        for (let i = 0; i < 20; i++) await increment(client);
      }),
    );
    expect(await redis.get('counter')).toBe('160');
    for (const client of clients) client.disconnect();
  });

  test('the queue is bounded by the limit of the query buffer', async () => {
    const greedy = new Redis(respite.url, { retryStrategy: () => null, maxRetriesPerRequest: 0 });
    greedy.on('error', () => {});
    await greedy.call('MULTI');
    const fill = async () => {
      for (let i = 0; i < 40; i++) await greedy.call('SET', 'a', 'x'.repeat(50_000));
    };
    await expect(fill()).rejects.toThrow('Connection is closed');
    expect(await redis.info('stats')).toContain('client_query_buffer_limit_disconnections:1');
    greedy.disconnect();
  });
});
