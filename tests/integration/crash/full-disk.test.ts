import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { RandomBytes } from '../../support/random-bytes.js';
import type { RawConnection } from '../../support/raw-connection.js';
import { CrashSite, crashSeed, infoField, withConnection } from './crash-site.js';
import { acknowledgedOf, Load, newWriters, type Writer } from './load.js';
import { canLimit, canMount, FileSizeLimit, type ScarceDisk, SmallFileSystem } from './scarce-disk.js';
import type { ServerUnderTest } from './server-under-test.js';

/** A full disk: writes are refused, reads are not, nothing that was acknowledged is lost, and room is all it takes. */

/** More than the loads of a test write, so that nothing but the ballast fills it. */
const DISK_BYTES = 32 * 1024 * 1024;

let site: CrashSite;
let disk: ScarceDisk;
let random: RandomBytes;
let writers: Writer[];

beforeEach(() => {
  site = new CrashSite();
  random = new RandomBytes(crashSeed);
  writers = newWriters(3);
});

afterEach(async () => {
  await site.leave();
  await disk.remove();
});

const disks: readonly (readonly [name: string, isPossible: boolean, make: () => Promise<ScarceDisk>])[] = [
  ['a small tmpfs', canMount, () => SmallFileSystem.mount(site.directory, DISK_BYTES)],
  ['a limit on the size of files', canLimit, async () => new FileSizeLimit(site.directory)],
];
const possible = disks.filter(([, isPossible]) => isPossible);
if (possible.length < disks.length) {
  process.stderr.write(
    `NOT RUN: tests on ${disks.filter(([, isPossible]) => !isPossible).map(([name]) => name)}\n`,
  );
}

function start(...args: string[]): Promise<ServerUnderTest> {
  return site.start(args, { wrapper: disk.wrapper });
}

/** The file that is appended to, relative to the directory. */
function incrementalFile(): string {
  const name = readdirSync(join(disk.path, 'appendonlydir')).findLast((name) => name.endsWith('.incr.aof'));
  return join('appendonlydir', name ?? 'none');
}

/** Writes until a write is refused. */
async function writeUntilRefused(server: ServerUnderTest): Promise<Load> {
  const load = new Load(server, writers, random);
  while (load.errors.length === 0 && server.isRunning) await sleep(1);
  return load;
}

/** Waits until a write is taken again. */
async function writeUntilTaken(connection: RawConnection): Promise<void> {
  for (;;) {
    const reply = await connection.call('SET', 'probe', 'value');
    if (typeof reply === 'object' && 'status' in reply) break;
    await sleep(20);
  }
  await connection.call('DEL', 'probe');
}

describe.each(possible)('on %s', (_name, _isPossible, make) => {
  beforeEach(async () => {
    disk = await make();
  });

  test.each(['everysec', 'no'])('appendfsync %s refuses writes until there is room', async (policy) => {
    const args = ['--appendonly', 'yes', '--appendfsync', policy];
    const server = await start(...args);
    await sleep(20);
    for (let i = 0; i < 2; i++) {
      disk.fill(server, 20_000 + random.below(5000), incrementalFile());
      const load = await writeUntilRefused(server);
      await sleep(50);
      await withConnection(server, async (connection) => {
        expect(await connection.call('GET', '0:counter')).toEqual(expect.anything());
        expect(await infoField(connection, 'persistence', 'aof_last_write_status')).toBe('err');
        disk.clear(server);
        await writeUntilTaken(connection);
        expect(await infoField(connection, 'persistence', 'aof_last_write_status')).toBe('ok');
      });
      const before = acknowledgedOf(writers);
      await sleep(30);
      await load.stop();
      expect(acknowledgedOf(writers)).not.toEqual(before);
      // Of a write that was cut short Redis says that the disk is full, whatever the reason was.
      const reasons = `No space left on device|${disk.errorText}`;
      for (const error of load.errors) {
        expect(error).toMatch(
          new RegExp(`^MISCONF Errors writing to the AOF file: (${reasons})$|^EXECABORT `),
        );
      }
    }
    expect(server.log).toContain('AOF write error looks solved, Redis can write again.');
    await server.kill();
    const next = await start(...args);
    expect((await site.survivalIn(next, writers)).lost).toBe(0);
  });

  test('a server that is killed while the disk is full leaves a file that loads', async () => {
    const args = ['--appendonly', 'yes', '--appendfsync', 'everysec'];
    const server = await start(...args);
    disk.fill(server, 20_000 + random.below(5000), incrementalFile());
    const load = await writeUntilRefused(server);
    await server.kill();
    await load.stop();
    disk.clear(server);
    const next = await start(...args);
    const { lost } = await site.survivalIn(next, writers);
    process.stdout.write(`killed on a full disk: ${lost} acknowledged writes lost\n`);
  });

  test('appendfsync always ends the server rather than break its word', async () => {
    const args = ['--appendonly', 'yes', '--appendfsync', 'always'];
    const server = await start(...args);
    disk.fill(server, 20_000 + random.below(5000), incrementalFile());
    const load = new Load(server, writers, random);
    expect(await server.end).toEqual({ code: 1, signal: null });
    await load.stop();
    expect(load.errors).toEqual([]);
    expect(server.log).toContain(
      "Can't recover from AOF write error when the AOF fsync policy is 'always'. Exiting...",
    );
    disk.clear(server);
    const next = await start(...args);
    expect((await site.survivalIn(next, writers)).lost).toBe(0);
  });

  test('BGREWRITEAOF fails, and the file that is there goes on', async () => {
    const args = ['--appendonly', 'yes', '--appendfsync', 'everysec', '--rdbcompression', 'no'];
    const server = await start(...args);
    await withConnection(server, async (connection) => {
      for (let i = 0; i < 10; i++) await connection.call('SETRANGE', `large:${i}`, '100000', 'x');
      disk.fill(server, 500_000, incrementalFile());
      await connection.call('BGREWRITEAOF');
      while ((await infoField(connection, 'persistence', 'aof_last_bgrewrite_status')) !== 'err')
        await sleep(5);
      for (let i = 0; i < 100; i++) {
        expect(await connection.call('SET', `small:${i}`, 'value')).toEqual({ status: 'OK' });
      }
      expect(await infoField(connection, 'persistence', 'aof_last_write_status')).toBe('ok');
    });
    await server.kill();
    disk.clear(server);
    const next = await start(...args);
    await withConnection(next, async (connection) => {
      expect(await connection.call('DBSIZE')).toBe(110);
      await connection.call('BGREWRITEAOF');
      while ((await infoField(connection, 'persistence', 'aof_rewrite_in_progress')) !== '0') await sleep(5);
      expect(await infoField(connection, 'persistence', 'aof_last_bgrewrite_status')).toBe('ok');
    });
  });

  test('BGSAVE fails and writes are refused, until a save succeeds', async () => {
    const args = ['--appendonly', 'no', '--rdbcompression', 'no', '--save', '1 1'];
    const server = await start(...args);
    await withConnection(server, async (connection) => {
      await connection.call('SET', 'before', 'value');
      await connection.call('SAVE');
      for (let i = 0; i < 10; i++) await connection.call('SETRANGE', `large:${i}`, '50000', 'x');
      disk.fill(server, 100_000, 'dump.rdb');
      await connection.call('BGSAVE');
      while ((await infoField(connection, 'persistence', 'rdb_last_bgsave_status')) !== 'err') await sleep(5);
      expect(await connection.call('SET', 'key', 'value')).toEqual({
        error: expect.stringMatching(
          /^MISCONF Redis is configured to save RDB snapshots, but it's currently/,
        ),
      });
      expect(await connection.call('GET', 'before')).toBe('value');
      expect(readdirSync(disk.path).filter((name) => name.startsWith('temp-'))).toEqual([]);
      disk.clear(server);
      await writeUntilTaken(connection);
      expect(await infoField(connection, 'persistence', 'rdb_last_bgsave_status')).toBe('ok');
    });
    await server.kill();
    const next = await start(...args);
    await withConnection(next, async (connection) => {
      expect(await connection.call('DBSIZE')).toBe(11);
    });
  });
});
