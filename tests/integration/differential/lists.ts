/** Random commands on lists. What waits for elements is in ../blocking.test.ts too. */
import type { Comparison } from './comparisons.js';
import type { Family } from './differential.js';
import type { Random } from './random.js';
import type { Argument } from './wire.js';

const kinds: Family['kinds'] = [
  [10, (random) => [pushName(random), random.key(), ...elements(random)]],
  [4, (random) => [pushName(random), random.key(), ...run(random)]],
  [3, (random) => [random.pick(['LPUSHX', 'RPUSHX']), random.key(), ...elements(random)]],
  [5, (random) => [popName(random), random.key()]],
  [5, (random) => [popName(random), random.key(), count(random)]],
  [3, (random) => ['LMPOP', ...multiplePop(random)]],
  [3, (random) => ['LLEN', random.key()]],
  [5, (random) => ['LINDEX', random.key(), index(random)]],
  [8, (random) => ['LRANGE', random.key(), index(random), index(random)]],
  [6, (random) => ['LPOS', random.key(), element(random), ...searchOptions(random)]],
  [7, (random) => ['LSET', random.key(), index(random), element(random)]],
  [
    7,
    (random) => [
      'LINSERT',
      random.key(),
      random.anyCase(random.pick(['BEFORE', 'AFTER'])),
      element(random),
      element(random),
    ],
  ],
  [6, (random) => ['LREM', random.key(), signedCount(random), element(random)]],
  [4, (random) => ['LTRIM', random.key(), index(random), index(random)]],
  [2, (random) => ['LTRIM', random.key(), ...nearlyAll(random)]],
  [6, (random) => ['LMOVE', random.key(), random.key(), end(random), end(random)]],
  [2, (random) => ['RPOPLPUSH', random.key(), random.key()]],
  [2, (random) => briefly(random, [random.pick(['BLPOP', 'BRPOP']), ...keys(random), timeout(random)])],
  [2, (random) => briefly(random, ['BLMPOP', timeout(random), ...multiplePop(random)])],
  [
    2,
    (random) =>
      briefly(random, ['BLMOVE', random.key(), random.key(), end(random), end(random), timeout(random)]),
  ],
  [1, (random) => briefly(random, ['BRPOPLPUSH', random.key(), random.key(), timeout(random)])],
  [5, (random) => ['OBJECT', 'ENCODING', random.key()]],
  [2, (random) => ['DEL', random.key()]],
  [2, (random) => ['COPY', random.key(), random.key(), 'REPLACE']],
  [1, (random) => ['RENAME', random.key(), random.key()]],
  [1, (random) => ['EXPIRE', random.key(), random.seconds()]],
  [1, (random) => random.valueOfOtherType()],
];

/** The same, and what the nodes of a list are. (Compressed ones differ: there are many ways to compress.) */
const nodeKinds: Family['kinds'] = [
  ...kinds,
  [4, (random) => ({ args: ['DUMP', random.key()], alike: sameUnlessLists })],
];

/** Kinds that change the limits too: lists stay in an encoding that they would not get then, until they change. */
const changingKinds: Family['kinds'] = [
  ...kinds,
  [
    5,
    (random) => ({
      args: limits(random.pick([-2, -1, -5, 0, 1, 2, 3, 8, 100]), random.pick([0, 1, 2])),
      isFragile: true,
    }),
  ],
];

/** With the limits as they are by default. */
export const listsFamily: Family = {
  name: 'lists',
  before: [limits(-2, 0), ['CONFIG', 'SET', 'rdbcompression', 'no']],
  kinds: nodeKinds,
};

/** With such low limits that nearly every command is about one. */
export const smallListsFamily: Family = {
  name: 'lists, low limits',
  before: [limits(3, 0), ['CONFIG', 'SET', 'rdbcompression', 'no']],
  kinds: nodeKinds,
};

/** With nodes of at most 4 KiB, of which all but the outer ones are compressed. */
export const compressedListsFamily: Family = { name: 'lists, compressed', before: [limits(-1, 1)], kinds };

/** With limits that change. */
export const changingListsFamily: Family = {
  name: 'lists, changing limits',
  before: [limits(-2, 0)],
  kinds: changingKinds,
};

/** RDB's type byte of a list, with which its DUMP begins. */
const LIST_QUICKLIST_2 = '\x12';

/** DUMPs of other types, which may have their members in any order. */
const sameUnlessLists: Comparison = (ours, theirs) =>
  [ours, theirs].every((reply) => reply.kind === '$' && !reply.text.startsWith(LIST_QUICKLIST_2));

function limits(fill: number, compressDepth: number): Argument[] {
  return ['CONFIG', 'SET', 'list-max-listpack-size', fill, 'list-compress-depth', compressDepth];
}

function pushName(random: Random): string {
  return random.pick(['LPUSH', 'RPUSH']);
}

function popName(random: Random): string {
  return random.pick(['LPOP', 'RPOP']);
}

/** Mostly from few, so that there is something to find; now and then about the size of a node, or beyond. */
function element(random: Random): Argument {
  return random.weighted<() => Argument>([
    [8, () => random.member()],
    [2, () => random.value()],
    [1, () => Buffer.alloc(random.integerBetween(1000, 9000), random.integerBetween(0x61, 0x63))],
  ])();
}

function elements(random: Random): Argument[] {
  return random.several(1, 4, () => element(random));
}

/** Many at once, up to several nodes. */
function run(random: Random): Argument[] {
  const length = random.pick([1, 5, 20, 60, 100]);
  const word = random.pick(['', 'x', 'a'.repeat(length)]);
  const first = random.pick([0, 100, 32_700, -5, 4_000_000_000]);
  return Array.from({ length: random.integerBetween(1, 300) }, (_, i) => `${word}${first + i}`);
}

function index(random: Random): Argument {
  return random.index(random.pick([5, 20, 300]));
}

function count(random: Random): Argument {
  return random.chance(0.8) ? random.integerBetween(0, random.pick([3, 10, 100, 500])) : random.integer();
}

function signedCount(random: Random): Argument {
  return random.chance(0.8) ? random.integerBetween(-3, 3) : random.integer();
}

/** A range that leaves out few elements at each end. */
function nearlyAll(random: Random): Argument[] {
  return [random.integerBetween(0, 3), -random.integerBetween(1, 4)];
}

function end(random: Random): Argument {
  return random.anyCase(random.pick(['LEFT', 'RIGHT']));
}

function keys(random: Random): Argument[] {
  return random.several(1, 3, () => random.key());
}

/** `numkeys key [key ...] LEFT|RIGHT [COUNT count]`; never so many keys that real Redis reads beyond its arguments. */
function multiplePop(random: Random): Argument[] {
  const found = keys(random);
  const keyCount = random.weighted<() => Argument>([
    [9, () => found.length],
    [1, () => random.integerBetween(-1, 9)],
    [0.5, () => random.pick(['x', '', '2147483648', '-9223372036854775808', '9223372036854775808'])],
  ])();
  return [keyCount, ...found, end(random), ...random.options(() => ['COUNT', count(random)])];
}

function searchOptions(random: Random): Argument[] {
  return random.options(
    () => ['RANK', signedCount(random)],
    () => ['COUNT', count(random)],
    () => ['MAXLEN', count(random)],
  );
}

/** Waits that are soon over when there is nothing; and what is wrong. */
const TIMEOUTS = [
  ...'0.001 0.001 0.001 .001 1e-3 0x1p-10 0.0001 1e-4000'.split(' '),
  ...'-1 -0.002 -1e4000 x nan inf -inf 1e400 1e5000 9223372036854775'.split(' '),
  ...['', ' 1', '1 '],
];

function timeout(random: Random): Argument {
  return random.pick(TIMEOUTS);
}

/** A command that may wait, whose timeout must stay short. */
function briefly(random: Random, args: readonly Argument[]): { args: readonly Argument[]; isFragile: true } {
  const [name, ...rest] = args;
  return { args: [random.anyCase(String(name)), ...rest], isFragile: true };
}
