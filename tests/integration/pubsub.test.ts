import { once } from 'node:events';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createServer, type RespiteServer } from '../../src/index.js';
import { type Scenario, SideBySide } from '../support/side-by-side.js';

describe('next to redis-server', () => {
  let servers: SideBySide;
  const play = (scenario: Scenario) => servers.play(scenario);

  beforeAll(async () => {
    servers = await SideBySide.start();
  });

  afterAll(async () => {
    await servers?.stop();
  });

  describe.each([2, 3] as const)('in RESP%i', (version) => {
    test('confirmations, one for each name', () =>
      play(async (stage) => {
        const a = await stage.enter('a', version);
        a.send(['SUBSCRIBE', 'c', 'd', 'c'], ['PSUBSCRIBE', 'c*', 'c*'], ['SSUBSCRIBE', 's', 't']);
        await a.hear(7);
        a.send(['UNSUBSCRIBE', 'nosuch', 'c'], ['PUNSUBSCRIBE'], ['SUNSUBSCRIBE', 't'], ['UNSUBSCRIBE']);
        await a.hear(5);
        await a.pipeline(['SUNSUBSCRIBE'], ['UNSUBSCRIBE'], ['PUNSUBSCRIBE'], ['SUNSUBSCRIBE'], ['PING']);
      }));

    test('messages by channel, by patterns and by shard channel', () =>
      play(async (stage) => {
        const a = await stage.enter('a', version);
        const b = await stage.enter('b');
        a.send(['SUBSCRIBE', 'news', 'n\\*w'], ['PSUBSCRIBE', 'n[a-e]ws', 'x'], ['SSUBSCRIBE', 'news']);
        await a.hear(5);
        await b.pipeline(['PUBLISH', 'news', '1'], ['PUBLISH', 'naws', '2'], ['PUBLISH', 'nfws', '3']);
        await b.pipeline(['SPUBLISH', 'news', '4'], ['PUBLISH', 'n\\*w', '5'], ['PUBLISH', 'x', '\0\r\n']);
        await a.hear(6);
        await b.pipeline(
          ['PUBSUB', 'NUMPAT'],
          ['PUBSUB', 'NUMSUB', 'news', 'x'],
          ['PUBSUB', 'SHARDNUMSUB', 'news'],
        );
        await b.pipeline(['PUBSUB', 'CHANNELS', 'new?'], ['PUBSUB', 'SHARDCHANNELS'], ['PUBSUB', 'NUMSUB']);
        await b.pipeline(['PUBSUB', 'NOSUCH'], ['PUBSUB'], ['PUBSUB', 'CHANNELS', 'a', 'b']);
      }));

    test('what a subscriber may do', () =>
      play(async (stage) => {
        const a = await stage.enter('a', version);
        await a.pipeline(
          ['SUBSCRIBE', 'c'],
          ['PING'],
          ['PING', 'x'],
          ['GET', 'k'],
          ['CLIENT', 'GETNAME'],
          ['NOSUCH'],
        );
        await a.pipeline(['MULTI'], ['PUBLISH', 'c', 'x'], ['RESET'], ['PING'], ['GET', 'k']);
      }));

    test('a client that publishes to itself gets the message after the reply', () =>
      play(async (stage) => {
        const a = await stage.enter('a', 3);
        const b = await stage.enter('b', version);
        await a.call('SUBSCRIBE', 'c');
        await b.call('SUBSCRIBE', 'c');
        a.send(['PUBLISH', 'c', '1'], ['PUBLISH', 'c', '2'], ['PING']);
        await a.hear(5);
        await b.hear(2);
      }));
  });

  test('replies are off, but not messages', () =>
    play(async (stage) => {
      const a = await stage.enter('a', 3);
      a.send(['CLIENT', 'REPLY', 'OFF'], ['SUBSCRIBE', 'c'], ['PUBLISH', 'c', 'x'], ['GET', 'k']);
      a.send(['CLIENT', 'REPLY', 'ON'], ['UNSUBSCRIBE']);
      await a.hear(4);
    }));

  test('a slow subscriber is closed at the hard limit, even when all is published in one go', () =>
    play(async (stage) => {
      const [a, b] = [await stage.enter('a'), await stage.enter('b')];
      await b.call('CONFIG', 'SET', 'client-output-buffer-limit', 'pubsub 1mb 0 0');
      await a.call('SUBSCRIBE', 'c');
      const message = 'x'.repeat(100_000);
      const publications = Array.from({ length: 30 }, () => ['PUBLISH', 'c', message]);
      b.send(['MULTI'], ...publications, ['EXEC']);
      for (let i = 0; i < 31; i++) await b.ask('PING');
      await a.closed();
      await b.call('CONFIG', 'SET', 'client-output-buffer-limit', 'pubsub 32mb 8mb 60');
    }));
});

describe('with ioredis', () => {
  let respite: RespiteServer;
  let redis: Redis;

  beforeAll(async () => {
    respite = await createServer();
    redis = new Redis(respite.url);
  });

  afterAll(async () => {
    await redis.quit();
    await respite.close();
  });

  test('a duplicate subscribes, and comes back after its connection broke', async () => {
    const subscriber = redis.duplicate();
    subscriber.on('error', () => {});
    expect(await subscriber.subscribe('news', 'weather')).toBe(2);
    await subscriber.psubscribe('user:*');
    const [[channel, message]] = await Promise.all([
      once(subscriber, 'message'),
      redis.publish('news', 'hello'),
    ]);
    expect([channel, message]).toEqual(['news', 'hello']);

    const isBack = once(subscriber, 'ready');
    expect(await redis.call('CLIENT', 'KILL', 'TYPE', 'PUBSUB')).toBe(1);
    await isBack;
    while ((await redis.publish('news', 'again')) === 0);
    while (String(await redis.call('PUBSUB', 'NUMPAT')) === '0');
    const [[pattern, from, text]] = await Promise.all([
      once(subscriber, 'pmessage'),
      redis.publish('user:7', 'login'),
    ]);
    expect([pattern, from, text]).toEqual(['user:*', 'user:7', 'login']);
    subscriber.disconnect();
  });

  test('commands wait in the offline queue until the server is there again', async () => {
    const client = redis.duplicate({ retryStrategy: () => 10 });
    client.on('error', () => {});
    await client.set('a', '1');
    const id = await client.client('ID');
    const isClosed = once(client, 'close');
    await redis.call('CLIENT', 'KILL', 'ID', String(id));
    await isClosed;
    expect(await Promise.all([client.incr('a'), client.incr('a'), client.get('a')])).toEqual([2, 3, '3']);
    client.disconnect();
  });

  test('ten thousand subscriptions to a channel, and a hundred thousand patterns beside', async () => {
    const subscribers = Array.from({ length: 100 }, () => redis.duplicate());
    const names = Array.from({ length: 100 }, (_, i) => `channel:${i}`);
    let heard = 0;
    const allHeard = new Promise<void>((resolve) => {
      for (const subscriber of subscribers) {
        subscriber.on('message', () => {
          if (++heard === subscribers.length * names.length) resolve();
        });
      }
    });
    await Promise.all(subscribers.map((subscriber) => subscriber.subscribe(...names)));
    const patterns = Array.from({ length: 1000 }, (_, i) => `user:${i}:*`);
    for (let round = 0; round < 100; round++) {
      await subscribers[0].psubscribe(...patterns.map((pattern) => `${pattern}${round}`));
    }
    expect(await redis.pubsub('NUMPAT')).toBe(100_000);
    const pipeline = redis.pipeline();
    for (const name of names) pipeline.publish(name, 'x');
    expect(await pipeline.exec()).toEqual(names.map(() => [null, 100]));
    await allHeard;
    expect(await redis.publish('user:7:anything7', 'x')).toBe(1);
    for (const subscriber of subscribers) subscriber.disconnect();
  });
});
