import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createServer, type RespiteServer } from '../../src/index.js';
import { AppendOnlyFileError } from '../../src/persistence/aof/directory.js';

/** A server inside a process ends alone: where redis-server exits, the process that it is in goes on. */

let dir = '';
let server: RespiteServer;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'respite-library-'));
});

afterEach(async () => {
  await server.close();
  rmSync(dir, { recursive: true, force: true });
});

/** Starts a server whose append-only file is `target`. */
async function startWritingTo(target: string): Promise<RespiteServer> {
  mkdirSync(join(dir, 'appendonlydir'));
  writeFileSync(join(dir, 'appendonlydir/appendonly.aof.manifest'), 'file target seq 1 type i\n');
  symlinkSync(target, join(dir, 'appendonlydir/target'));
  server = await createServer({ directives: { dir, appendonly: 'yes', appendfsync: 'always' } });
  return server;
}

describe.runIf(existsSync('/dev/full'))('under appendfsync always, a disk that refuses a write', () => {
  test('closes the server, answers nobody, and tells who waits for the end', async () => {
    const { url, port, closed } = await startWritingTo('/dev/full');
    const [client, other] = [0, 1].map(
      () => new Redis(url, { maxRetriesPerRequest: 0, retryStrategy: null }),
    );
    for (const redis of [client, other]) redis.on('error', () => {});
    expect(await client.get('key')).toBe(null);
    expect(await other.ping()).toBe('PONG');
    const answers = await Promise.allSettled([client.set('key', 'value'), client.get('key'), closed]);
    expect(answers.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    await expect(closed).rejects.toThrow(
      new AppendOnlyFileError('the append-only file cannot be written: No space left on device'),
    );
    await expect(other.ping()).rejects.toThrow();
    await expect(createServer({ port }).then((next) => next.close())).resolves.toBeUndefined();
    // Its owner may close it as always.
    await server.close();
  });

  test('does so in the middle of BGREWRITEAOF, too', async () => {
    const { url, closed } = await startWritingTo('/dev/full');
    const client = new Redis(url, { maxRetriesPerRequest: 0, retryStrategy: null });
    client.on('error', () => {});
    await client.ping();
    const answers = await Promise.allSettled([client.set('key', 'value'), client.call('BGREWRITEAOF')]);
    expect(answers.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    await expect(closed).rejects.toThrow(AppendOnlyFileError);
  });
});
