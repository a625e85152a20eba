/** Random commands on sorted sets. */
import { sameShape, scanned } from './comparisons.js';
import type { Family, Step } from './differential.js';
import type { Random } from './random.js';
import type { Argument } from './wire.js';

type Kinds = Family['kinds'];

const kinds: Kinds = [
  [12, (random) => ['ZADD', random.key(), ...addOptions(random), ...pairs(random)]],
  [6, (random) => ['ZADD', random.key(), ...run(random)]],
  [5, (random) => ['ZINCRBY', random.key(), score(random), member(random)]],
  [4, (random) => ['ZREM', random.key(), ...members(random)]],
  [2, (random) => ['ZREM', random.key(), ...run(random)]],
  [4, (random) => ['ZSCORE', random.key(), member(random)]],
  [3, (random) => ['ZMSCORE', random.key(), ...members(random)]],
  [2, (random) => ['ZCARD', random.key()]],
  [4, (random) => ['ZCOUNT', random.key(), ...scoreRange(random)]],
  [4, (random) => [random.pick(['ZRANK', 'ZREVRANK']), random.key(), member(random), ...withScore(random)]],
  [
    3,
    (random) => [random.pick(['ZRANGE', 'ZREVRANGE']), random.key(), ...ranks(random), ...withScores(random)],
  ],
  [4, (random) => ['ZRANGE', random.key(), ...ranks(random), ...rangeOptions(random)]],
  [5, (random) => ['ZRANGE', random.key(), ...scoreRange(random), 'BYSCORE', ...rangeOptions(random)]],
  [
    5,
    (random) => [
      random.pick(['ZRANGEBYSCORE', 'ZREVRANGEBYSCORE']),
      random.key(),
      ...scoreRange(random),
      ...rangeOptions(random),
    ],
  ],
  [3, (random) => ['ZRANGESTORE', random.key(), random.key(), ...ranks(random), ...rangeOptions(random)]],
  [
    4,
    (random) => [
      ...['ZRANGESTORE', random.key(), random.key(), ...scoreRange(random)],
      ...['BYSCORE', ...rangeOptions(random)],
    ],
  ],
  [2, (random) => ['ZREMRANGEBYRANK', random.key(), ...ranks(random)]],
  [2, (random) => ['ZREMRANGEBYSCORE', random.key(), ...scoreRange(random)]],
  [6, (random) => lexStep(random)],
  [
    4,
    (random) => [
      random.pick(['ZPOPMIN', 'ZPOPMAX']),
      random.key(),
      ...random.several(0, 1, () => count(random)),
    ],
  ],
  [4, (random) => ['ZMPOP', ...countedKeys(random), ...popOptions(random)]],
  [1, (random) => whole([random.pick(['BZPOPMIN', 'BZPOPMAX']), ...keys(random), timeout(random)])],
  [1, (random) => whole(['BZMPOP', timeout(random), ...countedKeys(random), ...popOptions(random)])],
  [1, (random) => ({ args: ['ZRANDMEMBER', random.key()], alike: sameShape })],
  [
    3,
    (random) => ({
      args: ['ZRANDMEMBER', random.key(), pickCount(random), ...withScores(random)],
      alike: sameShape,
    }),
  ],
  [
    3,
    (random) => ({ args: ['ZSCAN', random.key(), cursor(random), ...scanOptions(random)], alike: sameShape }),
  ],
  [
    4,
    (random) => ({
      args: ['ZSCAN', random.key(), 0, ...scanOptions(random), 'COUNT', 100_000],
      alike: scanned,
      isFragile: true,
    }),
  ],
  [5, (random) => [random.pick(['ZUNION', 'ZINTER']), ...countedKeys(random), ...combinationOptions(random)]],
  [2, (random) => ['ZDIFF', ...countedKeys(random), ...withScores(random)]],
  [2, (random) => ['ZINTERCARD', ...countedKeys(random), ...limit(random)]],
  [
    6,
    (random) => [
      ...[random.pick(['ZUNIONSTORE', 'ZINTERSTORE']), random.key()],
      ...[...countedKeys(random), ...combinationOptions(random)],
    ],
  ],
  [3, (random) => ['ZDIFFSTORE', random.key(), ...countedKeys(random)]],
  [2, (random) => ['SADD', random.key(), ...members(random)]],
  [1, (random) => ['SADD', random.key(), ...run(random)]],
  [5, (random) => ['OBJECT', 'ENCODING', random.key()]],
  [1, (random) => ['DEL', random.key()]],
  [2, (random) => ['COPY', random.key(), random.key(), 'REPLACE']],
  [1, (random) => ['EXPIRE', random.key(), random.seconds()]],
  [1, (random) => random.valueOfOtherType()],
];

/** With the limits of listpacks as they are by default. */
export const sortedSetsFamily: Family = {
  name: 'sorted sets',
  before: [limits(128, 64)],
  // Members in order while their scores differ: what is in such a range is no matter of chance in a listpack.
  kinds: [...kinds, [3, (random) => unorderedLexStep(random)]],
};

/** With such low limits that nearly every command is about one. */
export const smallSortedSetsFamily: Family = {
  name: 'sorted sets, low limits',
  before: [limits(4, 8)],
  kinds,
};

/** With listpacks of longer members, and with none at all. */
export const unusualSortedSetsFamily: Family = {
  name: 'sorted sets, other limits',
  before: [limits(300, 300)],
  kinds,
};
export const skiplistsFamily: Family = { name: 'sorted sets, no listpacks', before: [limits(0, 64)], kinds };

function limits(entries: number, value: number): Argument[] {
  return ['CONFIG', 'SET', 'zset-max-listpack-entries', entries, 'zset-max-listpack-value', value];
}

/** A command whose arguments are left alone. */
function whole(args: readonly Argument[]): Step {
  return { args, isFragile: true };
}

const SCORES =
  '0 -0 1 -1 1 2 3 inf -inf +inf 1e308 -1e308 1.7976931348623157e308 5e-324 2.2250738585072014e-308 0.1 0.2 ' +
  '0.30000000000000004 3.141592653589793 1.0000000000000002 9007199254740991 9007199254740993 1e17 ' +
  '123456789012345680 4611686018427387904 4611686018427387905 -4611686018427387904 9223372036854775807 1e21 1e22 ' +
  '0.0001 0.00001 1e-7 -1.5e-9 100000000000000000000';
const WRONG_SCORES = 'nan x 1,5 1e400 1e-400 0x10 ( (1'.split(' ');

/** Few different ones, so that there are ties. */
function score(random: Random): Argument {
  return random.weighted<() => Argument>([
    [6, () => random.integerBetween(-3, 6)],
    [4, () => random.pick(SCORES.split(' '))],
    [2, () => random.integerBetween(-30, 30) / random.pick([2, 3, 7, 10])],
    [1, () => random.next() * 10 ** random.integerBetween(-20, 20)],
    [0.4, () => random.float()],
    [0.3, () => random.pick(WRONG_SCORES)],
  ])();
}

function member(random: Random): Argument {
  return random.weighted<() => Argument>([
    [5, () => random.pick(['a', 'b', 'c', 'd', 'e', 'aa', 'ab', ''])],
    [4, () => random.integerBetween(-5, 20)],
    [1, () => random.member()],
  ])();
}

function members(random: Random): Argument[] {
  return random.several(1, 4, () => member(random));
}

function pairs(random: Random): Argument[] {
  return random.several(1, 4, () => [score(random), member(random)]).flat();
}

/** Many at once, about as many as fit a listpack. */
function run(random: Random): Argument[] {
  const count = random.integerBetween(0, random.pick([8, 60, 130, 140, 310])) + 1;
  const first = random.pick([0, 0, 100]);
  const prefix = random.weighted([
    [3, ''],
    [2, 'm'],
    [0.2, 'm'.repeat(62)],
    [0.2, 'm'.repeat(298)],
  ]);
  const scores = random.weighted<(i: number) => number>([
    [3, (i) => i],
    [2, (i) => i % 7],
    [2, (i) => i / 10],
    [1, () => 1],
  ]);
  return Array.from({ length: count }, (_, i) => [scores(i), `${prefix}${first + i}`]).flat();
}

function addOptions(random: Random): Argument[] {
  if (random.chance(0.5)) return [];
  return random.options(
    () => ['NX'],
    () => ['XX'],
    () => ['GT'],
    () => ['LT'],
    () => ['CH'],
    () => ['INCR'],
  );
}

function ranks(random: Random): Argument[] {
  const length = random.pick([5, 20, 130]);
  return random.chance(0.2) ? ['0', '-1'] : [random.index(length), random.index(length)];
}

function scoreRange(random: Random): Argument[] {
  return random.several(2, 2, () => {
    const end = random.weighted<() => Argument>([
      [8, () => score(random)],
      [2, () => random.pick(['-inf', '+inf', 'inf'])],
      [
        0.5,
        () => random.pick(['', '(', '((1', '1 ', ' 1', '[1', '1e400', '-1e400', '1\0x', '0x10', 'nan', '-']),
      ],
    ])();
    return random.chance(0.3) ? `(${end}` : end;
  });
}

function lexRange(random: Random): Argument[] {
  return random.several(2, 2, () =>
    random.weighted<() => Argument>([
      [2, () => random.pick(['-', '+'])],
      [
        6,
        () => Buffer.concat([Buffer.from(random.pick(['[', '('])), Buffer.from(String(lexMember(random)))]),
      ],
      [0.5, () => random.pick(['', 'a', '-x', '+x', '+\0', '-\0x', '[', '(', '[\0', '(\0', '((', '*'])],
    ])(),
  );
}

function lexMember(random: Random): Argument {
  return random.weighted<() => Argument>([
    [5, () => random.pick('a b c d e f g aa ab ac ba bb 1 2 10 12'.split(' '))],
    [2, () => `m${random.integerBetween(0, 200)}`],
    [1, () => ''],
  ])();
}

/** Of a set in which all scores are the same. */
function lexStep(random: Random): Step {
  const key = random.pick(['lex:1', 'lex:2']);
  const range = lexRange(random);
  return random.weighted<() => Step>([
    [3, () => whole(['ZADD', key, ...random.several(1, 5, () => ['0', lexMember(random)]).flat()])],
    [1, () => whole(['ZADD', key, ...lexRun(random)])],
    [3, () => ({ args: ['ZRANGE', key, ...range, 'BYLEX', ...rangeOptions(random)] })],
    [3, () => ({ args: ['ZRANGEBYLEX', key, ...range, ...limited(random)] })],
    [3, () => ({ args: ['ZREVRANGEBYLEX', key, ...range, ...limited(random)] })],
    [
      2,
      () =>
        whole(['ZRANGESTORE', random.pick(['lex:1', 'lex:2']), key, ...range, 'BYLEX', ...limited(random)]),
    ],
    [2, () => ({ args: ['ZLEXCOUNT', key, ...range] })],
    [1, () => whole(['ZREMRANGEBYLEX', key, ...range])],
    [1, () => whole(['OBJECT', 'ENCODING', key])],
  ])();
}

function lexRun(random: Random): Argument[] {
  return Array.from({ length: random.integerBetween(1, 200) }, (_, i) => ['0', `m${i}`]).flat();
}

/** Of a small set with all kinds of scores. */
function unorderedLexStep(random: Random): Step {
  const key = random.pick(['mixed:1', 'mixed:2']);
  const range = lexRange(random);
  return random.weighted<() => Step>([
    [3, () => whole(['ZADD', key, ...random.several(1, 5, () => [score(random), lexMember(random)]).flat()])],
    [3, () => ({ args: ['ZRANGE', key, ...range, 'BYLEX', ...rangeOptions(random)] })],
    [3, () => ({ args: ['ZREVRANGEBYLEX', key, ...range, ...limited(random)] })],
    [2, () => ({ args: ['ZLEXCOUNT', key, ...range] })],
    [1, () => whole(['ZREMRANGEBYLEX', key, ...range])],
    [1, () => whole(['DEL', key])],
  ])();
}

function rangeOptions(random: Random): Argument[] {
  return random.options(
    () => ['WITHSCORES'],
    () => ['REV'],
    () => limited(random, 1),
    () => limited(random, 1),
    () => [random.pick(['BYSCORE', 'BYLEX'])],
  );
}

function limited(random: Random, chance = 0.5): Argument[] {
  if (!random.chance(chance)) return [];
  return ['LIMIT', random.index(random.pick([3, 10, 130])), random.index(random.pick([3, 10, 130]))];
}

function withScore(random: Random): Argument[] {
  return random.options(() => ['WITHSCORE']);
}

function withScores(random: Random): Argument[] {
  return random.options(() => ['WITHSCORES']);
}

function keys(random: Random): Argument[] {
  return random.several(1, 4, () => random.key());
}

function countedKeys(random: Random): Argument[] {
  const found = keys(random);
  return [random.chance(0.9) ? found.length : random.integer(), ...found];
}

function combinationOptions(random: Random): Argument[] {
  return random.options(
    () => ['WEIGHTS', ...random.several(1, 4, () => score(random))],
    () => ['AGGREGATE', random.pick(['SUM', 'MIN', 'MAX', 'sum', 'AVG'])],
    () => ['WITHSCORES'],
  );
}

function limit(random: Random): Argument[] {
  return random.options(() => ['LIMIT', count(random)]);
}

function count(random: Random): Argument {
  return random.chance(0.8) ? random.integerBetween(0, 8) : random.chance(0.5) ? 150 : random.integer();
}

function popOptions(random: Random): Argument[] {
  const where = random.chance(0.95) ? [random.anyCase(random.pick(['MIN', 'MAX']))] : [];
  return [...where, ...random.options(() => ['COUNT', count(random)])];
}

/** Never 0, as nobody would come to end the wait. */
function timeout(random: Random): Argument {
  return random.weighted([
    [6, '0.001'],
    [1, random.pick(['-1', '-0.5', 'x', '', '1e300', 'inf', 'nan'])],
  ]);
}

/** Not so many that a reply gets huge. */
function pickCount(random: Random): Argument {
  return random.pick([
    ...'0 1 2 3 5 10 50 100 600 -1 -2 -5 -100 -9223372036854775808 4611686018427387904 2000000 1.5 x'.split(
      ' ',
    ),
    '',
  ]);
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
    () => ['MATCH', random.pick(['*', '1*', '?', '[0-5]', 'm*', 'nosuch', '', '-?'])],
    () => ['COUNT', random.chance(0.8) ? random.integerBetween(1, 600) : random.integer()],
    () => ['NOVALUES'],
    () => ['TYPE', 'zset'],
  );
}
