/**
 * A process of its own that pings servers a thousand times a second and measures how long each reply takes.
 *
 * It pings whether or not the reply before has come, so that a stall of 100 ms is met by 100 pings and not by one.
 * Started with the ports of the servers; says 'ready', and on 'stop' sends an array of waits in ms for each.
 */
import { once } from 'node:events';
import { connect } from 'node:net';

const INTERVAL_MS = 1;
const PING = Buffer.from('PING\r\n');
const LF = 0x0a;

/** @param {number} port */
async function startPinging(port) {
  const socket = connect(port, '127.0.0.1');
  socket.setNoDelay(true);
  await once(socket, 'connect');
  /** @type {number[]} */
  const waits = [];
  /** When the pings were sent whose replies are still to come. @type {number[]} */
  const sent = [];
  socket.on('data', (chunk) => {
    const now = performance.now();
    for (const byte of chunk) if (byte === LF) waits.push(now - /** @type {number} */ (sent.shift()));
  });
  const ping = () => {
    sent.push(performance.now());
    socket.write(PING);
  };
  return { ping, waits, sent };
}

const pingers = await Promise.all(process.argv.slice(2).map((port) => startPinging(Number(port))));
const timer = setInterval(() => {
  for (const pinger of pingers) pinger.ping();
}, INTERVAL_MS);

process.on('message', async () => {
  clearInterval(timer);
  // A stall at the very end counts as well: the last reply is waited for.
  while (pingers.some((pinger) => pinger.sent.length > 0))
    await new Promise((resolve) => setTimeout(resolve, 1));
  process.send?.(
    pingers.map((pinger) => pinger.waits),
    () => process.exit(0),
  );
});
process.send?.('ready');
