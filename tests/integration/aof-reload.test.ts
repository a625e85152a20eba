import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createServer, type RespiteServer } from '../../src/index.js';
import { RealRedis } from '../support/real-redis.js';

/** DEBUG LOADAOF and DEBUG RELOAD beside an append-only file: neither is in it, and neither costs a key. */

const INCREMENT = 'appendonlydir/appendonly.aof.1.incr.aof';
const DIRECTIVES = { appendonly: 'yes', appendfsync: 'always', 'enable-debug-command': 'yes' };

let dir = '';
const cleanups: (() => Promise<void> | void)[] = [];

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'respite-aof-reload-'));
  cleanups.push(() => rmSync(dir, { recursive: true, force: true }));
});

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function start(directives: Record<string, string> = {}): Promise<Redis> {
  const server: RespiteServer = await createServer({ directives: { ...DIRECTIVES, dir, ...directives } });
  const client = new Redis(server.url);
  cleanups.push(async () => {
    client.disconnect();
    await server.close();
  });
  return client;
}

/** A command as it is in the file. */
function encoded(command: string): string {
  const words = command.split(' ');
  return `*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join('')}`;
}

function increment(): string {
  return readFileSync(join(dir, INCREMENT), 'latin1');
}

async function keys(client: Redis): Promise<string[]> {
  return (await client.keys('*')).sort();
}

const COMMANDS = [
  'SET a 1',
  'DEBUG RELOAD',
  'SET b 1',
  'DEBUG LOADAOF',
  'SET c 1',
  'DEBUG POPULATE 3 d',
  'FLUSHALL',
  'SET e 1',
  'DEBUG RELOAD NOSAVE NOFLUSH MERGE',
  'SET f 1',
];

test('what is in the file is what redis-server has there', async () => {
  const real = await RealRedis.start(
    ...Object.entries(DIRECTIVES).flatMap(([name, value]) => [`--${name}`, value]),
  );
  cleanups.push(() => real.stop());
  const client = await start();
  for (const command of COMMANDS) {
    const [name, ...args] = command.split(' ');
    expect(await client.call(name, ...args), command).toEqual(await real.client.call(name, ...args));
  }
  expect(increment()).toBe(readFileSync(join(real.directory, INCREMENT), 'latin1'));
});

test('what a transaction did before DEBUG LOADAOF is loaded again', async () => {
  const client = await start();
  const transaction = client.multi().set('a', '1').incr('n').call('DEBUG', 'LOADAOF').incr('n').get('a');
  expect((await transaction.exec())?.map(([, reply]) => reply)).toEqual(['OK', 1, 'OK', 2, '1']);
  expect(await client.get('n')).toBe('2');
  cpSync(join(dir, 'appendonlydir'), join(dir, 'copy'), { recursive: true });
  const next = await start({ appenddirname: 'copy' });
  expect([await next.get('a'), await next.get('n')]).toEqual(['1', '2']);
});

test('one that fails is not in the file', async () => {
  const client = await start();
  await client.set('a', '1');
  await expect(client.call('DEBUG', 'RELOAD', 'NOFLUSH')).rejects.toThrow('Error trying to load');
  await client.set('b', '1');
  expect(increment()).toBe(['SELECT 0', 'set a 1', 'set b 1'].map(encoded).join(''));
});

describe('in a file that has it nevertheless, it costs no key:', () => {
  test.each(['DEBUG LOADAOF', 'DEBUG RELOAD', 'DEBUG RELOAD NOSAVE', 'DEBUG RELOAD NOFLUSH'])(
    '%s',
    async (command) => {
      const first = await start();
      await first.set('other', '1');
      await first.save();
      mkdirSync(join(dir, 'foreign'));
      writeFileSync(
        join(dir, 'foreign/appendonly.aof.manifest'),
        'file appendonly.aof.1.incr.aof seq 1 type i\n',
      );
      const commands = [
        'SELECT 0',
        'SET a 1',
        command,
        'SET b 1',
        'MULTI',
        'SET c 1',
        command,
        'SET d 1',
        'EXEC',
      ];
      writeFileSync(join(dir, 'foreign/appendonly.aof.1.incr.aof'), commands.map(encoded).join(''));
      const client = await start({ appenddirname: 'foreign' });
      expect(await keys(client)).toEqual(['a', 'b', 'c', 'd']);
    },
  );
});

test('a client that asks for it while data is loaded is refused', async () => {
  const client = await start({ appendfsync: 'no' });
  const pipeline = client.pipeline();
  for (let i = 0; i < 500; i++) pipeline.set(`key:${i}`, 'value');
  await pipeline.exec();
  const other = client.duplicate();
  cleanups.push(() => other.disconnect());
  await other.ping();
  await client.config('SET', 'key-load-delay', '1000');
  const loaded = client.call('DEBUG', 'LOADAOF');
  await expect.poll(() => other.info('persistence')).toContain('loading:1');
  await expect(other.call('DEBUG', 'RELOAD', 'NOSAVE')).rejects.toThrow('LOADING');
  await other.config('SET', 'key-load-delay', '0');
  expect(await loaded).toBe('OK');
  expect(await client.dbsize()).toBe(500);
});
