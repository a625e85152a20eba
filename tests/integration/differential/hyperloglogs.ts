/** Random commands on HyperLogLogs, on strings that look like some, and on some that were spoiled. */
import { elementFor } from '../../support/hyperloglog-elements.js';
import type { Family } from './differential.js';
import type { Random } from './random.js';
import type { Argument } from './wire.js';

const DENSE_BYTES = 12304;

/** With limits that change, so that values are sparse and dense alike. */
export const hyperloglogsFamily: Family = {
  name: 'hyperloglogs',
  before: [['CONFIG', 'SET', 'hll-sparse-max-bytes', 3000]],
  kinds: [
    [14, (random) => ['PFADD', random.key(), ...random.several(0, 4, () => element(random))]],
    [6, (random) => ['PFADD', random.key(), ...madeElements(random)]],
    [4, (random) => ['PFADD', random.key(), ...random.several(50, 600, () => element(random))]],
    [8, (random) => ['PFCOUNT', random.key()]],
    [5, (random) => ['PFCOUNT', ...random.several(1, 5, () => random.key())]],
    [6, (random) => ['PFMERGE', ...random.several(1, 5, () => random.key())]],
    [
      5,
      (random) => [
        'PFDEBUG',
        random.anyCase(
          random.pick(['DECODE', 'DECODE', 'ENCODING', 'ENCODING', 'TODENSE', 'GETREG', 'NOSUCH']),
        ),
        random.key(),
      ],
    ],
    [8, (random) => ['GET', random.key()]],
    [2, (random) => ['STRLEN', random.key()]],
    [3, (random) => ['OBJECT', 'ENCODING', random.key()]],
    [2, (random) => ['COPY', random.key(), random.key(), 'REPLACE']],
    [1.5, (random) => ['SET', random.key(), lookalike(random)]],
    [0.5, (random) => ['SET', random.key(), random.value()]],
    [1, (random) => ['SETRANGE', random.key(), spoiledOffset(random), random.bytes(1)]],
    [0.3, (random) => ['APPEND', random.key(), random.bytes(random.integerBetween(1, 4))]],
    [
      0.5,
      (random) => [
        'CONFIG',
        'SET',
        'hll-sparse-max-bytes',
        random.pick([0, 16, 18, 30, 60, 100, 500, 3000, 15000]),
      ],
    ],
    [4, (random) => ['DEL', random.key(), random.key()]],
    [0.7, (random) => random.valueOfOtherType()],
  ],
};

/** The same with the limit that servers have by default. */
export const plainHyperloglogsFamily: Family = {
  name: 'hyperloglogs with the default limit',
  before: hyperloglogsFamily.before ?? [],
  kinds: [
    [10, (random) => ['PFADD', random.key(), ...random.several(0, 40, () => element(random))]],
    [6, (random) => ['PFADD', random.key(), ...madeElements(random)]],
    [2, (random) => ['PFADD', random.key(), ...random.several(300, 1200, () => element(random))]],
    [6, (random) => ['PFCOUNT', ...random.several(1, 3, () => random.key())]],
    [4, (random) => ['PFMERGE', ...random.several(1, 4, () => random.key())]],
    [3, (random) => ['PFDEBUG', 'DECODE', random.key()]],
    [6, (random) => ['GET', random.key()]],
    [0.3, (random) => ['DEL', random.key()]],
  ],
};

/** Mostly one of many numbers, so that some come again; now and then any bytes of any length. */
function element(random: Random): Argument {
  return random.chance(0.9) ? String(random.integerBetween(0, 30_000)) : random.value();
}

/** Elements for registers that lie together, with values of which several are the same. */
function madeElements(random: Random): Argument[] {
  const first = random.pick([0, 0, 100, 5000, random.integerBetween(0, 16_300), 16_370]);
  return random.several(1, 30, () => {
    const value = random.weighted<() => number>([
      [20, () => random.integerBetween(1, 2)],
      [4, () => random.integerBetween(1, 32)],
      [0.05, () => random.integerBetween(33, 51)],
    ])();
    return elementFor(Math.min(first + random.integerBetween(0, random.pick([3, 13, 80])), 16_383), value);
  });
}

/** A string with the header of a HyperLogLog, whatever comes behind it. */
function lookalike(random: Random): Buffer {
  const isDense = random.chance(0.4);
  const header = Buffer.alloc(16);
  header.write('HYLL', 'latin1');
  header[4] = isDense ? 0 : 1;
  random.bytes(8).copy(header, 8);
  if (random.chance(0.6)) header[15] = 0x80;
  if (isDense) {
    const fill = random.pick([0, 1, 0xff, random.integerBetween(0, 255)]);
    return Buffer.concat([header, Buffer.alloc(DENSE_BYTES - 16 + random.pick([0, 0, 0, 0, 1, -1]), fill)]);
  }
  const runs = random.pick<() => Buffer>([
    () => Buffer.from([0x7f, 0xff]),
    () => Buffer.from([0x80, 0x7f, 0xfe]),
    () => Buffer.alloc(256, 0x3f),
    () => Buffer.alloc(random.pick([4096, 4096, 4095, 4097]), random.pick([0x83, 0xff, 0x9b])),
    () => Buffer.from([0x3f, 0x7f, 0xbf]),
    () => random.bytes(random.integerBetween(0, 40)),
    () => Buffer.alloc(0),
  ])();
  return Buffer.concat([header, runs]);
}

/** A byte of the header or behind it. */
function spoiledOffset(random: Random): number {
  return random.pick([
    random.integerBetween(0, 15),
    random.integerBetween(16, 40),
    random.integerBetween(16, 2000),
  ]);
}
