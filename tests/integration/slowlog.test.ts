import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createServer, type RespiteServer } from '../../src/index.js';
import { isArrayReply, type RawReply } from '../support/raw-connection.js';
import { type Actor, type Scenario, SideBySide } from '../support/side-by-side.js';

let servers: SideBySide;
const play = (scenario: Scenario) => servers.play(scenario);

beforeAll(async () => {
  servers = await SideBySide.start({ 'enable-debug-command': 'yes' });
});

afterAll(async () => {
  await servers?.stop();
});

/** Has the words and client names of the slow log compared; ids, times and addresses differ. */
async function compareSlowLog(actor: Actor): Promise<void> {
  const entries = await actor.ask('SLOWLOG', 'GET', '-1');
  if (!isArrayReply(entries)) throw new Error('no slow log');
  for (const entry of entries) {
    if (!isArrayReply(entry)) throw new Error('no entry');
    const [, , , words, address, name] = entry as readonly RawReply[];
    expect(String(address)).toMatch(/:\d+$/);
    actor.tell(`${JSON.stringify(words)} by ${JSON.stringify(name)}`);
  }
}

describe('SLOWLOG', () => {
  test('every command, its words shortened, secrets left out', () =>
    play(async (stage) => {
      const a = await stage.enter('a');
      await a.pipeline(['CLIENT', 'SETNAME', 'slow'], ['CONFIG', 'SET', 'slowlog-log-slower-than', '0']);
      await a.pipeline(['SLOWLOG', 'RESET'], ['SET', 'k', '\0\n"x"'], ['SET', 'k', 'x'.repeat(129)]);
      await a.pipeline(
        ['DEL', ...Array.from({ length: 40 }, (_, i) => `key:${i}`)],
        ['GET', 'k'],
        ['NOSUCH', '1'],
      );
      await a.pipeline(['DEL', ...Array.from({ length: 31 }, (_, i) => `key:${i}`)], ['GET', 'k', 'wrong']);
      await a.pipeline(['MULTI'], ['SET', 'k', '1'], ['EXEC'], ['INCR', 'k'], ['LPUSH', 'k', 'x']);
      // (Redis does not reply to a failed login while other replies wait.)
      await a.call('AUTH', 'password');
      await a.call('AUTH', 'user', 'password');
      await a.ask('HELLO', '2', 'AUTH', 'default', 'secret');
      await a.pipeline(
        ['CONFIG', 'SET', 'masterauth', 'secret', 'hz', '10'],
        ['CONFIG', 'SET', 'masterauth', ''],
      );
      await a.pipeline(
        ['BLPOP', 'list', '0.01'],
        ['CONFIG', 'SET', 'slowlog-log-slower-than', '-1'],
        ['GET', 'k'],
      );
      await compareSlowLog(a);
      await a.pipeline(['SLOWLOG', 'LEN'], ['CONFIG', 'SET', 'slowlog-max-len', '3'], ['SLOWLOG', 'LEN']);
      await a.pipeline(['CONFIG', 'SET', 'slowlog-log-slower-than', '0'], ['GET', 'k'], ['SLOWLOG', 'LEN']);
      await compareSlowLog(a);
      await a.pipeline(
        ['CONFIG', 'SET', 'slowlog-max-len', '0'],
        ['GET', 'k'],
        ['SLOWLOG', 'LEN'],
        ['SLOWLOG', 'RESET'],
      );
      await a.pipeline(
        ['SLOWLOG', 'GET', '-2'],
        ['SLOWLOG', 'GET', 'x'],
        ['SLOWLOG', 'GET', '1', '2'],
        ['SLOWLOG', 'NOSUCH'],
      );
      await a.pipeline(['CONFIG', 'SET', 'slowlog-max-len', '128', 'slowlog-log-slower-than', '10000']);
    }));

  test('only what takes long', () =>
    play(async (stage) => {
      const a = await stage.enter('a');
      await a.pipeline(['SLOWLOG', 'RESET'], ['CONFIG', 'SET', 'slowlog-log-slower-than', '50000']);
      await a.pipeline(['SET', 'k', '1'], ['DEBUG', 'SLEEP', '0.06'], ['GET', 'k']);
      await compareSlowLog(a);
      await a.pipeline(['SLOWLOG', 'RESET'], ['CONFIG', 'SET', 'slowlog-log-slower-than', '10000']);
    }));
});

describe('LATENCY', () => {
  test('samples of slow commands', () =>
    play(async (stage) => {
      const a = await stage.enter('a');
      await a.pipeline(['LATENCY', 'LATEST'], ['LATENCY', 'RESET'], ['LATENCY', 'HISTORY', 'nosuch']);
      await a.pipeline(['LATENCY', 'GRAPH', 'nosuch'], ['LATENCY', 'NOSUCH'], ['LATENCY', 'RESET', 'a', 'b']);
      await a.pipeline(
        ['CONFIG', 'SET', 'latency-monitor-threshold', '40'],
        ['DEBUG', 'SLEEP', '0.05'],
        ['GET', 'k'],
      );
      const latest = await a.ask('LATENCY', 'LATEST');
      expect(latest).toEqual([['command', expect.any(Number), expect.any(Number), expect.any(Number)]]);
      const history = await a.ask('LATENCY', 'HISTORY', 'command');
      expect(history).toEqual([[expect.any(Number), expect.any(Number)]]);
      const graph = String(await a.ask('LATENCY', 'GRAPH', 'command'));
      a.tell(graph.replace(/\d+/g, 'N').replace(/N(\n+)$/, 'N$1'));
      expect(String(await a.ask('LATENCY', 'DOCTOR'))).toContain('1. command: 1 latency spikes');
      await a.pipeline(['LATENCY', 'RESET', 'COMMAND'], ['CONFIG', 'SET', 'latency-monitor-threshold', '0']);
      await a.pipeline(['LATENCY', 'LATEST']);
    }));

  test('histograms have the same form', () =>
    play(async (stage) => {
      const a = await stage.enter('a', 3);
      await a.pipeline(
        ['CONFIG', 'RESETSTAT'],
        ['SET', 'k', '1'],
        ['GET', 'k'],
        ['GET', 'k'],
        ['CLIENT', 'GETNAME'],
      );
      for (const names of [
        ['get'],
        ['GET', 'nosuch', 'set'],
        ['client'],
        ['client|getname'],
        ['config|resetstat'],
      ]) {
        const histogram = JSON.stringify(await a.ask('LATENCY', 'HISTOGRAM', ...names));
        // The buckets are not the same, but the last of them has all calls.
        a.tell(histogram.replace(/\[(\[\d+,\d+\],)*\[\d+,(\d+)\]\]/g, '…$2'));
      }
      await a.pipeline(['LATENCY', 'HISTOGRAM', 'nosuch'], ['LATENCY', 'HISTOGRAM', 'del']);
    }));
});

describe('MONITOR', () => {
  test('shows commands in the order in which they end', () =>
    play(async (stage) => {
      const [m, a] = [await stage.enter('m'), await stage.enter('a')];
      await m.call('MONITOR');
      a.send(
        ['SET', 'k', '\0\t"\\\x7f\xff'],
        ['GET', 'k'],
        ['NOSUCH'],
        ['GET'],
        ['SELECT', '2'],
        ['get', 'K'],
      );
      a.send(
        ['MULTI'],
        ['PING'],
        ['INCR', 'n'],
        ['EXEC'],
        ['CONFIG', 'GET', 'hz'],
        ['AUTH', 'secret'],
        ['ECHO', 'x'],
      );
      a.send(['CLIENT', 'GETNAME'], ['PUBLISH', 'c', 'x'], ['BLPOP', 'list', '0.01'], ['ECHO', 'end']);
      for (;;) {
        const line = JSON.stringify(await m.listen());
        m.tell(line.replace(/\d+\.\d{6} \[(\d+) [^\]]+\]/, 'TIME [$1 SOURCE]'));
        if (line.includes('end')) break;
      }
      for (let i = 0; i < 17; i++) await a.hear();
    }));

  test('a monitor may not use data, and can be reset', () =>
    play(async (stage) => {
      const m = await stage.enter('m');
      await m.pipeline(
        ['MONITOR'],
        ['GET', 'k'],
        ['SET', 'k', '1'],
        ['PUBLISH', 'c', 'x'],
        ['RESET'],
        ['GET', 'k'],
      );
    }));
});

describe('with ioredis', () => {
  let respite: RespiteServer;

  beforeAll(async () => {
    respite = await createServer();
  });

  afterAll(async () => {
    await respite.close();
  });

  test('monitor', async () => {
    const redis = new Redis(respite.url);
    const monitor = await redis.monitor();
    const seen = new Promise((resolve) => {
      monitor.on('monitor', (_time: string, args: string[], _source: string, database: string) => {
        if (args[0] === 'set') resolve([args, database]);
      });
    });
    await redis.set('a b', 'ü');
    expect(await seen).toEqual([['set', 'a b', '\\xc3\\xbc'], '0']);
    monitor.disconnect();
    redis.disconnect();
  });
});
