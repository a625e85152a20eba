import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Memory, OutOfMemoryError } from '../../../src/memory/memory.js';
import type { Reference } from '../../../src/memory/reference.js';
import { bigintFromWords, highWordOfBigint, lowWordOfBigint } from '../../../src/protocol/integers.js';
import { Intsets, isValidIntset } from '../../../src/structures/intset.js';
import { RealRedis } from '../../support/real-redis.js';
import { dumpedString } from './dump-payload.js';
import { blockContent } from './listpack-invariants.js';
import { BORDER_INTEGERS } from './listpack-model.js';

let memory: Memory;
let intsets: Intsets;

beforeEach(() => {
  memory = new Memory({ debug: true });
  intsets = new Intsets(memory);
});

afterEach(() => {
  expect([...memory.liveBlocks().values()]).toEqual([]);
});

const BORDERS = [...new Set(BORDER_INTEGERS.map(BigInt))];

const add = (intset: Reference, value: bigint) =>
  intsets.add(intset, lowWordOfBigint(value), highWordOfBigint(value));
const remove = (intset: Reference, value: bigint) =>
  intsets.remove(intset, lowWordOfBigint(value), highWordOfBigint(value));
const has = (intset: Reference, value: bigint) =>
  intsets.has(intset, lowWordOfBigint(value), highWordOfBigint(value));

function content(intset: Reference): Buffer {
  return blockContent(memory, intset, intsets.byteLength(intset));
}

/** The bytes of an intset made in the plainest way. */
function modelIntset(values: Iterable<bigint>, width: number): Buffer {
  const sorted = [...values].sort((a, b) => (a < b ? -1 : 1));
  const bytes = Buffer.alloc(8 + sorted.length * 8);
  bytes.writeUInt32LE(width, 0);
  bytes.writeUInt32LE(sorted.length, 4);
  // Each integer overwrites what the one before wrote beyond its width.
  sorted.forEach((value, index) => {
    bytes.writeBigInt64LE(value, 8 + index * width);
  });
  return bytes.subarray(0, 8 + sorted.length * width);
}

function widthOf(value: bigint): number {
  return [2, 4].find((width) => BigInt.asIntN(width * 8, value) === value) ?? 8;
}

function check(intset: Reference, model: ReadonlySet<bigint>, width: number): void {
  const bytes = content(intset);
  expect(bytes.equals(modelIntset(model, width))).toBe(true);
  expect(isValidIntset(bytes, 0, bytes.length, true)).toBe(model.size > 0);
  expect(bytes.length).toBeLessThanOrEqual(memory.blockBytes(intset));
}

const integers = () =>
  fc.oneof(
    fc.constantFrom(...BORDERS),
    fc.integer({ min: -40, max: 40 }).map(BigInt),
    fc.integer({ min: -32768, max: 32767 }).map(BigInt),
    fc.integer().map(BigInt),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  );

describe('intset', () => {
  it('has the bytes of the model, whatever is added and removed', () => {
    const changes = fc.array(fc.tuple(integers(), fc.boolean()), { maxLength: 80, size: 'max' });
    const limit = fc.constantFrom(16, 32, 64);
    fc.assert(
      fc.property(changes, limit, (sequence, bits) => {
        const model = new Set<bigint>();
        let width = 2;
        let intset = intsets.create();
        for (const [given, isAdded] of sequence) {
          const value = BigInt.asIntN(bits, given);
          expect(has(intset, value)).toBe(model.has(value));
          if (isAdded) {
            intset = add(intset, value);
            expect(intsets.hasChanged).toBe(!model.has(value));
            model.add(value);
            width = Math.max(width, widthOf(value));
          } else {
            intset = remove(intset, value);
            expect(intsets.hasChanged).toBe(model.delete(value));
          }
          check(intset, model, width);
        }
        intsets.free(intset);
      }),
      { numRuns: 300 },
    );
  });

  it('reads every integer by its index, and some at random', () => {
    let intset = intsets.create();
    for (const value of BORDERS) intset = add(intset, value);
    const sorted = [...BORDERS].sort((a, b) => (a < b ? -1 : 1));
    const read = sorted.map((_, index) => {
      intsets.read(intset, index);
      expect(intsets.integer).toBe(Number.isSafeInteger(Number(sorted[index])) ? Number(sorted[index]) : NaN);
      return bigintFromWords(intsets.low, intsets.high);
    });
    expect(read).toEqual(sorted);
    for (let i = 0; i < 100; i++) {
      intsets.readRandom(intset);
      expect(sorted).toContain(bigintFromWords(intsets.low, intsets.high));
    }
    intsets.free(intset);
  });

  it('is copied, and made of given bytes', () => {
    const bytes = modelIntset([-3n, 5n, 70000n], 4);
    const intset = intsets.createFrom(bytes, 0, bytes.length);
    const copy = intsets.duplicate(intset);
    intsets.free(intset);
    expect(content(copy)).toEqual(bytes);
    expect([intsets.length(copy), intsets.width(copy)]).toEqual([3, 4]);
    intsets.free(copy);
  });

  it('leaves everything as it was when there is no more memory', () => {
    let intset = intsets.create();
    for (let value = 1n; value <= 4n; value++) intset = add(intset, value);
    const before = content(intset);
    memory.allocationsUntilFailure = 0;
    for (const change of [
      () => add(intset, 5n),
      () => add(intset, 70000n),
      () => add(intset, -(2n ** 40n)),
      () => intsets.duplicate(intset),
      () => intsets.create(),
    ]) {
      expect(change).toThrow(OutOfMemoryError);
      expect(content(intset)).toEqual(before);
    }
    expect(add(intset, 4n)).toBe(intset);
    intsets.free(intset);
  });

  it('gives memory back when half of it is empty, but never fails to remove for want of it', () => {
    let intset = intsets.create();
    for (let value = 0n; value < 200n; value++) intset = add(intset, value);
    const full = memory.blockBytes(intset);
    memory.allocationsUntilFailure = 0;
    for (let value = 0n; value < 150n; value++) intset = remove(intset, value);
    expect(memory.blockBytes(intset)).toBe(full);
    memory.allocationsUntilFailure = Number.POSITIVE_INFINITY;
    intset = intsets.removeAt(intset, 0);
    expect(memory.blockBytes(intset)).toBe(Memory.roundedLength(intsets.byteLength(intset)));
    expect(content(intset)).toEqual(
      modelIntset(
        Array.from({ length: 49 }, (_, i) => BigInt(i + 151)),
        2,
      ),
    );
    intsets.free(intset);
  });
});

describe('validation', () => {
  it.each([
    ['no header', Buffer.alloc(7)],
    ['another width', Buffer.of(3, 0, 0, 0, 1, 0, 0, 0, 1, 2, 3)],
    ['another length', Buffer.of(2, 0, 0, 0, 2, 0, 0, 0, 1, 0)],
    ['a length beyond all bytes', Buffer.of(8, 0, 0, 0, 0, 0, 0, 0x20, 1, 0)],
    ['nothing', Buffer.of(2, 0, 0, 0, 0, 0, 0, 0)],
  ])('refuses %s without looking deep', (_what, bytes) => {
    expect(isValidIntset(bytes, 0, bytes.length, false)).toBe(false);
  });

  it.each([
    ['the same twice', modelIntset([5n], 2), modelIntset([5n], 2)],
    ['what descends', modelIntset([1n << 40n], 8), modelIntset([-1n], 8)],
  ])('refuses %s when looking deep', (_what, first, second) => {
    const bytes = Buffer.concat([first, second.subarray(8)]);
    bytes[4] = 2;
    expect(isValidIntset(bytes, 0, bytes.length, false)).toBe(true);
    expect(isValidIntset(bytes, 0, bytes.length, true)).toBe(false);
  });
});

describe('redis-server', () => {
  let redis: RealRedis;

  beforeAll(async () => {
    redis = await RealRedis.start('--rdbcompression', 'no');
  });

  afterAll(async () => {
    await redis.stop();
  });

  it.each([16, 32, 64])('has the same bytes for the borders within %d bits', async (bits) => {
    const values = BORDERS.filter((value) => BigInt.asIntN(bits, value) === value);
    const key = `set:${bits}`;
    let intset = intsets.create();
    for (const [index, value] of values.entries()) {
      await redis.client.sadd(key, String(value));
      intset = add(intset, value);
      if (index % 4 === 3) {
        await redis.client.srem(key, String(values[index - 2]));
        intset = remove(intset, values[index - 2]);
      }
      const dumped = dumpedString(await redis.client.dumpBuffer(key));
      expect(content(intset).equals(dumped.bytes)).toBe(true);
    }
    intsets.free(intset);
  });
});
