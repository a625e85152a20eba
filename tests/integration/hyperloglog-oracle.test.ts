/**
 * HyperLogLogs on Respite and on a real redis-server 8.0, beyond what random commands show (differential/hyperloglogs.ts):
 * large ones, whom a change is told, and the digests of the values.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { RawConnection, type RawReply } from '../support/raw-connection.js';
import { type Actor, SideBySide } from '../support/side-by-side.js';

const ELEMENTS_PER_COMMAND = 1000;

let servers: SideBySide;

beforeAll(async () => {
  servers = await SideBySide.start({ 'enable-debug-command': 'yes' });
});

afterAll(async () => {
  await servers?.stop();
});

/** Adds so many different elements. */
async function fill(actor: Actor, key: string, first: number, count: number): Promise<void> {
  for (let start = first; start < first + count; start += ELEMENTS_PER_COMMAND) {
    const size = Math.min(ELEMENTS_PER_COMMAND, first + count - start);
    await actor.call('PFADD', key, ...Array.from({ length: size }, (_, i) => `element:${start + i}`));
  }
}

/** Has all bytes of some keys compared, by way of the digest that Redis makes of them, and as they are. */
async function compareBytes(actor: Actor, ...keys: readonly string[]): Promise<void> {
  await actor.call('DEBUG', 'DIGEST-VALUE', ...keys);
  await actor.call('DEBUG', 'DIGEST');
  for (const key of keys) await actor.call('GETRANGE', key, '0', '1800');
}

describe('the same as redis-server', () => {
  test('for up to 200000 elements, each ten times as many as before', async () => {
    await servers.play(async (stage) => {
      const actor = await stage.enter('a');
      let count = 0;
      for (const checkpoint of [1, 10, 100, 1000, 2000, 10_000, 50_000, 200_000]) {
        await fill(actor, 'key', count, checkpoint - count);
        count = checkpoint;
        await compareBytes(actor, 'key');
        await actor.call('PFCOUNT', 'key');
        await actor.call('PFDEBUG', 'ENCODING', 'key');
        await compareBytes(actor, 'key');
      }
    });
  });

  test('for unions of sparse and dense ones, into any of them', async () => {
    await servers.play(async (stage) => {
      const actor = await stage.enter('a');
      await fill(actor, 'small', 0, 300);
      await fill(actor, 'other', 200, 300);
      await fill(actor, 'large', 400, 20_000);
      for (const merge of [
        'PFMERGE new small other',
        'PFMERGE small other',
        'PFMERGE another small large',
        'PFMERGE other large',
        'PFMERGE large small',
        'PFMERGE empty',
        'PFMERGE of-nothing nosuch nosuch2',
      ]) {
        await actor.call(...merge.split(' '));
        await actor.call('PFCOUNT', ...merge.split(' ').slice(1));
        await compareBytes(actor, ...merge.split(' ').slice(1, 2));
      }
    });
  });

  test('for a union that outgrows the sparse encoding while it is stored', async () => {
    await servers.play(async (stage) => {
      const actor = await stage.enter('a');
      for (let part = 0; part < 6; part++) await fill(actor, `part:${part}`, part * 1000, 900);
      const parts = Array.from({ length: 6 }, (_, part) => `part:${part}`);
      for (let count = 1; count <= 6; count++) {
        await actor.call('PFMERGE', `union:${count}`, ...parts.slice(0, count));
        await compareBytes(actor, `union:${count}`);
      }
      await actor.call('CONFIG', 'SET', 'hll-sparse-max-bytes', '100000');
      await actor.call('PFMERGE', 'long', ...parts);
      await compareBytes(actor, 'long');
      await actor.call('PFDEBUG', 'DECODE', 'long');
      await actor.call('PFDEBUG', 'GETREG', 'long');
      await actor.call('CONFIG', 'SET', 'hll-sparse-max-bytes', '3000');
    });
  });

  test('for registers that no elements make', async () => {
    await servers.play(async (stage) => {
      const actor = await stage.enter('a');
      const registers = (bytes: string) => bytes.repeat(12288 / bytes.length);
      for (const bytes of [
        '\xff\xff\xff',
        '\xf3\x3c\xcf',
        '\xf2\x3c\xcf',
        '\xff\xff\x03',
        `${'\xff'.repeat(767)}\xcb`,
        '\x00',
      ]) {
        await actor.call('PFADD', 'key');
        await actor.call('PFDEBUG', 'TODENSE', 'key');
        await actor.call('SETRANGE', 'key', '15', `\x80${registers(bytes)}`);
        await actor.call('PFCOUNT', 'key');
        await compareBytes(actor, 'key');
        await actor.call('PFCOUNT', 'key');
        await actor.call('PFCOUNT', 'key', 'nosuch');
        await actor.call('PFADD', 'key', 'element');
        await actor.call('PFCOUNT', 'key');
      }
    });
  });

  test('for any cardinality in the header', async () => {
    await servers.play(async (stage) => {
      const actor = await stage.enter('a');
      await actor.call('PFADD', 'key', 'element');
      for (const header of [
        '\xff'.repeat(7),
        `${'\0'.repeat(6)}\x20`,
        '\xff'.repeat(6),
        '\0\0\0\0\x01\0\0',
      ]) {
        await actor.call('SETRANGE', 'key', '8', `${header}\x7f`);
        await actor.call('PFCOUNT', 'key');
        await actor.call('SETRANGE', 'key', '8', `${header}\0`);
        await actor.call('PFCOUNT', 'key');
      }
    });
  });

  test('DUMP of what cannot be compressed', async () => {
    await servers.play(async (stage) => {
      const actor = await stage.enter('a');
      await actor.call('CONFIG', 'SET', 'rdbcompression', 'no');
      await fill(actor, 'sparse', 0, 100);
      await fill(actor, 'dense', 0, 30_000);
      await actor.call('DUMP', 'sparse');
      await actor.call('DUMP', 'dense');
      await actor.call('CONFIG', 'SET', 'rdbcompression', 'yes');
    });
  });
});

describe('who is told', () => {
  test('WATCH sees that PFCOUNT keeps the cardinality, but not that it reads it', async () => {
    await servers.play(async (stage) => {
      const [watcher, other] = [await stage.enter('watcher'), await stage.enter('other')];
      const attempt = async (...command: readonly string[]) => {
        await watcher.call('WATCH', 'key');
        await other.call(...command);
        await watcher.call('MULTI');
        await watcher.call('PING');
        await watcher.call('EXEC');
      };
      await other.call('PFADD', 'key', 'a', 'b');
      await attempt('PFCOUNT', 'key');
      await attempt('PFCOUNT', 'key');
      await attempt('PFADD', 'key', 'a');
      await attempt('PFADD', 'key', 'c');
      await attempt('PFCOUNT', 'key', 'other');
      await attempt('PFDEBUG', 'TODENSE', 'key');
      await attempt('PFDEBUG', 'GETREG', 'key');
      await attempt('PFMERGE', 'key');
      await attempt('PFMERGE', 'other', 'key');
    });
  });

  test('so do clients that track keys', async () => {
    await servers.play(async (stage) => {
      const [reader, other] = [await stage.enter('reader', 3), await stage.enter('other')];
      await other.call('PFADD', 'key', 'a', 'b');
      await reader.call('CLIENT', 'TRACKING', 'ON');
      await reader.call('GET', 'key');
      await other.call('PFCOUNT', 'key');
      await reader.hear();
      await reader.call('PFCOUNT', 'key');
      await other.call('PFCOUNT', 'key');
      await other.call('PFDEBUG', 'TODENSE', 'key');
      await reader.call('PING');
      await other.call('PFADD', 'key', 'c');
      await reader.hear();
    });
  });

  test('subscribers hear of pfadd, and of nothing else', async () => {
    await servers.play(async (stage) => {
      const [subscriber, other] = [await stage.enter('subscriber'), await stage.enter('other')];
      await other.call('CONFIG', 'SET', 'notify-keyspace-events', 'KEA');
      await subscriber.call('PSUBSCRIBE', '__key*');
      await other.call('PFADD', 'key');
      await subscriber.hear(2);
      await other.call('PFCOUNT', 'key');
      await other.call('PFADD', 'key', 'a');
      await subscriber.hear(2);
      await other.call('PFADD', 'key', 'a');
      await other.call('PFDEBUG', 'TODENSE', 'key');
      await other.call('PFMERGE', 'key');
      await subscriber.hear(2);
      await other.call('CONFIG', 'SET', 'notify-keyspace-events', '');
    });
  });
});

describe('what is wrong', () => {
  test.each([
    'PFADD',
    'PFCOUNT',
    'PFMERGE',
    'PFDEBUG',
    'PFDEBUG GETREG',
    'PFDEBUG GETREG key more',
    'PFDEBUG NOSUCH nosuch',
    'PFDEBUG NOSUCH list',
    'PFDEBUG NOSUCH string',
    'PFDEBUG NOSUCH key',
    'PFDEBUG simd',
    'PFSELFTEST more',
    'PFADD list a',
    'PFADD string a',
    'PFADD number a',
    'PFCOUNT list',
    'PFCOUNT string',
    'PFCOUNT key string list',
    'PFCOUNT key list string',
    'PFMERGE list key',
    'PFMERGE new key list',
    'PFMERGE new key string list',
    'PFMERGE string key',
  ])('%s', async (command) => {
    await servers.play(async (stage) => {
      const actor = await stage.enter('a');
      await actor.pipeline(
        ['RPUSH', 'list', 'x'],
        ['SET', 'string', 'x'.repeat(20)],
        ['SET', 'number', '12345678901234567'],
        ['PFADD', 'key', 'x'],
        command.split(' '),
        ['KEYS', 'new'],
      );
    });
  });

  test('PFDEBUG SIMD has no other instructions to switch to, and one reply when asked for nonsense', async () => {
    const replies: RawReply[] = [];
    const connection = await RawConnection.open(servers.respite.port);
    for (const word of ['on', 'OFF', 'maybe']) replies.push(await connection.call('PFDEBUG', 'SIMD', word));
    replies.push(await connection.call('PING'));
    await connection.close();
    expect(replies).toEqual([
      { status: 'disabled' },
      { status: 'disabled' },
      { error: 'ERR Argument must be ON or OFF' },
      { status: 'PONG' },
    ]);
  });

  test('PFSELFTEST finds nothing', async () => {
    await servers.play(async (stage) => {
      const actor = await stage.enter('a');
      await actor.call('PFSELFTEST');
    });
  });
});
