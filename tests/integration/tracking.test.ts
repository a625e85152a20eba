import { BasicClientSideCache, createClient } from 'redis';
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

  test('what was read and then changed', () =>
    play(async (stage) => {
      const [a, b] = [await stage.enter('a', 3), await stage.enter('b')];
      await a.pipeline(['CLIENT', 'TRACKING', 'ON'], ['GET', 'k'], ['MGET', 'l', 'm', 'k'], ['HGETALL', 'h']);
      await b.pipeline(
        ['SET', 'k', '1'],
        ['SET', 'k', '2'],
        ['MSET', 'l', '1', 'm', '2', 'n', '3'],
        ['HSET', 'h', 'f', 'v'],
      );
      await a.hear(4);
      await a.pipeline(
        ['GET', 'k'],
        ['EXISTS', 'm'],
        ['TTL', 'l'],
        ['SCAN', '0', 'MATCH', 'nosuch'],
        ['DBSIZE'],
      );
      await b.pipeline(
        ['EXPIRE', 'l', '100'],
        ['RENAME', 'k', 'z'],
        ['DEL', 'm', 'nosuch'],
        ['SELECT', '1'],
        ['SET', 'k', 'x'],
      );
      await a.hear(3);
      await a.call('PING');
    }));

  test('by the client itself: after the reply, or not at all', () =>
    play(async (stage) => {
      const a = await stage.enter('a', 3);
      await a.pipeline(['CLIENT', 'TRACKING', 'ON'], ['GET', 'k'], ['GET', 'l']);
      a.send(
        ['SET', 'k', '1'],
        ['GET', 'k'],
        ['MULTI'],
        ['INCR', 'k'],
        ['SET', 'l', '1'],
        ['GET', 'k'],
        ['EXEC'],
        ['PING'],
      );
      await a.hear(11);
      a.send(['CLIENT', 'TRACKING', 'ON', 'NOLOOP'], ['GET', 'k'], ['SET', 'k', '7'], ['PING']);
      await a.hear(4);
    }));

  test('a key that expires', () =>
    play(async (stage) => {
      const [a, b] = [await stage.enter('a', 3), await stage.enter('b')];
      await b.call('SET', 'k', '1', 'PX', '700'); // long enough to be read before, on any machine
      await a.pipeline(['CLIENT', 'TRACKING', 'ON', 'NOLOOP'], ['GET', 'k']);
      await a.hear();
    }));

  test('flushes', () =>
    play(async (stage) => {
      const [a, b, c] = [await stage.enter('a', 3), await stage.enter('b', 3), await stage.enter('c')];
      await a.pipeline(['CLIENT', 'TRACKING', 'ON'], ['GET', 'k']);
      await b.call('CLIENT', 'TRACKING', 'ON', 'BCAST');
      await c.pipeline(['SELECT', '3'], ['FLUSHDB']);
      await a.hear();
      await b.hear();
      await c.pipeline(['FLUSHALL', 'ASYNC'], ['SELECT', '0'], ['SET', 'k', '1']);
      await a.hear();
      await b.hear(2);
      a.send(['MULTI'], ['FLUSHALL'], ['GET', 'k'], ['EXEC'], ['PING']);
      await a.hear(6);
      await b.hear();
    }));

  test('opting in and out', () =>
    play(async (stage) => {
      const [a, b] = [await stage.enter('a', 3), await stage.enter('b')];
      await a.pipeline(['CLIENT', 'TRACKING', 'ON', 'OPTIN'], ['GET', 'k'], ['CLIENT', 'CACHING', 'NO']);
      await a.pipeline(
        ['CLIENT', 'CACHING', 'YES'],
        ['CLIENT', 'TRACKINGINFO'],
        ['CLIENT', 'GETNAME'],
        ['GET', 'l'],
      );
      await a.pipeline(['GET', 'm'], ['CLIENT', 'CACHING', 'YES'], ['NOSUCH'], ['GET', 'n']);
      await a.pipeline(
        ['CLIENT', 'CACHING', 'YES'],
        ['MULTI'],
        ['GET', 'o'],
        ['GET', 'p'],
        ['EXEC'],
        ['GET', 'q'],
      );
      await b.call('MSET', 'k', '1', 'l', '1', 'm', '1', 'n', '1', 'o', '1', 'p', '1', 'q', '1');
      await a.hear(3);
      await a.pipeline(['CLIENT', 'TRACKING', 'ON', 'OPTOUT'], ['CLIENT', 'TRACKING', 'OFF']);
      await a.pipeline(
        ['CLIENT', 'TRACKING', 'ON', 'OPTOUT'],
        ['CLIENT', 'CACHING', 'YES'],
        ['CLIENT', 'CACHING', 'NO'],
      );
      await a.pipeline(['CLIENT', 'TRACKINGINFO'], ['GET', 'k'], ['GET', 'l'], ['CLIENT', 'TRACKINGINFO']);
      await b.call('MSET', 'k', '1', 'l', '1');
      await a.hear();
      await a.call('PING');
    }));

  test('broadcasts', () =>
    play(async (stage) => {
      const [a, b, c] = [await stage.enter('a', 3), await stage.enter('b', 3), await stage.enter('c')];
      await a.pipeline(['CLIENT', 'TRACKING', 'ON', 'BCAST', 'PREFIX', 'user:', 'PREFIX', 'item:', 'NOLOOP']);
      await b.pipeline(['CLIENT', 'TRACKING', 'ON', 'BCAST'], ['CLIENT', 'TRACKINGINFO'], ['GET', 'x']);
      c.send(
        ['SET', 'user:2', '1'],
        ['SET', 'item:1', '1'],
        ['SET', 'other', '1'],
        ['SET', 'user:1', '1'],
        ['SET', 'user:2', '2'],
      );
      await c.hear(5);
      await a.hear(2);
      await b.hear();
      a.send(['SET', 'user:3', '1'], ['DEL', 'item:1'], ['PING']);
      await a.hear(3);
      await b.hear();
      await c.call('DEL', 'user:3', 'nosuch', 'user:1');
      await a.hear();
      await b.hear();
      await a.pipeline(['CLIENT', 'TRACKINGINFO'], ['CLIENT', 'TRACKING', 'OFF'], ['CLIENT', 'TRACKINGINFO']);
    }));

  test('a RESP2 client is told through another', () =>
    play(async (stage) => {
      const [a, b, c] = [await stage.enter('a'), await stage.enter('b'), await stage.enter('c')];
      await a.call('SUBSCRIBE', '__redis__:invalidate');
      await b.ask('CLIENT', 'TRACKING', 'ON', 'REDIRECT', a.id);
      await b.pipeline(['GET', 'k'], ['GET', 'l']);
      await c.pipeline(['SET', 'k', '1'], ['FLUSHALL']);
      await a.hear(2);
      await b.pipeline(['GET', 'k'], ['SET', 'k', '3'], ['PING']);
      await a.hear();
      await b.ask('CLIENT', 'TRACKING', 'OFF');
      await b.ask('CLIENT', 'TRACKING', 'ON', 'REDIRECT', a.id, 'BCAST', 'NOLOOP');
      await c.pipeline(['MSET', 'x', '1', 'y', '1']);
      await a.hear();
      await b.pipeline(['SET', 'z', '1'], ['PING']);
      await a.call('PING');
    }));

  test('the other client goes away', () =>
    play(async (stage) => {
      const [a, b, c] = [await stage.enter('a'), await stage.enter('b', 3), await stage.enter('c')];
      await b.ask('CLIENT', 'TRACKING', 'ON', 'REDIRECT', a.id);
      await b.pipeline(['GET', 'k']);
      await a.call('QUIT');
      await a.closed();
      await c.call('SET', 'k', '1');
      const push = await b.ask('PING');
      expect(push).toEqual({ push: ['tracking-redir-broken', Number(a.id)] });
      await b.hear();
      expect(JSON.stringify(await b.ask('CLIENT', 'TRACKINGINFO'))).toContain('broken_redirect');
      expect(await b.ask('CLIENT', 'GETREDIR')).toBe(Number(a.id));
      await b.pipeline(['CLIENT', 'TRACKING', 'OFF'], ['CLIENT', 'GETREDIR']);
    }));

  test('options that do not go together', () =>
    play(async (stage) => {
      const a = await stage.enter('a', 3);
      const tracking = (...options: string[]) => ['CLIENT', 'TRACKING', ...options];
      await a.pipeline(
        tracking(),
        tracking('MAYBE'),
        tracking('ON', 'NOSUCH'),
        tracking('ON', 'PREFIX', 'a'),
      );
      await a.pipeline(
        tracking('ON', 'REDIRECT', '0'),
        tracking('ON', 'REDIRECT', 'x'),
        tracking('ON', 'REDIRECT'),
      );
      await a.pipeline(tracking('ON', 'REDIRECT', '999999'), tracking('ON', 'OPTIN', 'OPTOUT'));
      await a.pipeline(
        tracking('ON', 'BCAST', 'OPTIN'),
        tracking('ON', 'BCAST', 'PREFIX', 'a', 'PREFIX', 'ab'),
      );
      await a.pipeline(
        tracking('ON', 'OPTIN'),
        tracking('ON', 'OPTOUT'),
        tracking('ON', 'BCAST'),
        tracking('OFF', 'BCAST'),
      );
      await a.pipeline(tracking('ON', 'BCAST', 'PREFIX', 'foo'), tracking('ON', 'BCAST', 'PREFIX', 'fo'));
      await a.pipeline(tracking('ON', 'BCAST', 'PREFIX', 'bar'), ['CLIENT', 'TRACKINGINFO'], tracking('ON'));
      await a.pipeline(['CLIENT', 'CACHING', 'YES'], ['CLIENT', 'CACHING', 'MAYBE'], tracking('OFF'), [
        'CLIENT',
        'CACHING',
        'YES',
      ]);
      await a.pipeline(['CLIENT', 'CACHING'], ['CLIENT', 'GETREDIR'], ['CLIENT', 'GETREDIR', 'x'], ['RESET']);
    }));

  test('more keys than the table may have', () =>
    play(async (stage) => {
      const [a, b] = [await stage.enter('a', 3), await stage.enter('b')];
      await b.call('CONFIG', 'SET', 'tracking-table-max-keys', '1');
      await b.ask('DEBUG', 'PAUSE-CRON', '1');
      await a.pipeline(['CLIENT', 'TRACKING', 'ON'], ['GET', 'k']);
      a.send(['GET', 'k'], ['GET', 'k']);
      await a.hear(2);
      await b.call('CONFIG', 'SET', 'tracking-table-max-keys', '1000000');
    }));
});

describe('with node-redis', () => {
  let respite: RespiteServer;

  beforeAll(async () => {
    respite = await createServer();
  });

  afterAll(async () => {
    await respite.close();
  });

  test('reads come from its cache until the key changes', async () => {
    const cache = new BasicClientSideCache({ ttl: 0, maxEntries: 0, evictPolicy: 'LRU' });
    const [cached, other] = await Promise.all([
      createClient({ url: respite.url, RESP: 3, clientSideCache: cache }).connect(),
      createClient({ url: respite.url }).connect(),
    ]);
    await other.set('k', '1');
    expect(await cached.get('k')).toBe('1');
    expect(await cached.get('k')).toBe('1');
    expect(cache.stats()).toMatchObject({ hitCount: 1, missCount: 1 });
    const isInvalid = new Promise((resolve) => cache.once('invalidate', resolve));
    await other.set('k', '2');
    expect(String(await isInvalid)).toBe('k');
    expect(await cached.get('k')).toBe('2');
    expect(cache.stats()).toMatchObject({ hitCount: 1, missCount: 2 });

    const isFlushed = new Promise((resolve) => cache.once('invalidate', resolve));
    await other.flushAll();
    expect(await isFlushed).toBeNull();
    expect(await cached.get('k')).toBeNull();
    await Promise.all([cached.close(), other.close()]);
  });
});
