import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KeyedHash } from '../../../src/memory/sip-hash.js';

/** Key bytes 00 01 … 07, the key of every published vector. */
const VECTOR_KEY_LOW = 0x03020100;
const VECTOR_KEY_HIGH = 0x07060504;

/**
 * HalfSipHash-1-3 of the messages "", 00, 00 01, … under the key above: the values with which Linux tests the hsiphash
 * of its 32-bit ports (lib/tests/siphash_kunit.c).
 */
const VECTORS_1_3 = [
  0x5814c896, 0xe7e864ca, 0xbc4b0e30, 0x01539939, 0x7e059ea6, 0x88e3d89b, 0xa0080b65, 0x9d38d9d6, 0x577999b1,
  0xc839caed, 0xe4fa32cf, 0x959246ee, 0x6b28096c, 0x66dd9cd6, 0x16658a7c, 0xd0257b04, 0x8b31d501, 0x2b1cd04b,
  0x06712339, 0x522aca67, 0x911bb605, 0x90a65f0e, 0xf826ef7b, 0x62512deb, 0x57150ad7, 0x5d473507, 0x1ec47442,
  0xab64afd3, 0x0a4100d0, 0x6d2ce652, 0x2331b6a3, 0x08d8791a, 0xbc6dda8d, 0xe0f6c934, 0xb0652033, 0x9b9851cc,
  0x7c46fb7f, 0x732ba8cb, 0xf142997a, 0xfcc9aa1b, 0x05327eb2, 0xe110131c, 0xf9e5e7c0, 0xa7d708a6, 0x11795ab1,
  0x65671619, 0x9f5fff91, 0xd89c5267, 0x007783eb, 0x95766243, 0xab639262, 0x9c7e1390, 0xc368dda6, 0x38ddc455,
  0xfa13d379, 0x979ea4e8, 0x53ecd77e, 0x2ee80657, 0x33dbb66a, 0xae3f0577, 0x88b4c4cc, 0x3e7f480b, 0x74c1ebf8,
  0x87178304,
];

/** The first 32-bit outputs of HalfSipHash-2-4 for the same key and messages (vectors.h of the SipHash authors). */
const VECTORS_2_4 = [
  0x5b9f35a9, 0xb85a4727, 0x03a662fa, 0x04e7fe8a, 0x89466e2a, 0x69b6fac5, 0x23fc6358, 0xc563cf8b, 0x8f84b8d0,
  0x79e706f8, 0x3479b094, 0x50300808, 0x2f87f057, 0xff63e677, 0x7cf8ffd6, 0x972bfe74, 0x84acb5d9, 0x5b6474c4,
];

/** HalfSipHash as its paper states it, slow and with any number of rounds: the model of the fast one. */
function halfSipHashModel(
  compressionRounds: number,
  finalizationRounds: number,
  keyLow: number,
  keyHigh: number,
  message: Uint8Array,
): number {
  const v = Uint32Array.of(keyLow, keyHigh, keyLow ^ 0x6c796765, keyHigh ^ 0x74656462);
  const rotate = (index: number, bits: number) => {
    v[index] = (v[index] << bits) | (v[index] >>> (32 - bits));
  };
  const rounds = (count: number) => {
    for (; count > 0; count--) {
      v[0] += v[1];
      rotate(1, 5);
      v[1] ^= v[0];
      rotate(0, 16);
      v[2] += v[3];
      rotate(3, 8);
      v[3] ^= v[2];
      v[0] += v[3];
      rotate(3, 7);
      v[3] ^= v[0];
      v[2] += v[1];
      rotate(1, 13);
      v[1] ^= v[2];
      rotate(2, 16);
    }
  };
  const padded = Buffer.alloc((message.length & ~3) + 4);
  padded.set(message);
  padded[padded.length - 1] = message.length;
  for (let position = 0; position < padded.length; position += 4) {
    const word = padded.readUInt32LE(position);
    v[3] ^= word;
    rounds(compressionRounds);
    v[0] ^= word;
  }
  v[2] ^= 0xff;
  rounds(finalizationRounds);
  return (v[1] ^ v[3]) | 0;
}

/** The bytes 0, 1, 2, … */
function ascending(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => index);
}

function bitCount(word: number): number {
  let count = 0;
  for (let rest = word >>> 0; rest !== 0; rest >>>= 1) count += rest & 1;
  return count;
}

const seedWord = () => fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });

describe('HalfSipHash', () => {
  it('gives the published values of HalfSipHash-1-3', () => {
    const hash = new KeyedHash(VECTOR_KEY_LOW, VECTOR_KEY_HIGH);
    const hashes = VECTORS_1_3.map((_, length) => hash.hash(ascending(length), 0, length) >>> 0);
    expect(hashes).toEqual(VECTORS_1_3);
  });

  it('is modelled by what gives the published values of HalfSipHash-2-4', () => {
    const hashes = VECTORS_2_4.map(
      (_, length) => halfSipHashModel(2, 4, VECTOR_KEY_LOW, VECTOR_KEY_HIGH, ascending(length)) >>> 0,
    );
    expect(hashes).toEqual(VECTORS_2_4);
  });

  it('agrees with the model for any seed, bytes and alignment', () => {
    fc.assert(
      fc.property(
        seedWord(),
        seedWord(),
        fc.uint8Array({ maxLength: 300 }),
        fc.nat(7),
        (low, high, message, before) => {
          const around = new Uint8Array(before + message.length + 5).fill(0xa5);
          around.set(message, before);
          const hash = new KeyedHash(low, high).hash(around, before, message.length);
          expect(hash).toBe(halfSipHashModel(1, 3, low, high, message));
          expect(hash).toBe(hash | 0);
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('takes a seed of unsigned words for the same seed of signed ones', () => {
    const bytes = ascending(20);
    const signed = new KeyedHash(-2, -2147483648).hash(bytes, 0, 20);
    expect(new KeyedHash(0xfffffffe, 0x80000000).hash(bytes, 0, 20)).toBe(signed);
  });

  it('refuses bytes that are not there', () => {
    const hash = new KeyedHash(1, 2);
    const bytes = ascending(8);
    for (const [offset, length] of [
      [-1, 4],
      [5, 4],
      [0, 9],
      [4, -1],
    ]) {
      expect(() => hash.hash(bytes, offset, length)).toThrow(RangeError);
    }
  });
});

describe('hashing without regard to case', () => {
  it('hashes upper and lower case equally', () => {
    fc.assert(
      fc.property(seedWord(), seedWord(), fc.stringMatching(/^[A-Za-z0-9|_-]{0,40}$/), (low, high, name) => {
        const hash = new KeyedHash(low, high);
        const upper = Buffer.from(name.toUpperCase());
        const lower = Buffer.from(name.toLowerCase());
        expect(hash.hashIgnoringCase(upper, 0, upper.length)).toBe(
          hash.hashIgnoringCase(lower, 0, lower.length),
        );
      }),
    );
  });

  it('still tells lengths and letters apart', () => {
    const hash = new KeyedHash(11, 12);
    const names = ['', ' ', '  ', 'get', 'gets', 'set', 'geu', 'hget', 'hgetall', 'get ', '    ', '     '];
    const hashes = names.map((name) => hash.hashIgnoringCase(Buffer.from(name), 0, name.length));
    expect(new Set(hashes).size).toBe(names.length);
  });
});

describe('quality', () => {
  it('flips every output bit for half of the flipped input and seed bits', () => {
    const samples = 400;
    for (const length of [1, 3, 4, 7, 16]) {
      const flips = new Uint32Array(32);
      let trials = 0;
      for (let sample = 0; sample < samples; sample++) {
        const bytes = Uint8Array.from({ length }, (_, index) =>
          halfSipHashModel(1, 3, sample, index, ascending(0)),
        );
        const before = new KeyedHash(sample, ~sample).hash(bytes, 0, length);
        const count = (after: number) => {
          trials++;
          for (let bit = 0; bit < 32; bit++) flips[bit] += ((before ^ after) >>> bit) & 1;
        };
        for (let bit = 0; bit < length * 8; bit++) {
          bytes[bit >> 3] ^= 1 << (bit & 7);
          count(new KeyedHash(sample, ~sample).hash(bytes, 0, length));
          bytes[bit >> 3] ^= 1 << (bit & 7);
        }
        for (let bit = 0; bit < 32; bit++) {
          count(new KeyedHash(sample ^ (1 << bit), ~sample).hash(bytes, 0, length));
          count(new KeyedHash(sample, ~sample ^ (1 << bit)).hash(bytes, 0, length));
        }
      }
      for (const flipped of flips) expect(Math.abs(flipped / trials - 0.5)).toBeLessThan(0.02);
    }
  });

  it.each([
    ['low', (hash: number) => hash & 0xffff],
    ['high', (hash: number) => hash >>> 16],
  ])('spreads numbered keys evenly over 65536 buckets by its %s bits', (_half, bucketOf) => {
    const buckets = new Uint32Array(65536);
    const keyedHash = new KeyedHash(0x12345678, 0x0badcafe);
    const keys = 1 << 20;
    const key = Buffer.alloc(16);
    for (let index = 0; index < keys; index++) {
      const length = key.write(`key:${index}`);
      buckets[bucketOf(keyedHash.hash(key, 0, length))]++;
    }
    const expected = keys / buckets.length;
    const chiSquare = buckets.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
    // 65535 degrees of freedom: mean 65535, standard deviation 362; five of them either way.
    expect(Math.abs(chiSquare - 65535)).toBeLessThan(5 * 362);
    expect(Math.max(...buckets)).toBeLessThan(expected * 3);
  });

  it('gives unrelated hashes for neighbouring seeds', () => {
    const bytes = Buffer.from('user:1000');
    const hashes = Array.from({ length: 1000 }, (_, seed) => new KeyedHash(seed, 0).hash(bytes, 0, 9));
    expect(new Set(hashes).size).toBe(1000);
    const distance =
      hashes.slice(1).reduce((sum, hash, index) => sum + bitCount(hash ^ hashes[index]), 0) / 999;
    expect(Math.abs(distance - 16)).toBeLessThan(1);
  });
});
