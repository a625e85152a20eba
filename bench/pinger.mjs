/**
 * A process of its own that pings servers a thousand times a second and measures how long each reply takes.
 *
 * It pings whether or not the reply before has come, so that a stall of 100 ms is met by 100 pings and not by one.
 * Started with PORT:PID of the servers; says 'ready', and on 'stop' sends for each server an array of waits, and one of
 * what of them was the server's own making, in ms: without the time that the server's main thread, or this process,
 * was ready to run and had no core (the second figure of /proc/PID/schedstat).
 */
import { once } from 'node:events';
import { openSync, readSync } from 'node:fs';
import { connect } from 'node:net';

const INTERVAL_MS = 1;
const PING = Buffer.from('PING\r\n');
const LF = 0x0a;

/** @param {number | 'self'} pid */
function delayMeter(pid) {
  const file = openSync(`/proc/${pid}/schedstat`, 'r');
  const text = Buffer.alloc(100);
  /** How long its main thread has waited for a core until now, in ms. */
  return () =>
    Number(text.toString('latin1', 0, readSync(file, text, 0, text.length, 0)).split(' ')[1]) / 1e6;
}

const ownDelay = delayMeter('self');

/**
 * @param {number} port
 * @param {number} pid
 */
async function startPinging(port, pid) {
  const serverDelay = delayMeter(pid);
  const delay = () => ownDelay() + serverDelay();
  const socket = connect(port, '127.0.0.1');
  socket.setNoDelay(true);
  await once(socket, 'connect');
  /** @type {number[]} */
  const waits = [];
  /** @type {number[]} */
  const ownWaits = [];
  /** The pings whose replies are still to come. @type {{ at: number, delay: number }[]} */
  const sent = [];
  socket.on('data', (chunk) => {
    const now = performance.now();
    const delayNow = delay();
    for (const byte of chunk) {
      if (byte !== LF) continue;
      const ping = /** @type {{ at: number, delay: number }} */ (sent.shift());
      const wait = now - ping.at;
      waits.push(wait);
      ownWaits.push(Math.max(0, wait - (delayNow - ping.delay)));
    }
  });
  const ping = () => {
    const delayNow = delay();
    sent.push({ at: performance.now(), delay: delayNow });
    socket.write(PING);
  };
  return { ping, waits, ownWaits, sent };
}

const pingers = await Promise.all(
  process.argv.slice(2).map((target) => {
    const [port, pid] = target.split(':').map(Number);
    return startPinging(port, pid);
  }),
);
const timer = setInterval(() => {
  for (const pinger of pingers) pinger.ping();
}, INTERVAL_MS);

process.on('message', async () => {
  clearInterval(timer);
  // A stall at the very end counts as well: the last reply is waited for.
  while (pingers.some((pinger) => pinger.sent.length > 0))
    await new Promise((resolve) => setTimeout(resolve, 1));
  process.send?.(
    pingers.map(({ waits, ownWaits }) => ({ waits, ownWaits })),
    () => process.exit(0),
  );
});
process.send?.('ready');
