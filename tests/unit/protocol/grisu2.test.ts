import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DOUBLE_DIGITS_MAX, Grisu2 } from '../../../src/protocol/grisu2.js';

const grisu = new Grisu2();

/** The digits of a double and their exponent, as "digits e exponent". */
function digitsOf(value: number): string {
  grisu.find(value);
  const digits = Buffer.from(grisu.digits.subarray(0, grisu.digitCount)).toString('latin1');
  return `${digits}e${grisu.exponent}`;
}

/** The fewest digits, by String. */
function shortestDigitCount(value: number): number {
  return value.toExponential().replace(/e.*/, '').replace('.', '').length;
}

const positiveDoubles = () => fc.double({ min: 5e-324, max: Number.MAX_VALUE, noNaN: true });

describe('Grisu2', () => {
  it.each([
    [1, '1e0'],
    [1.5, '15e-1'],
    [100, '1e2'],
    [0.1, '1e-1'],
    [0.3, '3e-1'],
    [0.1 + 0.2, '30000000000000004e-17'],
    [5e-324, '5e-324'],
    [Number.MAX_VALUE, '17976931348623157e292'],
    [2 ** 60, '1152921504606847e3'],
    [2.2250738585072014e-308, '22250738585072014e-324'],
  ])('gives %d the digits %s', (value, digits) => {
    expect(digitsOf(value)).toBe(digits);
  });

  it.each([
    [8515103828.160604, '85151038281606035e-7'],
    [27210182896896190, '27210182896896192e0'],
    [280703984502796420, '28070398450279642e1'],
  ])('gives %d the digits %s, as fpconv does and String does not', (value, digits) => {
    expect(digitsOf(value)).toBe(digits);
  });

  it('gives digits that read back as the double, seldom more than needed', () => {
    let values = 0;
    let longer = 0;
    fc.assert(
      fc.property(positiveDoubles(), (value) => {
        const text = digitsOf(value);
        expect(Number(text)).toBe(value);
        expect(grisu.digitCount).toBeLessThanOrEqual(DOUBLE_DIGITS_MAX);
        expect(text[0]).not.toBe('0');
        values++;
        if (grisu.digitCount > shortestDigitCount(value)) longer++;
      }),
      { numRuns: 20_000 },
    );
    expect(longer).toBeLessThan(values / 100);
  });
});
