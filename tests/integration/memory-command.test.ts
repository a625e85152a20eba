import { afterAll, beforeAll, expect, test } from 'vitest';
import { createServer, type RespiteServer } from '../../src/index.js';
import { NULL_BULK, RawConnection, type RawReply } from '../support/raw-connection.js';
import { RealRedis } from '../support/real-redis.js';

/** MEMORY next to the real server: the same forms, with figures of our own. */

let respite: RespiteServer;
let real: RealRedis;
let ours: RawConnection;
let theirs: RawConnection;

beforeAll(async () => {
  [respite, real] = await Promise.all([createServer(), RealRedis.start()]);
  ours = await RawConnection.open(respite.port);
  theirs = await RawConnection.open(real.socketPath);
});

afterAll(async () => {
  await Promise.all([ours.close(), theirs.close()]);
  await Promise.all([respite.close(), real.stop()]);
});

test.each(
  [
    ['USAGE'],
    ['USAGE', 'nothing'],
    ['USAGE', 'nothing', 'SAMPLES'],
    ['USAGE', 'nothing', 'SAMPLES', '-1'],
    ['USAGE', 'nothing', 'SAMPLES', 'x'],
    ['USAGE', 'nothing', 'SAMPLES', '0', 'more'],
    ['USAGE', 'nothing', 'SAMPLES', '0', 'samples', '3'],
    ['PURGE'],
    ['PURGE', 'x'],
    ['STATS', 'x'],
    ['nosuch'],
  ].map((call) => ({ call })),
)('MEMORY $call', async ({ call }) => {
  expect(await ours.call('MEMORY', ...call)).toEqual(await theirs.call('MEMORY', ...call));
});

test('USAGE is what a key and its value take, and shows all of it', async () => {
  expect(await ours.call('MEMORY', 'USAGE', 'nothing')).toEqual(NULL_BULK);
  const used = async () => Number(/used_memory:(\d+)/.exec(String(await ours.call('INFO', 'memory')))?.[1]);
  for (const length of [0, 10, 200, 300, 5000, 3_000_000]) {
    const before = await used();
    await ours.call('SET', `string:${length}`, 'x'.repeat(length));
    const usage = await ours.call('MEMORY', 'USAGE', `string:${length}`);
    expect(usage).toBeGreaterThan(length);
    expect(Math.abs((await used()) - before - Number(usage))).toBeLessThan(1100);
  }
});

test('STATS has the entries of redis-server, in its order', async () => {
  const names = (reply: RawReply) => {
    if (!Array.isArray(reply)) throw new Error('no array');
    return reply.map((entry, i) =>
      i % 2 === 0 || Array.isArray(entry) ? describeEntry(entry) : typeof entry,
    );
  };
  for (const connection of [ours, theirs]) {
    await connection.call('SET', 'key', 'value', 'EX', '1000');
    await connection.call('SELECT', '3');
    await connection.call('SET', 'key', 'value');
    await connection.call('SELECT', '0');
  }
  expect(names(await ours.call('MEMORY', 'STATS'))).toEqual(names(await theirs.call('MEMORY', 'STATS')));
});

/** A name as it is; of the figures of a database, the names. */
function describeEntry(entry: RawReply): unknown {
  return Array.isArray(entry) ? entry.filter((part) => typeof part === 'string') : entry;
}

test('DOCTOR finds nothing on little data, and what there is on more', async () => {
  await ours.call('FLUSHALL');
  expect(await ours.call('MEMORY', 'DOCTOR')).toMatch(/hardly any data/);
  await ours.call('SET', 'large', 'x'.repeat(40_000_000));
  await ours.call('SET', 'large', 'x'.repeat(10_000_000));
  expect(await ours.call('MEMORY', 'DOCTOR')).toMatch(/ \* Peak memory: /);
});

test('MALLOC-STATS and HELP tell something', async () => {
  expect(await ours.call('MEMORY', 'MALLOC-STATS')).toMatch(/Blocks: \d+/);
  expect(await ours.call('MEMORY', 'HELP')).toContainEqual({ status: 'PURGE' });
});
