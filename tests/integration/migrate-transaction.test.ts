import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createServer } from '../../src/index.js';
import { startFakePeer } from '../support/fake-peer.js';
import { Program, programPath } from '../support/program.js';
import { isArrayReply, RawConnection, type RawReply } from '../support/raw-connection.js';
import { RealRedis, temporaryDirectory } from '../support/real-redis.js';

/**
 * MIGRATE inside MULTI and EXEC, next to redis-server: nothing else happens until the other server has answered. The
 * program is run as it is built, for the thread that speaks is a file of its own.
 */

const cleanups: (() => Promise<unknown> | unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** A server that keys are moved away from. */
interface Source {
  readonly directory: string;
  readonly socketPath: string;
  stop(): Promise<unknown>;
}

const APPEND_ONLY = ['--appendonly', 'yes', '--appendfsync', 'no', '--notify-keyspace-events', 'KEA'];

async function startRespite(): Promise<Source> {
  const { directory, remove } = temporaryDirectory();
  cleanups.push(remove);
  const socketPath = join(directory, 'socket');
  const own = ['--port', '0', '--unixsocket', socketPath, '--dir', directory, '--save', ''];
  const program = new Program([...own, ...APPEND_ONLY]);
  cleanups.push(() => program.kill());
  await program.prints('Ready to accept connections');
  return { directory, socketPath, stop: () => program.kill() };
}

async function startReal(): Promise<Source> {
  const real = await RealRedis.start(...APPEND_ONLY);
  cleanups.push(() => real.stop());
  return real;
}

let sources: readonly Source[];

beforeEach(async () => {
  sources = await Promise.all([startRespite(), startReal()]);
});

/** Where keys are moved to. */
interface Target {
  readonly port: number;
  readonly client: Redis;
}

async function startRealTarget(): Promise<Target> {
  const real = await RealRedis.startOnPort();
  cleanups.push(() => real.stop());
  return real;
}

async function startRespiteTarget(): Promise<Target> {
  const server = await createServer();
  const client = new Redis(server.url);
  cleanups.push(() => server.close());
  cleanups.push(() => client.disconnect());
  return { port: server.port, client };
}

/** A port at which somebody takes connections and says what the test wants. */
async function listen(onSocket: (socket: Socket) => void): Promise<number> {
  const peer = await startFakePeer(onSocket);
  cleanups.push(() => peer.stop());
  return peer.port;
}

async function connectTo({ socketPath }: Source): Promise<RawConnection> {
  const connection = await RawConnection.open(socketPath);
  cleanups.push(() => connection.close());
  return connection;
}

/** What EXEC answers to some commands. */
async function transaction(connection: RawConnection, ...commands: readonly string[][]): Promise<RawReply> {
  await connection.call('MULTI');
  for (const command of commands) await connection.call(...command);
  return connection.call('EXEC');
}

/** Plays the same on both, one after the other, with a target that is as at the beginning. Returns both results. */
async function onBoth<Result>(play: (source: Source) => Promise<Result>): Promise<Result[]> {
  const results: Result[] = [];
  for (const source of sources) results.push(await play(source));
  return results;
}

async function expectSame<Result>(play: (source: Source) => Promise<Result>): Promise<Result> {
  const [ours, theirs] = await onBoth(play);
  expect(ours).toEqual(theirs);
  return ours;
}

const FILL: readonly string[][] = [
  ['FLUSHALL'],
  ['SET', 'string', 'value', 'PX', '100000'],
  ['RPUSH', 'list', 'a', 'b', 'c'],
  ['ZADD', 'zset', '1.5', 'a', '2', 'b'],
  ['HSET', 'hash', 'field', 'value'],
];

async function fill(connection: RawConnection): Promise<void> {
  for (const command of FILL) await connection.call(...command);
}

const migrate = (port: number, ...args: string[]) => ['MIGRATE', '127.0.0.1', String(port), ...args];

test.each([
  { kind: 'redis-server', start: startRealTarget },
  { kind: 'Respite', start: startRespiteTarget },
])('keys go to $kind, and are gone for the next command', async ({ start }) => {
  const target = await start();
  const reply = await expectSame(async (source) => {
    const connection = await connectTo(source);
    await fill(connection);
    await target.client.flushall();
    const replies = await transaction(
      connection,
      ['APPEND', 'string', '!'],
      ['SETRANGE', 'large', '3000000', '!'],
      migrate(target.port, 'large', '0', '1000'),
      migrate(target.port, 'string', '3', '1000'),
      ['EXISTS', 'string'],
      migrate(target.port, '', '0', '1000', 'COPY', 'REPLACE', 'KEYS', 'list', 'no', 'zset'),
      migrate(target.port, 'nosuch', '0', '1000'),
      migrate(target.port, '', '0', '1000', 'REPLACE', 'KEYS', 'list', 'hash'),
      ['DBSIZE'],
    );
    await target.client.select(3);
    const string = [await target.client.get('string'), (await target.client.pttl('string')) > 90_000];
    await target.client.select(0);
    const others = [
      await target.client.strlen('large'),
      await target.client.lrange('list', 0, -1),
      await target.client.hgetall('hash'),
    ];
    return [replies, string, others, (await target.client.keys('*')).sort()];
  });
  const ok = { status: 'OK' };
  expect(reply).toEqual([
    [6, 3_000_001, ok, ok, 0, ok, { status: 'NOKEY' }, ok, 1],
    ['value!', true],
    [3_000_001, ['a', 'b', 'c'], { field: 'value' }],
    ['hash', 'large', 'list', 'zset'],
  ]);
});

test('what the target refuses is told, and the keys stay', async () => {
  const target = await startRealTarget();
  // Its client is in already.
  await target.client.config('SET', 'requirepass', 'secret');
  const closed = await listen((socket) => socket.destroy());
  const replies = await expectSame(async (source) => {
    const connection = await connectTo(source);
    await fill(connection);
    await target.client.call('ACL', 'SETUSER', 'joe', 'on', '>pass', '~*', '+@all');
    await target.client.flushall();
    await target.client.set('zset', 'in the way');
    const to = (...args: string[]) => migrate(target.port, ...args);
    return transaction(
      connection,
      to('string', '0', '1000'),
      to('string', '0', '1000', 'AUTH', 'wrong'),
      to('string', '99', '1000', 'AUTH', 'secret'),
      to('hash', '0', '1000', 'COPY', 'AUTH2', 'joe', 'pass'),
      to('hash', '0', '1000', 'AUTH2', 'joe', 'pass'),
      to('', '0', '1000', 'AUTH', 'secret', 'KEYS', 'list', 'zset', 'hash'),
      ['EXISTS', 'string', 'list', 'zset', 'hash'],
      to('string', 'x', '1000'),
      to('string', '0', 'x'),
      to('string', '0', '1', 'KEYS', 'b'),
      to('string', '0', '1', 'AUTH'),
      ['MIGRATE', '127.0.0.1', '1', 'string', '0', '1000'],
      ['MIGRATE', 'no.such.host.invalid', '1', 'string', '0', '1000'],
      ...['0', 'x', '99999', '-1', '655360'].map((port) => [
        'MIGRATE',
        '127.0.0.1',
        port,
        'string',
        '0',
        '1000',
      ]),
      migrate(closed, 'string', '0', '1000'),
      ['EXISTS', 'string'],
    );
  });
  expect(isArrayReply(replies) && replies.slice(0, 6)).toEqual([
    { error: 'ERR Target instance replied with error: NOAUTH Authentication required.' },
    {
      error:
        'ERR Target instance replied with error: WRONGPASS invalid username-password pair or user is disabled.',
    },
    { error: 'ERR Target instance replied with error: ERR DB index is out of range' },
    { status: 'OK' },
    { error: 'ERR Target instance replied with error: BUSYKEY Target key name already exists.' },
    { error: 'ERR Target instance replied with error: BUSYKEY Target key name already exists.' },
  ]);
  expect(isArrayReply(replies) && replies[6]).toBe(3);
});

test('a target that does not answer, or only in part, or hangs up', async () => {
  const silent = await listen(() => {});
  const partial = await listen((socket) => socket.once('data', () => socket.write('+OK\r\n+OK\r\n')));
  const hangsUp = await listen((socket) => socket.once('data', () => socket.end('+OK\r\n+OK\r\n')));
  const refuses = await listen((socket) => socket.once('data', () => socket.end('+OK\r\n-NO not this\r\n')));
  const keys = ['KEYS', 'string', 'list', 'zset'];
  const replies = await expectSame(async (source) => {
    const connection = await connectTo(source);
    await fill(connection);
    const exec = await transaction(
      connection,
      migrate(silent, 'string', '0', '50'),
      migrate(partial, '', '0', '50', ...keys),
      migrate(hangsUp, '', '0', '1000', ...keys),
      migrate(refuses, '', '0', '1000', ...keys),
      ['EXISTS', 'string'],
      ['EXISTS', 'list'],
      ['EXISTS', 'zset'],
    );
    return [exec, await connection.call('PING')];
  });
  const reading = { error: 'IOERR error or timeout reading to target instance' };
  const refusal = { error: 'ERR Target instance replied with error: NO not this' };
  expect(replies).toEqual([[reading, reading, reading, refusal, 0, 0, 1], { status: 'PONG' }]);
});

test('others wait, and see no state in between', async () => {
  const replies = await expectSame(async (source) => {
    const connection = await connectTo(source);
    const other = await connectTo(source);
    await fill(connection);
    let tellArrived = (_: Socket) => {};
    const arrived = new Promise<Socket>((resolve) => {
      tellArrived = resolve;
    });
    const port = await listen((socket) => socket.once('data', () => tellArrived(socket)));
    const exec = transaction(connection, ['SET', 'before', '1'], migrate(port, 'string', '0', '60000'), [
      'SET',
      'after',
      '1',
    ]);
    const target = await arrived;
    other.send(['MGET', 'before', 'string', 'after']);
    target.write('+OK\r\n+OK\r\n');
    return [await exec, await other.next()];
  });
  expect(replies).toEqual([
    [{ status: 'OK' }, { status: 'OK' }, { status: 'OK' }],
    ['1', { other: '$-1' }, '1'],
  ]);
});

test('a connection is kept for the next one, and one that was closed since is made anew', async () => {
  const counts = await expectSame(async (source) => {
    const connection = await connectTo(source);
    await fill(connection);
    const seen: string[] = [];
    const port = await listen((socket) => {
      let requests = 0;
      socket.on('data', (bytes) => {
        seen.push(bytes.toString('latin1').includes('SELECT') ? 'selects' : 'knows');
        const isFirst = requests++ === 0;
        socket.write(isFirst ? '+OK\r\n+OK\r\n' : '+OK\r\n', () => isFirst || socket.destroy());
      });
    });
    const sockets = async () =>
      /migrate_cached_sockets:(\d+)/.exec(String(await connection.call('INFO', 'stats')))?.[1];
    const before = await sockets();
    const first = await transaction(
      connection,
      migrate(port, 'string', '0', '1000'),
      migrate(port, 'list', '0', '1000'),
    );
    const during = await sockets();
    const second = await transaction(connection, migrate(port, 'zset', '0', '1000'));
    return [first, second, seen, before, during, await sockets()];
  });
  const ok = { status: 'OK' };
  expect(counts).toEqual([[ok, ok], [ok], ['selects', 'knows', 'selects'], '0', '1', '1']);
});

test('WATCH, notifications and what is propagated', async () => {
  const target = await startRealTarget();
  await expectSame(async (source) => {
    const [connection, watcher, subscriber] = [
      await connectTo(source),
      await connectTo(source),
      await connectTo(source),
    ];
    await fill(connection);
    await target.client.flushall();
    await target.client.set('zset', 'in the way');
    const events: RawReply[] = [await subscriber.call('PSUBSCRIBE', '__key*__:*')];
    const watches: RawReply[] = [];
    const move = (...args: string[]) => migrate(target.port, '', '0', '1000', ...args);
    const moves: readonly string[][][] = [
      [move('COPY', 'KEYS', 'string'), ['GET', 'string']],
      [move('REPLACE', 'KEYS', 'string'), ['SET', 'end', '1']],
      [move('KEYS', 'list', 'zset', 'hash'), ['DBSIZE']],
      [move('KEYS', 'zset')],
      [move('KEYS', 'nosuch')],
      [['INCR', 'end'], move('KEYS', 'end'), ['INCR', 'end']],
    ];
    for (const [i, commands] of moves.entries()) {
      for (const key of ['string', 'list', 'zset', 'end']) await watcher.call('WATCH', key);
      watches.push(await transaction(connection, ...commands));
      watches.push(await transaction(watcher, ['ECHO', String(i)]));
    }
    await connection.call('PUBLISH', '__keyend__:0', 'end');
    for (;;) {
      const event = await subscriber.next();
      events.push(event);
      if (JSON.stringify(event).includes('__keyend__')) break;
    }
    await connection.close();
    const log = readFileSync(join(source.directory, 'appendonlydir/appendonly.aof.1.incr.aof'), 'latin1');
    return [watches, events, log.replace(/\d{13}/g, 'time')];
  });
});

test('the library starts the thread, too, and the process ends with the server', async () => {
  const target = await startRealTarget();
  const { directory, remove } = temporaryDirectory();
  cleanups.push(remove);
  const script = `
    import { connect } from 'node:net';
    import { createServer } from ${JSON.stringify(join(dirname(programPath), 'index.js'))};
    const server = await createServer();
    const socket = connect(server.port, '127.0.0.1');
    let text = '';
    socket.on('data', async (chunk) => {
      text += chunk;
      if (!text.endsWith('*2\\r\\n+OK\\r\\n:0\\r\\n')) return;
      socket.destroy();
      await server.close();
      process.stdout.write('moved');
    });
    socket.write('SET key value\\r\\nMULTI\\r\\nMIGRATE 127.0.0.1 ${target.port} key 0 1000\\r\\nEXISTS key\\r\\nEXEC\\r\\n');
  `;
  const node = promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], {
    cwd: directory,
  });
  cleanups.push(() => node.child.kill('SIGKILL'));
  const { stdout: output } = await node;
  expect(output).toBe('moved');
  expect(await target.client.get('key')).toBe('value');
});
