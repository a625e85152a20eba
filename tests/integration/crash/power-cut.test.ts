import { existsSync, readdirSync, readFileSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { RandomBytes } from '../../support/random-bytes.js';
import { CrashSite, crashKind, crashRounds, crashSeed, infoField, withConnection } from './crash-site.js';
import { Load, newWriters, type Writer } from './load.js';
import { canTrace, killAtCall, namedIn, witness, witnessOrder, writtenTo } from './tracing.js';

/**
 * What SIGKILL at a random moment does not show. A power cut also takes what was written and not synced: strace tells
 * how much of the file was synced, and the rest is cut off. And a kill at calls that rename, sync and remove files
 * finds the moments that chance would miss.
 */

if (!canTrace) process.stderr.write('NOT RUN: power cuts and kills at system calls, for want of strace\n');

const CUTS = Math.ceil(crashRounds / 2);

let site: CrashSite;
let random: RandomBytes;
let writers: Writer[];

beforeEach(() => {
  site = new CrashSite();
  random = new RandomBytes(crashSeed);
  writers = newWriters(4);
});

afterEach(() => site.leave());

describe.runIf(canTrace)('a power cut', () => {
  /** How long a load lasts, in ms: under `everysec` long enough for syncs. */
  test.each([
    ['always', 300],
    ['everysec', 1500],
    ['no', 300],
  ])('under appendfsync %s', { timeout: 3_600_000 }, async (policy, durationMs) => {
    // One file: without rewrites.
    const args = ['--appendonly', 'yes', '--appendfsync', policy, '--auto-aof-rewrite-percentage', '0'];
    const toll = { acknowledged: 0, lost: 0, unsyncedBytes: 0, oldestMs: 0 };
    for (let i = 0; i < CUTS; i++) {
      await site.leave();
      site = new CrashSite();
      writers = newWriters(4);
      const trace = join(site.directory, '..', 'trace');
      const server = await site.start(args, { wrapper: witness(trace) });
      const load = new Load(server, writers, random);
      await sleep(durationMs + random.below(300));
      const cutMs = performance.now();
      await server.kill();
      await load.stop();
      const { bytes, syncedBytes } = writtenTo(trace, '.incr.aof');
      const directory = join(site.directory, 'appendonlydir');
      const file = join(directory, readdirSync(directory).find((name) => name.endsWith('.incr.aof')) ?? '');
      // The last write may have been under way.
      expect(statSync(file).size).toBeGreaterThanOrEqual(bytes);
      truncateSync(file, syncedBytes);
      const survival = await site.survivalIn(await site.start(args), writers);
      toll.acknowledged += survival.acknowledged;
      toll.lost += survival.lost;
      toll.unsyncedBytes += bytes - syncedBytes;
      toll.oldestMs = Math.max(toll.oldestMs, cutMs - survival.firstLostMs);
    }
    const { acknowledged, lost, unsyncedBytes, oldestMs } = toll;
    process.stdout.write(
      `${crashKind}, power cut, ${policy}: ${CUTS} cuts (seed ${crashSeed}), ${acknowledged} acknowledged, ${lost} ` +
        `lost, the oldest ${oldestMs.toFixed(0)} ms before; ${unsyncedBytes} bytes were not synced\n`,
    );
    expect(acknowledged).toBeGreaterThan(0);
    if (policy === 'always') expect(lost).toBe(0);
    // A second, and what a busy machine adds to it.
    if (policy === 'everysec') expect(oldestMs).toBeLessThan(1000 + durationMs);
  });
});

describe.runIf(canTrace)('a rewrite begins a new increment', () => {
  /** How long a sync in the background takes: longer than what is done meanwhile. */
  const SYNC_MICROSECONDS = 3_000_000;
  const file = (name: string) => join(site.directory, 'appendonlydir', name);

  test.each(['always', 'everysec', 'no'])(
    'that the manifest names only when the one before is on the disk, under appendfsync %s',
    { timeout: 3_600_000 },
    async (policy) => {
      const trace = join(site.directory, '..', 'trace');
      const args = ['--appendonly', 'yes', '--appendfsync', policy];
      const server = await site.start(args, { wrapper: witnessOrder(trace, 20_000) });
      const load = new Load(server, writers, random);
      const rewrites = 3;
      await withConnection(server, async (connection) => {
        for (let i = 0; i < rewrites; i++) {
          await sleep(50);
          await connection.call('BGREWRITEAOF');
          while ((await infoField(connection, 'persistence', 'aof_rewrite_in_progress')) !== '0')
            await sleep(5);
        }
      });
      await load.stop();
      await server.kill();
      const manifests = namedIn(trace);
      // Two increments: those where it matters.
      expect(manifests.filter(({ increments }) => increments.length > 1).length).toBeGreaterThan(0);
      for (const { unsynced } of manifests) expect(unsynced).toEqual([]);
      const next = await site.start(args);
      expect((await site.survivalIn(next, writers)).lost).toBe(0);
    },
  );

  /** Leaves a server in the middle of that, and writes before and after. */
  async function leaveBetween(args: readonly string[]): Promise<void> {
    const wrapper = witnessOrder('/dev/null', SYNC_MICROSECONDS);
    const server = await site.start(args, { wrapper });
    await withConnection(server, async (connection) => {
      await connection.call('MULTI');
      await connection.call('INCR', 'before');
      await connection.call('SET', 'padding', 'x'.repeat(1000));
      await connection.call('EXEC');
      await connection.call('BGREWRITEAOF');
      await connection.call('INCR', 'after');
      while (statSync(file('appendonly.aof.2.incr.aof')).size === 0) await sleep(5);
    });
    expect(readFileSync(file('appendonly.aof.manifest'), 'latin1')).not.toContain('seq 2 type i');
    await server.kill();
  }

  const POLICIES = [['everysec'], ['no']];
  const argsOf = (policy: string) => [
    '--appendonly',
    'yes',
    '--appendfsync',
    policy,
    '--rdb-key-save-delay',
    '5000000',
  ];

  test.each(POLICIES)('and nothing is lost by a kill meanwhile, under appendfsync %s', async (policy) => {
    await leaveBetween(argsOf(policy));
    for (let i = 0; i < 2; i++) {
      const next = await site.start(argsOf(policy));
      await withConnection(next, async (connection) => {
        expect(await connection.call('MGET', 'before', 'after')).toEqual(['1', '1']);
      });
      // It is removed beside the loop.
      await expect.poll(() => existsSync(file('appendonly.aof.successor'))).toBe(false);
      await next.kill();
    }
  });

  test.each(POLICIES)(
    'and a power cut meanwhile leaves files that load, under appendfsync %s',
    async (policy) => {
      await leaveBetween(argsOf(policy));
      const torn = file('appendonly.aof.1.incr.aof');
      truncateSync(torn, statSync(torn).size - 500);
      for (let i = 0; i < 2; i++) {
        const next = await site.start(argsOf(policy));
        await withConnection(next, async (connection) => {
          // What was not synced is lost, from its first torn command on.
          expect(await connection.call('EXISTS', 'before', 'after')).toBe(0);
          expect(await connection.call('INCR', 'again')).toBe(i + 1);
        });
        await next.kill();
      }
    },
  );
});

describe.runIf(canTrace)('a kill at a system call', () => {
  const CALLS = ['rename', 'unlink', 'fsync', 'fdatasync', 'pwrite64', 'mkdir'];
  /** A thread makes fewer of each in a start, a rewrite and a save. */
  const COUNT_MAX = 6;
  const MOMENTS = CALLS.flatMap((call) =>
    Array.from({ length: COUNT_MAX }, (_, i) => ({ call, count: i + 1 })),
  );
  const TRIED = Math.min(MOMENTS.length, crashRounds);

  test('of a start, a rewrite or a save', { timeout: 3_600_000 }, async () => {
    const args = ['--appendonly', 'yes', '--appendfsync', 'no'];
    const kills: string[] = [];
    const moments = [...MOMENTS];
    for (let i = 0; i < TRIED; i++) {
      const [{ call, count }] = moments.splice(random.below(moments.length), 1);
      if (await isKilledAt(call, count, args)) kills.push(`${call} ${count}`);
      const next = await site.start(args);
      expect((await site.survivalIn(next, writers)).lost, `${call}, number ${count}`).toBe(0);
      await next.kill();
    }
    process.stdout.write(
      `${crashKind}: ${TRIED} starts to be killed at a system call, ${kills.length} were (${kills}), 0 writes lost\n`,
    );
  });

  /** Starts a server that is killed at a call, if it makes it. Whether it did. */
  async function isKilledAt(call: string, count: number, args: readonly string[]): Promise<boolean> {
    // One thread for all that is asynchronous makes the order of calls the same each time.
    const env = { UV_THREADPOOL_SIZE: '1' };
    const server = site.launch(args, { wrapper: killAtCall(call, count), env });
    try {
      await server.prints('Ready to accept connections');
    } catch {
      return true;
    }
    const load = new Load(server, writers, random);
    await saveAll(server).catch(() => {});
    const isAlive = await Promise.race([server.end.then(() => false), sleep(50, true)]);
    if (isAlive) await server.kill();
    await load.stop();
    return !isAlive;
  }

  async function saveAll(server: Parameters<typeof withConnection>[0]): Promise<void> {
    await sleep(30);
    await withConnection(server, async (connection) => {
      for (const command of ['BGREWRITEAOF', 'BGSAVE']) {
        await connection.call(command);
        for (;;) {
          const info = String(await connection.call('INFO', 'persistence'));
          if (!/(rdb_bgsave|aof_rewrite)_(in_progress|scheduled):1/.test(info)) break;
          await sleep(2);
        }
      }
      // Files of before are removed in the background.
      await sleep(30);
    });
  }
});
