import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MurmurHash } from '../../../src/structures/murmur-hash.js';
import { elementFor, murmurHash64A, registerOf } from '../../support/hyperloglog-elements.js';

const murmur = new MurmurHash();

function hashOf(bytes: Uint8Array, offset: number, length: number, seed: number): bigint {
  murmur.hash(bytes, offset, length, seed);
  return (BigInt.asUintN(32, BigInt(murmur.high)) << 32n) | BigInt.asUintN(32, BigInt(murmur.low));
}

describe('MurmurHash', () => {
  it('equals the definition in BigInt, at any offset and of any length and seed', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 70, size: 'max' }),
        fc.nat({ max: 20 }),
        fc.integer({ min: 0, max: 2 ** 32 - 1 }),
        (bytes, before, seed) => {
          const surrounded = Buffer.concat([Buffer.alloc(before, 0xaa), bytes, Buffer.alloc(9, 0xbb)]);
          expect(hashOf(surrounded, before, bytes.length, seed)).toBe(murmurHash64A(bytes, BigInt(seed)));
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('equals it for words at the limits of 16, 32 and 64 bits', () => {
    const limits = [
      0n,
      1n,
      0xffffn,
      0x10000n,
      0x7fffffffn,
      0x80000000n,
      0xffffffffn,
      1n << 63n,
      2n ** 64n - 1n,
    ];
    for (const first of limits) {
      for (const second of limits) {
        const bytes = Buffer.alloc(16);
        bytes.writeBigUInt64LE(first);
        bytes.writeBigUInt64LE(second, 8);
        expect(hashOf(bytes, 0, 16, 0xadc83b19)).toBe(murmurHash64A(bytes));
      }
    }
  });

  it('can be computed backwards by the tests', () => {
    for (const register of [0, 1, 8191, 16383]) {
      for (let value = 1; value <= 51; value++) {
        expect(registerOf(elementFor(register, value))).toEqual([register, value]);
      }
    }
  });
});
