import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { byteOffset, Memory, OutOfMemoryError } from '../../../src/memory/memory.js';
import { NULL_REFERENCE, type Reference, SEGMENT_SHIFT } from '../../../src/memory/reference.js';
import { KeyedHash } from '../../../src/memory/sip-hash.js';
import {
  HashTable,
  KEY_LENGTH_BYTE,
  KEY_OFFSET_BYTE,
  LONG_KEY,
  type ScanCursor,
  type TableReference,
} from '../../../src/structures/hashtable.js';

const HEADER_BYTES = 8;
const VALUE_WORD = 1;

/** A hash that is as bad as can be: 4 buckets, 2 tags. */
class CollidingHash extends KeyedHash {
  override hash(bytes: Uint8Array, offset: number, length: number): number {
    return super.hash(bytes, offset, length) & 0x01000003;
  }
}

/** A table with entries of a key and an integer, next to the Map that it should equal. */
class Pair {
  readonly memory: Memory;
  readonly hashTable: HashTable;
  readonly table: TableReference;
  readonly model = new Map<string, { entry: Reference; value: number }>();
  private entryBytes = 0;

  /** @param sibling a pair whose memory and `HashTable` it shares */
  constructor(hasher: KeyedHash = new KeyedHash(1, 2), debug = true, sibling?: Pair) {
    this.memory = sibling?.memory ?? new Memory({ debug });
    this.hashTable = sibling?.hashTable ?? new HashTable(this.memory, hasher);
    this.table = this.hashTable.create();
  }

  find(key: string): Reference {
    const bytes = Buffer.from(`..${key}.`);
    const length = bytes.length - 3;
    const hash = this.hashTable.hash(bytes, 2, length);
    return this.hashTable.find(this.table, hash, bytes, 2, length);
  }

  /** Inserts, or replaces by another block. Returns false when memory was full, and nothing has changed. */
  set(key: string, value: number): boolean {
    const bytes = Buffer.from(key);
    const hash = this.hashTable.hash(bytes, 0, bytes.length);
    const entry = this.makeEntry(bytes, value);
    if (entry === NULL_REFERENCE) return false;
    const old = this.hashTable.find(this.table, hash, bytes, 0, bytes.length);
    if (old !== NULL_REFERENCE) {
      this.hashTable.replace(this.table, old, entry);
      this.freeEntry(old);
    } else {
      try {
        this.hashTable.insert(this.table, hash, entry);
      } catch (error) {
        expect(error).toBeInstanceOf(OutOfMemoryError);
        this.freeEntry(entry);
        return false;
      }
    }
    this.model.set(key, { entry, value });
    return true;
  }

  /** Removes a key that is there, with or without looking it up before. */
  remove(key: string, lookUp: boolean): void {
    const entry = this.model.get(key)?.entry ?? NULL_REFERENCE;
    if (lookUp) expect(this.find(key)).toBe(entry);
    this.hashTable.remove(this.table, entry);
    this.freeEntry(entry);
    this.model.delete(key);
  }

  keyOf(entry: Reference): string {
    const start = this.hashTable.keyOffset(entry);
    const bytes = this.memory.bytes[entry >>> SEGMENT_SHIFT];
    return Buffer.from(bytes.subarray(start, start + this.hashTable.keyLength(entry))).toString();
  }

  /** Scans from beginning to end, calling `between` after each step, and returns the keys as often as met. */
  scan(between: () => void = () => {}): string[] {
    const keys: string[] = [];
    let cursor: ScanCursor = 0;
    do {
      cursor = this.hashTable.scan(this.table, cursor);
      const { items, count } = this.hashTable.scanned;
      for (let i = 0; i < count; i++) keys.push(this.keyOf(items[i]));
      between();
    } while (cursor !== 0);
    return keys;
  }

  expectEqual(): void {
    expect(this.hashTable.count(this.table)).toBe(this.model.size);
    for (const [key, { entry, value }] of this.model) {
      if (this.find(key) !== entry) throw new Error(`${key} is not found`);
      if (this.memory.word(entry, VALUE_WORD) !== value) throw new Error(`${key} has another value`);
    }
    expect(this.scan().sort()).toEqual([...this.model.keys()].sort());
    // All sizes of the table's blocks are those of size classes, so that nothing is lost by rounding.
    expect(this.memory.usedBytes - this.entryBytes).toBe(this.hashTable.overheadBytes(this.table));
  }

  /** Frees the table bucket by bucket, and expects that nothing of it is left. */
  release(): void {
    let keys = 0;
    while (this.hashTable.releaseBucket(this.table)) {
      const { items, count } = this.hashTable.scanned;
      for (let i = 0; i < count; i++) this.freeEntry(items[i]);
      keys += count;
    }
    expect(keys).toBe(this.model.size);
    expect(this.memory.blockCount).toBe(0);
    expect(this.memory.liveBlocks().size).toBe(0);
  }

  private makeEntry(key: Uint8Array, value: number): Reference {
    const long = key.length >= LONG_KEY;
    const keyOffset = HEADER_BYTES + (long ? 4 : 0);
    let entry: Reference;
    try {
      entry = this.memory.allocate(keyOffset + key.length);
    } catch {
      return NULL_REFERENCE;
    }
    this.memory.setByte(entry, KEY_OFFSET_BYTE, keyOffset);
    this.memory.setByte(entry, KEY_LENGTH_BYTE, long ? LONG_KEY : key.length);
    if (long) this.memory.setWord(entry, HEADER_BYTES >> 2, key.length);
    this.memory.setWord(entry, VALUE_WORD, value);
    this.memory.bytes[entry >>> SEGMENT_SHIFT].set(key, byteOffset(entry) + keyOffset);
    this.entryBytes += this.memory.blockBytes(entry);
    return entry;
  }

  private freeEntry(entry: Reference): void {
    this.entryBytes -= this.memory.blockBytes(entry);
    this.memory.free(entry);
  }
}

/** A reproducible source of floats from 0 to below 1 (mulberry32). */
function randomSource(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const operation = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('set' as const),
      from: fc.nat(3000),
      count: fc.oneof(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 1, max: 1500 })),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('remove' as const),
      from: fc.nat(3000),
      count: fc.oneof(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 1, max: 3000 })),
      lookUp: fc.boolean(),
    }),
  },
);
type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never;

/** Sets or removes the keys number `from` to `from + count`. */
function apply(pair: Pair, step: Operation, prefix = 'key:'): void {
  for (let i = step.from; i < step.from + step.count; i++) {
    const key = `${prefix}${i}`;
    if (step.kind === 'set') pair.set(key, i + step.count);
    else if (pair.model.has(key)) pair.remove(key, step.lookUp);
  }
}

describe('HashTable', () => {
  it('is empty at first', () => {
    const pair = new Pair();
    expect(pair.hashTable.count(pair.table)).toBe(0);
    expect(pair.hashTable.bucketCount(pair.table)).toBe(1);
    expect(pair.find('')).toBe(NULL_REFERENCE);
    expect(pair.hashTable.randomEntry(pair.table, Math.random)).toBe(NULL_REFERENCE);
    pair.expectEqual();
    pair.release();
  });

  it.each([0, 1, 253, 254, 255, 256, 257, 70_000])('takes keys of %i bytes', (length) => {
    const pair = new Pair();
    const keys = ['a', 'b', 'c'].map((letter) => letter.repeat(length));
    for (const key of keys) pair.set(key, length);
    pair.set('x'.repeat(length + 1), 1);
    if (length > 0) expect(pair.find('a'.repeat(length - 1))).toBe(NULL_REFERENCE);
    pair.expectEqual();
    for (const key of new Set(keys)) pair.remove(key, false);
    pair.expectEqual();
    pair.release();
  });

  it('grows with its entries and shrinks again', () => {
    const pair = new Pair();
    for (let i = 0; i < 30_000; i++) pair.set(`key:${i}`, i);
    const buckets = pair.hashTable.bucketCount(pair.table);
    expect(buckets).toBeGreaterThan(30_000 / 12);
    expect(buckets).toBeLessThan(30_000 / 6);
    pair.expectEqual();
    for (let i = 0; i < 29_990; i++) pair.remove(`key:${i}`, (i & 1) === 0);
    expect(pair.hashTable.bucketCount(pair.table)).toBeLessThan(10);
    pair.expectEqual();
    for (let i = 0; i < 10_000; i++) pair.set(`key:${i}`, -i);
    pair.expectEqual();
    pair.release();
  });

  it('is prepared for entries to come, a little at a time, as long as it has none', () => {
    const pair = new Pair();
    let calls = 1;
    while (pair.hashTable.reserve(pair.table, 100_000)) calls++;
    expect(calls).toBeGreaterThan(2);
    const buckets = pair.hashTable.bucketCount(pair.table);
    expect(buckets).toBe(Math.ceil(100_000 / 9));
    for (let i = 0; i < 20_000; i++) pair.set(`key:${i}`, i);
    expect(pair.hashTable.reserve(pair.table, 1_000_000)).toBe(false);
    expect(pair.hashTable.bucketCount(pair.table)).toBe(buckets);
    pair.expectEqual();
    for (let i = 0; i < 19_990; i++) pair.remove(`key:${i}`, (i & 1) === 0);
    expect(pair.hashTable.bucketCount(pair.table)).toBeLessThan(10);
    pair.expectEqual();
    pair.release();
  });

  it.each([
    ['a good hash', KeyedHash, 40],
    ['a hash that collides', CollidingHash, 4],
  ] as const)('equals a Map whatever is set and removed, with %s', (_, Hash, numRuns) => {
    const property = fc.property(
      fc.array(operation, { maxLength: 25, size: 'max' }),
      fc.integer(),
      (operations, seed) => {
        const pair = new Pair(new Hash(seed, ~seed));
        for (const step of operations) {
          apply(pair, Hash === CollidingHash ? { ...step, count: Math.min(step.count, 60) } : step);
          expect(pair.hashTable.count(pair.table)).toBe(pair.model.size);
        }
        pair.expectEqual();
        pair.release();
      },
    );
    fc.assert(property, { numRuns });
  });

  it.each([
    ['a good hash', KeyedHash],
    ['a hash that collides', CollidingHash],
  ] as const)('finds what is asked for again and again as it is now, with %s', (_, Hash) => {
    const step = fc.record({
      kind: fc.constantFrom('find', 'find', 'find', 'set', 'remove', 'random'),
      isFirst: fc.boolean(),
      key: fc.constantFrom('', 'list', 'lost', 'list:1'),
      times: fc.integer({ min: 1, max: 4 }),
    });
    const property = fc.property(fc.array(step, { maxLength: 60, size: 'max' }), (steps) => {
      const first = new Pair(new Hash(3, 4));
      const second = new Pair(undefined, undefined, first);
      for (const { kind, isFirst, key, times } of steps) {
        const pair = isFirst ? first : second;
        const { entry = NULL_REFERENCE } = pair.model.get(key) ?? {};
        if (kind === 'set') pair.set(key, times);
        else if (kind === 'remove' && entry !== NULL_REFERENCE) pair.remove(key, times > 2);
        else if (kind === 'random') pair.hashTable.randomEntry(pair.table, Math.random);
        else if (kind === 'find') for (let i = 0; i < times; i++) expect(pair.find(key)).toBe(entry);
      }
      for (const pair of [first, second]) {
        for (const key of pair.model.keys()) pair.remove(key, true);
        while (pair.hashTable.releaseBucket(pair.table)) expect(pair.hashTable.scanned.count).toBe(0);
      }
      expect(first.memory.blockCount).toBe(0);
    });
    fc.assert(property, { numRuns: 300 });
  });

  it('refuses to remove or replace an entry that it does not have', () => {
    const pair = new Pair();
    const other = new Pair();
    pair.set('a', 1);
    other.set('a', 1);
    const entry = pair.find('a');
    const table = pair.hashTable.create();
    pair.set('b', 1);
    expect(() => pair.hashTable.remove(table, entry)).toThrow(/is not in hash table/);
    expect(() => pair.hashTable.replace(table, entry, entry)).toThrow(/is not in hash table/);
  });

  it('keeps several tables apart', () => {
    const pair = new Pair();
    const { hashTable, memory } = pair;
    const second = hashTable.create();
    pair.set('a', 1);
    const bytes = Buffer.from('a');
    expect(hashTable.find(second, hashTable.hash(bytes, 0, 1), bytes, 0, 1)).toBe(NULL_REFERENCE);
    expect(hashTable.count(second)).toBe(0);
    while (hashTable.releaseBucket(second)) expect(hashTable.scanned.count).toBe(0);
    pair.release();
    expect(memory.usedBytes).toBe(0);
  });

  describe('scan', () => {
    it('meets each entry once when nothing changes', () => {
      for (const count of [0, 1, 12, 13, 100, 575, 576, 1000, 12_345]) {
        const pair = new Pair(new KeyedHash(count, 5), false);
        for (let i = 0; i < count; i++) pair.set(`key:${i}`, i);
        const keys = pair.scan();
        expect(keys).toHaveLength(count);
        expect(new Set(keys).size).toBe(count);
      }
    });

    it('meets every entry that stays, however the table grows and shrinks meanwhile', () => {
      const property = fc.property(
        fc.integer({ min: 0, max: 2000 }),
        fc.integer({ min: 0, max: 3000 }),
        fc.array(operation, { minLength: 1, maxLength: 12 }),
        fc.integer({ min: 1, max: 60 }),
        fc.integer(),
        (stayCount, otherCount, operations, stepsBetween, seed) => {
          const pair = new Pair(new KeyedHash(seed, 9), false);
          for (let i = 0; i < stayCount; i++) pair.set(`stay:${i}`, i);
          apply(pair, { kind: 'set', from: 0, count: otherCount });
          let steps = 0;
          const met = new Set(
            pair.scan(() => {
              if (++steps % stepsBetween !== 0) return;
              apply(pair, operations[(steps / stepsBetween) % operations.length]);
            }),
          );
          for (let i = 0; i < stayCount; i++) {
            if (!met.has(`stay:${i}`)) throw new Error(`the scan missed stay:${i}`);
          }
        },
      );
      fc.assert(property, { numRuns: 60 });
    });

    it('ends from any cursor a client may send', () => {
      const pair = new Pair();
      for (let i = 0; i < 100; i++) pair.set(`key:${i}`, i);
      for (const start of [1, 15, 16, 4711, 2 ** 31, 2 ** 32 - 1]) {
        let cursor: ScanCursor = start;
        let steps = 0;
        do {
          cursor = pair.hashTable.scan(pair.table, cursor);
          expect(cursor).toBeGreaterThanOrEqual(0);
        } while (cursor !== 0 && ++steps < 1000);
        expect(cursor).toBe(0);
      }
    });
  });

  describe('randomEntry', () => {
    // 1: one bucket. 100, 300: half of the buckets of a doubling are split. 600: overflow buckets.
    it.each([1, 2, 12, 13, 100, 300, 600])('chooses each of %i entries about as often', (count) => {
      const pair = new Pair(new KeyedHash(3, 4), false);
      for (let i = 0; i < count; i++) pair.set(`key:${i}`, i);
      const random = randomSource(20_261_123);
      const chosen = new Int32Array(count);
      const expected = 200;
      for (let i = 0; i < count * expected; i++) {
        chosen[pair.memory.word(pair.hashTable.randomEntry(pair.table, random), VALUE_WORD)]++;
      }
      const chiSquare = chosen.reduce((sum, times) => sum + (times - expected) ** 2 / expected, 0);
      const degreesOfFreedom = count - 1;
      expect(chiSquare).toBeLessThanOrEqual(degreesOfFreedom + 5 * Math.sqrt(2 * degreesOfFreedom));
    });

    it('is fair after the table has shrunk, too', () => {
      const pair = new Pair(new KeyedHash(3, 4), false);
      for (let i = 0; i < 2000; i++) pair.set(`key:${i}`, i);
      for (let i = 100; i < 2000; i++) pair.remove(`key:${i}`, false);
      const random = randomSource(7);
      const chosen = new Int32Array(100);
      for (let i = 0; i < 20_000; i++) {
        chosen[pair.memory.word(pair.hashTable.randomEntry(pair.table, random), VALUE_WORD)]++;
      }
      const chiSquare = chosen.reduce((sum, times) => sum + (times - 200) ** 2 / 200, 0);
      expect(chiSquare).toBeLessThanOrEqual(99 + 5 * Math.sqrt(2 * 99));
    });
  });

  describe('without memory', () => {
    it('is not created', () => {
      const memory = new Memory({ debug: true });
      const hashTable = new HashTable(memory, new KeyedHash(1, 2));
      for (let allocations = 0; allocations < 3; allocations++) {
        memory.allocationsUntilFailure = allocations;
        expect(() => hashTable.create()).toThrow(OutOfMemoryError);
        expect(memory.liveBlocks().size).toBe(0);
      }
    });

    it('is as it was', () => {
      const property = fc.property(
        fc.array(fc.tuple(operation, fc.integer({ min: 0, max: 4 })), { maxLength: 12, size: 'max' }),
        fc.integer(),
        (operations, seed) => {
          const pair = new Pair(new KeyedHash(seed, 1));
          for (const [step, allocations] of operations) {
            for (let i = step.from; i < step.from + Math.min(step.count, 400); i++) {
              const key = `key:${i}`;
              // One allocation is the entry's own.
              pair.memory.allocationsUntilFailure = allocations;
              if (step.kind === 'set') pair.set(key, i);
              else if (pair.model.has(key)) pair.remove(key, step.lookUp);
            }
            pair.memory.allocationsUntilFailure = Number.POSITIVE_INFINITY;
          }
          pair.expectEqual();
          // With memory again, the table gets the size that it should have.
          for (let i = 0; i < 3000; i++) pair.set(`key:${i}`, i);
          expect(pair.hashTable.bucketCount(pair.table)).toBeLessThan(3000 / 3);
          pair.expectEqual();
          pair.release();
        },
      );
      fc.assert(property, { numRuns: 40 });
    });

    it('has the buckets that it got', () => {
      const pair = new Pair();
      pair.memory.allocationsUntilFailure = 5;
      while (pair.hashTable.reserve(pair.table, 100_000));
      pair.memory.allocationsUntilFailure = Number.POSITIVE_INFINITY;
      expect(pair.hashTable.bucketCount(pair.table)).toBeLessThan(100);
      for (let i = 0; i < 1000; i++) pair.set(`key:${i}`, i);
      pair.expectEqual();
      pair.release();
    });

    it('takes entries without growing as long as overflow buckets can be had', () => {
      const pair = new Pair();
      let inserted = 0;
      for (let i = 0; i < 2000; i++) {
        pair.memory.allocationsUntilFailure = 1;
        if (pair.set(`key:${i}`, i)) inserted++;
      }
      pair.memory.allocationsUntilFailure = Number.POSITIVE_INFINITY;
      expect(inserted).toBe(pair.model.size);
      pair.expectEqual();
      pair.release();
    });
  });
});
