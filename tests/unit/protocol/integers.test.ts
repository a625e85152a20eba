import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  bigintFromWords,
  decimalLength,
  highWord,
  highWordOfBigint,
  INT64_DECIMAL_LENGTH_MAX,
  INT64_MAX,
  INT64_MIN,
  lowWord,
  lowWordOfBigint,
  parseInt64,
  parseInt64Words,
  parseSafeInteger,
  SAFE_INTEGER_DECIMAL_LENGTH_MAX,
  safeIntegerFromWords,
  writeInt64FromWords,
  writeSafeInteger,
} from '../../../src/protocol/integers.js';

/** What surrounds the text under test: a digit, so that reading or writing too far shows. */
const NEIGHBOUR = 0x39;
const BEFORE = 3;
const AFTER = 5;

function surrounded(text: string): Uint8Array {
  const bytes = new Uint8Array(BEFORE + text.length + AFTER).fill(NEIGHBOUR);
  bytes.set(Buffer.from(text, 'latin1'), BEFORE);
  return bytes;
}

const parseSafe = (text: string) => parseSafeInteger(surrounded(text), BEFORE, text.length);
const parse64 = (text: string) => parseInt64(surrounded(text), BEFORE, text.length);

/** As `parse64`, from the two words. */
function parseWords(text: string): bigint | undefined {
  const words = { low: 7, high: 7 };
  const isInteger = parseInt64Words(surrounded(text), BEFORE, text.length, words);
  if (!isInteger) expect(words).toEqual({ low: 7, high: 7 });
  else expect(words).toEqual({ low: words.low | 0, high: words.high | 0 });
  return isInteger ? bigintFromWords(words.low, words.high) : undefined;
}

function written(write: (bytes: Uint8Array, offset: number) => number, lengthMax: number): string {
  const bytes = new Uint8Array(BEFORE + lengthMax + AFTER).fill(NEIGHBOUR);
  const end = write(bytes, BEFORE);
  expect(bytes.subarray(0, BEFORE).every((byte) => byte === NEIGHBOUR)).toBe(true);
  expect(bytes.subarray(end).every((byte) => byte === NEIGHBOUR)).toBe(true);
  return Buffer.from(bytes.subarray(BEFORE, end)).toString('latin1');
}

const safeIntegers = () =>
  fc.oneof(
    fc.maxSafeInteger(),
    fc.integer(),
    fc.integer({ min: -1000, max: 1000 }),
    fc
      .tuple(fc.nat(15), fc.integer({ min: -2, max: 2 }), fc.constantFrom(1, -1))
      .map(([exponent, difference, sign]) => sign * (10 ** exponent + difference)),
    fc
      .tuple(fc.nat(52), fc.integer({ min: -2, max: 2 }), fc.constantFrom(1, -1))
      .map(([exponent, difference, sign]) => sign * (2 ** exponent + difference)),
    fc.constantFrom(Number.MAX_SAFE_INTEGER, -Number.MAX_SAFE_INTEGER),
  );

const int64s = () =>
  fc.oneof(
    fc.bigInt({ min: INT64_MIN, max: INT64_MAX }),
    safeIntegers().map(BigInt),
    fc.constantFrom(INT64_MIN, INT64_MIN + 1n, INT64_MAX, INT64_MAX - 1n, 2n ** 53n, -(2n ** 53n)),
  );

/** Text that is a number, almost a number, or neither. */
const numberLikeText = () =>
  fc.oneof(
    fc.bigInt({ min: -(2n ** 66n), max: 2n ** 66n }).map(String),
    int64s().map(String),
    fc.stringMatching(/^[-+ 0]?[0-9]{0,22}[ .e]?$/),
    fc.string({ maxLength: 24 }).map((text) => Buffer.from(text).toString('latin1')),
  );

/** The grammar in one line. */
const CANONICAL = /^(0|-?[1-9][0-9]*)$/;

describe('reading integers', () => {
  it.each(['0', '1', '-1', '9', '10', '123456789', '1234567890', '-999999999', '9007199254740991'])(
    'reads %s',
    (text) => {
      expect(parseSafe(text)).toBe(Number(text));
      expect(parse64(text)).toBe(BigInt(text));
    },
  );

  it.each([
    '',
    '-',
    '+1',
    '-0',
    '00',
    '01',
    '-01',
    ' 1',
    '1 ',
    '1.0',
    '1e3',
    '0x10',
    '1\n',
    '--1',
    'a',
    '٣',
    '/',
    ':',
    '12345678901234567890123',
    '1234567890a',
    '123456789012345 ',
    '9223372036854775808',
    '-9223372036854775809',
    '18446744073709551616',
    '99999999999999999999',
    '-99999999999999999999',
  ])('refuses %j', (text) => {
    expect(parseSafe(text)).toBeNaN();
    expect(parse64(text)).toBeUndefined();
    expect(parseWords(text)).toBeUndefined();
  });

  it.each(['9007199254740992', '-9007199254740992', '90071992547409910', '-9223372036854775808'])(
    'leaves %s to those of 64 bits',
    (text) => {
      expect(parseSafe(text)).toBeNaN();
      expect(parse64(text)).toBe(BigInt(text));
      expect(parseWords(text)).toBe(BigInt(text));
    },
  );

  it('reads what the grammar allows and nothing else', () => {
    fc.assert(
      fc.property(numberLikeText(), (text) => {
        const exact = CANONICAL.test(text) ? BigInt(text) : undefined;
        const isInt64 = exact !== undefined && exact >= INT64_MIN && exact <= INT64_MAX;
        expect(parse64(text)).toBe(isInt64 ? exact : undefined);
        expect(parseWords(text)).toBe(isInt64 ? exact : undefined);
        expect(parseSafe(text)).toBe(
          exact !== undefined && Number.isSafeInteger(Number(exact)) ? Number(exact) : NaN,
        );
      }),
      { numRuns: 5000 },
    );
  });
});

describe('writing integers', () => {
  it('writes every safe integer as String does, in the length announced', () => {
    fc.assert(
      fc.property(safeIntegers(), (value) => {
        const text = String(value);
        expect(decimalLength(value)).toBe(text.length);
        expect(written((bytes, offset) => writeSafeInteger(bytes, offset, value), text.length)).toBe(text);
      }),
      { numRuns: 5000 },
    );
  });

  it('writes every integer of up to five digits', () => {
    const bytes = new Uint8Array(16);
    for (let value = -100000; value <= 100000; value++) {
      const end = writeSafeInteger(bytes, 0, value);
      const text = String(value);
      if (end !== text.length || Buffer.from(bytes.buffer, 0, end).toString('latin1') !== text) {
        expect.unreachable(`${text} was written as ${Buffer.from(bytes.buffer, 0, end).toString('latin1')}`);
      }
    }
  });

  it('writes -0 as 0', () => {
    expect(written((bytes, offset) => writeSafeInteger(bytes, offset, -0), 1)).toBe('0');
    expect(decimalLength(-0)).toBe(1);
  });

  it.each([NaN, Infinity, -Infinity, 2 ** 53, 1e20])('refuses %d', (value) => {
    expect(() => writeSafeInteger(new Uint8Array(32), 0, value)).toThrow(RangeError);
  });

  it('states the longest lengths', () => {
    expect(decimalLength(-Number.MAX_SAFE_INTEGER)).toBe(SAFE_INTEGER_DECIMAL_LENGTH_MAX);
    expect(String(INT64_MIN)).toHaveLength(INT64_DECIMAL_LENGTH_MAX);
  });
});

describe('two words', () => {
  it('hold every safe integer', () => {
    fc.assert(
      fc.property(safeIntegers(), (value) => {
        const low = lowWord(value);
        const high = highWord(value);
        expect([low, high]).toEqual([low | 0, high | 0]);
        expect(safeIntegerFromWords(low, high)).toBe(value + 0);
        expect(bigintFromWords(low, high)).toBe(BigInt(value));
      }),
      { numRuns: 2000 },
    );
  });

  it('hold every int64, little endian', () => {
    const memory = new DataView(new ArrayBuffer(8));
    fc.assert(
      fc.property(int64s(), (value) => {
        memory.setBigInt64(0, value, true);
        const low = memory.getInt32(0, true);
        const high = memory.getInt32(4, true);
        expect([lowWordOfBigint(value), highWordOfBigint(value)]).toEqual([low, high]);
        expect(bigintFromWords(low, high)).toBe(value);
        expect(safeIntegerFromWords(low, high)).toBe(
          Number.isSafeInteger(Number(value)) ? Number(value) : NaN,
        );
        expect(
          written((bytes, offset) => writeInt64FromWords(bytes, offset, low, high), INT64_DECIMAL_LENGTH_MAX),
        ).toBe(String(value));
        expect(parseWords(String(value))).toBe(value);
      }),
      { numRuns: 2000 },
    );
  });
});
