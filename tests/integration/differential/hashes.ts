/** Random commands on hashes, without field expiry (hash-field-expiry.ts has that). */
import { inAnyOrder, pairsInAnyOrder, sameShape, scanned } from './comparisons.js';
import type { Family } from './differential.js';
import type { Random } from './random.js';
import type { Argument } from './wire.js';

const kinds: Family['kinds'] = [
  [14, (random) => ['HSET', random.key(), ...pairs(random)]],
  [3, (random) => ['HSET', random.key(), ...run(random)]],
  [2, (random) => ['HMSET', random.key(), ...pairs(random)]],
  [4, (random) => ['HSETNX', random.key(), field(random), random.value()]],
  [6, (random) => ['HGET', random.key(), field(random)]],
  [4, (random) => ['HMGET', random.key(), ...fields(random)]],
  [6, (random) => ['HDEL', random.key(), ...fields(random)]],
  [2, (random) => ['HDEL', random.key(), ...run(random)]],
  [2, (random) => ['HEXISTS', random.key(), field(random)]],
  [2, (random) => ['HLEN', random.key()]],
  [3, (random) => ['HSTRLEN', random.key(), field(random)]],
  [3, (random) => ({ args: ['HGETALL', random.key()], alike: pairsInAnyOrder })],
  [2, (random) => ({ args: ['HKEYS', random.key()], alike: inAnyOrder })],
  [2, (random) => ({ args: ['HVALS', random.key()], alike: inAnyOrder })],
  [7, (random) => ['HINCRBY', random.key(), field(random), random.integer()]],
  [5, (random) => ['HINCRBYFLOAT', random.key(), field(random), random.float()]],
  [2, (random) => ({ args: ['HRANDFIELD', random.key()], alike: sameShape })],
  [
    3,
    (random) => ({
      args: ['HRANDFIELD', random.key(), pickCount(random), ...withValues(random)],
      alike: sameShape,
    }),
  ],
  [
    2,
    (random) => ({
      args: ['HRANDFIELD', random.key(), '4611686018427387903'],
      alike: inAnyOrder,
      isFragile: true,
    }),
  ],
  [
    2,
    (random) => ({ args: ['HSCAN', random.key(), cursor(random), ...scanOptions(random)], alike: sameShape }),
  ],
  [
    3,
    (random) => ({
      args: ['HSCAN', random.key(), 0, ...scanOptions(random), 'COUNT', 100_000],
      alike: scanned,
      isFragile: true,
    }),
  ],
  [5, (random) => ['OBJECT', 'ENCODING', random.key()]],
  [2, (random) => ['DEL', random.key()]],
  [2, (random) => ['COPY', random.key(), random.key(), 'REPLACE']],
  [1, (random) => ['RENAME', random.key(), random.key()]],
  [1, (random) => ['EXPIRE', random.key(), random.seconds()]],
  [1, (random) => random.valueOfOtherType()],
];

/** With the limits of encodings as they are by default. */
export const hashesFamily: Family = { name: 'hashes', before: [hashLimits(512, 64)], kinds };

/** With such low limits that nearly every command is about one. */
export const smallHashesFamily: Family = { name: 'hashes, low limits', before: [hashLimits(4, 10)], kinds };

/** With no listpacks at all. */
export const largeHashesFamily: Family = { name: 'hashes, no listpacks', before: [hashLimits(0, 64)], kinds };

/** The command that says up to which size hashes are listpacks. */
export function hashLimits(entries: number, value: number): Argument[] {
  return ['CONFIG', 'SET', 'hash-max-listpack-entries', entries, 'hash-max-listpack-value', value];
}

/** A field, from few, so that the same ones come again. */
export function field(random: Random): Argument {
  return random.weighted<() => Argument>([
    [6, () => `f${random.integerBetween(0, 7)}`],
    [2, () => random.integerBetween(-3, 9)],
    [2, () => random.member()],
  ])();
}

/** Some fields. */
export function fields(random: Random): Argument[] {
  return random.several(1, 5, () => field(random));
}

/** Some fields with values, mostly short ones. */
export function pairs(random: Random): Argument[] {
  return random.several(1, 5, () => [field(random), value(random)]).flat();
}

function value(random: Random): Argument {
  return random.chance(0.7) ? random.pick(['v', 'value', 1, 2, -70_000, 'a bit longer']) : random.value();
}

/** Many fields with values at once, about the limit of listpacks. */
function run(random: Random): Argument[] {
  const count = random.integerBetween(1, random.pick([10, 60, 250, 300]));
  const prefix = random.pick(['f', 'f', '', 'w'.repeat(61)]);
  return Array.from({ length: count }, (_, i) => [`${prefix}${i}`, i]).flat();
}

/** Not so many that a reply gets huge. */
function pickCount(random: Random): Argument {
  const counts =
    '0 1 2 3 5 10 50 600 -1 -2 -5 -100 -9223372036854775808 4611686018427387904 9223372036854775808 1.5 x';
  return random.pick([...counts.split(' '), '']);
}

function withValues(random: Random): Argument[] {
  return random.chance(0.5) ? [random.anyCase('WITHVALUES')] : [];
}

function cursor(random: Random): Argument {
  return random.pick(['0', '0', '1', '17', '4294967296', '-1', 'x', '', ' 5', '18446744073709551616']);
}

function scanOptions(random: Random): Argument[] {
  return random.options(
    () => ['MATCH', random.pick(['*', 'f*', '[0-9]', 'f?', 'nosuch', ''])],
    () => ['COUNT', random.pick(['1', '5', '10', '1000', '0', '-1', 'x'])],
    () => ['NOVALUES'],
  );
}
