import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ENCODING_LISTPACK, ENCODING_QUICKLIST } from '../../../src/keyspace/record.js';
import { Memory, OutOfMemoryError } from '../../../src/memory/memory.js';
import type { ListEnd } from '../../../src/types/list.js';
import { elements } from '../structures/listpack-model.js';
import { type ListLimits, ListModel } from './list-model.js';

const limits = fc.constantFrom<ListLimits>(
  { fill: -2, compressDepth: 0 },
  { fill: -1, compressDepth: 1 },
  { fill: 4, compressDepth: 0 },
  { fill: 3, compressDepth: 1 },
  { fill: 1, compressDepth: 0 },
  { fill: 0, compressDepth: 0 },
);
const ends = fc.constantFrom<ListEnd>('first', 'last');
/** Mostly from few, so that some are found; now and then about as large as a node. */
const values = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('a', 'b', '1', '-70000', '').map(Buffer.from) },
  { weight: 2, arbitrary: elements(5000) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.constantFrom(1000, 4080, 8170, 8193), fc.nat(2))
      .map(([n, byte]) => Buffer.alloc(n, byte)),
  },
);
const index = fc.integer({ min: -12, max: 12 });

type Operation = (model: ListModel) => void;

function removal(isForward: boolean, count: number, value: Buffer): Operation {
  return (model) => model.removeEqual(isForward, count, value);
}

const operations = fc.oneof<fc.WeightedArbitrary<Operation>[]>(
  {
    weight: 8,
    arbitrary: fc.tuple(ends, fc.array(values, { minLength: 1, maxLength: 6 })).map(
      ([end, added]) =>
        (model) =>
          model.push(end, added),
    ),
  },
  {
    weight: 4,
    arbitrary: ends.map((end) => (model) => {
      if (model.elements.length > 1) model.pop(end);
    }),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(fc.nat(12), fc.nat(12)).map(([start, count]) => (model) => {
      if (count < model.elements.length) model.removeRange(start, count);
    }),
  },
  {
    weight: 3,
    arbitrary: fc.tuple(ends, ends).map(([from, to]) => (model) => {
      if (model.elements.length > 0) model.rotate(from, to);
    }),
  },
  {
    weight: 3,
    arbitrary: fc.tuple(index, values).map(
      ([at, value]) =>
        (model) =>
          model.replace(at, value),
    ),
  },
  {
    weight: 3,
    arbitrary: fc.tuple(fc.boolean(), values, values).map(
      ([isAfter, pivot, value]) =>
        (model) =>
          model.insert(isAfter, pivot, value),
    ),
  },
  {
    weight: 3,
    arbitrary: fc
      .tuple(fc.boolean(), fc.integer({ min: 1, max: 4 }), values)
      .map(([isForward, count, value]) => removal(isForward, count, value)),
  },
  { weight: 1, arbitrary: limits.map((to) => (model) => model.limit(to)) },
);

describe('Lists', () => {
  it('equals an array over all thresholds, in the encoding that Redis chooses', () => {
    fc.assert(
      fc.property(limits, fc.array(operations, { maxLength: 40, size: 'max' }), (of, list) => {
        const model = new ListModel(of);
        for (const operation of list) operation(model);
        model.check();
        model.end();
      }),
      { numRuns: 150, interruptAfterTimeLimit: 15000 },
    );
  });

  it('starts walks anywhere, in both directions', () => {
    for (const compressDepth of [0, 1]) {
      const model = new ListModel({ fill: 3, compressDepth });
      for (let length = 1; length <= 14; length++) {
        model.push('last', [Buffer.from(`element ${length}`.repeat(length))]);
        for (let from = -length - 1; from <= length; from++) {
          const at = from < 0 ? from + length : from;
          const { elements: all, record } = model;
          const before = at in all ? all.slice(0, at + 1).reverse() : [];
          expect(model.walk(record, from, true)).toEqual(at in all ? all.slice(at) : []);
          expect(model.walk(record, from, false)).toEqual(before);
        }
      }
      model.end();
    }
  });

  it('goes to and fro between the encodings only after half of the elements went', () => {
    const model = new ListModel({ fill: 8, compressDepth: 0 });
    const one = Buffer.from('x');
    model.push('last', Array(8).fill(one));
    expect(model.isListpack).toBe(true);
    model.push('last', [one]);
    expect(model.isListpack).toBe(false);
    for (let length = 9; length > 4; length--) {
      expect(model.isListpack).toBe(false);
      model.pop('last');
    }
    expect(model.isListpack).toBe(true);
    model.end();
  });

  it('makes a list that a command built a listpack when it fits whole', () => {
    const model = new ListModel({ fill: 8, compressDepth: 0 });
    const { lists } = model;
    for (const count of [1, 8, 9]) {
      const record = model.addRecord('built', ENCODING_QUICKLIST, lists.create(ENCODING_QUICKLIST));
      for (let i = 0; i < count; i++) lists.push(record, 'last', Buffer.from('x'), 0, 1);
      lists.compact(record, true);
      expect(lists.isListpack(record)).toBe(count <= 4);
      lists.compact(record, false);
      expect(lists.isListpack(record)).toBe(count <= 8);
      model.removeRecord(record);
    }
    model.end();
  });

  it('chooses the encoding of a new list as Redis does', () => {
    const model = new ListModel({ fill: 4, compressDepth: 0 });
    const { lists } = model;
    expect(lists.encodingFor(4, 8185)).toBe(ENCODING_LISTPACK);
    expect(lists.encodingFor(4, 8186)).toBe(ENCODING_QUICKLIST);
    expect(lists.encodingFor(5, 5)).toBe(ENCODING_QUICKLIST);
    model.limit({ fill: -1, compressDepth: 0 });
    expect(lists.encodingFor(1000, 4089)).toBe(ENCODING_LISTPACK);
    expect(lists.encodingFor(1, 4090)).toBe(ENCODING_QUICKLIST);
    model.end();
  });

  it('copies, measures and frees large lists in slices', () => {
    const model = new ListModel({ fill: -1, compressDepth: 0 });
    for (let i = 0; i < 20; i++) {
      model.push(
        'last',
        Array.from({ length: 1000 }, (_, j) => Buffer.from(`element ${i} ${j}`)),
      );
    }
    model.check();
    const { lists, record, memory } = model;
    const list = lists.records.slot(record);
    expect(lists.releaseEffort(list, 0, ENCODING_QUICKLIST)).toBeGreaterThan(64);
    const used = memory.usedBytes;
    const copied = lists.duplicate(list, 0, ENCODING_QUICKLIST);
    const copiedBytes = memory.usedBytes - used;
    const copy = model.addRecord('copy', ENCODING_QUICKLIST, copied);
    expect(model.walk(copy, 0, true)).toEqual(model.elements);
    for (const samples of [0, 5]) {
      const measured = lists.memoryUsage(list, 0, ENCODING_QUICKLIST, samples);
      expect(Math.abs(measured / copiedBytes - 1)).toBeLessThan(0.05);
    }
    model.keyspace.remove(model.keyspace.databases[0], copy);
    let slices = 1;
    while (model.keyspace.lazyFree.step(10)) slices++;
    expect(slices).toBeGreaterThan(7);
    model.end();
  });

  it('is as it was when memory runs out', () => {
    const word = (text: string) => Buffer.from(text.repeat(20));
    const changes: readonly (readonly [name: string, change: Operation])[] = [
      ['push', (model) => model.push('first', [word('new')])],
      ['push a large one', (model) => model.push('last', [Buffer.alloc(9000)])],
      ['rotate', (model) => model.rotate('last', 'first')],
      ['rotate to the same end', (model) => model.rotate('first', 'first')],
      ['replace', (model) => model.replace(9, word('other'))],
      ['replace by a large one', (model) => model.replace(9, Buffer.alloc(9000))],
      ['insert', (model) => model.insert(true, word('9'), word('between'))],
      ['removeRange', (model) => model.removeRange(3, 12)],
    ];
    for (const of of [
      { fill: 4, compressDepth: 1 },
      { fill: 21, compressDepth: 0 },
      { fill: -1, compressDepth: 0 },
    ]) {
      for (const [, change] of changes) {
        const model = new ListModel(of, new Memory());
        for (let i = 0; i < 20; i++) model.push('last', [word(String(i))]);
        // Makes the next change that adds something convert a listpack.
        model.limit({ fill: Math.min(of.fill, 4), compressDepth: of.compressDepth });
        for (let successes = 0, isDone = false; !isDone; successes++) {
          const before = [...model.elements];
          model.memory.allocationsUntilFailure = successes;
          try {
            change(model);
            isDone = true;
          } catch (error) {
            if (!(error instanceof OutOfMemoryError)) throw error;
          } finally {
            model.memory.allocationsUntilFailure = Number.POSITIVE_INFINITY;
          }
          if (!isDone) model.elements = before;
          expect(model.walk(model.record, 0, true)).toEqual(model.elements);
        }
        model.end();
      }
    }
  });
});
