import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  FOUR_DECIMALS_LENGTH_MAX,
  formatSixDecimals,
  writeFourDecimals,
} from '../../../src/protocol/fixed-point.js';

function fourDecimals(value: number): string {
  const bytes = new Uint8Array(FOUR_DECIMALS_LENGTH_MAX + 1);
  return Buffer.from(bytes.subarray(1, writeFourDecimals(bytes, 1, value))).toString('latin1');
}

describe('writeFourDecimals', () => {
  it.each([
    [0, '0.0000'],
    [-0, '0.0000'],
    [0.0001, '0.0001'],
    [6.0642951598391699e-5, '0.0001'],
    [0.01, '0.0100'],
    [0.775, '0.7750'],
    [1, '1.0000'],
    [9.99996, '10.0000'],
    [-0.00001, '0.0000'],
    [-1.5, '-1.5000'],
    [0.00025, '0.0002'],
    [0.00035, '0.0004'],
    [166274.1516, '166274.1516'],
    [20015086.796, '20015086.7960'],
    [NaN, '-922337203685477.5808'],
  ])('%d is %s', (value, text) => {
    expect(fourDecimals(value)).toBe(text);
  });

  it('is the number of ten thousandths that is nearest', () => {
    fc.assert(
      fc.property(fc.integer({ min: -(10 ** 14), max: 10 ** 14 }), (scaled) => {
        const digits = String(Math.abs(scaled)).padStart(5, '0');
        const sign = scaled < 0 ? '-' : '';
        expect(fourDecimals(scaled / 10_000)).toBe(`${sign}${digits.slice(0, -4)}.${digits.slice(-4)}`);
      }),
    );
  });
});

describe('formatSixDecimals', () => {
  it.each([
    [0, '0.000000'],
    [-0, '-0.000000'],
    [200, '200.000000'],
    [-1e-9, '-0.000000'],
    [200.0078125, '200.007812'],
    [200.0234375, '200.023438'],
    [-91.0078125, '-91.007812'],
    [1e21, '1000000000000000000000.000000'],
    [-1e22, '-10000000000000000000000.000000'],
    [1e300, `${BigInt(1e300)}.000000`],
    [Number.POSITIVE_INFINITY, 'inf'],
    [Number.NEGATIVE_INFINITY, '-inf'],
  ])('%d is %s', (value, text) => {
    expect(formatSixDecimals(value)).toBe(text);
  });
});
