import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import type { Connection, ListenAddress, Listener } from '../../../src/network/connection.js';
import { EpollConnection } from '../../../src/network/epoll/epoll-connection.js';
import { eventPoll } from '../../../src/network/epoll/event-poll.js';
import { LibuvConnection } from '../../../src/network/libuv-connection.js';
import { type ConnectionKind, NetTransport } from '../../../src/network/net-transport.js';
import { StreamConnection } from '../../../src/network/stream-connection.js';

const ANY_PORT: ListenAddress = { host: '127.0.0.1', port: 0, backlog: 16 };

const cleanUp: (() => unknown)[] = [];

afterEach(async () => {
  for (const step of cleanUp.splice(0)) await step();
});

/** What a listener heard, and promises of what it will hear. */
class Heard {
  text = '';
  drains = 0;
  inputEnds = 0;
  closes = 0;
  #wake: () => void = () => {};

  constructor(readonly connection: Connection) {
    connection.listener = {
      received: (bytes, length) => {
        this.text += Buffer.from(bytes.subarray(0, length)).toString('latin1');
        this.received(bytes, length);
        this.#wake();
      },
      inputEnded: () => {
        this.inputEnds++;
        this.#wake();
      },
      drained: () => {
        this.drains++;
        this.#wake();
      },
      closed: () => {
        this.closes++;
        this.#wake();
      },
    };
  }

  /** What else a test does with what was received. */
  received: (bytes: Uint8Array, length: number) => void = () => {};

  async until(isSo: () => boolean): Promise<void> {
    while (!isSo()) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

/** A connection from both of its ends. */
async function connected(
  kind: ConnectionKind,
  address: ListenAddress = ANY_PORT,
): Promise<{ heard: Heard; client: Socket }> {
  const accepted: Connection[] = [];
  const listener: Listener = await new NetTransport(kind).listen(address, (connection) => {
    accepted.push(connection);
  });
  const client = 'path' in address ? connect(address.path) : connect(listener.port, '127.0.0.1');
  client.on('error', () => {});
  await once(client, 'connect');
  while (accepted.length === 0) await new Promise((resolve) => setImmediate(resolve));
  const [connection] = accepted;
  cleanUp.push(
    () => client.destroy(),
    () => connection.destroy(),
    () => listener.close(),
  );
  return { heard: new Heard(connection), client };
}

function sendText(connection: Connection, text: string): void {
  const bytes = Buffer.from(`..${text}..`, 'latin1');
  connection.send(bytes, 2, text.length);
  bytes.fill(0x21); // it may be used again at once
}

async function readText(client: Socket, length: number): Promise<string> {
  let text = '';
  while (text.length < length) text += (await once(client, 'data'))[0].toString('latin1');
  return text;
}

const KINDS: readonly ConnectionKind[] = ['epoll', 'libuv', 'streams'];

describe.each(KINDS)('connections on %s', (kind) => {
  test('are of the kind that was asked for', async () => {
    const { heard } = await connected(kind);
    const expected = { epoll: EpollConnection, libuv: LibuvConnection, streams: StreamConnection }[kind];
    // Elsewhere than on Linux, libuv takes the place of the epoll.
    const isThere = kind !== 'epoll' || eventPoll() !== null;
    expect(heard.connection).toBeInstanceOf(isThere ? expected : LibuvConnection);
    expect(eventPoll() !== null).toBe(
      process.platform === 'linux' && ['x64', 'arm64'].includes(process.arch),
    );
  });

  test('pass bytes both ways, and tell who is connected', async () => {
    const { heard, client } = await connected(kind);
    const { connection } = heard;
    expect(connection.remoteAddress).toBe(`127.0.0.1:${client.localPort}`);
    expect(connection.localAddress).toBe(`127.0.0.1:${client.remotePort}`);
    expect([connection.isLoopback, connection.isUnixSocket]).toEqual([true, false]);
    expect(connection.fd).toBeGreaterThan(0);
    client.write('PING\r\n');
    await heard.until(() => heard.text === 'PING\r\n');
    connection.setKeepAlive(300);
    for (const text of ['+PONG\r\n', '+PING\r\n', 'x'.repeat(300), 'y'.repeat(20_000)]) {
      sendText(connection, text);
      expect(await readText(client, text.length)).toBe(text);
    }
    expect(connection.queuedBytes).toBe(0);
  });

  test('work over a unix socket', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'respite-transport-'));
    cleanUp.push(() => rmSync(directory, { recursive: true }));
    const path = join(directory, 'socket');
    const { heard, client } = await connected(kind, { path, permissions: 0o700, backlog: 16 });
    expect(heard.connection.remoteAddress).toBe(`${path}:0`);
    expect([heard.connection.isLoopback, heard.connection.isUnixSocket]).toEqual([true, true]);
    heard.connection.setKeepAlive(300);
    client.write('a');
    await heard.until(() => heard.text === 'a');
    sendText(heard.connection, 'b');
    expect(await readText(client, 1)).toBe('b');
  });

  test('queue what a slow reader does not take, in order, and say when it is gone', async () => {
    const { heard, client } = await connected(kind);
    const { connection } = heard;
    client.pause();
    let expected = '';
    // Small writes first, until the system takes no more, so that one of those has to wait as well.
    for (let i = 0; connection.queuedBytes === 0 || i % 50 !== 0; i++) {
      const text = `${i}|`.repeat(2000).slice(0, 8000);
      expected += text;
      sendText(connection, text);
    }
    for (const text of ['small', 'L'.repeat(100_000), 'end']) {
      expected += text;
      sendText(connection, text);
    }
    expect(connection.queuedBytes).toBeGreaterThan(100_000);
    client.resume();
    expect((await readText(client, expected.length)) === expected).toBe(true);
    await heard.until(() => heard.drains === 1);
    expect(connection.queuedBytes).toBe(0);
    sendText(connection, 'again');
    expect(await readText(client, 5)).toBe('again');
  });

  test('close at the end of what is queued', async () => {
    const { heard, client } = await connected(kind);
    client.pause();
    const large = 'z'.repeat(20_000_000);
    sendText(heard.connection, large);
    heard.connection.end();
    sendText(heard.connection, 'too late');
    const ended = once(client, 'end');
    client.resume();
    expect((await readText(client, large.length)) === large).toBe(true);
    await ended;
    await heard.until(() => heard.closes === 1);
  });

  test('end for the other side without an error, even with input that nobody has read', async () => {
    const { heard, client } = await connected(kind);
    const events: string[] = [];
    client.on('error', ({ message }) => events.push(message));
    client.on('end', () => events.push('end'));
    heard.connection.pause();
    sendText(heard.connection, 'bye');
    expect(await readText(client, 3)).toBe('bye');
    await new Promise((resolve) => client.write('more', resolve));
    heard.connection.end();
    await once(client, 'close');
    expect(events).toEqual(['end']);
    expect(heard.closes).toBe(1);
  });

  test('close once, from either side', async () => {
    const first = await connected(kind);
    first.heard.connection.destroy();
    first.heard.connection.destroy();
    expect([first.heard.inputEnds, first.heard.closes]).toEqual([0, 1]);
    sendText(first.heard.connection, 'nobody hears this');
    await once(first.client, 'close');
    const second = await connected(kind);
    second.client.resetAndDestroy();
    await second.heard.until(() => second.heard.closes === 1);
    expect(second.heard.inputEnds).toBe(1);
    second.heard.connection.end();
    second.heard.connection.pause();
    second.heard.connection.resume();
    expect(second.heard.closes).toBe(1);
  });

  test('reply to what came before the end of input', async () => {
    const { heard, client } = await connected(kind);
    heard.received = () => setImmediate(() => sendText(heard.connection, 'reply'));
    client.end('request');
    expect(await readText(client, 5)).toBe('reply');
    await heard.until(() => heard.closes === 1);
    expect(heard.inputEnds).toBe(1);
  });

  test('hold up a sender while they are paused', async () => {
    const { heard, client } = await connected(kind);
    heard.connection.pause();
    // More than the buffers of both ends hold, so that it cannot be sent while nobody reads.
    const sent = new Promise((resolve) => client.write(Buffer.alloc(32 << 20), resolve));
    const other = await connected(kind);
    other.client.write('x');
    await other.heard.until(() => other.heard.text === 'x');
    expect(heard.text).toBe('');
    heard.connection.resume();
    await sent;
    await heard.until(() => heard.text.length === 32 << 20);
  });

  test('read straight into a buffer that they are given, during a read', async () => {
    const { heard, client } = await connected(kind);
    const { connection } = heard;
    expect(connection.readInto(new Uint8Array(10))).toBe(false);
    const own = new Uint8Array(100_000);
    let filled = 0;
    heard.received = (bytes, length) => {
      if (bytes.buffer === own.buffer) filled += length;
      const rest = filled < own.length ? own.subarray(filled) : undefined;
      expect(connection.readInto(rest)).toBe(true);
    };
    client.write('head');
    await heard.until(() => heard.text === 'head');
    client.write(Buffer.alloc(own.length, 'b'));
    await heard.until(() => filled === own.length);
    expect(own.every((byte) => byte === 0x62)).toBe(true);
    client.write('tail');
    await heard.until(() => heard.text.endsWith('tail'));
    expect(filled).toBe(own.length);
  });
});

test.each(KINDS.slice(0, 2))(
  'a sender without end holds up nobody, by %s: others are read after one of its reads',
  async (kind) => {
    const accepted: Heard[] = [];
    const listener = await new NetTransport(kind).listen(ANY_PORT, (connection) => {
      accepted.push(new Heard(connection));
    });
    cleanUp.push(() => listener.close());
    const clients = [connect(listener.port, '127.0.0.1'), connect(listener.port, '127.0.0.1')];
    for (const client of clients) cleanUp.push(() => client.destroy());
    while (accepted.length < 2) await new Promise((resolve) => setImmediate(resolve));
    const [greedy, modest] = accepted;
    greedy.connection.pause();
    modest.connection.pause();
    const port = Number(greedy.connection.remoteAddress.split(':')[1]);
    const [greedyClient, modestClient] = clients.toSorted((a) => (a.localPort === port ? -1 : 1));
    greedyClient.write(Buffer.alloc(16 << 20));
    modestClient.write('x');
    // What is in the buffers of the system is there to be read at once: 1 MiB or more of the greedy one.
    for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
    let before = -1;
    modest.received = () => {
      before = greedy.text.length;
    };
    greedy.connection.resume();
    modest.connection.resume();
    await modest.until(() => before >= 0);
    expect(before).toBeLessThanOrEqual(2 * 16 * 1024);
    await greedy.until(() => greedy.text.length === 16 << 20);
  },
);

test('a stale unix socket is replaced, and a busy port refused', async () => {
  const { heard, client } = await connected('libuv');
  expect(heard.closes).toBe(0);
  const taken = client.remotePort ?? 0;
  await expect(
    new NetTransport().listen({ host: '127.0.0.1', port: taken, backlog: 1 }, () => {}),
  ).rejects.toThrow('EADDRINUSE');
  const directory = mkdtempSync(join(tmpdir(), 'respite-transport-'));
  cleanUp.push(() => rmSync(directory, { recursive: true }));
  const path = join(directory, 'socket');
  for (let i = 0; i < 2; i++) {
    const listener = await new NetTransport().listen({ path, permissions: 0, backlog: 1 }, () => {});
    cleanUp.push(() => listener.close());
  }
});
