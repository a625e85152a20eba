import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterEach, describe, expect, test } from 'vitest';
import { createServer, type RespiteServer } from '../../src/index.js';
import { RandomBytes } from '../support/random-bytes.js';

/** The append-only file: what was written comes back, whatever was going on, and nothing else does. */

const cleanups: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'respite-aof-'));
  cleanups.push(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

interface Running {
  readonly server: RespiteServer;
  readonly client: Redis;
  stop(): Promise<void>;
}

async function start(dir: string, directives: Record<string, string> = {}): Promise<Running> {
  const server = await createServer({
    directives: {
      dir,
      appendonly: 'yes',
      'auto-aof-rewrite-percentage': '0',
      'enable-debug-command': 'yes',
      ...directives,
    },
  });
  const client = new Redis(server.url);
  const stop = async () => {
    client.disconnect();
    await server.close();
  };
  cleanups.push(stop);
  return { server, client, stop };
}

async function field(client: Redis, name: string): Promise<string> {
  const info = await client.info('persistence');
  return new RegExp(`^${name}:(.*)\r$`, 'm').exec(info)?.[1] ?? '';
}

async function waitForRewrite(client: Redis): Promise<void> {
  while ((await field(client, 'aof_rewrite_in_progress')) === '1') await client.ping();
}

function manifest(dir: string): string[] {
  return readFileSync(join(dir, 'appendonlydir', 'appendonly.aof.manifest'), 'latin1')
    .trim()
    .split('\n')
    .map((line) => line.replace(/ startoffset.*/, ''));
}

function lastIncrement(dir: string): string {
  const name = /file (\S+) seq \d+ type i$/.exec(manifest(dir).at(-1) ?? '')?.[1] ?? '';
  return join(dir, 'appendonlydir', name);
}

async function digest(client: Redis): Promise<unknown> {
  return client.call('DEBUG', 'DIGEST');
}

/** A random change of one of some keys of all types. */
async function change(client: Redis, random: RandomBytes, keys: number): Promise<unknown> {
  const number = random.below(keys);
  const text = `${'v'.repeat(random.below(80))}${number}`;
  const many = Array.from({ length: random.below(20) === 0 ? 300 : 3 }, (_, i) => `${text}:${i}`);
  switch (random.below(16)) {
    case 0:
      return client.set(`s${number}`, text);
    case 1:
      return client.incrby(`n${number}`, number);
    case 2:
      return client.rpush(`l${number}`, ...many);
    case 3:
      return client.lpop(`l${number}`);
    case 4:
      return client.sadd(`set${number}`, ...many);
    case 5:
      return client.spop(`set${number}`);
    case 6:
      return client.sadd(`ints${number}`, number, random.below(1000));
    case 7:
      return client.zadd(`z${number}`, ...many.flatMap((member, i) => [i / 3, member]));
    case 8:
      return client.hset(`h${number}`, Object.fromEntries(many.map((name) => [name, number])));
    case 9:
      return client.call('HEXPIRE', `h${number}`, 1000, 'FIELDS', 1, `${text}:0`);
    case 10:
      return client.expire(`s${number}`, 1000);
    case 11:
      return client.incrbyfloat(`f${number}`, 0.1);
    case 12:
      return client.del(`z${number}`);
    case 13:
      return client.multi().append(`s${number}`, 'a').rpush(`l${number}`, 'b').exec();
    case 14:
      return client.select(random.below(3));
    default:
      return client.append(`s${number}`, text);
  }
}

async function changeMuch(client: Redis, random: RandomBytes, count: number): Promise<void> {
  for (let i = 0; i < count; i += 100) {
    await Promise.all(Array.from({ length: 100 }, () => change(client, random, 200)));
  }
}

describe('what was written comes back', () => {
  test.each(['always', 'everysec', 'no'])('after an end in order, appendfsync %s', async (policy) => {
    const dir = temporaryDirectory();
    const first = await start(dir, { appendfsync: policy });
    await changeMuch(first.client, new RandomBytes(1), 1500);
    const before = await digest(first.client);
    await first.stop();
    const second = await start(dir, { appendfsync: policy });
    expect(await digest(second.client)).toBe(before);
    await changeMuch(second.client, new RandomBytes(2), 500);
    const after = await digest(second.client);
    await second.stop();
    const third = await start(dir);
    expect(await digest(third.client)).toBe(after);
  });

  test.each(['yes', 'no'])(
    'with rewrites under hard writes, aof-use-rdb-preamble %s',
    { timeout: 180_000 },
    async (preamble) => {
      const dir = temporaryDirectory();
      const { client, stop } = await start(dir, { 'aof-use-rdb-preamble': preamble });
      const random = new RandomBytes(3);
      for (let rewrite = 1; rewrite <= 3; rewrite++) {
        await changeMuch(client, random, 600);
        expect(await client.bgrewriteaof()).toBe('Background append only file rewriting started');
        await changeMuch(client, random, 600);
        await waitForRewrite(client);
        const extension = preamble === 'yes' ? 'rdb' : 'aof';
        expect(manifest(dir)).toEqual([
          `file appendonly.aof.${rewrite + 1}.base.${extension} seq ${rewrite + 1} type b`,
          `file appendonly.aof.${rewrite + 1}.incr.aof seq ${rewrite + 1} type i`,
        ]);
        const before = await digest(client);
        expect(await client.call('DEBUG', 'LOADAOF')).toBe('OK');
        expect(await digest(client)).toBe(before);
        expect(await field(client, 'aof_last_bgrewrite_status')).toBe('ok');
      }
      const before = await digest(client);
      await stop();
      const again = await start(dir);
      expect(await digest(again.client)).toBe(before);
      await expect
        .poll(() => readdirSync(join(dir, 'appendonlydir')).sort())
        .toEqual([
          `appendonly.aof.4.base.${preamble === 'yes' ? 'rdb' : 'aof'}`,
          'appendonly.aof.4.incr.aof',
          'appendonly.aof.manifest',
        ]);
      expect(readdirSync(dir)).toEqual(['appendonlydir']);
    },
  );

  test('when it is turned on, off and on again while clients write', async () => {
    const dir = temporaryDirectory();
    const { client, stop } = await start(dir, { appendonly: 'no' });
    const random = new RandomBytes(4);
    await changeMuch(client, random, 1000);
    await client.config('SET', 'appendonly', 'yes');
    expect(await field(client, 'aof_enabled')).toBe('1');
    await changeMuch(client, random, 500);
    await waitForRewrite(client);
    expect(manifest(dir)).toEqual([
      'file appendonly.aof.1.base.rdb seq 1 type b',
      'file appendonly.aof.1.incr.aof seq 1 type i',
    ]);
    const before = await digest(client);
    await client.config('SET', 'appendonly', 'no');
    await changeMuch(client, random, 200);
    await client.call('DEBUG', 'LOADAOF');
    expect(await digest(client)).toBe(before);
    await changeMuch(client, random, 200);
    await client.config('SET', 'appendonly', 'yes');
    await changeMuch(client, random, 200);
    await waitForRewrite(client);
    const after = await digest(client);
    await stop();
    const again = await start(dir);
    expect(await digest(again.client)).toBe(after);
  });

  test('history stays with aof-disable-auto-gc, until that is taken back', async () => {
    const dir = temporaryDirectory();
    const { client } = await start(dir, { 'aof-disable-auto-gc': 'yes' });
    for (let i = 0; i < 2; i++) {
      await client.incr('a');
      await client.bgrewriteaof();
      await waitForRewrite(client);
    }
    expect(manifest(dir)).toEqual([
      'file appendonly.aof.3.base.rdb seq 3 type b',
      'file appendonly.aof.2.incr.aof seq 2 type h',
      'file appendonly.aof.2.base.rdb seq 2 type h',
      'file appendonly.aof.1.incr.aof seq 1 type h',
      'file appendonly.aof.1.base.rdb seq 1 type h',
      'file appendonly.aof.3.incr.aof seq 3 type i',
    ]);
    expect(readdirSync(join(dir, 'appendonlydir')).length).toBe(7);
    await client.config('SET', 'aof-disable-auto-gc', 'no');
    expect(manifest(dir).length).toBe(2);
    await expect.poll(() => readdirSync(join(dir, 'appendonlydir')).length).toBe(3);
    await client.call('DEBUG', 'LOADAOF');
    expect(await client.get('a')).toBe('2');
  });

  test('turned on during a save, it writes nothing before its base', async () => {
    const dir = temporaryDirectory();
    const { client } = await start(dir, { hz: '100' });
    await client.set('old', '1');
    await client.config('SET', 'appendonly', 'no');
    await client.config('SET', 'rdb-key-save-delay', '10000000');
    await client.mset({ k1: 1, k0: 1 });
    await client.bgsave();
    await client.config('SET', 'appendonly', 'yes');
    expect(await field(client, 'aof_rewrite_scheduled')).toBe('1');
    await client.set('k2', '1');
    await client.call('DEBUG', 'LOADAOF');
    expect(await client.call('KEYS', '*')).toEqual(['old']);
    expect(await field(client, 'rdb_bgsave_in_progress')).toBe('1');
    await client.config('SET', 'rdb-key-save-delay', '0');
    await expect.poll(() => field(client, 'aof_rewrites')).toBe('1');
    await waitForRewrite(client);
    await client.set('k3', '1');
    await client.call('DEBUG', 'LOADAOF');
    expect(((await client.call('KEYS', '*')) as string[]).sort()).toEqual(['k3', 'old']);
  });

  test('who waits for a key is not served by what is loaded', async () => {
    const dir = temporaryDirectory();
    const { client, server } = await start(dir);
    await client.rpush('list', 'a');
    await client.lpop('list');
    const other = new Redis(server.url);
    cleanups.push(() => other.disconnect());
    const popped = other.blpop('list', 0);
    await expect.poll(async () => /blocked_clients:(\d+)/.exec(await client.info('clients'))?.[1]).toBe('1');
    await client.call('DEBUG', 'LOADAOF');
    await client.rpush('list', 'b');
    expect(await popped).toEqual(['list', 'b']);
  });

  test('what expires, and what only seems to have', async () => {
    const dir = temporaryDirectory();
    const { client, stop } = await start(dir);
    await client.set('short', 'x', 'PX', 20);
    await client.set('kept', 'x', 'PX', 20);
    await client.persist('kept');
    await client.hset('hash', 'f', '1', 'g', '2');
    await client.call('HPEXPIRE', 'hash', 20, 'FIELDS', 1, 'f');
    await client.set('long', 'x', 'EX', 1000);
    const deadline = await client.call('PEXPIRETIME', 'long');
    await expect.poll(() => client.exists('short')).toBe(0);
    await expect.poll(() => client.hexists('hash', 'f')).toBe(0);
    const before = await digest(client);
    await stop();
    const again = await start(dir);
    expect(await digest(again.client)).toBe(before);
    expect(await again.client.call('PEXPIRETIME', 'long')).toBe(deadline);
    expect(await again.client.get('kept')).toBe('x');
  });
});

describe('files as they may be', () => {
  const command = (...args: string[]) =>
    `*${args.length}\r\n${args.map((arg) => `$${arg.length}\r\n${arg}\r\n`).join('')}`;

  function write(dir: string, files: Record<string, string>): void {
    mkdirSync(join(dir, 'appendonlydir'), { recursive: true });
    for (const [name, content] of Object.entries(files)) {
      writeFileSync(join(dir, 'appendonlydir', name), content, 'latin1');
    }
  }

  const MANIFEST = 'file appendonly.aof.1.incr.aof seq 1 type i\n';

  test('an end that is cut off at any byte of the last commands is as if they had not been', async () => {
    const whole = command('SET', 'a', '1');
    const tails = [
      command('INCR', 'a'),
      `${command('MULTI')}${command('INCR', 'a')}${command('RPUSH', 'l', 'x')}${command('EXEC')}`,
      command('INCR', 'a'),
    ];
    const content = whole + tails.join('');
    const dir = temporaryDirectory();
    const { client } = await start(dir);
    for (let length = whole.length; length <= content.length; length++) {
      writeFileSync(lastIncrement(dir), content.slice(0, length), 'latin1');
      await client.call('DEBUG', 'LOADAOF');
      let left = length - whole.length;
      let done = 0;
      for (const tail of tails) {
        left -= tail.length;
        if (left >= 0) done++;
      }
      expect(await client.get('a')).toBe(String(1 + done));
      expect(await client.llen('l')).toBe(done >= 2 ? 1 : 0);
      // What follows counts, whatever was cut off.
      await client.incr('a');
      await client.call('DEBUG', 'LOADAOF');
      expect(await client.get('a')).toBe(String(2 + done));
    }
  });

  test('a file that is cut off is refused with aof-load-truncated no', async () => {
    const dir = temporaryDirectory();
    const content = command('SET', 'a', '1');
    write(dir, {
      'appendonly.aof.manifest': MANIFEST,
      'appendonly.aof.1.incr.aof': content.slice(0, -1),
    });
    await expect(start(dir, { 'aof-load-truncated': 'no' })).rejects.toThrow(/Unexpected end of file/);
    expect(readFileSync(join(dir, 'appendonlydir/appendonly.aof.1.incr.aof'), 'latin1')).toBe(
      content.slice(0, -1),
    );
  });

  test('only the last file may be cut off', async () => {
    const dir = temporaryDirectory();
    write(dir, {
      'appendonly.aof.manifest': `${MANIFEST}file b seq 2 type i\n`,
      'appendonly.aof.1.incr.aof': command('SET', 'a', '1').slice(0, -1),
      b: command('SET', 'b', '1'),
    });
    await expect(start(dir)).rejects.toThrow(/not the last file/);
  });

  test.each([
    ['!!!', /Bad file format/],
    [command('BLA', 'x'), /Unknown command 'BLA'/],
    [command('CONFIG', 'BLA'), /Unknown command 'CONFIG'/],
    [command('SET', 'a'), /Unknown command 'SET'/],
  ])('%s is refused', async (content, reason) => {
    const dir = temporaryDirectory();
    write(dir, {
      'appendonly.aof.manifest': MANIFEST,
      'appendonly.aof.1.incr.aof': command('SET', 'a', '1') + content,
    });
    await expect(start(dir)).rejects.toThrow(reason);
  });

  test('annotations, empty files and a file that is not there', async () => {
    const dir = temporaryDirectory();
    write(dir, {
      'appendonly.aof.manifest': `file base seq 1 type b\n${MANIFEST}file c seq 3 type i\n`,
      base: `#TS:1628217470\r\n${command('SET', 'a', '1')}#TS:1628217471\r\n`,
      'appendonly.aof.1.incr.aof': '',
      c: command('INCR', 'a'),
    });
    const { client, stop } = await start(dir);
    expect(await client.get('a')).toBe('2');
    await stop();
    rmSync(join(dir, 'appendonlydir/appendonly.aof.1.incr.aof'));
    await expect(start(dir)).rejects.toThrow(/appendonly.aof.1.incr.aof/);
  });

  test('the single file of an older version moves into the directory', async () => {
    const dir = temporaryDirectory();
    writeFileSync(join(dir, 'appendonly.aof'), command('SET', 'a', '1'));
    const { client } = await start(dir);
    expect(await client.get('a')).toBe('1');
    expect(existsSync(join(dir, 'appendonly.aof'))).toBe(false);
    expect(manifest(dir)).toEqual([
      'file appendonly.aof seq 1 type b',
      'file appendonly.aof.1.incr.aof seq 1 type i',
    ]);
    await client.incr('a');
    await client.bgrewriteaof();
    await waitForRewrite(client);
    await client.call('DEBUG', 'LOADAOF');
    expect(await client.get('a')).toBe('2');
    await expect.poll(() => existsSync(join(dir, 'appendonlydir/appendonly.aof'))).toBe(false);
  });

  test('with aof-timestamp-enabled, commands tell their second', async () => {
    const dir = temporaryDirectory();
    const { client } = await start(dir, { 'aof-timestamp-enabled': 'yes', 'aof-use-rdb-preamble': 'no' });
    await client.set('a', '1');
    expect(readFileSync(lastIncrement(dir), 'latin1')).toMatch(/^#TS:\d{10}\r\n\*2\r\n\$6\r\nSELECT/);
    await client.bgrewriteaof();
    await waitForRewrite(client);
    const base = manifest(dir)[0].split(' ')[1];
    expect(readFileSync(join(dir, 'appendonlydir', base), 'latin1')).toMatch(/^#TS:\d{10}\r\n\*2\r\n/);
    await client.call('DEBUG', 'LOADAOF');
    expect(await client.get('a')).toBe('1');
  });
});

describe('what goes wrong', () => {
  test('rewrites that fail leave what there is, and the next one has it all', async () => {
    const dir = temporaryDirectory();
    const { client, server, stop } = await start(dir);
    const obstacle = join(dir, `temp-rewriteaof-${process.pid}.aof`);
    mkdirSync(obstacle);
    for (let i = 1; i <= 3; i++) {
      await client.incr('a');
      await client.bgrewriteaof();
      await waitForRewrite(client);
      expect(await field(client, 'aof_last_bgrewrite_status')).toBe('err');
      expect(await field(client, 'aof_rewrites_consecutive_failures')).toBe(String(i));
    }
    await client.incr('a');
    // The last one is named when the one before is synced.
    await expect.poll(() => manifest(dir).length).toBe(5);
    expect(server.server.appendOnlyFile.limit.forbids(Date.now())).toBe(true);
    await client.call('DEBUG', 'LOADAOF');
    expect(await client.get('a')).toBe('4');
    rmdirSync(obstacle);
    await client.bgrewriteaof();
    await waitForRewrite(client);
    expect(manifest(dir)).toEqual([
      'file appendonly.aof.2.base.rdb seq 2 type b',
      'file appendonly.aof.5.incr.aof seq 5 type i',
    ]);
    await stop();
    const again = await start(dir);
    expect(await again.client.get('a')).toBe('4');
  });

  test('turned on, it tries until the first base is there', async () => {
    const dir = temporaryDirectory();
    const { client } = await start(dir, { appendonly: 'no', hz: '100' });
    const obstacle = join(dir, `temp-rewriteaof-${process.pid}.aof`);
    mkdirSync(obstacle);
    await client.set('a', '1');
    await client.config('SET', 'appendonly', 'yes');
    await client.incr('a');
    await expect.poll(() => field(client, 'aof_rewrites_consecutive_failures')).not.toBe('0');
    expect(existsSync(join(dir, 'appendonlydir/appendonly.aof.manifest'))).toBe(false);
    rmdirSync(obstacle);
    await client.incr('a');
    // After three failures the next one waits; BGREWRITEAOF does not, unless one is failing just now.
    const isThere = () => existsSync(join(dir, 'appendonlydir/appendonly.aof.manifest'));
    await expect.poll(() => client.bgrewriteaof().then(isThere, isThere)).toBe(true);
    await waitForRewrite(client);
    await client.incr('a');
    await client.call('DEBUG', 'LOADAOF');
    expect(await client.get('a')).toBe('4');
  });

  test('a transaction is not cut in two by a rewrite', async () => {
    const dir = temporaryDirectory();
    const { client } = await start(dir, { hz: '100' });
    const replies = await client.multi().incr('a').bgrewriteaof().incr('a').bgsave().exec();
    expect(replies?.map(([, reply]) => reply)).toEqual([
      1,
      'Background append only file rewriting scheduled',
      2,
      'Background saving scheduled',
    ]);
    await expect.poll(() => field(client, 'aof_rewrites')).toBe('1');
    await waitForRewrite(client);
    await client.call('DEBUG', 'LOADAOF');
    expect(await client.get('a')).toBe('2');
    await expect.poll(() => field(client, 'rdb_saves')).toBe('1');
  });

  test('a save and a rewrite wait for each other', async () => {
    const dir = temporaryDirectory();
    const { client } = await start(dir, { hz: '100', 'rdb-key-save-delay': '10000000' });
    await client.mset({ a: 1, b: 2 });
    await client.bgsave();
    expect(await client.bgrewriteaof()).toBe('Background append only file rewriting scheduled');
    expect(await field(client, 'aof_rewrite_scheduled')).toBe('1');
    await client.config('SET', 'rdb-key-save-delay', '0');
    await expect.poll(() => field(client, 'rdb_saves')).toBe('1');
    await expect.poll(() => field(client, 'aof_rewrites')).toBe('1');
    await waitForRewrite(client);
    await client.config('SET', 'rdb-key-save-delay', '10000000');
    await client.bgrewriteaof();
    await expect(client.bgrewriteaof()).rejects.toThrow(/already in progress/);
    await expect(client.bgsave()).rejects.toThrow(/Another child process is active/);
    expect(await client.call('BGSAVE', 'SCHEDULE')).toBe('Background saving scheduled');
    await client.config('SET', 'rdb-key-save-delay', '0');
    await expect.poll(() => field(client, 'rdb_saves')).toBe('2');
  });

  test('it is rewritten when it has grown', async () => {
    const dir = temporaryDirectory();
    const { client } = await start(dir, {
      hz: '100',
      'auto-aof-rewrite-percentage': '100',
      'auto-aof-rewrite-min-size': '10kb',
    });
    const deadline = Date.now() + 30_000;
    while ((await field(client, 'aof_rewrites')) === '0' && Date.now() < deadline) {
      await client.set('a', 'x'.repeat(1000));
    }
    await waitForRewrite(client);
    expect(await field(client, 'aof_last_bgrewrite_status')).toBe('ok');
    expect(Number(await field(client, 'aof_base_size'))).toBeGreaterThan(0);
  });

  test('the size that INFO tells is that of the files', async () => {
    const dir = temporaryDirectory();
    const { client } = await start(dir);
    await client.set('a', 'x'.repeat(1000));
    await client.bgrewriteaof();
    await waitForRewrite(client);
    await client.set('a', 'x'.repeat(1000));
    const bytes = manifest(dir)
      .map((line) => readFileSync(join(dir, 'appendonlydir', line.split(' ')[1])).length)
      .reduce((sum, size) => sum + size, 0);
    expect(await field(client, 'aof_current_size')).toBe(String(bytes));
    truncateSync(lastIncrement(dir), 0);
    await client.call('DEBUG', 'LOADAOF');
    await client.set('b', '1');
    expect(readFileSync(lastIncrement(dir)).length).toBeGreaterThan(0);
  });
});

test.runIf(existsSync('/dev/full'))('a full disk refuses writes, and nothing else', async () => {
  const dir = temporaryDirectory();
  mkdirSync(join(dir, 'appendonlydir'));
  writeFileSync(join(dir, 'appendonlydir/appendonly.aof.manifest'), 'file full seq 1 type i\n');
  symlinkSync('/dev/full', join(dir, 'appendonlydir/full'));
  const { client } = await start(dir);
  // The first is told too late, as by Redis: nothing but what `always` promises.
  await client.set('a', '1');
  const misconf = 'MISCONF Errors writing to the AOF file: No space left on device';
  await expect(client.set('a', '2')).rejects.toThrow(misconf);
  await expect(client.ping()).rejects.toThrow(misconf);
  expect(await client.get('a')).toBe('1');
  expect(await field(client, 'aof_last_write_status')).toBe('err');
  expect(await field(client, 'aof_buffer_length')).not.toBe('0');
  await client.config('SET', 'appendonly', 'no');
  expect(await client.set('a', '2')).toBe('OK');
  await client.config('SET', 'appendonly', 'yes');
  await waitForRewrite(client);
  await client.set('a', '3');
  await client.call('DEBUG', 'LOADAOF');
  expect(await client.get('a')).toBe('3');
});

describe('WAITAOF', () => {
  test('waits for the disk', async () => {
    const dir = temporaryDirectory();
    const { client, server } = await start(dir, { appendfsync: 'no' });
    expect(await client.call('WAITAOF', 1, 0, 0)).toEqual([1, 0]);
    await client.incr('a');
    expect(await client.call('WAITAOF', 1, 0, 50)).toEqual([0, 0]);
    expect(await client.call('WAITAOF', 0, 1, 50)).toEqual([0, 0]);
    await client.config('SET', 'appendfsync', 'everysec');
    expect(await client.call('WAITAOF', 1, 0, 0)).toEqual([1, 0]);
    await client.config('SET', 'appendfsync', 'always');
    await client.incr('a');
    expect(await client.call('WAITAOF', 1, 0, 0)).toEqual([1, 0]);
    await expect(client.call('WAITAOF', 2, 0, 0)).rejects.toThrow('value is out of range');
    await client.config('SET', 'appendfsync', 'no');
    await client.incr('a');
    const waiting = expect(client.call('WAITAOF', 1, 0, 0)).rejects.toThrow(
      'ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled.',
    );
    const other = new Redis(server.url);
    cleanups.push(() => other.disconnect());
    await expect.poll(async () => /blocked_clients:(\d+)/.exec(await other.info('clients'))?.[1]).toBe('1');
    await other.config('SET', 'appendonly', 'no');
    await waiting;
  });
});
