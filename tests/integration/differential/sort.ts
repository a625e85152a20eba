/** Random SORT commands on lists, sets and sorted sets. */
import { type Comparison, inAnyOrder, sameShape } from './comparisons.js';
import type { Family, Step } from './differential.js';
import type { Random } from './random.js';
import type { Argument } from './wire.js';

/** The first of each has numbers, nearly always. */
const LISTS = ['list:1', 'list:2', 'list:3'];
const SETS = ['set:1', 'set:2'];
const SORTED_SETS = ['zset:1', 'zset:2'];

const NUMBERS = '0 1 2 3 10 -1 -7 2.5 1e3 -0 0.1 9007199254740993 123456789012345678 inf -inf 1e400'.split(
  ' ',
);
const WORDS = 'a b c A B ab abc xyz x10 x9'.split(' ');
/** What is a number for some, or a C string. */
const ODD = ['', ' 1', '1 ', '0x10', 'nan', '+5', '1\0x', 'a\0b', 'a\0c', 'é', '\xff', '-'];
const BY = ['w_*', 'w_*', 'v_*x', 'h_*->f', 'h_*->g', 'nosuch_*', '*'];
const CONSTANT = ['nosort', '', 'h_->f', 'w_\0*'];
const GET = [
  '#',
  '#',
  'w_*',
  'v_*x',
  'h_*->f',
  'h_*->g',
  'h_*->',
  'h_*->f\0',
  'h_*\0->f',
  '#\0',
  'w_1',
  '*',
  'nosuch_*',
];

export const sortFamily: Family = {
  name: 'sort',
  kinds: [
    [6, (random) => filled(random, 'RPUSH', LISTS)],
    [2, (random) => ['RPUSH', random.pick(LISTS), ...many(random)]],
    [4, (random) => filled(random, 'SADD', SETS)],
    [1, (random) => ['SADD', random.pick(SETS), ...many(random)]],
    [4, (random) => filled(random, 'ZADD', SORTED_SETS)],
    [8, (random) => ['MSET', ...weights(random)]],
    [
      4,
      (random) => [
        'HSET',
        `h_${element(random)}`,
        ...random.pick([
          ['f', nearlyNumber(random)],
          ['g', anyElement(random)],
        ]),
      ],
    ],
    [3, (random) => ['DEL', random.pick([...LISTS, ...SETS, ...SORTED_SETS, `w_${element(random)}`])]],
    [14, (random) => ['SORT', random.pick(LISTS), ...listOptions(random)]],
    [4, (random) => ['SORT_RO', random.pick(LISTS), ...listOptions(random)]],
    [6, (random) => ['SORT', random.pick(LISTS), ...listOptions(random), ...store(random)]],
    [5, (random) => sorted(random, SETS)],
    [5, (random) => sorted(random, SORTED_SETS)],
    [3, (random) => ties(random, SETS)],
    [3, (random) => ties(random, SORTED_SETS)],
    [2, (random) => unsortedSet(random)],
    [
      3,
      (random) => ({
        args: ['SORT', random.pick(SETS), ...unsorted(random), ...store(random)],
        isFragile: true,
      }),
    ],
    [
      3,
      (random) => [
        'SORT',
        random.pick(SORTED_SETS),
        ...unsorted(random),
        ...gets(random),
        ...limit(random),
        ...store(random),
      ],
    ],
    [3, (random) => ['OBJECT', 'ENCODING', random.pick([...LISTS, ...SORTED_SETS])]],
    [1, (random) => ['LRANGE', random.pick(LISTS), 0, -1]],
    [1, (random) => ['SORT', `w_${element(random)}`]],
    [1, (random) => ['SORT_RO', 'nosuch', ...listOptions(random)]],
    [1, (random) => ['SORT', 'nosuch', 'STORE', random.pick([...LISTS, 'stored'])]],
    [1, (random) => ['SORT_RO', random.pick(LISTS), 'STORE', 'stored']],
  ],
};

function element(random: Random): string {
  return random.pick(random.chance(0.7) ? NUMBERS : WORDS);
}

function anyElement(random: Random): string {
  return random.chance(0.93) ? element(random) : random.pick(ODD);
}

function number(random: Random): string {
  return random.pick(NUMBERS);
}

function nearlyNumber(random: Random): string {
  return random.chance(0.995) ? number(random) : random.pick(ODD);
}

/** A command that adds elements to one of the keys; sets get none that are equal to C's eyes. */
function filled(random: Random, name: 'RPUSH' | 'SADD' | 'ZADD', keys: readonly string[]): Argument[] {
  const key = random.pick(keys);
  const [numbers, all] = name === 'RPUSH' ? [nearlyNumber, anyElement] : [number, element];
  const kind = key.endsWith(':1') ? numbers : all;
  const elements = random.several(1, 8, () => kind(random));
  if (name !== 'ZADD') return [name, key, ...elements];
  return [name, key, ...elements.flatMap((one) => [random.integerBetween(-3, 3), one])];
}

/** So many that sorting divides them, and with so few values that many are equal. */
function many(random: Random): string[] {
  const values = random.pick([3, 20, 1000]);
  const prefix = random.pick(['', '', 'x']);
  return Array.from(
    { length: random.integerBetween(10, 200) },
    () => `${prefix}${random.integerBetween(0, values)}`,
  );
}

function weights(random: Random): Argument[] {
  return random
    .several(1, 8, () => {
      const of = random.chance(0.7) ? element(random) : random.integerBetween(0, 20);
      return random.chance(0.7) ? [`w_${of}`, nearlyNumber(random)] : [`v_${of}x`, anyElement(random)];
    })
    .flat();
}

function limit(random: Random): Argument[] {
  return random.weighted<() => Argument[]>([
    [5, () => []],
    [6, () => ['LIMIT', random.integerBetween(-2, 12), random.integerBetween(-2, 30)]],
    [1, () => ['LIMIT', random.integer(), random.integer()]],
  ])();
}

function gets(random: Random): Argument[] {
  return random.chance(0.6) ? [] : random.several(1, 3, () => ['GET', random.pick(GET)]).flat();
}

function store(random: Random): Argument[] {
  return ['STORE', random.pick([...LISTS, 'stored', `w_${element(random)}`])];
}

function listOptions(random: Random): Argument[] {
  const options = [
    random.chance(0.5) ? [] : ['BY', random.pick(random.chance(0.8) ? BY : CONSTANT)],
    random.chance(0.5) ? [] : ['ALPHA'],
    random.pick([[], [], ['ASC'], ['DESC']]),
    limit(random),
    gets(random),
  ];
  return options.sort(() => random.next() - 0.5).flat();
}

/** Members that are not equal in any way, so that there is one order only. */
function sorted(random: Random, keys: readonly string[]): Step {
  const by = random.pick([[], [], ['ALPHA'], ['BY', random.pick(BY)]]);
  const end = random.chance(0.3) ? store(random) : [];
  const args = [
    'SORT',
    random.pick(keys),
    ...by,
    ...random.pick([[], ['DESC']]),
    ...limit(random),
    ...gets(random),
    ...end,
  ];
  return { args, isFragile: true };
}

/**
 * Members of which some have the same text to sort by: those come in an order of the hash table's. (With a limit, which
 * keys GET looks up would differ too.)
 */
function ties(random: Random, keys: readonly string[]): Step {
  const limits = limit(random);
  const alike: Comparison = limits.length > 0 ? sameShape : inAnyOrder;
  const rest = limits.length > 0 ? limits : gets(random);
  const args = ['SORT', random.pick(keys), 'BY', random.pick(BY), 'ALPHA', ...rest];
  return { args, alike, isFragile: true };
}

function unsortedSet(random: Random): Step {
  const limits = limit(random);
  const alike: Comparison = limits.length > 0 ? sameShape : inAnyOrder;
  const rest = limits.length > 0 ? limits : gets(random);
  return { args: ['SORT', random.pick(SETS), ...unsorted(random), ...rest], alike, isFragile: true };
}

function unsorted(random: Random): Argument[] {
  return ['BY', random.pick(CONSTANT), ...random.pick([[], ['DESC'], ['ALPHA']])];
}
