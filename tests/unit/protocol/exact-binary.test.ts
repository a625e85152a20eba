import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  DOUBLE_FORMAT,
  divideToNearestEven,
  type ExactBinary,
  exactBinaryOf,
  LONG_DOUBLE_FORMAT,
  parseHexadecimalFloat,
  roundToFormat,
} from '../../../src/protocol/exact-binary.js';

const numberOf = ({ significand, exponent }: ExactBinary) => Number(significand) * 2 ** exponent;
const finiteDoubles = () => fc.double({ noNaN: true, noDefaultInfinity: true });
const safeIntegers = () => fc.maxSafeInteger().map(BigInt);

describe('rounding to a format', () => {
  it('divides integers as doubles are divided', () => {
    fc.assert(
      fc.property(
        safeIntegers(),
        safeIntegers().filter((value) => value > 0n),
        (numerator, denominator) => {
          const rounded = roundToFormat(DOUBLE_FORMAT, numerator, denominator, 0);
          expect(rounded && numberOf(rounded)).toBe(Number(numerator) / Number(denominator) + 0);
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('multiplies and adds as doubles do, from the subnormal numbers to the largest', () => {
    fc.assert(
      fc.property(finiteDoubles(), finiteDoubles(), (x, y) => {
        const a = exactBinaryOf(x);
        const b = exactBinaryOf(y);
        const product = roundToFormat(
          DOUBLE_FORMAT,
          a.significand * b.significand,
          1n,
          a.exponent + b.exponent,
        );
        const isTooLarge = Math.abs(x * y) === Infinity;
        expect(product === undefined ? undefined : numberOf(product)).toBe(
          isTooLarge ? undefined : x * y + 0,
        );
      }),
      { numRuns: 2000 },
    );
  });

  it('knows the limits of both formats', () => {
    for (const format of [DOUBLE_FORMAT, LONG_DOUBLE_FORMAT]) {
      const { precision, exponentMin, magnitudeMax } = format;
      expect(roundToFormat(format, 1n, 1n, exponentMin)).toEqual({ significand: 1n, exponent: exponentMin });
      expect(roundToFormat(format, 3n, 1n, exponentMin - 1)?.significand).toBe(2n);
      expect(roundToFormat(format, 1n, 1n, exponentMin - 1)?.significand).toBe(0n);
      expect(roundToFormat(format, 1n, 1n, magnitudeMax)).toBeUndefined();
      const allOnes = 2n ** BigInt(precision) - 1n;
      expect(roundToFormat(format, -allOnes, 1n, magnitudeMax - precision)?.significand).toBe(-allOnes);
      expect(roundToFormat(format, 2n * allOnes + 1n, 1n, magnitudeMax - precision - 1)).toBeUndefined();
    }
  });

  it('takes ties to the even integer', () => {
    expect([1n, 3n, 5n, 7n].map((odd) => divideToNearestEven(odd, 2n, 0))).toEqual([0n, 2n, 2n, 4n]);
    expect(divideToNearestEven(5n, 1n, -2)).toBe(1n);
    expect(divideToNearestEven(5n, 3n, 2)).toBe(7n);
  });
});

describe('exact values', () => {
  it('are those of the doubles', () => {
    fc.assert(
      fc.property(finiteDoubles(), (value) => {
        expect(numberOf(exactBinaryOf(value))).toBe(value + 0);
      }),
    );
  });

  it('are read from hexadecimal', () => {
    expect(parseHexadecimalFloat('0x1.8p+3')).toEqual({ significand: 0x18n, exponent: -1 });
    expect(parseHexadecimalFloat('-0X.fP-2')).toEqual({ significand: -0xfn, exponent: -6 });
    expect(parseHexadecimalFloat('+0xABCDEF0123456789')).toEqual({
      significand: 0xabcdef0123456789n,
      exponent: 0,
    });
    for (const text of ['', '0x', '0x.', '0xp1', '0x1p', '0x1p+', '1', '0xg', ' 0x1', '0x1 ', '0x1.2.3']) {
      expect(parseHexadecimalFloat(text)).toBeUndefined();
    }
  });
});
