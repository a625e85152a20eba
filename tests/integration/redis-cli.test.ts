import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createServer, type RespiteServer } from '../../src/index.js';
import { realRedisDirectory } from '../support/real-redis.js';

/** The tools that come with Redis, pointed at Respite. */

let respite: RespiteServer;

beforeAll(async () => {
  respite = await createServer();
});

beforeEach(async () => {
  await run('redis-cli', ['FLUSHALL']);
});

afterAll(async () => {
  await respite.close();
});

function start(program: string, args: readonly string[]): ChildProcess {
  return spawn(join(realRedisDirectory(), program), ['-p', String(respite.port), ...args]);
}

/** Runs a tool to its end. Resolves to what it printed. @throws when it fails */
async function run(program: string, args: readonly string[], input = ''): Promise<string> {
  const child = start(program, args);
  let output = '';
  child.stdout?.on('data', (data) => {
    output += data;
  });
  child.stderr?.on('data', (data) => {
    output += data;
  });
  child.stdin?.end(input);
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`${program} ended with ${code}: ${output}`);
  return output;
}

/** Runs a tool that does not end by itself, until its output matches. */
async function runUntil(program: string, args: readonly string[], pattern: RegExp): Promise<string> {
  const child = start(program, args);
  let output = '';
  const matched = new Promise<void>((resolve) => {
    child.stdout?.on('data', (data) => {
      output += data;
      if (pattern.test(output)) resolve();
    });
  });
  await Promise.race([matched, once(child, 'close')]);
  child.kill();
  expect(output).toMatch(pattern);
  return output;
}

/** Requests in the form that `redis-cli --pipe` takes. */
function requests(count: number): string {
  const bulk = (text: string) => `$${text.length}\r\n${text}\r\n`;
  return Array.from(
    { length: count },
    (_, i) => `*3\r\n${bulk('SET')}${bulk(`key:${i}`)}${bulk(`value:${i}`)}`,
  ).join('');
}

test('redis-cli in RESP2 and RESP3', async () => {
  expect(await run('redis-cli', ['SET', 'a', 'x'])).toBe('OK\n');
  expect(await run('redis-cli', ['GET', 'a'])).toBe('x\n');
  expect(await run('redis-cli', ['-3', 'GET', 'none'])).toBe('\n');
  expect(await run('redis-cli', ['-3', '--no-raw', 'HELLO'])).toContain('"proto" => (integer) 3');
  expect(await run('redis-cli', ['-3', '--json', 'CONFIG', 'GET', 'maxclients'])).toBe(
    '{"maxclients":"10000"}\n',
  );
});

test('redis-cli --pipe loads a million bytes of requests', async () => {
  expect(await run('redis-cli', ['--pipe'], requests(20_000))).toContain('errors: 0, replies: 20000');
  expect(await run('redis-cli', ['DBSIZE'])).toBe('20000\n');
});

test('redis-cli --scan, --bigkeys, --memkeys and --keystats walk all keys', async () => {
  await run('redis-cli', ['--pipe'], requests(1000));
  await run('redis-cli', ['RPUSH', 'list', 'a', 'b', 'c']);
  const scanned = await run('redis-cli', ['--scan', '--pattern', 'key:*']);
  expect(new Set(scanned.trim().split('\n')).size).toBe(1000);
  const biggest = await run('redis-cli', ['--bigkeys']);
  expect(biggest).toContain('Sampled 1001 keys in the keyspace');
  expect(biggest).toMatch(/Biggest\s+list found .*"?list"? has 3 items/);
  expect(await run('redis-cli', ['--memkeys'])).toContain('Sampled 1001 keys in the keyspace');
  expect(await run('redis-cli', ['--keystats'])).toContain('1001');
});

test('redis-cli --stat and --latency show what goes on', async () => {
  await runUntil('redis-cli', ['--stat', '-i', '0.1'], /keys.*mem.*clients[\s\S]*\n\d+ .*\n\d+ /);
  await runUntil('redis-cli', ['--latency', '--raw', '-i', '1'], /\d+ \d+ \d+\.\d+ \d+/);
});

test('redis-cli completes commands from COMMAND DOCS', async () => {
  expect(await run('redis-cli', ['--no-raw', 'COMMAND', 'DOCS', 'SET'])).toContain('"summary"');
});

test('redis-benchmark runs its tests of strings', async () => {
  const output = await run('redis-benchmark', [
    '-q',
    '-n',
    '2000',
    '-c',
    '10',
    '-P',
    '4',
    '-t',
    'ping,set,get,incr,mset',
  ]);
  for (const name of ['PING_INLINE', 'PING_MBULK', 'SET', 'GET', 'INCR', 'MSET (10 keys)']) {
    expect(output).toMatch(new RegExp(`${name.replace(/[()]/g, '\\$&')}: [\\d.]+ requests per second`));
  }
});
