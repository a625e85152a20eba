import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createServer, type RespiteServer } from '../../src/index.js';
import { RawConnection } from '../support/raw-connection.js';

/** `maxmemory-clients`: the clients that take the most are closed, whatever it is that they take. */

const MB = 1 << 20;

let respite: RespiteServer;
let control: RawConnection;

beforeEach(async () => {
  respite = await createServer({ directives: { 'maxmemory-clients': '3mb' } });
  control = await RawConnection.open(respite.port);
  await control.call('CLIENT', 'NO-EVICT', 'ON');
});

afterEach(async () => {
  control.close();
  await respite.close();
});

async function connect(name: string): Promise<RawConnection> {
  const connection = await RawConnection.open(respite.port);
  await connection.call('CLIENT', 'SETNAME', name);
  return connection;
}

/** The names of all clients that have one. */
async function clientNames(): Promise<string[]> {
  const list = String(await control.call('CLIENT', 'LIST'));
  return [...list.matchAll(/ name=(\w+) /g)].map((match) => match[1] ?? '').sort();
}

async function evictedClients(): Promise<number> {
  return Number(/evicted_clients:(\d+)/.exec(String(await control.call('INFO', 'stats')))?.[1]);
}

function names(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `name:${i}`);
}

/** The beginning of a request with an argument of `bytes`, and most of that. */
function unfinishedRequest(bytes: number): string {
  return `*2\r\n$${bytes}\r\n${'v'.repeat(bytes - 10)}`;
}

describe('one client is closed for', () => {
  test.each([
    [
      'a request of which much has come',
      (client: RawConnection) => client.sendText(unfinishedRequest(3 * MB)),
    ],
    [
      'a transaction that is queued',
      (client: RawConnection) => {
        client.send(['MULTI']);
        for (let i = 0; i < 5; i++) client.send(['SET', 'key', 'v'.repeat(MB)]);
      },
    ],
    [
      'the keys that it watches',
      (client: RawConnection) => {
        client.send(['WATCH', ...names(40_000)]);
      },
    ],
    [
      'the channels that it is subscribed to',
      (client: RawConnection) => {
        client.send(['SUBSCRIBE', ...names(40_000)]);
      },
    ],
  ])('%s', async (_what, send) => {
    const other = await connect('other');
    const greedy = await connect('greedy');
    send(greedy);
    await expect.poll(() => greedy.isClosed).toBe(true);
    expect(await clientNames()).toEqual(['other']);
    expect(await evictedClients()).toBe(1);
    expect(await other.call('PING')).toEqual({ status: 'PONG' });
    other.close();
  });

  test('replies that it does not read', async () => {
    await control.call('SETRANGE', 'key', String(MB), 'v');
    const greedy = await connect('greedy');
    greedy.pause();
    for (let i = 0; i < 40; i++) greedy.send(['GET', 'key']);
    await expect.poll(clientNames).toEqual([]);
    greedy.close();
  });
});

test('the largest go first, and only until the others fit', async () => {
  await control.call('CONFIG', 'SET', 'maxmemory-clients', '0');
  const clients: RawConnection[] = [];
  for (const [name, bytes] of Object.entries({
    small: 200_000,
    medium: 600_000,
    large: MB,
    protected: 2 * MB,
  })) {
    const client = await connect(name);
    if (name === 'protected') await client.call('CLIENT', 'NO-EVICT', 'ON');
    client.sendText(unfinishedRequest(bytes));
    await expect
      .poll(async () => String(await control.call('CLIENT', 'LIST')))
      .toMatch(new RegExp(`name=${name} .*qbuf=${bytes - 10} `));
    clients.push(client);
  }
  await control.call('CONFIG', 'SET', 'maxmemory-clients', String(3 * MB));
  expect(await clientNames()).toEqual(['medium', 'protected', 'small']);
  await control.call('CONFIG', 'SET', 'maxmemory-clients', String(2.5 * MB));
  expect(await clientNames()).toEqual(['protected', 'small']);
  await control.call('CONFIG', 'SET', 'maxmemory-clients', '1');
  expect(await clientNames()).toEqual(['protected']);
  expect(await evictedClients()).toBe(3);
  for (const client of clients) client.close();
});

test('a limit in percent is one of maxmemory, and none without that', async () => {
  await control.call('CONFIG', 'SET', 'maxmemory-clients', '10%');
  const client = await connect('client');
  client.sendText(unfinishedRequest(2 * MB));
  await expect
    .poll(async () => String(await control.call('CLIENT', 'LIST')))
    .toMatch(new RegExp(`name=client .*qbuf=${2 * MB - 10} `));
  expect(await clientNames()).toEqual(['client']);
  await control.call('CONFIG', 'SET', 'maxmemory', '30mb');
  expect(await clientNames()).toEqual(['client']);
  await control.call('CONFIG', 'SET', 'maxmemory', '10mb');
  expect(await clientNames()).toEqual([]);
  client.close();
});
