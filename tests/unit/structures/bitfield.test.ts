import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bigintFromWords, highWordOfBigint, lowWordOfBigint } from '../../../src/protocol/integers.js';
import {
  Bitfield,
  OVERFLOW_FAIL,
  OVERFLOW_SATURATE,
  OVERFLOW_WRAP,
} from '../../../src/structures/bitfield.js';

const types = fc
  .tuple(fc.boolean(), fc.integer({ min: 1, max: 64 }))
  .filter(([isSigned, width]) => isSigned || width < 64);
const int64s = fc.oneof(
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.bigInt({ min: -3n, max: 3n }),
  // At the limits of every width.
  fc
    .tuple(fc.integer({ min: 0, max: 63 }), fc.bigInt({ min: -2n, max: 2n }), fc.boolean())
    .map(([bits, difference, isNegative]) => (isNegative ? -1n : 1n) * 2n ** BigInt(bits) + difference)
    .filter((value) => BigInt.asIntN(64, value) === value),
);
const rules = fc.constantFrom(OVERFLOW_WRAP, OVERFLOW_SATURATE, OVERFLOW_FAIL);

function wordsOf(value: bigint): { low: number; high: number } {
  return { low: lowWordOfBigint(value), high: highWordOfBigint(value) };
}

function wrapped(value: bigint, isSigned: boolean, width: number): bigint {
  return isSigned ? BigInt.asIntN(width, value) : BigInt.asUintN(width, value);
}

function limitsOf(isSigned: boolean, width: number): [least: bigint, greatest: bigint] {
  return isSigned
    ? [-(2n ** BigInt(width - 1)), 2n ** BigInt(width - 1) - 1n]
    : [0n, 2n ** BigInt(width) - 1n];
}

function fieldOf(value: bigint, isSigned: boolean, width: number): Bitfield {
  const field = new Bitfield();
  field.setType(isSigned, width);
  expect(field.assign(wordsOf(wrapped(value, isSigned, width)), OVERFLOW_FAIL)).toBe(true);
  return field;
}

function held(field: Bitfield): bigint {
  return bigintFromWords(field.low, field.high);
}

describe('Bitfield', () => {
  it('reads and writes integers of every width at every position', () => {
    const strings = fc.uint8Array({ minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(strings, fc.nat(), types, int64s, (content, at, [isSigned, width], value) => {
        const bits = [...content].map((byte) => byte.toString(2).padStart(8, '0')).join('');
        const position = at % bits.length;
        const bytes = Uint8Array.of(0xff, ...content, 0xff);
        const field = new Bitfield();
        field.setType(isSigned, width);
        field.read(bytes, 1, content.length, position);
        const bitsHeld = bits.padEnd(position + width, '0').slice(position, position + width);
        expect(held(field)).toBe(wrapped(BigInt(`0b${bitsHeld}`), isSigned, width));

        if (position + width > bits.length) return;
        fieldOf(value, isSigned, width).write(bytes, 1, position);
        const written = BigInt.asUintN(width, value).toString(2).padStart(width, '0');
        const expected = bits.slice(0, position) + written + bits.slice(position + width);
        const after = [...bytes.subarray(1, -1)].map((byte) => byte.toString(2).padStart(8, '0')).join('');
        expect(after).toBe(expected);
        expect([bytes[0], bytes.at(-1)]).toEqual([0xff, 0xff]);
      }),
      { numRuns: 1000 },
    );
  });

  it('adds as exact integers do, and holds the sum as the rule says', () => {
    fc.assert(
      fc.property(types, int64s, int64s, rules, ([isSigned, width], value, increment, rule) => {
        const field = fieldOf(value, isSigned, width);
        const sum = held(field) + increment;
        const [least, greatest] = limitsOf(isSigned, width);
        const fits = sum >= least && sum <= greatest;
        expect(field.add(wordsOf(increment), rule)).toBe(fits || rule !== OVERFLOW_FAIL);
        if (fits) expect(held(field)).toBe(sum);
        else if (rule === OVERFLOW_WRAP) expect(held(field)).toBe(wrapped(sum, isSigned, width));
        else if (rule === OVERFLOW_SATURATE) expect(held(field)).toBe(sum > greatest ? greatest : least);
      }),
      { numRuns: 3000 },
    );
  });

  it('takes a value as the rule says', () => {
    fc.assert(
      fc.property(types, int64s, rules, ([isSigned, width], value, rule) => {
        const field = new Bitfield();
        field.setType(isSigned, width);
        const [least, greatest] = limitsOf(isSigned, width);
        const fits = value >= least && value <= greatest;
        expect(field.assign(wordsOf(value), rule)).toBe(fits || rule !== OVERFLOW_FAIL);
        if (fits) expect(held(field)).toBe(value);
        else if (rule === OVERFLOW_WRAP) expect(held(field)).toBe(wrapped(value, isSigned, width));
        // Redis sees no value below the least of an unsigned integer, and compares signed ones in 64 bits.
        const isAbove = !isSigned || value > greatest || greatest - value > 2n ** 63n - 1n;
        if (!fits && rule === OVERFLOW_SATURATE) expect(held(field)).toBe(isAbove ? greatest : least);
      }),
      { numRuns: 3000 },
    );
  });
});
