/** Random commands on strings as bitmaps. */
import { secondsAlike } from './comparisons.js';
import type { Family } from './differential.js';
import type { Random } from './random.js';
import type { Argument } from './wire.js';

export const bitmapsFamily: Family = {
  name: 'bitmaps',
  kinds: [
    [10, (random) => ['SETBIT', random.key(), position(random), bit(random)]],
    [6, (random) => ['GETBIT', random.key(), position(random)]],
    [8, (random) => ['BITCOUNT', random.key(), ...countRange(random)]],
    [10, (random) => ['BITPOS', random.key(), bit(random), ...positionRange(random)]],
    [10, (random) => ['BITOP', operation(random), random.key(), ...sources(random)]],
    [3, (random) => ['BITOP', random.anyCase('NOT'), random.key(), random.key()]],
    [
      20,
      (random) => ['BITFIELD', random.key(), ...random.several(0, 5, () => fieldOperation(random)).flat()],
    ],
    [5, (random) => ['BITFIELD', random.key(), ...random.several(0, 4, () => fieldGet(random)).flat()]],
    [5, (random) => ['BITFIELD_RO', random.key(), ...random.several(0, 4, () => fieldGet(random)).flat()]],
    [2, (random) => ['BITFIELD_RO', random.key(), ...fieldOperation(random)]],
    [6, (random) => ['SET', random.key(), content(random)]],
    [2, (random) => ['SET', random.key(), content(random), 'EX', random.seconds()]],
    [2, (random) => ['SET', random.key(), content(random), 'PXAT', random.unixMilliseconds()]],
    [2, (random) => ['APPEND', random.key(), content(random)]],
    [2, (random) => ['SETRANGE', random.key(), random.integerBetween(0, 300), content(random)]],
    [2, (random) => ['INCRBY', random.key(), random.integer()]],
    [3, (random) => ['GET', random.key()]],
    [2, (random) => ['STRLEN', random.key()]],
    [5, (random) => ['OBJECT', 'ENCODING', random.key()]],
    [1, (random) => ({ args: ['TTL', random.key()], alike: secondsAlike })],
    [1, (random) => ['COMMAND', 'GETKEYSANDFLAGS', 'BITFIELD', 'k', ...fieldOperation(random)]],
    [3, (random) => ['DEL', random.key(), random.key()]],
    [2, (random) => random.valueOfOtherType()],
  ],
};

/** So far before the start of any string that doubles do not tell them apart. */
const FAR_BEFORE = ['-9007199254740991', '-9007199254740993', '-9223372036854775808'];

/** Values, and what bits are looked for in: long runs of ones and zeros with few bits that are others. */
function content(random: Random): Argument {
  return random.weighted<() => Argument>([
    [3, () => random.value()],
    [
      4,
      () => {
        const bytes = Buffer.alloc(random.integerBetween(0, 700), random.pick([0, 0xff]));
        for (const at of random.several(0, 3, () => random.integerBetween(0, bytes.length))) {
          if (at < bytes.length) bytes[at] ^= 1 << random.integerBetween(0, 7);
        }
        return bytes;
      },
    ],
  ])();
}

function bit(random: Random): Argument {
  return random.chance(0.95) ? random.integerBetween(0, 1) : random.integer();
}

/** A bit: near the start, about the thresholds of encodings, and about the longest string allowed. */
function position(random: Random): Argument {
  return random.weighted<() => Argument>([
    [6, () => random.integerBetween(0, 100)],
    [3, () => random.integerBetween(1_500, 2_500)],
    [0.1, () => random.integerBetween(8 * 2 ** 20 - 70, 8 * 2 ** 20 + 2)],
    [1, () => random.integer()],
  ])();
}

/** The same for BITFIELD, also in widths of the type. */
function fieldPosition(random: Random): Argument {
  return random.weighted<() => Argument>([
    [6, () => position(random)],
    [4, () => `#${random.integerBetween(0, 40)}`],
    [1, () => `#${random.integer()}`],
    [0.5, () => `#${random.pick(['4611686018427387904', '-4611686018427387904', '2305843009213693953'])}`],
    [0.2, () => random.pick(['#', '##1', '', '# 1', '#-1', '1#'])],
  ])();
}

function fieldType(random: Random): Argument {
  return random.weighted<() => Argument>([
    [5, () => random.pick(['u', 'i']) + random.integerBetween(1, 63)],
    [3, () => random.pick(['u1', 'u8', 'i8', 'i16', 'u16', 'i32', 'u32', 'i33', 'u63', 'i63', 'i64', 'i1'])],
    [
      0.3,
      () =>
        random.pick(['u64', 'i65', 'u0', 'i0', 'i-1', 'I8', 'U8', 'i', 'u', '', '8', 'i8 ', 'u8\0x', 'i+8']),
    ],
  ])();
}

/** Values and increments at the limits of types of every width. */
function operand(random: Random): Argument {
  if (random.chance(0.5)) return random.integer();
  const limit = 2n ** BigInt(random.integerBetween(0, 63)) - BigInt(random.integerBetween(-1, 3));
  const value = random.chance(0.5) ? limit : -limit;
  return String(random.chance(0.1) ? -(2n ** 63n) + limit : value);
}

function fieldGet(random: Random): Argument[] {
  return [random.anyCase('GET'), fieldType(random), fieldPosition(random)];
}

function fieldOperation(random: Random): Argument[] {
  return random.weighted<() => Argument[]>([
    [2, () => fieldGet(random)],
    [4, () => [random.anyCase('SET'), fieldType(random), fieldPosition(random), operand(random)]],
    [5, () => [random.anyCase('INCRBY'), fieldType(random), fieldPosition(random), operand(random)]],
    [4, () => [random.anyCase('OVERFLOW'), random.anyCase(random.pick(['WRAP', 'SAT', 'FAIL']))]],
    [0.1, () => ['OVERFLOW', random.nonsense()]],
  ])();
}

function countRange(random: Random): Argument[] {
  return random.weighted<() => Argument[]>([
    [2, () => []],
    [3, () => [random.index(300), random.index(300)]],
    [4, () => [random.index(3000), random.index(3000), unit(random)]],
    [0.3, () => [random.index(10)]],
    [0.2, () => [random.pick(FAR_BEFORE), random.pick(FAR_BEFORE)]],
  ])();
}

function positionRange(random: Random): Argument[] {
  return random.chance(0.3) ? [random.index(300)] : countRange(random);
}

function unit(random: Random): Argument {
  return random.chance(0.95) ? random.anyCase(random.pick(['BIT', 'BYTE'])) : random.nonsense();
}

function operation(random: Random): Argument {
  if (random.chance(0.05)) return random.pick(['DIFF', 'ONE', 'NOT', 'nand', '', 'and\0x']);
  return random.anyCase(random.pick(['AND', 'OR', 'XOR']));
}

function sources(random: Random): Argument[] {
  return random.several(1, random.chance(0.05) ? 20 : 4, () => random.key());
}
