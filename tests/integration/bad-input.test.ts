import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createServer, type RespiteServer } from '../../src/index.js';
import { Memory } from '../../src/memory/memory.js';
import { RandomBytes } from '../support/random-bytes.js';

/** Bad input brings Redis's errors, and never a crash, a leak or a client that hangs. */

const FUZZED_REQUESTS = 100_000;

let respite: RespiteServer;
let memory: Memory;

beforeEach(async () => {
  memory = new Memory();
  respite = await createServer({ memory });
});

afterEach(async () => {
  await respite.close();
});

async function open(): Promise<Socket> {
  const socket = connect(respite.port, respite.host);
  socket.on('error', () => {}); // the server may close while we write
  await once(socket, 'connect');
  return socket;
}

/** Sends bytes and resolves to everything that comes back until the server closes the connection. */
async function sendUntilClosed(bytes: string | Uint8Array): Promise<string> {
  const socket = await open();
  let received = '';
  socket.on('data', (data) => {
    received += data.toString('latin1');
  });
  socket.write(bytes);
  await once(socket, 'close');
  return received;
}

/** Sends bytes and resolves to the reply once it ends with `end`. */
async function sendUntilReply(socket: Socket, bytes: string | Uint8Array, end: string): Promise<string> {
  let received = '';
  const done = new Promise<string>((resolve, reject) => {
    const take = (data: Buffer) => {
      received += data.toString('latin1');
      if (!received.endsWith(end)) return;
      socket.off('data', take);
      resolve(received);
    };
    socket.on('data', take);
    socket.once('close', () => reject(new Error(`closed after ${JSON.stringify(received)}`)));
  });
  socket.write(bytes);
  return done;
}

describe('what breaks the protocol gets the error of Redis and ends the connection', () => {
  test.each([
    ['*3\r\n$3\r\nSET\r\n$1\r\nx\r\nfoo\r\n', "-ERR Protocol error: expected '$', got 'f'\r\n"],
    ['*2\r\n$3\r\nGET\r\n$-1\r\n', '-ERR Protocol error: invalid bulk length\r\n'],
    ['*2\r\n$3\r\nGET\r\n$999999999999\r\n', '-ERR Protocol error: invalid bulk length\r\n'],
    ['*2\r\n$3\r\nGET\r\n$abc\r\n', '-ERR Protocol error: invalid bulk length\r\n'],
    ['*2147483648\r\n', '-ERR Protocol error: invalid multibulk length\r\n'],
    ['*abc\r\n', '-ERR Protocol error: invalid multibulk length\r\n'],
    ['SET "x\r\n', '-ERR Protocol error: unbalanced quotes in request\r\n'],
    [`${'x'.repeat(70_000)}`, '-ERR Protocol error: too big inline request\r\n'],
    [`*${'1'.repeat(70_000)}`, '-ERR Protocol error: too big mbulk count string\r\n'],
    [`*1\r\n$${'1'.repeat(70_000)}`, '-ERR Protocol error: too big bulk count string\r\n'],
  ])('%#', async (request, reply) => {
    expect(await sendUntilClosed(request)).toBe(reply);
  });

  test('replies to what came before are sent first', async () => {
    expect(await sendUntilClosed('PING\r\n*1\r\nPING\r\n')).toBe(
      "+PONG\r\n-ERR Protocol error: expected '$', got 'P'\r\n",
    );
  });

  test('clients that have not authenticated may only send little', async () => {
    await respite.close();
    respite = await createServer({ password: 'secret' });
    expect(await sendUntilClosed('*11\r\n')).toBe(
      '-ERR Protocol error: unauthenticated multibulk length\r\n',
    );
    expect(await sendUntilClosed('*2\r\n$4\r\nAUTH\r\n$16385\r\n')).toBe(
      '-ERR Protocol error: unauthenticated bulk length\r\n',
    );
  });
});

describe('requests in pieces', () => {
  test('a request may be split at any byte', async () => {
    const socket = await open();
    const request = '*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n$5\r\nva\r\nl\r\nPING "a\\x41"\r\n*0\r\n\r\nPING\r\n';
    for (let split = 1; split < request.length; split++) {
      const reply = sendUntilReply(socket, request.slice(0, split), '+PONG\r\n');
      setImmediate(() => socket.write(request.slice(split)));
      expect(await reply).toBe('+OK\r\n$2\r\naA\r\n+PONG\r\n');
    }
    socket.destroy();
  });

  test('a large argument in many pieces arrives whole', async () => {
    const socket = await open();
    const value = Buffer.from(Array.from({ length: 300_000 }, (_, i) => i % 251));
    const request = Buffer.concat([
      Buffer.from(`*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$${value.length}\r\n`),
      value,
      Buffer.from('\r\n*2\r\n$6\r\nSTRLEN\r\n$1\r\nk\r\n'),
    ]);
    const reply = sendUntilReply(socket, request.subarray(0, 40_000), ':300000\r\n');
    for (let at = 40_000; at < request.length; at += 7_777) socket.write(request.subarray(at, at + 7_777));
    expect(await reply).toBe('+OK\r\n:300000\r\n');
    const got = await sendUntilReply(socket, 'GET k\r\n', '\r\n');
    expect(
      Buffer.from(got, 'latin1')
        .subarray(9, 9 + value.length)
        .equals(value),
    ).toBe(true);
    socket.destroy();
  });

  test('a client that leaves in the middle of a request is forgotten', async () => {
    for (let i = 0; i < 50; i++) {
      const socket = await open();
      socket.write(`*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$${1000 * (i + 1)}\r\nabc`);
      await new Promise<void>((resolve) => socket.end(() => resolve()));
      socket.destroy();
    }
    const socket = await open();
    expect(await sendUntilReply(socket, 'DBSIZE\r\n', '\r\n')).toBe(':0\r\n');
    while (respite.server.clients.count > 1) await sendUntilReply(socket, 'PING\r\n', '\r\n');
    socket.destroy();
  });
});

test(`${FUZZED_REQUESTS} fuzzed requests neither crash, leak nor leave a client stuck`, async () => {
  const random = new RandomBytes(Number(process.env.RESPITE_FUZZ_SEED ?? 20261123));
  const before = memory.usedBytes;
  let socket = await open();
  let isOpen = true;
  const reopen = async () => {
    socket = await open();
    isOpen = true;
    socket.resume();
    socket.once('close', () => {
      isOpen = false;
    });
  };
  socket.destroy();
  await reopen();
  for (let sent = 0; sent < FUZZED_REQUESTS; ) {
    const batch: Buffer[] = [];
    for (let i = 0; i < 200; i++) batch.push(fuzzedRequest(random));
    sent += batch.length;
    // Whatever the server makes of these bytes, it must read them: a full socket means that it has stopped.
    await new Promise<void>((resolve) => {
      if (!isOpen) resolve();
      else socket.write(Buffer.concat(batch), () => resolve());
    });
    if (!isOpen || random.below(4) === 0) {
      if (random.below(2) === 0) socket.destroy();
      else socket.resetAndDestroy();
      await reopen();
    }
  }
  socket.destroy();
  const last = await open();
  expect(await sendUntilReply(last, '*1\r\n$4\r\nPING\r\n', '+PONG\r\n')).toBe('+PONG\r\n');
  await sendUntilReply(last, 'FLUSHALL SYNC\r\n', '+OK\r\n');
  while (respite.server.clients.count > 1) await sendUntilReply(last, 'PING\r\n', '+PONG\r\n');
  respite.server.keyspace.lazyFree.drain();
  expect(memory.usedBytes).toBe(before);
  last.destroy();
}, 120_000);

const COMMANDS = [
  'GET',
  'SET',
  'DEL',
  'INCR',
  'INCRBY',
  'APPEND',
  'SETRANGE',
  'GETRANGE',
  'EXPIRE',
  'TTL',
  'MSET',
  'MGET',
  'RENAME',
  'COPY',
  'TYPE',
  'OBJECT',
  'SCAN',
  'LCS',
  'GETEX',
  'SELECT',
  'HELLO',
  'ECHO',
  'COMMAND',
  'INCRBYFLOAT',
  'NOSUCH',
];

/** A request that is right, nearly right, or no request at all. */
function fuzzedRequest(random: RandomBytes): Buffer {
  const count = random.below(5);
  const parts: Buffer[] = [Buffer.from(`*${count + 1}\r\n`), bulk(Buffer.from(random.pick(COMMANDS)))];
  for (let i = 0; i < count; i++) parts.push(bulk(fuzzedArgument(random)));
  const request = Buffer.concat(parts);
  switch (random.below(400)) {
    case 0: // a byte is changed
      request[random.below(request.length)] = random.below(256);
      return request;
    case 1: // the end is missing
      return request.subarray(0, random.below(request.length));
    case 2: // garbage
      return random.bytes(random.below(100));
    case 3: // inline
      return Buffer.concat([random.bytes(random.below(30)), Buffer.from('\r\n')]);
    default:
      return request;
  }
}

function bulk(bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from('\r\n')]);
}

function fuzzedArgument(random: RandomBytes): Buffer {
  switch (random.below(6)) {
    case 0:
      return Buffer.from(String(random.below(100) - 50));
    case 1:
      return Buffer.from(random.pick(['9223372036854775807', '-9223372036854775808', '1e400', 'nan', '']));
    case 2:
      return random.bytes(random.below(300));
    case 3:
      return Buffer.from(
        random.pick(['EX', 'PX', 'NX', 'XX', 'GET', 'MATCH', 'COUNT', 'IDX', 'LEN', 'REPLACE']),
      );
    default:
      return Buffer.from(`key:${random.below(20)}`);
  }
}

test('timeout closes silent clients, but for those that wait for messages', async () => {
  const silent = await open();
  const subscriber = await open();
  await sendUntilReply(subscriber, 'SUBSCRIBE news\r\n', ':1\r\n');
  const control = await open();
  await sendUntilReply(control, 'CONFIG SET timeout 1 hz 100\r\n', '+OK\r\n');
  const closed = once(silent, 'close');
  const ticker = setInterval(() => control.write('PING\r\n'), 100);
  control.resume();
  silent.resume();
  await closed;
  clearInterval(ticker);
  expect(subscriber.closed).toBe(false);
  expect(control.closed).toBe(false);
  subscriber.destroy();
  control.destroy();
});
