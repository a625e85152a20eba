/** Random commands on keys, whatever their values are. */
import {
  type Comparison,
  inAnyOrder,
  millisecondsAlike,
  sameShape,
  scanned,
  secondsAlike,
} from './comparisons.js';
import type { Family } from './differential.js';
import type { Random } from './random.js';
import type { Argument } from './wire.js';

const DATABASE_NUMBERS = [
  '0',
  '1',
  '2',
  '3',
  '15',
  '16',
  '-1',
  'x',
  '2147483647',
  '2147483648',
  '99999999999999999999',
];
const PATTERNS = [
  '*',
  'a',
  'key:*',
  'key:?',
  '[a-c]',
  '[^a]',
  '\\*',
  'a*',
  '*L',
  '',
  '?',
  '{tag}*',
  '[',
  'nosuch',
];
const TYPES = ['string', 'list', 'set', 'zset', 'hash', 'stream', 'module', 'STRING', 'nosuch', ''];

/** A copied small integer has a count of its own in Redis, any other the one of the shared integer. */
const referenceCountsAlike: Comparison = (ours, theirs) =>
  [ours, theirs].every((reply) => 'text' in reply && /^(1|2147483647)$/.test(reply.text));

export const keysFamily: Family = {
  name: 'keys',
  kinds: [
    [8, (random) => ['SET', random.key(), random.value()]],
    [4, (random) => ['SET', random.key(), random.value(), 'PX', random.milliseconds()]],
    [2, (random) => ['SET', random.key(), 'past', 'PXAT', random.unixMilliseconds()]],
    [6, (random) => random.valueOfOtherType()],
    [2, (random) => ['APPEND', random.key(), random.value()]],
    [1, (random) => ['GET', random.key()]],
    [
      2,
      (random) => [
        'SELECT',
        random.chance(0.7) ? random.integerBetween(0, 3) : random.pick(DATABASE_NUMBERS),
      ],
    ],
    [4, (random) => ['DEL', ...keys(random)]],
    [2, (random) => ['UNLINK', ...keys(random)]],
    [3, (random) => ['EXISTS', ...keys(random)]],
    [1, (random) => ['TOUCH', ...keys(random)]],
    [2, (random) => ['TYPE', random.key()]],
    [4, (random) => ['EXPIRE', random.key(), random.seconds(), ...conditions(random)]],
    [4, (random) => ['PEXPIRE', random.key(), random.milliseconds(), ...conditions(random)]],
    [4, (random) => ['EXPIREAT', random.key(), random.unixSeconds(), ...conditions(random)]],
    [4, (random) => ['PEXPIREAT', random.key(), random.unixMilliseconds(), ...conditions(random)]],
    [3, (random) => ({ args: [random.pick(['TTL', 'EXPIRETIME']), random.key()], alike: secondsAlike })],
    [
      3,
      (random) => ({ args: [random.pick(['PTTL', 'PEXPIRETIME']), random.key()], alike: millisecondsAlike }),
    ],
    [3, (random) => ['PERSIST', random.key()]],
    [6, (random) => [random.pick(['RENAME', 'RENAMENX']), random.key(), random.key()]],
    [8, (random) => ['COPY', random.key(), random.key(), ...copyOptions(random)]],
    [4, (random) => ['MOVE', random.key(), random.pick(DATABASE_NUMBERS)]],
    [1, () => ({ args: ['RANDOMKEY'], alike: sameShape })],
    [3, (random) => ({ args: ['KEYS', pattern(random)], alike: inAnyOrder })],
    [4, (random) => ({ args: ['SCAN', cursor(random), ...scanOptions(random)], alike: sameShape })],
    [
      4,
      (random) => ({
        args: ['SCAN', 0, ...scanOptions(random), 'COUNT', 100_000],
        alike: scanned,
        isFragile: true,
      }),
    ],
    [4, (random) => ['OBJECT', 'ENCODING', random.key()]],
    [1, (random) => ({ args: ['OBJECT', 'REFCOUNT', random.key()], alike: referenceCountsAlike })],
    // A shared integer of Redis was idle for as long as nobody used any key with its value.
    [1, (random) => ({ args: ['OBJECT', 'IDLETIME', random.key()], alike: sameShape })],
    [1, (random) => ['OBJECT', 'FREQ', random.key()]],
    [0.3, (random) => ['OBJECT', random.nonsense(), random.key()]],
  ],
};

function keys(random: Random): Argument[] {
  return random.several(1, 5, () => random.key());
}

function conditions(random: Random): Argument[] {
  if (random.chance(0.4)) return [];
  return random.options(
    () => ['NX'],
    () => ['XX'],
    () => ['GT'],
    () => ['LT'],
  );
}

function copyOptions(random: Random): Argument[] {
  return random.options(
    () => ['REPLACE'],
    () => ['DB', random.pick(DATABASE_NUMBERS)],
  );
}

function pattern(random: Random): Argument {
  return random.chance(0.8) ? random.pick(PATTERNS) : random.key();
}

/** What strtoull takes for a number, and what not. */
function cursor(random: Random): Argument {
  const unusual = [
    '-1',
    '-01',
    ' 7',
    '+7',
    '007',
    '18446744073709551615',
    '18446744073709551616',
    '1x',
    '',
    '0\0x',
  ];
  return random.chance(0.6) ? random.integerBetween(0, 20) : random.pick([...unusual, random.integer()]);
}

function scanOptions(random: Random): Argument[] {
  return random.options(
    () => ['MATCH', pattern(random)],
    () => ['COUNT', random.chance(0.7) ? random.integerBetween(1, 30) : random.integer()],
    () => ['TYPE', random.pick(TYPES)],
    () => ['NOVALUES'],
  );
}
