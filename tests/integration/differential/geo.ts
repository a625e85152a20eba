/**
 * Random commands on geospatial indexes. Distances are not stored here: C's sine and JavaScript's may differ in the last
 * bit, which nobody sees but in such a score (see geo-oracle.test.ts).
 */
import type { Family } from './differential.js';
import type { Random } from './random.js';
import type { Argument } from './wire.js';

type Kinds = Family['kinds'];

const UNITS = ['m', 'km', 'ft', 'mi', 'M', 'KM', 'Mi'];

/** Where sines are rounded, coordinates end, cells meet, and what is no coordinate. */
const LONGITUDES =
  '0 -0 180 -180 179.999999 -179.999999 90 -90 45 -45 1e-9 0.0078125 200.0078125 -180.0001 181 1e300 inf -inf 5e-324'.split(
    ' ',
  );
const LATITUDES =
  '0 -0 85.05112878 -85.05112878 85.05 -85.05 85.06 -86 90 66.5 -66.5 80.5 -80.5 42.525564 1e-9 nan 91.0078125 -1e22'.split(
    ' ',
  );
const WRONG_NUMBERS = ['', 'x', '1,5', 'nan', '0x10', '1e400', ' 1', '1\0'];

/** Scores that are no geohashes. */
const SCORES =
  '0 1 -1 0.5 -0.5 1e15 4503599627370495 4503599627370496 9007199254740993 13510798882111488 9e18 1.8e19 1e20 -1e18 -1e19 inf -inf'.split(
    ' ',
  );

/** `places` makes the coordinates that are mostly used. */
function kinds(places: (random: Random) => Argument[]): Kinds {
  return [
    [10, (random) => ['GEOADD', key(random), ...addOptions(random), ...placed(random, 4, places)]],
    [4, (random) => ['GEOADD', key(random), ...manyPlaced(random, places)]],
    [1, (random) => ['ZADD', key(random), random.pick(SCORES), member(random)]],
    [2, (random) => ['ZREM', key(random), member(random)]],
    [3, (random) => ['GEODIST', key(random), member(random), member(random), ...optionalUnit(random)]],
    [2, (random) => ['GEOHASH', key(random), ...random.several(0, 4, () => member(random))]],
    [3, (random) => ['GEOPOS', key(random), ...random.several(0, 4, () => member(random))]],
    [
      10,
      (random) => [
        ...['GEOSEARCH', key(random), ...from(random, places), ...shape(random)],
        ...searchOptions(random),
      ],
    ],
    [2, (random) => ['GEOSEARCH', key(random), ...muddled(random, places), ...searchOptions(random)]],
    [
      6,
      (random) => [
        ...['GEOSEARCHSTORE', key(random), key(random), ...from(random, places), ...shape(random)],
        ...storeOptions(random),
      ],
    ],
    [
      6,
      (random) => [
        ...[random.pick(['GEORADIUS', 'GEORADIUS_RO']), key(random), ...places(random)],
        ...[length(random), unit(random), ...radiusOptions(random)],
      ],
    ],
    [
      6,
      (random) => [
        ...[random.pick(['GEORADIUSBYMEMBER', 'GEORADIUSBYMEMBER_RO']), key(random), member(random)],
        ...[length(random), unit(random), ...radiusOptions(random)],
      ],
    ],
    [2, (random) => ['ZRANGE', key(random), 0, -1, 'WITHSCORES']],
    [3, (random) => ['OBJECT', 'ENCODING', key(random)]],
    [1, (random) => ['DEL', key(random)]],
    [1, (random) => ['EXPIRE', key(random), random.seconds()]],
    [0.5, (random) => random.valueOfOtherType(key(random))],
  ];
}

/** Places all over the world, and the ends of it. */
export const geoFamily: Family = {
  name: 'geo',
  before: [limits(128)],
  kinds: kinds((random) => [longitude(random), latitude(random)]),
};

/** Places that are near each other, so that cells are small, with such low limits that most sets are skiplists. */
export const nearPlacesFamily: Family = {
  name: 'geo, near places, low limits',
  before: [limits(4)],
  kinds: kinds((random) => [
    13 + random.integerBetween(0, 2000) / random.pick([1000, 100_000]),
    random.pick([38, -67, 81]) + random.integerBetween(0, 2000) / random.pick([1000, 100_000]),
  ]),
};

/** Few places, so that many members are at the same distance and their order is a matter of how they are sorted. */
export const fewPlacesFamily: Family = {
  name: 'geo, few places',
  before: [limits(20)],
  kinds: kinds((random) => {
    const place = random.integerBetween(0, 12);
    return [((place * 77.3) % 360) - 180, ((place * 47.9) % 170) - 85];
  }),
};

function limits(entries: number): Argument[] {
  return ['CONFIG', 'SET', 'zset-max-listpack-entries', entries, 'zset-max-listpack-value', 64];
}

function key(random: Random): Argument {
  return random.chance(0.9) ? random.pick(['a', 'b', 'c']) : random.key();
}

function member(random: Random): Argument {
  return random.weighted<() => Argument>([
    [6, () => `m${random.integerBetween(0, 30)}`],
    [2, () => random.integerBetween(0, 5)],
    [0.5, () => random.member()],
  ])();
}

function longitude(random: Random): Argument {
  return random.weighted<() => Argument>([
    [12, () => random.next() * 360 - 180],
    [2, () => random.integerBetween(-180, 180)],
    [2, () => random.pick(LONGITUDES)],
    [0.1, () => random.pick(WRONG_NUMBERS)],
  ])();
}

function latitude(random: Random): Argument {
  return random.weighted<() => Argument>([
    [12, () => random.next() * 170 - 85],
    [2, () => random.integerBetween(-85, 85)],
    [1, () => random.pick(LATITUDES)],
    [0.1, () => random.pick(WRONG_NUMBERS)],
  ])();
}

function addOptions(random: Random): Argument[] {
  if (random.chance(0.5)) return [];
  return random.options(
    () => ['NX'],
    () => ['XX'],
    () => ['CH'],
  );
}

function placed(random: Random, most: number, place: (random: Random) => Argument[]): Argument[] {
  return random.several(1, most, () => [...place(random), member(random)]).flat();
}

/** Many at once, so that there is something to find. */
function manyPlaced(random: Random, place: (random: Random) => Argument[]): Argument[] {
  return Array.from({ length: random.integerBetween(10, random.pick([40, 200])) }, (_, i) => [
    ...place(random),
    `m${i}`,
  ]).flat();
}

function unit(random: Random): Argument {
  return random.chance(0.97) ? random.pick(UNITS) : random.pick(['', 'x', 'cm', 'mm', 'm\0', 'kmx']);
}

function optionalUnit(random: Random): Argument[] {
  return random.chance(0.5) ? [unit(random)] : [];
}

/** From nothing to beyond the world, in whichever unit. */
function length(random: Random): Argument {
  return random.weighted<() => Argument>([
    [10, () => random.next() * 10 ** random.integerBetween(0, 8)],
    [4, () => random.integerBetween(1, 20_000)],
    [1, () => random.pick(['0', '-0', '1e9', '1e300', 'inf', '1e-300', '20015086'])],
    [0.3, () => random.pick(['-1', '-inf', ...WRONG_NUMBERS])],
  ])();
}

function from(random: Random, place: (random: Random) => Argument[]): Argument[] {
  return random.chance(0.5)
    ? [random.anyCase('FROMLONLAT'), ...place(random)]
    : [random.anyCase('FROMMEMBER'), member(random)];
}

function shape(random: Random): Argument[] {
  return random.chance(0.5)
    ? [random.anyCase('BYRADIUS'), length(random), unit(random)]
    : [random.anyCase('BYBOX'), length(random), length(random), unit(random)];
}

/** What says where to search, too often or not at all, in any order. */
function muddled(random: Random, place: (random: Random) => Argument[]): Argument[] {
  return random.several(2, 4, () => (random.chance(0.5) ? from(random, place) : shape(random))).flat();
}

function order(random: Random): Argument[] {
  return [random.pick(['ASC', 'DESC'])];
}

function counted(random: Random): Argument[] {
  const count = random.chance(0.9) ? random.integerBetween(1, 20) : random.integer();
  return ['COUNT', count, ...(random.chance(0.5) ? [random.anyCase('ANY')] : [])];
}

function searchOptions(random: Random): Argument[] {
  return random.options(
    () => ['WITHCOORD'],
    () => ['WITHDIST'],
    () => ['WITHHASH'],
    () => order(random),
    () => counted(random),
    () => counted(random),
    () => ['ANY'],
  );
}

function storeOptions(random: Random): Argument[] {
  return random.options(
    () => order(random),
    () => counted(random),
    () => random.pick([['WITHDIST'], ['STORE', 'a'], ['ANY']]),
  );
}

function radiusOptions(random: Random): Argument[] {
  const others = random.chance(0.5) ? searchOptions(random) : [];
  return random.chance(0.3)
    ? [...others, random.anyCase('STORE'), key(random)]
    : [...others, ...order(random)];
}
