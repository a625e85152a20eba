/**
 * A process of its own that puts a steady load on a server, half GET and half SET of random keys, and measures how long
 * each reply takes from the moment at which the request was due: a server that stalls is not asked less.
 *
 * Started with PORT, requests a second, and the number of keys; says 'ready', and on 'stop' sends the waits in ms.
 */
import { once } from 'node:events';
import { connect } from 'node:net';
import { VALUE } from './rows/row.mjs';

const CONNECTIONS = 20;
const INTERVAL_MS = 1;
const LF = 0x0a;
const DOLLAR = 0x24;
const PLUS = 0x2b;

const [port, requestsPerSecond, keys] = process.argv.slice(2).map(Number);

/** A connection, and when its requests were due whose replies are still to come. */
class LoadedConnection {
  /** @param {import('node:net').Socket} socket */
  constructor(socket) {
    this.socket = socket;
    /** @type {number[]} */
    this.due = [];
    /** @type {number[]} */
    this.waits = [];
    let previous = LF;
    // A reply is one line, or, of a value, two: the values have no line ends.
    let isValue = false;
    socket.on('data', (chunk) => {
      const now = performance.now();
      for (const byte of chunk) {
        if (previous === LF && byte === DOLLAR) isValue = true;
        else if (byte === LF) {
          if (isValue) isValue = false;
          else this.waits.push(now - /** @type {number} */ (this.due.shift()));
        } else if (previous === LF && byte !== PLUS && byte !== VALUE.charCodeAt(0)) {
          throw new Error(`unexpected reply: ${chunk.toString('latin1')}`);
        }
        previous = byte;
      }
    });
  }

  /**
   * @param {number} due
   * @param {number} count
   */
  send(due, count) {
    let text = '';
    for (let i = 0; i < count; i++) {
      const key = `key:${String(Math.floor(Math.random() * keys)).padStart(12, '0')}`;
      text +=
        Math.random() < 0.5
          ? `*2\r\n$3\r\nGET\r\n$16\r\n${key}\r\n`
          : `*3\r\n$3\r\nSET\r\n$16\r\n${key}\r\n$${VALUE.length}\r\n${VALUE}\r\n`;
      this.due.push(due);
    }
    this.socket.write(text);
  }
}

const connections = await Promise.all(
  Array.from({ length: CONNECTIONS }, async () => {
    const socket = connect(port, '127.0.0.1');
    socket.setNoDelay(true);
    await once(socket, 'connect');
    return new LoadedConnection(socket);
  }),
);

const start = performance.now();
let sent = 0;
let next = 0;
const timer = setInterval(() => {
  const now = performance.now();
  // What a late timer owes is sent too, as of when it was due.
  while (sent < ((now - start) / 1000) * requestsPerSecond) {
    const due = start + (sent / requestsPerSecond) * 1000;
    connections[next].send(due, 1);
    next = (next + 1) % CONNECTIONS;
    sent++;
  }
}, INTERVAL_MS);

process.on('message', async () => {
  clearInterval(timer);
  while (connections.some(({ due }) => due.length > 0))
    await new Promise((resolve) => setTimeout(resolve, 1));
  process.send?.(
    connections.flatMap(({ waits }) => waits),
    () => process.exit(0),
  );
});
process.send?.('ready');
