import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { allCommands } from '../../src/commands/all.js';
import { createServer, type RespiteServer } from '../../src/index.js';
import { RawConnection, type RawReply } from '../support/raw-connection.js';
import { RealRedis } from '../support/real-redis.js';

/** DEBUG next to the real server. */

let respite: RespiteServer;
let real: RealRedis;
let connections: RawConnection[];

beforeAll(async () => {
  [respite, real] = await Promise.all([
    createServer({ directives: { 'enable-debug-command': 'yes' } }),
    RealRedis.start('--enable-debug-command', 'yes'),
  ]);
  connections = await Promise.all([RawConnection.open(respite.port), RawConnection.open(real.socketPath)]);
});

afterAll(async () => {
  await Promise.all(connections.map((connection) => connection.close()));
  await Promise.all([respite.close(), real.stop()]);
});

beforeEach(async () => {
  await both('FLUSHALL');
});

/** The replies of both servers, Respite's first. */
function both(...command: string[]): Promise<RawReply[]> {
  return Promise.all(connections.map((connection) => connection.call(...command)));
}

async function same(...command: string[]): Promise<RawReply> {
  const [ours, theirs] = await both(...command);
  expect(ours, command.join(' ')).toEqual(theirs);
  return ours;
}

describe('digests are those of redis-server', () => {
  /** Data of each type in each encoding, and some that looks like a number. */
  const commands: readonly (readonly string[])[] = [
    ['SET', 'int', '-12345'],
    ['SET', 'embstr', 'hello'],
    ['SET', 'raw', 'x'.repeat(300)],
    ['SET', 'huge', '\0\xff'.repeat(50_000)],
    ['SET', '', ''],
    ['SETRANGE', 'zeros', '99', 'x'],
    ['PEXPIRE', 'int', '1000000'],
    ['SADD', 'intset', '1', '2', '300000', '-7'],
    ['SADD', 'set', 'a', 'b', '12', ''],
    ['SADD', 'table', ...Array.from({ length: 500 }, (_, i) => `member:${i}`)],
    ['ZADD', 'zset', '1', 'a', '-0', '12', '2.5', 'b', 'inf', 'c', '-inf', 'd', '3e300', 'e', '0.1', 'f'],
    ['ZADD', 'skiplist', ...Array.from({ length: 400 }, (_, i) => [String(i / 3), `member:${i}`]).flat()],
    ['HSET', 'hash', 'field', 'value', '1', '2', 'empty', ''],
    ['HSET', 'fields', ...Array.from({ length: 600 }, (_, i) => [`field:${i}`, `value:${i}`]).flat()],
    ['HSET', 'expiring', 'a', '1', 'b', '2'],
    ['HEXPIRE', 'expiring', '1000', 'FIELDS', '1', 'a'],
    ['RPUSH', 'list', 'a', '1', '', 'a', '-5'],
    ['RPUSH', 'quicklist', ...Array.from({ length: 3000 }, (_, i) => `element:${i}`)],
    ['XADD', 'stream', '1-1', 'field', 'value'],
  ];
  const names = new Set(allCommands.map(({ name }) => name));
  const known = commands.filter(([name]) => names.has(name.toLowerCase()));

  test('of nothing', async () => {
    expect(await same('DEBUG', 'DIGEST')).toEqual({ status: '0'.repeat(40) });
    await same('DEBUG', 'DIGEST-VALUE', 'nothing');
    await same('DEBUG', 'DIGEST-VALUE');
  });

  test.each(known.filter(([name]) => !name.includes('EXPIRE')))(
    'of a value made by %s %s',
    async (...command) => {
      await same(...command);
      await same('DEBUG', 'DIGEST-VALUE', command[1], 'nothing');
      expect(await same('DEBUG', 'DIGEST')).not.toEqual({ status: '0'.repeat(40) });
    },
  );

  test('of all of them in several databases', async () => {
    for (const database of ['3', '0', '15']) {
      await same('SELECT', database);
      for (const command of known) await same(...command);
    }
    await same('SELECT', '0');
    await same('DEBUG', 'DIGEST');
    await same('DEBUG', 'DIGEST-VALUE', ...known.map(([, key]) => key));
  });
});

describe('replies of each type', () => {
  const types =
    'string integer double bignum null array set map attrib verbatim true false nosuch STRING'.split(' ');

  test.each(['2', '3'])('in RESP%s', async (version) => {
    await both('HELLO', version);
    for (const type of version === '3' ? types.filter((type) => type !== 'attrib') : types) {
      await same('DEBUG', 'PROTOCOL', type);
    }
    await both('HELLO', '2');
  });

  test('errors', async () => {
    await same('DEBUG', 'ERROR', 'CODE and text');
    await same('DEBUG', 'ERROR', 'line\r\nbreaks');
    await same('DEBUG', 'ERROR', '');
    await same('DEBUG', 'PROTOCOL', 'push');
  });
});

describe('arguments', () => {
  const calls: readonly (readonly string[])[] = [
    ['nosuch'],
    ['nosuch', 'a', 'b'],
    ['DIGEST', 'x'],
    ['SLEEP'],
    ['SLEEP', '0'],
    ['sleep', '0.001'],
    ['OBJECT'],
    ['OBJECT', 'nothing'],
    ['SDSLEN', 'nothing'],
    ['SDSLEN', 'number'],
    ['POPULATE'],
    ['POPULATE', '-1'],
    ['POPULATE', 'x'],
    ['POPULATE', '1', 'p', '-1'],
    ['POPULATE', '3', 'p', '10', 'more'],
    ['HTSTATS', 'x'],
    ['HTSTATS', '-1'],
    ['HTSTATS', '16'],
    ['HTSTATS-KEY', 'nothing'],
    ['HTSTATS-KEY', 'number'],
    ['REPLYBUFFER', 'RESIZING', '1'],
    ['REPLYBUFFER', 'PEAK-RESET-TIME', 'NEVER'],
    ['REPLYBUFFER', 'PEAK-RESET-TIME', 'reset'],
    ['REPLYBUFFER', 'PEAK-RESET-TIME', '100'],
    ['REPLYBUFFER', 'PEAK-RESET-TIME', 'x'],
    ['REPLYBUFFER', 'nosuch', '1'],
    ['SET-ACTIVE-EXPIRE', '1'],
    ['SET-SKIP-CHECKSUM-VALIDATION', '0'],
    ['PAUSE-CRON', '0'],
    ['DICT-RESIZING', '1'],
    ['QUICKLIST-PACKED-THRESHOLD', '100b'],
    ['QUICKLIST-PACKED-THRESHOLD', '5gb'],
    ['QUICKLIST-PACKED-THRESHOLD', 'x'],
    ['QUICKLIST-PACKED-THRESHOLD', '0'],
    ['QUICKLIST-PACKED-THRESHOLD'],
    ['CHANGE-REPL-ID'],
    ['LOG', 'text'],
    ['LOG'],
    ['CONFIG-REWRITE-FORCE-ALL'],
  ];

  test.each(calls)('%s %s %s', async (...call) => {
    await both('SET', 'number', '7');
    await same('DEBUG', ...call);
  });

  test('HELP lists what there is', async () => {
    const help = await connections[0].call('DEBUG', 'HELP');
    expect(help).toContainEqual({ status: 'SLEEP <seconds>' });
  });
});

test('OBJECT shows the fields of redis-server', async () => {
  await both('SET', 'key', 'value');
  await both('SADD', 'set', '1', '2', '70000');
  await both('RPUSH', 'list', ...Array.from({ length: 3000 }, (_, i) => `element:${i}`));
  for (const key of ['key', 'set', 'list']) {
    const forms = (await both('DEBUG', 'OBJECT', key)).map((reply) => {
      const text = JSON.stringify(reply).replace(/(at:0x|lru:|lru_seconds_idle:)[0-9a-f]+/g, '$1');
      // A long value is compressed, in our own way.
      return key === 'list' ? text.replace(/(serializedlength:)[0-9]+/, '$1') : text;
    });
    expect(forms[0]).toBe(forms[1]);
  }
});

test('HTSTATS and HTSTATS-KEY tell how many elements there are', async () => {
  const members = Array.from({ length: 600 }, (_, i) => `member:${i}`);
  await both('SADD', 'set', ...members);
  await both('HSET', 'hash', ...members);
  await both('SET', 'key', 'x', 'EX', '1000');
  const elements = (reply: RawReply) => String(reply).match(/\[.*\]|number of elements: \d+|No stats.*/g);
  for (const call of [
    ['HTSTATS', '0'],
    ['HTSTATS', '5'],
    ['HTSTATS-KEY', 'set'],
    ['HTSTATS-KEY', 'hash', 'full'],
  ]) {
    const [ours, theirs] = await both('DEBUG', ...call);
    expect(elements(ours)).toEqual(elements(theirs));
  }
});

test('POPULATE adds what is not there', async () => {
  await both('SET', 'key:3', 'mine');
  await same('DEBUG', 'POPULATE', '10');
  await same('DEBUG', 'POPULATE', '3', 'sized', '9');
  await same('DEBUG', 'POPULATE', '3', 'short', '3');
  await same('DBSIZE');
  await same('MGET', 'key:0', 'key:3', 'key:9', 'sized:0', 'sized:2', 'short:1');
  await same('DEBUG', 'DIGEST');
});

test('SLEEP holds up everybody', async () => {
  const before = Date.now();
  const other = await RawConnection.open(respite.port);
  const sleeping = connections[0].call('DEBUG', 'SLEEP', '0.1');
  const pinging = other.call('PING');
  await Promise.all([sleeping, pinging]);
  expect(Date.now() - before).toBeGreaterThanOrEqual(100);
  await other.close();
});

test('SET-ACTIVE-EXPIRE 0 keeps keys that nobody asks for, until 1', async () => {
  const [ours] = connections;
  await ours.call('DEBUG', 'SET-ACTIVE-EXPIRE', '0');
  await ours.call('SET', 'a', 'x', 'PX', '1');
  await ours.call('SET', 'b', 'x', 'PX', '1');
  await ours.call('DEBUG', 'SLEEP', '0.05');
  expect(await ours.call('DBSIZE')).toBe(2);
  expect(await ours.call('EXISTS', 'a')).toBe(0);
  expect(await ours.call('DBSIZE')).toBe(1);
  await ours.call('DEBUG', 'SET-ACTIVE-EXPIRE', '1');
  await expect.poll(() => ours.call('DBSIZE')).toBe(0);
});

test('DEBUG is refused unless it is enabled', async () => {
  const plain = await createServer();
  const connection = await RawConnection.open(plain.port);
  expect(await connection.call('DEBUG', 'SLEEP', '0')).toMatchObject({
    error: expect.stringMatching(/^ERR DEBUG command not allowed\. If the enable-debug-command option/),
  });
  await connection.close();
  await plain.close();
});
