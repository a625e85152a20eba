import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lzfCompress, lzfDecompress } from '../../../src/structures/lzf.js';
import { RealRedis } from '../../support/real-redis.js';
import { dumpedString } from './dump-payload.js';

const BEFORE = 5;
const NEIGHBOUR = 0xa5;

/** What compression to at most `capacity` bytes gives, or undefined; nothing around the target may be written. */
function compressed(content: Uint8Array, capacity = content.length * 2 + 10): Buffer | undefined {
  const source = Buffer.concat([Buffer.alloc(BEFORE, 1), content, Buffer.alloc(5, 1)]);
  const target = Buffer.alloc(BEFORE + capacity + 5, NEIGHBOUR);
  const length = lzfCompress(source, BEFORE, content.length, target, BEFORE, capacity);
  expect(target.subarray(0, BEFORE).every((byte) => byte === NEIGHBOUR)).toBe(true);
  expect(target.subarray(BEFORE + capacity).every((byte) => byte === NEIGHBOUR)).toBe(true);
  return length === 0 ? undefined : Buffer.from(target.subarray(BEFORE, BEFORE + length));
}

function decompressed(content: Uint8Array, capacity: number): Buffer | undefined {
  const source = Buffer.concat([Buffer.alloc(BEFORE, 1), content, Buffer.alloc(5, 1)]);
  const target = Buffer.alloc(BEFORE + capacity + 5, NEIGHBOUR);
  const length = lzfDecompress(source, BEFORE, content.length, target, BEFORE, capacity);
  expect(target.subarray(BEFORE + capacity).every((byte) => byte === NEIGHBOUR)).toBe(true);
  return length === 0 ? undefined : Buffer.from(target.subarray(BEFORE, BEFORE + length));
}

/** Bytes in which much repeats, at all distances, and bytes in which nothing does. */
const contents = () =>
  fc.oneof(
    fc.uint8Array({ minLength: 1, maxLength: 400 }),
    fc
      .array(fc.constantFrom(97, 98), { minLength: 1, maxLength: 600 })
      .map((bytes) => Uint8Array.from(bytes)),
    fc
      .array(fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 20 }), fc.integer({ min: 1, max: 300 })), {
        minLength: 1,
        maxLength: 30,
      })
      .map((runs) => Buffer.concat(runs.flatMap(([run, times]) => Array.from({ length: times }, () => run)))),
  );

describe('lzf', () => {
  it('decompresses to what was compressed', () => {
    fc.assert(
      fc.property(contents(), (content) => {
        const packed = compressed(content);
        expect(packed).toBeDefined();
        expect(decompressed(packed ?? Buffer.alloc(0), content.length)?.equals(content)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it('uses exactly the capacity that it needs', () => {
    fc.assert(
      fc.property(contents(), (content) => {
        const packed = compressed(content) ?? Buffer.alloc(0);
        expect(compressed(content, packed.length)).toEqual(packed);
        expect(compressed(content, packed.length - 1)).toBeUndefined();
        expect(decompressed(packed, content.length - 1)).toBeUndefined();
      }),
    );
  });

  it('finds matches as far away as they may be, and no farther', () => {
    const needle = Buffer.from('a needle of many bytes');
    const hay = Buffer.from(Array.from({ length: 9000 }, (_, i) => Math.imul(i, 0x9e3779b1) >>> 24));
    const lengthWithGap = (gap: number) => {
      const content = Buffer.concat([needle, hay.subarray(0, gap), needle]);
      const packed = compressed(content) ?? Buffer.alloc(0);
      expect(decompressed(packed, content.length)?.equals(content)).toBe(true);
      return packed.length;
    };
    const farthest = 8192 - needle.length;
    expect(lengthWithGap(farthest + 1)).toBeGreaterThan(lengthWithGap(farthest) + 15);
  });

  it('makes little of much that is the same', () => {
    expect(compressed(Buffer.alloc(100000, 'x'))?.length).toBeLessThan(1200);
  });

  it('has nothing to say about nothing', () => {
    expect(compressed(Buffer.alloc(0))).toBeUndefined();
    expect(decompressed(Buffer.alloc(0), 10)).toBeUndefined();
  });

  it('survives any input', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), fc.nat(300), (content, capacity) => {
        const length = decompressed(content, capacity)?.length ?? 0;
        expect(length).toBeLessThanOrEqual(capacity);
      }),
      { numRuns: 5000 },
    );
  });

  it.each([
    ['literals that are cut off', [2, 65, 66]],
    ['a reference that is cut off', [0, 65, 0x20]],
    ['a long reference that is cut off', [0, 65, 0xe0, 1]],
    ['a reference before the start', [0, 65, 0x20, 1]],
  ])('refuses %s', (_what, bytes) => {
    expect(decompressed(Uint8Array.from(bytes), 100)).toBeUndefined();
  });
});

describe('redis-server', () => {
  let redis: RealRedis;

  beforeAll(async () => {
    redis = await RealRedis.start();
  });

  afterAll(async () => {
    await redis.stop();
  });

  const texts = Array.from({ length: 40 }, (_, index) =>
    Buffer.from(Array.from({ length: 50 * (index + 1) }, (_, at) => `${(at * index) % 37}`).join('')),
  );

  it('compresses what is read here', async () => {
    for (const text of texts) {
      await redis.client.set('text', text);
      const { bytes, uncompressedLength } = dumpedString(await redis.client.dumpBuffer('text'));
      expect(uncompressedLength).toBe(text.length);
      expect(decompressed(bytes, text.length)?.equals(text)).toBe(true);
    }
  });

  it('compresses no better than is done here', async () => {
    let there = 0;
    let here = 0;
    for (const text of texts) {
      await redis.client.set('text', text);
      there += dumpedString(await redis.client.dumpBuffer('text')).bytes.length;
      here += compressed(text)?.length ?? 0;
    }
    expect(here).toBeLessThanOrEqual(there);
  });
});
