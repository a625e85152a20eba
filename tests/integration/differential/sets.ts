/** Random commands on sets. What takes members at random is in set-picks-oracle.test.ts too. */
import { inAnyOrder, sameShape, scanned } from './comparisons.js';
import type { Family } from './differential.js';
import type { Random } from './random.js';
import type { Argument } from './wire.js';

const kinds: Family['kinds'] = [
  [12, (random) => ['SADD', random.key(), ...members(random)]],
  [3, (random) => ['SADD', random.key(), ...run(random)]],
  [5, (random) => ['SREM', random.key(), ...members(random)]],
  [2, (random) => ['SREM', random.key(), ...run(random)]],
  [4, (random) => ['SISMEMBER', random.key(), member(random)]],
  [4, (random) => ['SMISMEMBER', random.key(), ...members(random)]],
  [3, (random) => ['SCARD', random.key()]],
  [3, (random) => ({ args: ['SMEMBERS', random.key()], alike: inAnyOrder })],
  [6, (random) => ['SMOVE', random.key(), random.key(), member(random)]],
  [4, (random) => ({ args: ['SINTER', ...keys(random)], alike: inAnyOrder })],
  [4, (random) => ({ args: ['SUNION', ...keys(random)], alike: inAnyOrder })],
  [4, (random) => ({ args: ['SDIFF', ...keys(random)], alike: inAnyOrder })],
  [5, (random) => ['SINTERSTORE', random.key(), ...keys(random)]],
  [5, (random) => ['SUNIONSTORE', random.key(), ...keys(random)]],
  [5, (random) => ['SDIFFSTORE', random.key(), ...keys(random)]],
  [5, (random) => ['SINTERCARD', ...countedKeys(random), ...limit(random)]],
  // Only all members of a set are the same ones on both servers.
  [1, (random) => ({ args: ['SPOP', random.key(), allCount(random)], alike: inAnyOrder, isFragile: true })],
  [1, (random) => ({ args: ['SPOP', random.key(), ...wrongCount(random)], isFragile: true })],
  [2, (random) => ({ args: ['SRANDMEMBER', random.key()], alike: sameShape })],
  [3, (random) => ({ args: ['SRANDMEMBER', random.key(), pickCount(random)], alike: sameShape })],
  [
    1,
    (random) => ({
      args: ['SRANDMEMBER', random.key(), allCount(random)],
      alike: inAnyOrder,
      isFragile: true,
    }),
  ],
  [
    3,
    (random) => ({ args: ['SSCAN', random.key(), cursor(random), ...scanOptions(random)], alike: sameShape }),
  ],
  [
    3,
    (random) => ({
      args: ['SSCAN', random.key(), 0, ...scanOptions(random), 'COUNT', 100_000],
      alike: scanned,
      isFragile: true,
    }),
  ],
  [5, (random) => ['OBJECT', 'ENCODING', random.key()]],
  [2, (random) => ['DEL', random.key()]],
  [2, (random) => ['COPY', random.key(), random.key(), 'REPLACE']],
  [1, (random) => ['EXPIRE', random.key(), random.seconds()]],
  [1, (random) => random.valueOfOtherType()],
];

/** With the limits of encodings as they are by default. */
export const setsFamily: Family = { name: 'sets', before: [limits(512, 128, 64)], kinds };

/** With such low limits that nearly every command is about one. */
export const smallSetsFamily: Family = { name: 'sets, low limits', before: [limits(6, 4, 8)], kinds };

/** With listpacks of longer members, and with none at all. (With more in listpacks than in intsets, chance chooses.) */
export const unusualSetsFamily: Family = {
  name: 'sets, other limits',
  before: [limits(140, 130, 300)],
  kinds,
};
export const noListpacksFamily: Family = { name: 'sets, no listpacks', before: [limits(512, 0, 64)], kinds };

function limits(intsetEntries: number, listpackEntries: number, listpackValue: number): Argument[] {
  return [
    ...['CONFIG', 'SET', 'set-max-intset-entries', intsetEntries],
    ...['set-max-listpack-entries', listpackEntries, 'set-max-listpack-value', listpackValue],
  ];
}

/** Mostly integers, so that there are intsets. */
function member(random: Random): Argument {
  return random.weighted<() => Argument>([
    [6, () => random.integerBetween(-9, 30)],
    [2, () => random.integer()],
    [1, () => random.member()],
  ])();
}

function members(random: Random): Argument[] {
  return random.several(1, 4, () => member(random));
}

/** Many at once: consecutive integers that end near a limit, or words. */
function run(random: Random): Argument[] {
  const count = random.integerBetween(0, random.pick([10, 60, 130, 140, 520, 700])) + 1;
  const first = random.pick([0, 0, 0, 100, 32_700, -5]);
  const prefix = random.weighted([
    [3, ''],
    [1, 'w'],
    [0.2, 'w'.repeat(62)],
  ]);
  return Array.from({ length: count }, (_, i) => `${prefix}${first + i}`);
}

function keys(random: Random): Argument[] {
  return random.several(1, 4, () => random.key());
}

function countedKeys(random: Random): Argument[] {
  const found = keys(random);
  return [random.chance(0.9) ? found.length : random.integer(), ...found];
}

function limit(random: Random): Argument[] {
  return random.options(() => [
    'LIMIT',
    random.chance(0.8) ? random.integerBetween(0, 20) : random.integer(),
  ]);
}

/** Not so many that a reply gets huge. */
function pickCount(random: Random): Argument {
  return random.pick([...'0 1 2 3 5 10 50 100 600 -1 -2 -5 -100 -9223372036854775808 1.5 x'.split(' '), '']);
}

/** What SPOP refuses, and 0. */
function wrongCount(random: Random): Argument[] {
  return random.pick([
    ['-1'],
    ['0'],
    ['x'],
    [''],
    ['-9223372036854775808'],
    ['9223372036854775808'],
    ['1', '1'],
  ]);
}

/** More than any set has. */
function allCount(random: Random): Argument {
  return random.pick(['2000000', '9007199254740993', '9223372036854775807']);
}

function cursor(random: Random): Argument {
  return random.weighted<() => Argument>([
    [3, () => 0],
    [2, () => random.integerBetween(0, 100)],
    [1, () => random.integer()],
  ])();
}

function scanOptions(random: Random): Argument[] {
  return random.options(
    () => ['MATCH', random.pick(['*', '1*', '?', '[0-5]', '*w', 'nosuch', '', '-?'])],
    () => ['COUNT', random.chance(0.8) ? random.integerBetween(1, 600) : random.integer()],
    () => ['NOVALUES'],
    () => ['TYPE', 'set'],
  );
}
