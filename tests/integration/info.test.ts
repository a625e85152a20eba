import { connect, type Socket } from 'node:net';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createServer, type RespiteServer } from '../../src/index.js';
import { RealRedis } from '../support/real-redis.js';

/** INFO next to the real server: the same sections, fields and forms of values, in the same order; then the values. */

let respite: RespiteServer;
let redis: Redis;
let real: RealRedis;
let tcpReal: RealRedis;

beforeAll(async () => {
  [respite, real, tcpReal] = await Promise.all([
    createServer({ directives: { 'enable-debug-command': 'yes' } }),
    RealRedis.start('--enable-debug-command', 'yes'),
    RealRedis.startOnPort(),
  ]);
  redis = new Redis(respite.url);
});

afterAll(async () => {
  redis.disconnect();
  await Promise.all([respite.close(), real.stop(), tcpReal.stop()]);
});

beforeEach(async () => {
  for (const client of [redis, real.client]) {
    await client.flushall();
    await client.config('RESETSTAT');
  }
});

/** Fields of which there are as many as there are modules, listeners, scripts, … of the real server. */
const REAL_SERVERS_OWN = /^(module:|listener)/;

/** Sections whose lines redis-server shows in the order of a hash table with a random seed. */
const IN_ANY_ORDER = /^# (Commandstats|Latencystats)/;

function lines(info: string): string[] {
  return info
    .split('\r\n\r\n')
    .map((section) =>
      IN_ANY_ORDER.test(section) ? section.trimEnd().split('\r\n').sort() : section.split('\r\n'),
    )
    .flatMap((section) => ['', ...section])
    .filter((line) => !REAL_SERVERS_OWN.test(line));
}

/** A line with its value replaced by what kind of value it is. */
function form(line: string): string {
  const colon = line.indexOf(':');
  if (colon === -1) return line;
  return `${line.slice(0, colon)}: ${valueForm(line.slice(colon + 1))}`;
}

function valueForm(value: string): string {
  if (/^-?\d+$/.test(value)) return 'integer';
  if (/^-?\d+\.\d{2}%?$/.test(value)) return value.endsWith('%') ? 'percentage' : 'ratio';
  if (/^\d+\.\d{6}$/.test(value)) return 'seconds';
  if (/^\d+(\.\d{2})?[BKMGT]$/.test(value)) return 'bytes for people';
  if (/^[0-9a-f]{16}$/.test(value)) return 'build';
  if (/^[0-9a-f]{40}$/.test(value)) return 'hash';
  return value.includes('=') ? value.replace(/=[^,]*/g, '=') : 'text';
}

function value(info: string, name: string): string {
  return new RegExp(`^${name}:(.*)\r$`, 'm').exec(info)?.[1] ?? '';
}

async function infoOf(client: Redis, ...sections: string[]): Promise<string> {
  return (await client.call('INFO', ...sections)) as string;
}

describe('the form', () => {
  const selections = [
    [],
    ['default'],
    ['all'],
    ['everything'],
    ['everything', 'debug'],
    ['SERVER'],
    ['clients', 'memory'],
    ['memory', 'clients', 'memory'],
    ['cpu', 'default'],
    ['cpu', 'all'],
    ['persistence'],
    ['threads'],
    ['stats'],
    ['replication'],
    ['cluster'],
    ['keyspace'],
    ['keysizes'],
    ['debug'],
    ['sentinel'],
    ['nosuchsection', 'cluster'],
  ];

  test.each(selections.map((sections) => ({ sections })))('of INFO $sections', async ({ sections }) => {
    const texts: string[][] = [];
    for (const client of [redis, real.client]) {
      await client.set('key', 'value', 'EX', 1000);
      await client.get('key');
      await client.call('get').catch(() => {});
      await client.call('client', 'getname');
      await client.config('RESETSTAT');
      await client.get('key');
      await client.call('get').catch(() => {});
      texts.push(lines(await infoOf(client, ...sections)).map(form));
    }
    expect(texts[0]).toEqual(texts[1]);
  });

  test('in RESP3 it is a verbatim string, in RESP2 a bulk string', async () => {
    const client = new Redis(respite.url, { lazyConnect: true });
    await client.connect();
    const text = await infoOf(client, 'cluster');
    expect(text).toBe('# Cluster\r\ncluster_enabled:0\r\n');
    client.disconnect();
  });
});

describe('commandstats', () => {
  /** `calls`, `rejected_calls` and `failed_calls` of each command. */
  async function counts(client: Redis): Promise<string[]> {
    const info = await infoOf(client, 'commandstats');
    return info
      .split('\r\n')
      .filter((line) => line.startsWith('cmdstat_'))
      .map((line) => line.replace(/usec=\d+,usec_per_call=\d+\.\d\d,/, ''))
      .sort();
  }

  test('counts calls, refusals and failures as redis-server does', async () => {
    const results: string[][] = [];
    for (const client of [redis, real.client]) {
      await client.set('a', 'text');
      await client.incr('a').catch(() => {});
      await client.get('a');
      await client.get('b');
      await client.call('get').catch(() => {});
      await client.call('client', 'id');
      await client.call('client', 'nosuch').catch(() => {});
      await client.call('config', 'get').catch(() => {});
      await client.call('nosuch').catch(() => {});
      const pipeline = client.pipeline();
      for (let i = 0; i < 300; i++) pipeline.get('a');
      for (let i = 0; i < 10; i++) pipeline.set('a', 'b').get('a').strlen('a');
      await pipeline.exec();
      results.push(await counts(client));
    }
    expect(results[0]).toEqual(results[1]);
  });

  test('the time of a slow command is its own', async () => {
    await redis.pipeline().get('a').call('debug', 'sleep', '0.05').get('a').exec();
    const info = await infoOf(redis, 'commandstats');
    const usec = (name: string) => Number(/usec=(\d+)/.exec(value(info, `cmdstat_${name}`))?.[1]);
    expect(usec('debug')).toBeGreaterThanOrEqual(50_000);
    expect(usec('get')).toBeLessThan(50_000);
    const latencies = await infoOf(redis, 'latencystats');
    expect(
      Number(/p50=([\d.]+)/.exec(value(latencies, 'latency_percentiles_usec_debug'))?.[1]),
    ).toBeGreaterThan(49_000);
  });

  test('CONFIG RESETSTAT leaves nothing but itself', async () => {
    await redis.set('a', 'b');
    await redis.call('get').catch(() => {});
    await redis.config('RESETSTAT');
    const info = await infoOf(redis, 'commandstats', 'errorstats', 'latencystats', 'stats');
    const left = info.split('\r\n').filter((line) => /^(cmdstat_|errorstat_|latency_perc)/.test(line));
    expect(left.map((line) => line.split(':')[0])).toEqual([
      'cmdstat_config|resetstat',
      'latency_percentiles_usec_config|resetstat',
    ]);
    expect(value(info, 'total_commands_processed')).toBe('1');
    expect(value(info, 'total_error_replies')).toBe('0');
  });
});

describe('values', () => {
  test('errors by code', async () => {
    const results: string[] = [];
    for (const client of [redis, real.client]) {
      await client.set('a', 'text');
      await client.incr('a').catch(() => {});
      await client.call('debug', 'error', 'MYCODE text').catch(() => {});
      await client.call('nosuch').catch(() => {});
      await client.call('lpush').catch(() => {});
      results.push((await infoOf(client, 'errorstats')).replace(/errorstat_MYCODE:count=1\r\n/, ''));
    }
    // DEBUG ERROR writes its reply past the statistics of redis-server.
    expect(results[0]).toBe(results[1]);
  });

  test('keys, deadlines and sizes', async () => {
    const results: string[][] = [];
    for (const client of [redis, real.client]) {
      const pipeline = client.pipeline();
      for (const length of [0, 1, 2, 3, 4, 7, 8, 100, 1000, 5000, 70_000]) {
        pipeline.set(`string:${length}`, 'x'.repeat(length));
      }
      pipeline.set('number', '12345');
      for (const length of [1, 2, 5, 600]) {
        const members = Array.from({ length }, (_, i) => `m:${i}`);
        pipeline.rpush(`list:${length}`, ...members).sadd(`set:${length}`, ...members);
        pipeline.hset(`hash:${length}`, ...members.flatMap((member) => [member, 'value']));
        pipeline.zadd(`zset:${length}`, ...members.flatMap((member) => [1, member]));
      }
      pipeline.call('hexpire', 'hash:5', 1000, 'fields', 1, 'm:0');
      pipeline.set('expires', 'x', 'PX', 1_000_000);
      pipeline.select(3).set('elsewhere', 'abc').select(0);
      await pipeline.exec();
      results.push(lines((await infoOf(client, 'keyspace', 'keysizes')).replace(/avg_ttl=\d+/, 'avg_ttl=')));
      await client.flushall();
      results[results.length - 1].push(await infoOf(client, 'keyspace', 'keysizes'));
    }
    expect(results[0]).toEqual(results[1]);
  });

  test('many keys are estimated from a sample', async () => {
    await redis.call('debug', 'populate', '40000', 'k', '100');
    await redis.call('debug', 'populate', '10000', 'l', '1000');
    const sizes = value(await infoOf(redis, 'keysizes'), 'db0_distrib_strings_sizes');
    const [, small, large] = /^64=(\d+),512=(\d+)$/.exec(sizes)?.map(Number) ?? [];
    expect(small + large).toBeGreaterThan(49_900);
    expect(small).toBeGreaterThan(38_500);
    expect(small).toBeLessThan(41_500);
  });

  test('hits, misses and expired keys', async () => {
    await redis.set('a', 'b', 'PX', 1);
    await expect.poll(() => redis.dbsize()).toBe(0);
    await redis.set('c', 'd');
    await redis.mget('c', 'c', 'nothing');
    const info = await infoOf(redis, 'stats');
    expect(value(info, 'expired_keys')).toBe('1');
    expect(value(info, 'keyspace_hits')).toBe('2');
    expect(value(info, 'keyspace_misses')).toBe('1');
  });

  describe('reads of a connection', () => {
    const answered = (socket: Socket) => new Promise<void>((resolve) => socket.once('data', () => resolve()));
    /** What a connection does, to its end, and how many reads that takes: one of them finds the end, if it comes from here. */
    const lives: { life: string; reads: number; live: (socket: Socket) => unknown }[] = [
      { life: 'connect and close', reads: 1, live: (socket) => socket.end() },
      { life: 'send and close at once', reads: 2, live: (socket) => socket.end('PING\r\n') },
      { life: 'send a part of a request', reads: 2, live: (socket) => socket.end('*1\r\n$4\r\nPI') },
      {
        life: 'send, read and close',
        reads: 2,
        live: (socket) => socket.write('PING\r\n') && answered(socket).then(() => socket.end()),
      },
      {
        life: 'break off',
        reads: 2,
        live: (socket) => socket.write('PING\r\n') && answered(socket).then(() => socket.resetAndDestroy()),
      },
      { life: 'block and close', reads: 2, live: (socket) => socket.end('BLPOP nothing 0\r\n') },
      { life: 'QUIT', reads: 1, live: (socket) => socket.write('QUIT\r\n') },
      { life: 'break the protocol', reads: 1, live: (socket) => socket.write('*1\r\nPING\r\n') },
    ];

    test.each(lives)('$life: $reads', async ({ reads, live }) => {
      const counts: number[] = [];
      for (const [client, port] of [
        [redis, respite.port],
        [tcpReal.client, tcpReal.port],
      ] as const) {
        let own = 0;
        const ask = async (name: string) => {
          own++;
          return Number(value(await infoOf(client, 'stats', 'clients'), name));
        };
        const clients = await ask('connected_clients');
        const before = (await ask('total_reads_processed')) - own;
        const socket = connect(port, '127.0.0.1').on('error', () => {});
        await new Promise<void>((resolve) => socket.once('connect', resolve));
        await expect.poll(() => ask('connected_clients')).toBe(clients + 1);
        await live(socket.resume());
        await expect.poll(() => ask('connected_clients')).toBe(clients);
        counts.push((await ask('total_reads_processed')) - own - before);
      }
      expect(counts).toEqual([reads, reads]);
    });
  });

  test('memory grows with the data and falls with it', async () => {
    const used = async () => Number(value(await infoOf(redis, 'memory'), 'used_memory'));
    const before = await used();
    await redis.set('large', Buffer.alloc(3_000_000));
    expect(await used()).toBeGreaterThan(before + 3_000_000);
    await redis.del('large');
    expect(await used()).toBeLessThan(before + 100_000);
    const info = await infoOf(redis, 'memory');
    expect(Number(value(info, 'used_memory_peak'))).toBeGreaterThan(3_000_000);
    expect(value(info, 'mem_allocator')).not.toContain('jemalloc');
  });

  test('the process is the one that it says', async () => {
    const info = await infoOf(redis, 'server');
    expect(value(info, 'process_id')).toBe(String(process.pid));
    expect(value(info, 'tcp_port')).toBe(String(respite.port));
    expect(value(info, 'redis_version')).toBe('8.0.6');
  });

  test('rates and the event loop are sampled', async () => {
    await expect
      .poll(
        async () => {
          await redis.pipeline().get('a').get('a').get('a').exec();
          const info = await infoOf(redis, 'stats', 'debug');
          return [
            'instantaneous_ops_per_sec',
            'instantaneous_eventloop_cycles_per_sec',
            'instantaneous_eventloop_duration_usec',
            'eventloop_cycles',
            'eventloop_duration_sum',
            'eventloop_duration_cmd_sum',
            'eventloop_duration_cron_sum',
            'eventloop_duration_max',
            'eventloop_cmd_per_cycle_max',
          ].filter((name) => !(Number(value(info, name)) > 0));
        },
        { timeout: 10_000 },
      )
      .toEqual([]);
  });
});
