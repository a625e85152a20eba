/** Random commands on hashes whose fields expire. */

import type { Comparison } from './comparisons.js';
import { inAnyOrder, millisecondsAlike, pairsInAnyOrder, sameShape, scanned, within } from './comparisons.js';
import type { Family } from './differential.js';
import { field, fields, hashLimits, pairs } from './hashes.js';
import type { Random } from './random.js';
import type { Argument } from './wire.js';

/** Arrays of times, one for each field. */
const timesAlike = (one: Comparison): Comparison => {
  return (ours, theirs) =>
    'items' in ours &&
    'items' in theirs &&
    ours.items.length === theirs.items.length &&
    ours.items.every(
      (our, i) => JSON.stringify(our) === JSON.stringify(theirs.items[i]) || one(our, theirs.items[i]),
    );
};

const kinds: Family['kinds'] = [
  [10, (random) => ['HSET', random.key(), ...pairs(random)]],
  [3, (random) => ['HSET', random.key(), ...volatileFields(random, 12)]],
  [5, (random) => ['HEXPIRE', random.key(), random.seconds(), ...condition(random), ...counted(random)]],
  [
    5,
    (random) => ['HPEXPIRE', random.key(), random.milliseconds(), ...condition(random), ...counted(random)],
  ],
  [
    5,
    (random) => ['HEXPIREAT', random.key(), random.unixSeconds(), ...condition(random), ...counted(random)],
  ],
  [
    8,
    (random) => [
      'HPEXPIREAT',
      random.key(),
      random.unixMilliseconds(),
      ...condition(random),
      ...counted(random),
    ],
  ],
  [
    3,
    (random) => ({
      args: [random.pick(['HTTL', 'HEXPIRETIME']), random.key(), ...counted(random)],
      alike: timesAlike(within(10)),
    }),
  ],
  [
    4,
    (random) => ({
      args: [random.pick(['HPTTL', 'HPEXPIRETIME']), random.key(), ...counted(random)],
      alike: timesAlike(millisecondsAlike),
    }),
  ],
  [4, (random) => ['HPERSIST', random.key(), ...counted(random)]],
  [4, (random) => ['HGETDEL', random.key(), ...counted(random)]],
  [7, (random) => ['HGETEX', random.key(), ...expiry(random, 'PERSIST'), ...counted(random)]],
  [10, (random) => ['HSETEX', random.key(), ...setOptions(random), ...countedPairs(random)]],
  [3, (random) => ['HGET', random.key(), field(random)]],
  [2, (random) => ['HMGET', random.key(), ...fields(random)]],
  [4, (random) => ['HDEL', random.key(), ...fields(random)]],
  [2, (random) => ['HLEN', random.key()]],
  [1, (random) => ['HEXISTS', random.key(), field(random)]],
  [1, (random) => ['HSETNX', random.key(), field(random), 'v']],
  [3, (random) => ['HINCRBY', random.key(), field(random), random.integer()]],
  [2, (random) => ['HINCRBYFLOAT', random.key(), field(random), random.float()]],
  [3, (random) => ({ args: ['HGETALL', random.key()], alike: pairsInAnyOrder })],
  [1, (random) => ({ args: ['HKEYS', random.key()], alike: inAnyOrder })],
  [1, (random) => ({ args: ['HRANDFIELD', random.key(), 3, 'WITHVALUES'], alike: sameShape })],
  [2, (random) => ({ args: ['HSCAN', random.key(), 0, 'COUNT', 100_000], alike: scanned, isFragile: true })],
  [5, (random) => ['OBJECT', 'ENCODING', random.key()]],
  [2, (random) => ['DEL', random.key()]],
  [2, (random) => ['COPY', random.key(), random.key(), 'REPLACE']],
  [2, (random) => ['RENAME', random.key(), random.key()]],
  [1, (random) => ['MOVE', random.key(), random.integerBetween(0, 2)]],
  [1, (random) => ['SWAPDB', random.integerBetween(0, 2), random.integerBetween(0, 2)]],
  [1, (random) => ['EXPIRE', random.key(), random.seconds()]],
  [1, (random) => ['PERSIST', random.key()]],
  [1, (random) => random.valueOfOtherType()],
];

/** With the limits of encodings as they are by default. */
export const fieldExpiryFamily: Family = {
  name: 'field expiry',
  before: [hashLimits(512, 64)],
  kinds,
};

/** With such low limits that nearly every command is about one. */
export const smallFieldExpiryFamily: Family = {
  name: 'field expiry, low limits',
  before: [hashLimits(5, 12)],
  kinds,
};

/** With no listpacks at all. */
export const largeFieldExpiryFamily: Family = {
  name: 'field expiry, no listpacks',
  before: [hashLimits(0, 64)],
  kinds,
};

function condition(random: Random): Argument[] {
  return random.chance(0.5) ? [random.anyCase(random.pick(['NX', 'XX', 'GT', 'LT']))] : [];
}

/** `FIELDS numfields field...`, mostly right. */
function counted(random: Random): Argument[] {
  const named = fields(random);
  return [random.anyCase('FIELDS'), random.chance(0.95) ? named.length : random.integer(), ...named];
}

function countedPairs(random: Random): Argument[] {
  const named = random.chance(0.9) ? pairs(random) : volatileFields(random, 8);
  return [random.anyCase('FIELDS'), random.chance(0.95) ? named.length / 2 : random.integer(), ...named];
}

/** So many fields that a listpack of low limits does not do. */
function volatileFields(random: Random, most: number): Argument[] {
  return Array.from({ length: random.integerBetween(1, most) }, (_, i) => [`f${i}`, i]).flat();
}

function expiry(random: Random, word: string): Argument[] {
  return random.options(
    () => [word],
    () => ['EX', random.seconds()],
    () => ['PX', random.milliseconds()],
    () => ['EXAT', random.unixSeconds()],
    () => ['PXAT', random.unixMilliseconds()],
  );
}

function setOptions(random: Random): Argument[] {
  const conditions = random.options(
    () => ['FNX'],
    () => ['FXX'],
  );
  const times = expiry(random, 'KEEPTTL');
  const chosen = random.chance(0.5) ? conditions : [];
  return random.chance(0.5) ? [...chosen, ...times] : [...times, ...chosen];
}
