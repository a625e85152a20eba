import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  COMBINE_AND,
  COMBINE_OR,
  COMBINE_XOR,
  combineBits,
  countBits,
  countBitsBetween,
  findBitBetween,
  invertBits,
} from '../../../src/structures/bitmap.js';

/** Runs of ones, of zeros and of anything, of lengths on both sides of where words are used. */
const runs = fc.array(
  fc.tuple(
    fc.oneof(fc.constant(0), fc.constant(0xff), fc.integer({ min: 0, max: 255 })),
    fc.oneof(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 100, max: 300 })),
  ),
  { maxLength: 6 },
);
/** A string, and where it is within other bytes. */
const placed = fc
  .tuple(runs, fc.integer({ min: 0, max: 9 }))
  .map(([parts, offset]) => ({ content: contentOf(parts), offset }));

function contentOf(parts: readonly (readonly [value: number, length: number])[]): Buffer {
  return Buffer.concat(parts.map(([value, length]) => Buffer.alloc(length, value)));
}

/** The string within bytes that must not be looked at, or changed. */
function surrounded(content: Uint8Array, offset: number): Uint8Array {
  const bytes = new Uint8Array(new ArrayBuffer(1000 + content.length + 50), 48).fill(0x5a);
  bytes.set(content, offset);
  return bytes;
}

function bitsOf(content: Uint8Array): string {
  return [...content].map((byte) => byte.toString(2).padStart(8, '0')).join('');
}

function onesOf(bits: string): number {
  return bits.replaceAll('0', '').length;
}

describe('bits of strings', () => {
  it('are counted', () => {
    fc.assert(
      fc.property(placed, fc.nat(), fc.nat(), ({ content, offset }, a, b) => {
        const bytes = surrounded(content, offset);
        const bits = bitsOf(content);
        expect(countBits(bytes, offset, content.length)).toBe(onesOf(bits));
        if (bits === '') return;
        const [first, last] = [a % bits.length, b % bits.length].sort((x, y) => x - y);
        expect(countBitsBetween(bytes, offset, first, last)).toBe(onesOf(bits.slice(first, last + 1)));
      }),
      { numRuns: 300 },
    );
  });

  it('are found', () => {
    fc.assert(
      fc.property(placed, fc.nat(), fc.nat(), fc.constantFrom(0, 1), ({ content, offset }, a, b, bit) => {
        const bits = bitsOf(content);
        if (bits === '') return;
        const [first, last] = [a % bits.length, b % bits.length].sort((x, y) => x - y);
        const at = bits.slice(first, last + 1).indexOf(String(bit));
        const found = findBitBetween(surrounded(content, offset), offset, first, last, bit);
        expect(found).toBe(at < 0 ? -1 : first + at);
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    ['and', COMBINE_AND, (a: number, b: number) => a & b],
    ['or', COMBINE_OR, (a: number, b: number) => a | b],
    ['xor', COMBINE_XOR, (a: number, b: number) => a ^ b],
  ])('are combined with %s', (_name, combination, combined) => {
    fc.assert(
      fc.property(placed, placed, (target, source) => {
        const length = Math.min(target.content.length, source.content.length);
        const bytes = surrounded(target.content, target.offset);
        const expected = target.content.map((byte, i) =>
          i < length ? combined(byte, source.content[i]) : byte,
        );
        const from = surrounded(source.content, source.offset);
        combineBits(combination, bytes, target.offset, from, source.offset, length);
        expect(bytes).toEqual(surrounded(expected, target.offset));
      }),
      { numRuns: 200 },
    );
  });

  it('are turned over', () => {
    fc.assert(
      fc.property(placed, ({ content, offset }) => {
        const bytes = surrounded(content, offset);
        invertBits(bytes, offset, content.length);
        expect(bytes).toEqual(
          surrounded(
            content.map((byte) => byte ^ 0xff),
            offset,
          ),
        );
      }),
      { numRuns: 200 },
    );
  });

  it('are counted and found in long strings, whatever the bits between', () => {
    const positions = fc.array(fc.integer({ min: 0, max: 8 * 200_000 - 1 }), { maxLength: 5 });
    fc.assert(
      fc.property(
        positions,
        fc.constantFrom(0, 1),
        fc.integer({ min: 0, max: 7 }),
        (others, rest, offset) => {
          const content = Buffer.alloc(200_000, rest === 0 ? 0 : 0xff);
          const unique = new Set(others);
          for (const at of unique) content[at >> 3] ^= 0x80 >> (at & 7);
          const bytes = surrounded(content, offset);
          const ones = rest === 0 ? unique.size : 8 * content.length - unique.size;
          expect(countBits(bytes, offset, content.length)).toBe(ones);
          const first = unique.size === 0 ? -1 : Math.min(...unique);
          const last = 8 * content.length - 1;
          expect(findBitBetween(bytes, offset, 0, last, 1 - rest)).toBe(first);
        },
      ),
      { numRuns: 100 },
    );
  });
});
