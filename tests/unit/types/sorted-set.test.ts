import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ENCODING_LISTPACK, ENCODING_SKIPLIST, TYPE_SORTED_SET } from '../../../src/keyspace/record.js';
import { OutOfMemoryError } from '../../../src/memory/memory.js';
import {
  LEX_EXCLUSIVE,
  LEX_HIGHEST,
  LEX_INCLUSIVE,
  LEX_LOWEST,
  type LexEnd,
  LexRange,
  ScoreRange,
} from '../../../src/structures/sorted-ranges.js';
import { NO_MEMBER } from '../../../src/types/sorted-set.js';
import { SortedSetCursor } from '../../../src/types/sorted-set-cursor.js';
import { SortedSetModel } from './sorted-set-model.js';

const ENTRIES_MAX = 12;
const VALUE_MAX = 10;

const scores = fc.oneof(
  fc.constantFrom(0, -0, 1, -1, Infinity, -Infinity, 0.1, 1e308, 5e-324, 2 ** 53, -(2 ** 62), 2 ** 63, 1e300),
  fc.integer({ min: -3, max: 3 }),
  fc.double({ noNaN: true }),
);
const members = fc
  .oneof(
    { weight: 8, arbitrary: fc.uint8Array({ maxLength: 2 }) },
    { weight: 6, arbitrary: fc.integer({ min: -200, max: 70000 }).map((n) => Buffer.from(String(n))) },
    {
      weight: 2,
      arbitrary: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((n) => Buffer.from(String(n))),
    },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 300, size: 'max' }) },
  )
  .map((bytes) => Buffer.from(bytes));
const places = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const operations = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('set' as const), member: members, score: scores }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('rescore' as const), at: places, score: scores }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('remove' as const), at: places }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('range' as const), at: places, to: places }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('compact' as const) }) },
);
type Operation = typeof operations extends fc.Arbitrary<infer T> ? T : never;

function apply(model: SortedSetModel, operation: Operation): void {
  const count = model.pairs.length;
  if (operation.kind === 'set') {
    model.set(operation.member, operation.score);
  } else if (operation.kind === 'compact') {
    model.sets.compact(model.record);
    const lengths = model.pairs.map(({ member }) => member.length);
    const fits =
      count <= model.sets.listpackEntriesMax && lengths.every((l) => l <= model.sets.listpackValueMax);
    if (fits) expect(model.sets.isListpack(model.record)).toBe(true);
  } else if (count > 0) {
    const at = Math.floor(operation.at * count);
    if (operation.kind === 'rescore') model.set(model.pairs[at].member, operation.score);
    else if (operation.kind === 'remove') model.removeAt(at);
    else model.removeRange(at, at + 1 + Math.floor(operation.to * Math.min(6, count - at)));
  }
}

/** Tries an operation with one allocation more each time until it succeeds, checking the set after each failure. */
function failThenApply(model: SortedSetModel, operation: Operation): void {
  for (let allocations = 0; ; allocations++) {
    const blocks = model.memory.blockCount;
    model.memory.allocationsUntilFailure = allocations;
    try {
      apply(model, operation);
      return;
    } catch (error) {
      if (!(error instanceof OutOfMemoryError)) throw error;
    } finally {
      model.memory.allocationsUntilFailure = Number.POSITIVE_INFINITY;
    }
    model.check();
    expect(model.memory.blockCount).toBe(blocks);
  }
}

describe('SortedSets', () => {
  it('equals a sorted array on both sides of the limits', () => {
    fc.assert(
      fc.property(fc.array(operations, { maxLength: 80, size: 'max' }), (list) => {
        const model = new SortedSetModel(ENTRIES_MAX, VALUE_MAX);
        for (const operation of list) apply(model, operation);
        model.check();
        model.end();
      }),
      { numRuns: 200, interruptAfterTimeLimit: 20000 },
    );
  });

  it('is as it was when memory runs out in the middle', () => {
    fc.assert(
      fc.property(fc.array(operations, { maxLength: 30, size: 'max' }), (list) => {
        const model = new SortedSetModel(ENTRIES_MAX, VALUE_MAX);
        for (const operation of list) failThenApply(model, operation);
        model.check();
        model.end();
      }),
      { numRuns: 40, interruptAfterTimeLimit: 20000 },
    );
  });

  it('selects ranges of scores in both directions', () => {
    const ends = fc.record({
      min: scores,
      max: scores,
      minExclusive: fc.boolean(),
      maxExclusive: fc.boolean(),
    });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(members, scores), { maxLength: 30, size: 'max' }),
        fc.array(ends, { minLength: 10, maxLength: 20 }),
        fc.constantFrom(ENTRIES_MAX, 100),
        (content, asked, entriesMax) => {
          const model = new SortedSetModel(entriesMax, 400);
          for (const [member, score] of content) model.set(member, score);
          for (const range of asked) {
            model.checkScores(Object.assign(new ScoreRange(), range), false);
            model.checkScores(Object.assign(new ScoreRange(), range), true);
          }
          model.end();
        },
      ),
      { numRuns: 100, interruptAfterTimeLimit: 20000 },
    );
  });

  it('selects ranges of members in both directions', () => {
    const kinds = fc.constantFrom<LexEnd>(LEX_LOWEST, LEX_INCLUSIVE, LEX_EXCLUSIVE, LEX_HIGHEST);
    const ends = fc.record({ min: kinds, max: kinds, from: members, to: members });
    fc.assert(
      fc.property(
        fc.array(members, { maxLength: 30, size: 'max' }),
        fc.array(ends, { minLength: 10, maxLength: 20 }),
        fc.constantFrom(ENTRIES_MAX, 100),
        (content, asked, entriesMax) => {
          const model = new SortedSetModel(entriesMax, 400);
          for (const member of content) model.set(member, 1);
          for (const { min, max, from, to } of asked) {
            const range = new LexRange();
            range.bytes = Buffer.concat([from, to]);
            Object.assign(range, { min, minOffset: 0, minLength: from.length });
            Object.assign(range, { max, maxOffset: from.length, maxLength: to.length });
            model.checkMembers(range, false);
            model.checkMembers(range, true);
          }
          model.end();
        },
      ),
      { numRuns: 100, interruptAfterTimeLimit: 20000 },
    );
  });

  it.each([ENCODING_LISTPACK, ENCODING_SKIPLIST])('limits what a cursor reads (encoding %i)', (encoding) => {
    const model = new SortedSetModel(128, 64, encoding);
    for (let i = 0; i < 20; i++) model.set(Buffer.from(`m${i}`), i);
    const { cursor, record } = model;
    for (const reverse of [false, true]) {
      for (const skipped of [0, 1, 7, 19, 20, 30]) {
        for (const count of [0, 1, 5, 20, Infinity]) {
          const order = model.expected(3, 18, reverse).slice(skipped, skipped + count);
          const range = Object.assign(new ScoreRange(), { min: 3, max: 17 });
          cursor.selectScores(record, range, reverse, skipped, count);
          expect(cursor.end - cursor.start).toBe(order.length);
          expect(model.expected(cursor.start, cursor.end, reverse)).toEqual(order);
          expect(model.read()).toEqual(order);
        }
      }
    }
    model.end();
  });

  it('walks two sets at once, whose members are integers', () => {
    const model = new SortedSetModel();
    for (let i = 0; i < 5; i++) model.set(Buffer.from(String(i * 1000)), i);
    const other = new SortedSetCursor(model.sets, model.listpacks);
    model.cursor.selectRanks(model.record, 0, 5, false);
    other.selectRanks(model.record, 0, 5, true);
    while (model.cursor.next() && other.next()) {
      const { bytes, offset, length, score } = model.cursor;
      expect(Buffer.from(bytes.subarray(offset, offset + length)).toString()).toBe(String(score * 1000));
    }
    model.end();
  });

  it('becomes a skiplist at the limits of Redis, and a listpack only when it is compacted', () => {
    const model = new SortedSetModel(3, 5);
    for (const member of ['a', 'b', '12345']) model.set(Buffer.from(member), 1);
    expect(model.sets.isListpack(model.record)).toBe(true);
    model.set(Buffer.from('c'), 1);
    expect(model.sets.isListpack(model.record)).toBe(false);
    model.removeRange(1, 4);
    expect(model.sets.isListpack(model.record)).toBe(false);
    model.sets.compact(model.record);
    expect(model.sets.isListpack(model.record)).toBe(true);
    model.set(Buffer.from('123456'), 1);
    expect(model.sets.isListpack(model.record)).toBe(false);
    model.sets.compact(model.record);
    expect(model.sets.isListpack(model.record)).toBe(false);
    model.check();
    model.end();
  });

  it('is converted beforehand when many members are to come', () => {
    const model = new SortedSetModel(3);
    model.set(Buffer.from('a'), 1);
    model.sets.expect(model.record, 3);
    expect(model.sets.isListpack(model.record)).toBe(true);
    model.sets.expect(model.record, 4);
    expect(model.sets.isListpack(model.record)).toBe(false);
    expect(model.sets.encodingFor(3, 64)).toBe(ENCODING_LISTPACK);
    expect(model.sets.encodingFor(4, 64)).toBe(ENCODING_SKIPLIST);
    expect(model.sets.encodingFor(1, 65)).toBe(ENCODING_SKIPLIST);
    model.check();
    model.end();
  });

  it.each([ENCODING_LISTPACK, ENCODING_SKIPLIST])(
    'copies a value, or nothing at all (encoding %i)',
    (encoding) => {
      const model = new SortedSetModel(128, 64, encoding);
      for (let i = 0; i < 60; i++) model.set(Buffer.from(`m${i}`), i % 7);
      const value = model.sets.records.slot(model.record);
      const blocks = model.memory.blockCount;
      for (let allocations = 0; ; allocations++) {
        model.memory.allocationsUntilFailure = allocations;
        let copy: number;
        try {
          copy = model.sets.duplicate(value, 0, encoding);
        } catch (error) {
          if (!(error instanceof OutOfMemoryError)) throw error;
          expect(model.memory.blockCount).toBe(blocks);
          continue;
        }
        model.memory.allocationsUntilFailure = Number.POSITIVE_INFINITY;
        const other = model.addRecord('copy', encoding, copy);
        model.cursor.selectRanks(other, 0, 60, false);
        expect(model.read()).toEqual(model.expected(0, 60, false));
        model.keyspace.remove(model.keyspace.databases[0], other);
        break;
      }
      model.keyspace.lazyFree.drain();
      expect(model.memory.blockCount).toBe(blocks);
      model.end();
    },
  );

  it('frees a large set in slices of about the budget', () => {
    const model = new SortedSetModel(0);
    for (let i = 0; i < 500; i++) model.set(Buffer.from(`m${i}`), i);
    const value = model.sets.records.slot(model.record);
    expect(model.sets.releaseEffort(value, 0, ENCODING_SKIPLIST)).toBe(500);
    model.keyspace.remove(model.keyspace.databases[0], model.record);
    let steps = 0;
    for (let isLeft = true; isLeft; steps++) {
      const blocks = model.memory.blockCount;
      isLeft = model.keyspace.lazyFree.step(10);
      expect(blocks - model.memory.blockCount).toBeLessThanOrEqual(25);
    }
    expect(steps).toBeGreaterThan(50);
    expect(model.memory.liveBlocks().size).toBe(new SortedSetModel().memory.blockCount - 2);
  });

  it('counts the memory that it takes', () => {
    for (const encoding of [ENCODING_LISTPACK, ENCODING_SKIPLIST]) {
      const model = new SortedSetModel(1000, 64, encoding);
      const before = model.memory.usedBytes;
      const empty = model.sets.memoryUsage(model.sets.records.slot(model.record), 0, encoding, 0);
      for (let i = 0; i < 300; i++) model.set(Buffer.from(`member:${i}`), i);
      const value = model.sets.records.slot(model.record);
      const usage = model.sets.memoryUsage(value, 0, encoding, 0);
      // Those buckets of the table that have a block but no entries yet are not counted.
      const share = (usage - empty) / (model.memory.usedBytes - before);
      expect(share).toBeGreaterThan(0.8);
      expect(share).toBeLessThanOrEqual(1);
      expect(model.sets.memoryUsage(value, 0, encoding, 5) / usage).toBeCloseTo(1, 0);
      model.end();
    }
  });

  it('has nothing in an empty set', () => {
    for (const encoding of [ENCODING_LISTPACK, ENCODING_SKIPLIST]) {
      const model = new SortedSetModel(128, 64, encoding);
      model.check();
      model.checkScores(new ScoreRange(), true);
      model.checkMembers(new LexRange(), false);
      expect(model.find(Buffer.from(''))).toBe(NO_MEMBER);
      expect(model.sets.records.type(model.record)).toBe(TYPE_SORTED_SET);
      model.end();
    }
  });

  it('refuses NaN', () => {
    for (const encoding of [ENCODING_LISTPACK, ENCODING_SKIPLIST]) {
      const model = new SortedSetModel(128, 64, encoding);
      model.set(Buffer.from('a'), 1);
      expect(() => model.sets.add(model.record, NaN, Buffer.from('b'), 0, 1)).toThrow('NaN');
      expect(() => model.sets.update(model.record, model.find(Buffer.from('a')), NaN)).toThrow('NaN');
      model.check();
      model.end();
    }
  });
});
