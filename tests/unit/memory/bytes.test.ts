import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareBytes, copyBytes, equalBytes } from '../../../src/memory/bytes.js';

const bytes = fc.uint8Array({ maxLength: 500, size: 'max' });

describe('copyBytes', () => {
  it('copies what `set` copies, short or long, and nothing around it', () => {
    const property = fc.property(bytes, fc.nat(20), fc.nat(20), (source, before, after) => {
      const target = new Uint8Array(before + source.length + after).fill(0x55);
      const offset = Math.min(before, source.length);
      const length = source.length - offset;
      copyBytes(source, offset, target, before, length);
      const expected = new Uint8Array(target.length).fill(0x55);
      expected.set(source.subarray(offset), before);
      expect(target).toEqual(expected);
    });
    fc.assert(property);
  });

  it('moves bytes towards the start of the same array', () => {
    for (const length of [10, 199, 200, 201, 1000]) {
      const array = Uint8Array.from({ length: length + 3 }, (_, index) => index);
      const expected = array.slice(3);
      copyBytes(array, 3, array, 0, length);
      expect(array.subarray(0, length)).toEqual(expected);
    }
  });
});

describe('equalBytes', () => {
  it('agrees with Buffer.equals', () => {
    const property = fc.property(bytes, fc.nat(10), fc.nat(), (source, offset, flip) => {
      const a = Buffer.concat([Buffer.alloc(offset, 1), source]);
      const b = Buffer.from(source);
      expect(equalBytes(a, offset, b, 0, source.length)).toBe(true);
      if (source.length === 0) return;
      b[flip % source.length] ^= 1 << (flip & 7);
      expect(equalBytes(a, offset, b, 0, source.length)).toBe(false);
    });
    fc.assert(property);
  });
});

describe('compareBytes', () => {
  it('has the sign of Buffer.compare', () => {
    const letters = fc.uint8Array({ max: 2, maxLength: 6 });
    const property = fc.property(fc.oneof(letters, bytes), fc.oneof(letters, bytes), (a, b) => {
      const result = compareBytes(a, 0, a.length, b, 0, b.length);
      expect(Math.sign(result)).toBe(Buffer.compare(a, b));
      expect(Math.sign(compareBytes(b, 0, b.length, a, 0, a.length))).toBe(0 - Math.sign(result) + 0);
    });
    fc.assert(property);
  });

  it('takes bytes as unsigned, and a prefix as less', () => {
    const a = Uint8Array.of(1, 255);
    expect(compareBytes(a, 0, 2, Uint8Array.of(1, 127), 0, 2)).toBeGreaterThan(0);
    expect(compareBytes(a, 0, 1, a, 0, 2)).toBeLessThan(0);
    expect(compareBytes(a, 1, 1, a, 1, 1)).toBe(0);
    expect(compareBytes(a, 0, 0, a, 1, 0)).toBe(0);
  });
});
