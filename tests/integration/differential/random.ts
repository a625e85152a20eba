/** Seeded randomness, and the keys, values and numbers that commands are tried with. */
import { allCommands } from '../../../src/commands/all.js';
import type { Argument } from './wire.js';

/** Few, so that commands meet; binary, empty and beyond the length that fits a record's byte too. */
const KEYS: readonly Buffer[] = [
  ...['a', 'b', 'c', 'd', 'e', 'f', 'key:1', 'key:2', '{tag}key', '*', ''].map((key) => Buffer.from(key)),
  Buffer.from([0, 0xff, 0x0d, 0x0a, 0x80]),
  Buffer.from('L'.repeat(254)),
  Buffer.from('L'.repeat(300)),
];

/** Integers at every limit: of the shared ones, of int32, of doubles, of int64; and what is nearly an integer. */
const INTEGERS =
  '0 1 -1 2 10 42 100 9999 10000 -9999 2147483647 2147483648 -2147483648 -2147483649 4294967295 4294967296 ' +
  '9007199254740990 9007199254740991 9007199254740992 9007199254740993 -9007199254740991 -9007199254740993 ' +
  '123456789012345678 -123456789012345678 9223372036854775806 9223372036854775807 -9223372036854775807 ' +
  '-9223372036854775808';
const NO_INTEGERS =
  '9223372036854775808 -9223372036854775809 18446744073709551616 99999999999999999999999 -0 +1 01 007 1.0 1e3 0x10 ' +
  '1a a1 -- - nan inf';

const FLOATS =
  '0.1 0.2 -0.1 1.5 3.0e3 5e-20 1e-5000 1e308 1e400 1e4932 1e5000 -1e4932 123456789.123456789 0.30000000000000004 ' +
  '1.0000000000000000001 17.999999999999999999 inf -inf +inf infinity nan 0x1p3 0x.8 .5 5. . +.5 1e 1e+ 1_0 1,5';

const WORDS = 'hello Hello foo bar x xyzzy aaaa abcabcabc NX XX EX GET COUNT * ? [a-c]* a* \\*';

/** Not only nonsense as an option, but also what may change the meaning of the arguments around it. */
const NONSENSE = [
  ...[
    '',
    'nonsense',
    'NX',
    'XX',
    'GT',
    'EX',
    'GET',
    'COUNT',
    'MATCH',
    'LIMIT',
    '-1',
    '0',
    '1e3',
    ' ',
    '*',
    '[',
  ],
  ...[
    '9223372036854775807',
    '9223372036854775808',
    '-9223372036854775808',
    'nx\0',
    'limit\0x',
    '(',
    '+inf',
    '-',
  ],
];

const respiteCommands: ReadonlySet<string> = new Set(allCommands.map((command) => command.name));

/** Values of all types other than string, each in its small and its large encoding. */
const OTHER_TYPES: readonly (readonly string[])[] = [
  ['RPUSH', 'one', 'two'],
  ['RPUSH', ...numbered(200, 'element')],
  ['SADD', '1', '2', '3'],
  ['SADD', 'one', 'two'],
  ['SADD', ...numbered(600, '')],
  ['HSET', 'field', 'value', 'other', '1'],
  ['HSET', ...numbered(600, 'f')],
  ['ZADD', '1', 'one', '2', 'two'],
  ['ZADD', ...numbered(200, '').flatMap((member) => [member, `m${member}`])],
  ['XADD', '1-1', 'field', 'value'],
].filter(([name]) => respiteCommands.has(name.toLowerCase()));

/** A source of choices; the same seed gives the same ones. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** A float from 0 to below 1 (mulberry32). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let bits = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    bits = (bits + Math.imul(bits ^ (bits >>> 7), bits | 61)) ^ bits;
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  }

  /** An integer from `min` to `max`, both included. */
  integerBetween(min: number, max: number): number {
    return min + Math.floor(this.next() * (max - min + 1));
  }

  /** True with a probability. */
  chance(probability: number): boolean {
    return this.next() < probability;
  }

  /** One of the choices, each as likely. */
  pick<T>(choices: readonly T[]): T {
    return choices[this.integerBetween(0, choices.length - 1)];
  }

  /** One of the choices, as likely as its weight says. */
  weighted<T>(choices: readonly (readonly [weight: number, choice: T])[]): T {
    let left = this.next() * choices.reduce((sum, [weight]) => sum + weight, 0);
    for (const [weight, choice] of choices) {
      left -= weight;
      if (left < 0) return choice;
    }
    return choices[choices.length - 1][1];
  }

  /** `min` to `max` things. */
  several<T>(min: number, max: number, make: () => T): T[] {
    return Array.from({ length: this.integerBetween(min, max) }, make);
  }

  /** One of a few keys. */
  key(): Buffer {
    return this.chance(0.7) ? KEYS[this.integerBetween(0, 5)] : this.pick(KEYS);
  }

  /** A value for a string, an element, a field: numbers and bytes of all lengths, now and then a huge one. */
  value(): Argument {
    return this.weighted<() => Argument>([
      [3, () => this.integer()],
      [2, () => this.float()],
      [2, () => this.pick(WORDS.split(' '))],
      [3, () => this.bytes(this.integerBetween(0, 70))],
      [2, () => this.bytes(this.pick([43, 44, 45, 46, 63, 64, 65, 254, 255, 256, 257, 511, 1000]))],
      [0.3, () => this.bytes(this.integerBetween(10_000, 40_000))],
      [0.03, () => Buffer.alloc(this.integerBetween(100_000, 600_000), this.integerBetween(0, 255))],
    ])();
  }

  /** A short member or field, from few, so that the same ones come again. */
  member(): Argument {
    return this.chance(0.8) ? this.pick(['a', 'b', 'c', '1', '2', '-5', 'xyzzy', '']) : this.value();
  }

  /** An integer, mostly a small one, now and then none. */
  integer(): string {
    return this.weighted([
      [5, () => String(this.integerBetween(-20, 20))],
      [4, () => this.pick(INTEGERS.split(' '))],
      [0.7, () => this.pick(NO_INTEGERS.split(' '))],
    ])();
  }

  /** A float, now and then none. */
  float(): string {
    return this.weighted([
      [3, () => String(this.integerBetween(-100, 100) / this.pick([1, 2, 4, 10, 1000]))],
      [2, () => this.integer()],
      [2, () => this.pick(FLOATS.split(' '))],
    ])();
  }

  /** An index into something of about `length`, from either end, now and then far beyond. */
  index(length: number): string {
    return this.chance(0.9) ? String(this.integerBetween(-length - 2, length + 2)) : this.integer();
  }

  /** Random bytes, some of which end lines and strings. */
  bytes(length: number): Buffer {
    const bytes = Buffer.alloc(length);
    const kind = this.integerBetween(0, 2);
    for (let i = 0; i < length; i++) {
      if (kind === 0) bytes[i] = this.integerBetween(0, 255);
      else if (kind === 1) bytes[i] = 0x61 + this.integerBetween(0, 3);
      else bytes[i] = this.pick([0, 10, 13, 0x30, 0x31, 0x22, 0x5c, 0xff]);
    }
    return bytes;
  }

  /** Some of the options, in any order and case, now and then one repeated or one that is none. */
  options(...choices: readonly (() => readonly Argument[])[]): Argument[] {
    const options = this.several(
      0,
      this.weighted([
        [6, 1],
        [3, 2],
        [1, 4],
      ]),
      () => this.pick(choices)(),
    );
    if (this.chance(0.04)) options.push([this.nonsense()]);
    return options.flatMap(([word, ...values]) => [this.anyCase(String(word)), ...values]);
  }

  /** A word in capitals, or now and then in other letters. */
  anyCase(word: string): string {
    return this.weighted([
      [6, () => word],
      [2, () => word.toLowerCase()],
      [1, () => [...word].map((c) => (this.chance(0.5) ? c.toLowerCase() : c)).join('')],
    ])();
  }

  /** What is no sensible argument of any command. */
  nonsense(): string {
    return this.pick(NONSENSE);
  }

  /** A command that gives a key a value of another type than string, as far as Respite has such; GET when not. */
  valueOfOtherType(key: Argument = this.key()): Argument[] {
    if (OTHER_TYPES.length === 0) return ['GET', key];
    const [name, ...values] = this.pick(OTHER_TYPES);
    return [name, key, ...values];
  }

  /**
   * A time to live that no test outlasts, in seconds, of which no two are so close that it matters which came first;
   * now and then a wrong one.
   */
  seconds(): string {
    return this.weighted([
      [8, () => String(this.integerBetween(1_000, 1_000_000_000))],
      [1, () => this.pick(WRONG_SECONDS)],
    ])();
  }

  /** The same in milliseconds. */
  milliseconds(): string {
    return this.weighted([
      [8, () => String(this.integerBetween(1_000_000, 1_000_000_000_000))],
      [1, () => this.pick(WRONG_MILLISECONDS)],
    ])();
  }

  /** A Unix time in seconds, past or to come, but not near. */
  unixSeconds(): string {
    return this.weighted([
      [
        6,
        () => String(this.pick([4_000_000_000, 5_000_000_000, 33_000_000_000]) + this.integerBetween(0, 3)),
      ],
      [2, () => String(this.integerBetween(1, 1_000_000_000))],
      [1, () => this.pick(WRONG_SECONDS)],
    ])();
  }

  /** The same in milliseconds. */
  unixMilliseconds(): string {
    return this.weighted([
      [6, () => String(this.pick([4_000_000_000_000, 5_000_000_000_000]) + this.integerBetween(0, 3))],
      [2, () => String(this.integerBetween(1, 1_000_000_000_000))],
      [1, () => this.pick(WRONG_MILLISECONDS)],
    ])();
  }
}

const WRONG_TIMES = '0 -1 -1000 x 1.5 9223372036854775808 -9223372036854775808 9223372036854775807'.split(
  ' ',
);
/** Behind the limit of seconds that fit milliseconds, and before it. */
const WRONG_SECONDS = [...WRONG_TIMES, '9223372036854776', '-9223372036854776', '9223370000000000'];
/** Beyond 2^53, where Respite's deadlines are rounded: no two may be so close that they become the same. */
const WRONG_MILLISECONDS = [...WRONG_TIMES, '9007199254740993', '9223370000000000000'];

function numbered(count: number, prefix: string): string[] {
  return Array.from({ length: count }, (_, i) => `${prefix}${i}`);
}
