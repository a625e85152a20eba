/** Random commands about the connection, and about the channels of which it knows. */
import { sameShape } from './comparisons.js';
import type { Family } from './differential.js';
import type { Random } from './random.js';
import type { Argument } from './wire.js';

/** No client has this number. */
const NO_CLIENT = '4611686018427387904';
const NAMES = ['name', 'a-b', '', 'with space', 'line\n', '\0', 'ü', '~!'];

export const connectionFamily: Family = {
  name: 'connection',
  kinds: [
    [3, (random) => ['PING', ...message(random)]],
    [2, (random) => ['ECHO', random.value()]],
    [2, (random) => ['SELECT', random.chance(0.7) ? random.integerBetween(-1, 17) : random.integer()]],
    [1, (random) => ({ args: ['HELLO', ...hello(random)], alike: sameShape })],
    [0.5, () => ['RESET']],
    [2, (random) => ['CLIENT', 'SETNAME', random.pick(NAMES)]],
    [2, () => ['CLIENT', 'GETNAME']],
    [2, (random) => ['CLIENT', 'SETINFO', random.pick(['LIB-NAME', 'lib-ver', 'x']), random.pick(NAMES)]],
    [1, (random) => ['CLIENT', random.pick(['NO-EVICT', 'NO-TOUCH']), random.pick(['ON', 'off', 'x'])]],
    [1, (random) => ['CLIENT', 'CACHING', random.pick(['YES', 'no', 'x'])]],
    [1, () => ['CLIENT', 'GETREDIR']],
    [2, () => ['CLIENT', 'TRACKINGINFO']],
    [2, (random) => ['CLIENT', 'TRACKING', random.pick(['OFF', 'x']), ...tracking(random)]],
    // Such a connection is told nothing, as it uses RESP2 or broadcasts keys that nobody changes.
    [2, () => ['CLIENT', 'TRACKING', 'ON', 'BCAST', 'PREFIX', 'nosuch:']],
    [3, (random) => ({ args: ['CLIENT', 'KILL', ...kill(random)], isFragile: true })],
    [1, (random) => ({ args: ['CLIENT', 'LIST', ...list(random)], isFragile: true })],
    [1, (random) => ['CLIENT', 'UNBLOCK', random.pick([NO_CLIENT, 'x']), ...unblock(random)]],
    [
      1,
      (random) => ['CLIENT', 'PAUSE', random.pick(['0', '-1', 'x']), ...random.pick([[], ['WRITE'], ['x']])],
    ],
    [1, () => ['CLIENT', 'UNPAUSE']],
    [1, () => ['CLIENT', 'REPLY', 'ON']],
    [1, (random) => ['PUBLISH', random.key(), random.value()]],
    [1, (random) => ['SPUBLISH', random.key(), random.value()]],
    [1, (random) => ['PUBSUB', 'CHANNELS', random.key()]],
    [1, (random) => ['PUBSUB', 'NUMSUB', ...random.several(0, 3, () => random.key())]],
    [1, (random) => ['PUBSUB', 'SHARDNUMSUB', ...random.several(0, 3, () => random.key())]],
    [1, (random) => ['PUBSUB', random.pick(['SHARDCHANNELS', 'NUMPAT', 'x'])]],
    [1, (random) => ({ args: ['SLOWLOG', 'GET', random.pick(['0', '-2', 'x'])], isFragile: true })],
    [
      1,
      (random) => ({
        args: ['LATENCY', random.pick(['HISTORY', 'GRAPH', 'RESET', 'HISTOGRAM']), 'nosuch'],
        isFragile: true,
      }),
    ],
  ],
};

function message(random: Random): Argument[] {
  return random.chance(0.5) ? [] : random.several(1, 2, () => random.value());
}

function hello(random: Random): Argument[] {
  const version = random.pick(['2', '3', '1', '4', 'x']);
  return random.chance(0.3)
    ? []
    : [
        version,
        ...(random.chance(0.5) ? [] : random.pick([['SETNAME', random.pick(NAMES)], ['AUTH'], ['x']])),
      ];
}

function tracking(random: Random): Argument[] {
  return random.options(
    () => ['REDIRECT', random.pick([NO_CLIENT, 'x', '0'])],
    () => ['PREFIX', random.key()],
    () => ['BCAST'],
    () => ['OPTIN'],
    () => ['OPTOUT'],
    () => ['NOLOOP'],
  );
}

/** Options of CLIENT KILL that fit no client. */
function kill(random: Random): Argument[] {
  if (random.chance(0.2)) return [random.pick(['127.0.0.1:1', 'x'])];
  const others = random.options(
    () => ['TYPE', random.pick(['normal', 'REPLICA', 'master', 'x'])],
    () => ['USER', random.pick(['default', 'x'])],
    () => ['ADDR', 'x:1'],
    () => ['LADDR', 'x:1'],
    () => ['SKIPME', random.pick(['yes', 'NO', 'x'])],
    () => ['MAXAGE', random.pick(['100000', '0', '-1', 'x'])],
  );
  return ['ID', random.pick([NO_CLIENT, NO_CLIENT, '0', '-1', 'x']), ...others];
}

/** Options of CLIENT LIST that fit no client. */
function list(random: Random): Argument[] {
  return random.pick([['ID', NO_CLIENT], ['ID', 'x'], ['TYPE', 'x'], ['x']]);
}

function unblock(random: Random): Argument[] {
  return random.pick([[], ['TIMEOUT'], ['error'], ['x']]);
}
