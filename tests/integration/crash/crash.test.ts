import { readdirSync, rmSync, statSync, truncateSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { RandomBytes } from '../../support/random-bytes.js';
import { CrashSite, crashKind, crashRounds, crashSeed, infoField, withConnection } from './crash-site.js';
import { acknowledgedOf, Load, newWriters, type Writer } from './load.js';
import type { ServerUnderTest } from './server-under-test.js';

/**
 * The server is killed at random moments under load and started again, many times: what was acknowledged is there, and
 * nothing is torn.
 *
 * SIGKILL leaves the page cache alone: what the server has written to its files is there, synced or not. So under
 * `always` and `no` nothing that was acknowledged may be missing, and under `everysec` only what a server holds back
 * while the disk is slow. What a power cut takes besides is in power-cut.test.ts.
 */

const TIMEOUT_MS = 3_600_000;
/** Writes are held back for up to two seconds while an fsync of `everysec` is under way, as in Redis. */
const HELD_BACK_MS_MAX = 2500;

let site: CrashSite;
let random: RandomBytes;
let writers: Writer[];

beforeEach(() => {
  site = new CrashSite();
  random = new RandomBytes(crashSeed);
  writers = newWriters(5);
});

afterEach(() => site.leave());

/** What kills have cost, all in all. */
interface Toll {
  acknowledged: number;
  lost: number;
  /** How long before a kill the earliest write that was lost had been acknowledged, in ms. */
  oldestLostMs: number;
  /** Kills that left a temporary file, and so came in the middle of a save. */
  inSaves: number;
}

function newToll(): Toll {
  return { acknowledged: 0, lost: 0, oldestLostMs: 0, inSaves: 0 };
}

/** Files that a save in the background had begun. */
function temporaryFiles(): string[] {
  const names = readdirSync(site.directory, { recursive: true, encoding: 'utf8' });
  return names.filter((name) => basename(name).startsWith('temp-'));
}

/** Begins a save and waits until it is under way, for a short while: it may be over by then. */
async function beginSave(server: ServerUnderTest, command: 'BGSAVE' | 'BGREWRITEAOF'): Promise<void> {
  const field = command === 'BGSAVE' ? 'rdb_bgsave_in_progress' : 'aof_rewrite_in_progress';
  await withConnection(server, async (connection) => {
    await connection.call(command);
    for (let i = 0; i < 20 && (await infoField(connection, 'persistence', field)) === '0'; i++);
  });
}

/** Kills a server under load when `moment` comes, starts the next on its data, and looks what has survived. */
async function crash(
  server: ServerUnderTest,
  args: readonly string[],
  toll: Toll,
  moment: () => Promise<void>,
): Promise<ServerUnderTest> {
  const load = new Load(server, writers, random);
  await moment();
  const killedMs = performance.now();
  await server.kill();
  await load.stop();
  expect(load.errors).toEqual([]);
  const left = temporaryFiles();
  if (left.length > 0) toll.inSaves++;
  for (const name of left) rmSync(join(site.directory, name));
  const next = await site.start(args);
  const survival = await site.survivalIn(next, writers);
  toll.acknowledged += survival.acknowledged;
  toll.lost += survival.lost;
  toll.oldestLostMs = Math.max(toll.oldestLostMs, killedMs - survival.firstLostMs);
  return next;
}

function report(what: string, kills: number, toll: Toll): void {
  const { acknowledged, lost, oldestLostMs, inSaves } = toll;
  const age = lost > 0 ? `, the oldest ${oldestLostMs.toFixed(0)} ms before the kill` : '';
  process.stdout.write(
    `${crashKind}, ${what}: ${kills} kills (seed ${crashSeed}), ${inSaves} of them in saves, ${acknowledged} acknowledged writes, ${lost} lost${age}\n`,
  );
}

describe.each(['always', 'everysec', 'no'])('appendfsync %s', (policy) => {
  const args = ['--appendonly', 'yes', '--appendfsync', policy, '--auto-aof-rewrite-min-size', '1mb'];

  test(`${crashRounds} kills at random moments`, { timeout: TIMEOUT_MS }, async () => {
    const toll = newToll();
    let server = await site.start(args);
    for (let i = 0; i < crashRounds; i++) {
      server = await crash(server, args, toll, () => sleep(10 + random.below(300)));
    }
    report(policy, crashRounds, toll);
    expect(toll.acknowledged).toBeGreaterThan(crashRounds);
    if (policy !== 'everysec') expect(toll.lost).toBe(0);
    expect(toll.oldestLostMs).toBeLessThan(HELD_BACK_MS_MAX);
  });

  test(`${crashRounds} kills in the middle of BGREWRITEAOF or BGSAVE`, { timeout: TIMEOUT_MS }, async () => {
    const slow = [...args, '--rdb-key-save-delay', '200'];
    const toll = newToll();
    let server = await site.start(slow);
    for (let i = 0; i < crashRounds; i++) {
      const isRewrite = random.below(3) > 0;
      server = await crash(server, slow, toll, async () => {
        await sleep(30);
        await beginSave(server, isRewrite ? 'BGREWRITEAOF' : 'BGSAVE');
        // The delay makes it take some 30 ms: most kills come before its end, some right at it, some after.
        await sleep(random.below(45));
      });
    }
    report(`${policy}, in the middle of saves`, crashRounds, toll);
    if (policy !== 'everysec') expect(toll.lost).toBe(0);
    expect(toll.oldestLostMs).toBeLessThan(HELD_BACK_MS_MAX);
  });
});

test(`${crashRounds} kills around BGSAVE, without an append-only file`, { timeout: TIMEOUT_MS }, async () => {
  const args = ['--appendonly', 'no', '--rdb-key-save-delay', '100'];
  let server = await site.start(args);
  for (let i = 0; i < crashRounds; i++) {
    const load = new Load(server, writers, random);
    await sleep(30);
    const before = acknowledgedOf(writers);
    await beginSave(server, 'BGSAVE');
    await sleep(random.below(60));
    const isSaved = await withConnection(server, (connection) =>
      infoField(connection, 'persistence', 'rdb_bgsave_in_progress'),
    );
    await server.kill();
    await load.stop();
    server = await site.start(args);
    const { survivedOf } = await site.survivalIn(server, writers);
    if (isSaved === '0')
      survivedOf.forEach((count, at) => void expect(count).toBeGreaterThanOrEqual(before[at]));
  }
});

/** Enough writes of each connection for all its keys to be there. */
async function writeMany(server: ServerUnderTest): Promise<void> {
  const load = new Load(server, writers, random);
  while (Math.min(...acknowledgedOf(writers)) < 200) await sleep(1);
  await load.stop();
}

test('a lost, a torn and a doubled write are noticed', async () => {
  const args = ['--appendonly', 'yes', '--appendfsync', 'always'];
  const server = await site.start(args);
  await writeMany(server);
  await server.kill();
  const directory = join(site.directory, 'appendonlydir');
  const file = readdirSync(directory).find((name) => name.endsWith('.incr.aof')) ?? '';
  truncateSync(join(directory, file), statSync(join(directory, file)).size - 1);
  const second = await site.start(args);
  const survival = await site.survivalIn(second, writers);
  expect(survival.lost).toBeGreaterThan(0);
  for (const damage of [
    ['DEL', '0:together:hash'],
    ['RPUSH', '0:together:list', '1'],
    ['PEXPIRE', '0:counter', '1000000'],
    ['SET', '0:something', 'else'],
  ]) {
    await withConnection(second, (connection) => connection.call(...damage));
    await expect(site.survivalIn(second, writers)).rejects.toThrow('no number of its');
    await withConnection(second, async (connection) => {
      await connection.call('FLUSHALL');
    });
    for (const writer of writers) writer.model.clear();
    writers.splice(1);
    await writeMany(second);
    await site.survivalIn(second, writers);
  }
});
