/**
 * A process of its own that measures what V8 allocates while the server runs commands, and prints it as JSON:
 * `{ "SET": { "bytes": 0.4, "collections": 0 }, … }`, bytes a command.
 *
 * Requests are put into the server where a transport would, a pipeline a turn, so that nothing but the server allocates.
 * Nothing may be collected meanwhile (the figures would be too low): the parent gives it a large young generation.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GCProfiler, getHeapStatistics } from 'node:v8';
import { createServer } from '../../dist/index.js';

/** Each command is run once for each key. */
const KEYS = 100_000;
/** So many that what a turn allocates (its two immediates) hardly counts: 500 GETs are what a read of 16 KiB brings. */
const PIPELINE = 500;
/** So often all commands are run before they are measured: they are compiled, nothing is done for the first time. */
const WARM_UP_ROUNDS = 3;
const VALUE = 'v'.repeat(32);

/** @type {Record<string, (key: string) => string[]>} */
const requests = {
  SET: (key) => ['SET', key, VALUE],
  GET: (key) => ['GET', key],
  INCR: (key) => ['INCR', `counter:${key}`],
  EXPIRE: (key) => ['EXPIRE', key, '10000'],
  DEL: (key) => ['DEL', key],
  SETBIT: (key) => ['SETBIT', 'bits', String(Number(key.slice(4)) * 20), '1'],
  GETBIT: (key) => ['GETBIT', 'bits', String(Number(key.slice(4)) * 20)],
  BITFIELD: (key) => [
    'BITFIELD',
    'fields',
    'INCRBY',
    'i64',
    `#${Number(key.slice(4))}`,
    '123',
    'GET',
    'u8',
    '4',
  ],
  RPUSH: () => ['RPUSH', 'list', VALUE],
  LPUSH: () => ['LPUSH', 'list', VALUE],
  LRANGE: () => ['LRANGE', 'list', '20', '29'],
  LPOP: () => ['LPOP', 'list'],
  RPOP: () => ['RPOP', 'list'],
  HSET: (key) => ['HSET', `hash:${key}`, 'field', VALUE, 'other', '7'],
  HGET: (key) => ['HGET', `hash:${key}`, 'field'],
  HGETALL: (key) => ['HGETALL', `hash:${key}`],
  HINCRBY: (key) => ['HINCRBY', `hash:${key}`, 'other', '1'],
  'HSET in a table': (key) => ['HSET', 'table', key, VALUE],
  'HGET in a table': (key) => ['HGET', 'table', key],
  ZADD: (key) => ['ZADD', 'sorted', scoreOf(key), key],
  'ZADD of two': (key) => ['ZADD', 'sorted', scoreOf(key), `${key}a`, scoreOf(key), `${key}b`],
  ZINCRBY: (key) => ['ZINCRBY', 'sorted', '1000', key],
  'ZINCRBY of a fraction': (key) => ['ZINCRBY', 'sorted', '0.1', key],
  ZSCORE: (key) => ['ZSCORE', 'sorted', `${key}a`],
  'ZSCORE of a fraction': (key) => ['ZSCORE', 'sorted', key],
  ZRANK: (key) => ['ZRANK', 'sorted', key],
  ZRANGE: (key) => ['ZRANGE', 'sorted', scoreOf(key), '+inf', 'BYSCORE', 'LIMIT', '0', '10'],
  ZPOPMIN: () => ['ZPOPMIN', 'sorted'],
  'SET, propagated': (key) => ['SET', key, VALUE],
  'EXPIRE, propagated': (key) => ['EXPIRE', key, '10000'],
  'SET, appended to the file': (key) => ['SET', key, VALUE],
};

/** A score that has nothing to do with the order of the keys. @param {string} key */
function scoreOf(key) {
  return String((Number(key.slice(4)) * 654_321) & 0xfffff);
}

const respite = await createServer({ port: 0 });
const { server } = respite;

/** A connection without a socket. */
const connection = {
  /** @type {import('../../src/network/connection.js').ConnectionListener | undefined} */
  listener: undefined,
  fd: -1,
  remoteAddress: '127.0.0.1:1',
  localAddress: '127.0.0.1:2',
  isUnixSocket: false,
  isLoopback: true,
  queuedBytes: 0,
  sentBytes: 0,
  /**
   * @param {Uint8Array} _bytes
   * @param {number} _offset
   * @param {number} length
   */
  send(_bytes, _offset, length) {
    this.sentBytes += length;
  },
  pause() {},
  resume() {},
  readInto() {
    return false;
  },
  setKeepAlive() {},
  end() {},
  destroy() {},
};
server.accept(connection);

/** Listens to what is propagated, as the append-only file does. */
const sink = { target: 1, write() {} };

/** Where the append-only file is. */
const directory = mkdtempSync(join(tmpdir(), 'respite-allocation-'));
server.configuration.assign('dir', directory);

/**
 * Attaches the sink, or turns the append-only file on, for the commands that want it.
 * @param {string} name
 */
async function propagate(name) {
  const { propagation, appendOnlyFile } = server;
  propagation.removeSink(sink);
  if (name.endsWith(', propagated')) propagation.addSink(sink);
  if (appendOnlyFile.state !== 'off') appendOnlyFile.stop();
  if (!name.endsWith(', appended to the file')) return;
  appendOnlyFile.start();
  while (appendOnlyFile.state !== 'on') await new Promise((resolve) => setTimeout(resolve, 10));
}

/**
 * Pipelines that send a command for each key, in turn.
 * @param {(key: string) => string[]} make
 */
function pipelinesOf(make) {
  const pipelines = [];
  for (let first = 0; first < KEYS; first += PIPELINE) {
    let text = '';
    for (let i = first; i < first + PIPELINE; i++) {
      const words = make(`key:${String(i).padStart(12, '0')}`);
      text += `*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join('')}`;
    }
    pipelines.push(Buffer.from(text));
  }
  return pipelines;
}

/**
 * Runs pipelines, each in a turn of its own.
 * @param {Buffer[]} pipelines
 */
function run(pipelines) {
  return new Promise((resolve) => {
    let next = 0;
    const step = () => {
      if (next === pipelines.length) {
        resolve(undefined);
        return;
      }
      const pipeline = pipelines[next];
      next++;
      connection.listener?.received(pipeline, pipeline.length);
      setImmediate(step);
    };
    step();
  });
}

/**
 * What is allocated while pipelines run, in bytes a command.
 * @param {Buffer[]} pipelines
 * @param {Buffer[]} restore  pipelines that make the keys as they were: there, without a deadline
 */
async function measure(pipelines, restore) {
  globalThis.gc?.();
  await run(pipelines); // a collection throws away what seems to be no longer used, such as compiled code
  await run(restore);
  const profiler = new GCProfiler();
  profiler.start();
  const before = getHeapStatistics().used_heap_size;
  await run(pipelines);
  const bytes = (getHeapStatistics().used_heap_size - before) / KEYS;
  return { bytes, collections: profiler.stop().statistics.length };
}

const pipelines = Object.fromEntries(
  Object.entries(requests).map(([name, make]) => [name, pipelinesOf(make)]),
);
for (let round = 0; round < WARM_UP_ROUNDS; round++) {
  for (const [name, all] of Object.entries(pipelines)) {
    await propagate(name);
    await run(all);
  }
}

/** @type {Record<string, { bytes: number, collections: number }>} */
const results = {};
for (const [name, all] of Object.entries(pipelines)) {
  await propagate(name);
  results[name] = await measure(all, pipelines.SET);
}
process.stdout.write(JSON.stringify(results));
await respite.close();
rmSync(directory, { recursive: true, force: true });
