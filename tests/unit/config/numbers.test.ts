import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  formatMemory,
  parseInteger,
  parseLenientInteger,
  parseMemory,
  toInt,
} from '../../../src/config/numbers.js';

describe('parseMemory', () => {
  test.each([
    ['0', 0n],
    ['100', 100n],
    ['5b', 5n],
    ['1k', 1000n],
    ['1KB', 1024n],
    ['2m', 2000000n],
    ['2mb', 2097152n],
    ['1G', 1000000000n],
    ['1gb', 1073741824n],
    ['', 0n],
    ['kb', 0n],
    ['1kb\0x', 1024n],
    ['18446744073709551615', 2n ** 64n - 1n],
    ['99999999999999999999', 2n ** 64n - 1n],
    ['17179869184gb', 0n],
  ])('%j is %s bytes', (text, expected) => {
    expect(parseMemory(text)).toBe(expected);
  });

  test.each(['-1', 'x', '1kbx', '1 kb', ' 1', '1%', '1.5gb', '1'.repeat(128)])('%j is none', (text) => {
    expect(parseMemory(text)).toBeUndefined();
  });

  test('reads what formatMemory prints', () => {
    fc.assert(
      fc.property(
        fc.bigInt(0n, 2n ** 34n),
        fc.constantFrom(1n, 1024n, 1024n ** 2n, 1024n ** 3n),
        (n, unit) => {
          expect(parseMemory(formatMemory(n * unit))).toBe(BigInt.asUintN(64, n * unit));
        },
      ),
    );
    expect(formatMemory(0n)).toBe('0');
    expect(formatMemory(1536n * 1024n)).toBe('1536kb');
  });
});

describe('integers', () => {
  test('parseInteger is strict', () => {
    expect(parseInteger('-9223372036854775808')).toBe(-(2n ** 63n));
    expect(parseInteger('9223372036854775807')).toBe(2n ** 63n - 1n);
    for (const text of [
      '',
      '-',
      '+1',
      '01',
      ' 1',
      '1 ',
      '1.0',
      '9223372036854775808',
      '-9223372036854775809',
      '-0',
    ]) {
      expect([text, parseInteger(text)]).toEqual([text, undefined]);
    }
  });

  test('parseLenientInteger reads as strtoll does', () => {
    expect(parseLenientInteger('')).toEqual({ value: 0n, isOutOfRange: false });
    expect(parseLenientInteger(' \t+07')).toEqual({ value: 7n, isOutOfRange: false });
    expect(parseLenientInteger('-12\0x')).toEqual({ value: -12n, isOutOfRange: false });
    expect(parseLenientInteger('755', 8)).toEqual({ value: 0o755n, isOutOfRange: false });
    expect(parseLenientInteger('9'.repeat(30))).toEqual({ value: 2n ** 63n - 1n, isOutOfRange: true });
    expect(parseLenientInteger(`-${'9'.repeat(30)}`)).toEqual({ value: -(2n ** 63n), isOutOfRange: true });
    for (const text of [' ', '1x', 'x', '1 ']) expect(parseLenientInteger(text)).toBeUndefined();
    expect(parseLenientInteger('8', 8)).toBeUndefined();
  });

  test('toInt keeps 32 bits', () => {
    expect([toInt(2n ** 32n + 5n), toInt(2n ** 31n), toInt(-1n)]).toEqual([5, -(2 ** 31), -1]);
  });
});
