/**
 * Keys go when their time comes, however many others have a TTL, and without anybody looking at them. (Redis samples:
 * with a million other keys its `expired` event comes a median 96 s late.)
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { afterEach, expect, test } from 'vitest';
import { createServer, type RespiteServer } from '../../src/index.js';
import { EVENT_EXPIRED } from '../../src/keyspace/events.js';
import { NoConnection } from '../../src/network/no-connection.js';
import { RawConnection } from '../support/raw-connection.js';

const LONG_LIVED = 1_000_000;
const SHORT_LIVED = 1000;
const LATENESS_MS_MAX = 100;
/** When the first of the short-lived keys expires, and within which time all do. */
const LEAD_MS = 2000;
const SPREAD_MS = 1000;

const cleanUp: (() => unknown)[] = [];

afterEach(async () => {
  for (const step of cleanUp.splice(0)) await step();
});

/** Has the server execute requests as if a client had sent them, without a socket in between. */
class Feed extends NoConnection {
  override destroy(): void {
    this.listener?.closed();
  }

  async execute(count: number, command: (index: number) => string): Promise<void> {
    for (let first = 0; first < count; first += 1000) {
      let text = '';
      for (let i = first; i < Math.min(first + 1000, count); i++) text += `${command(i)}\r\n`;
      this.listener?.received(Buffer.from(text), text.length);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

/** How late the timers of a process are that does nothing else: what the machine alone is to blame for. */
class IdleTimer {
  private readonly child = spawn(process.execPath, [
    '-e',
    `let last = performance.now(), worst = 0;
     setInterval(() => { const now = performance.now(); worst = Math.max(worst, now - last - 5); last = now; }, 5);
     process.stdin.on('data', () => { console.log(worst); process.exit(); });
     console.log('ready');`,
  ]);
  private readonly lines = createInterface(this.child.stdout);

  async start(): Promise<void> {
    await once(this.lines, 'line');
  }

  async worstLatenessMs(): Promise<number> {
    const line = once(this.lines, 'line');
    this.child.stdin.write('\n');
    return Number((await line)[0]);
  }

  stop(): void {
    this.child.kill();
  }
}

/** Notes when which key expires, and resolves when `count` have. */
function expiredKeys(respite: RespiteServer, count: number): Promise<Map<string, number>> {
  const times = new Map<string, number>();
  return new Promise((resolve) => {
    respite.server.keyspace.addListener({
      keyChanged: (_database, event, bytes, offset, length) => {
        if (event !== EVENT_EXPIRED) return;
        times.set(Buffer.from(bytes.subarray(offset, offset + length)).toString('latin1'), Date.now());
        if (times.size === count) resolve(times);
      },
      databaseChanged: () => {},
    });
  });
}

test(`of a million keys with a TTL, those that are due are gone within ${LATENESS_MS_MAX} ms`, async () => {
  const respite = await createServer();
  cleanUp.push(() => respite.close());
  const idle = new IdleTimer();
  cleanUp.push(() => idle.stop());
  await idle.start();
  const client = await RawConnection.open(respite.port);
  cleanUp.push(() => client.close());
  const feed = new Feed();
  respite.server.accept(feed);
  await feed.execute(LONG_LIVED, (i) => `SETEX long:${i} ${3600 + (i % 86_400)} value`);
  expect(await client.call('DBSIZE')).toBe(LONG_LIVED);

  const firstMs = Date.now() + LEAD_MS;
  // Half of them spread over a second, one a time; the others all at once, at the end of it.
  const deadlineMs = (i: number) =>
    i < SHORT_LIVED / 2 ? firstMs + Math.floor((i * SPREAD_MS * 2) / SHORT_LIVED) : firstMs + SPREAD_MS;
  const expired = expiredKeys(respite, SHORT_LIVED);
  await feed.execute(SHORT_LIVED, (i) => `SET short:${i} value PXAT ${deadlineMs(i)}`);
  expect(Date.now(), 'all are set before the first expires').toBeLessThan(firstMs);
  expect(await client.call('DBSIZE')).toBe(LONG_LIVED + SHORT_LIVED);
  expect(await client.call('PEXPIRETIME', 'short:0')).toBe(firstMs);
  expect(await client.call('EXPIRETIME', 'short:999')).toBe(Math.round((firstMs + SPREAD_MS) / 1000));

  const times = await expired;
  const lateness = Array.from(
    { length: SHORT_LIVED },
    (_, i) => (times.get(`short:${i}`) ?? NaN) - deadlineMs(i),
  );
  const worstMs = Math.max(...lateness);
  const machineMs = await idle.worstLatenessMs();
  console.info(
    `the latest expired ${worstMs} ms after its deadline; timers of an idle process: ${machineMs.toFixed(1)} ms`,
  );
  expect(Math.min(...lateness), 'none before its time').toBeGreaterThanOrEqual(0);
  expect(worstMs).toBeLessThan(LATENESS_MS_MAX + machineMs);

  expect(await client.call('DBSIZE')).toBe(LONG_LIVED);
  expect(await client.call('EXPIRETIME', 'short:999')).toBe(-2);
  expect(String(await client.call('INFO', 'stats'))).toContain(`\r\nexpired_keys:${SHORT_LIVED}\r\n`);
  expect(Number(await client.call('TTL', 'long:0'))).toBeGreaterThan(3000);
});
