import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ENCODING_HASHTABLE, ENCODING_INTSET, ENCODING_LISTPACK } from '../../../src/keyspace/record.js';
import { OutOfMemoryError } from '../../../src/memory/memory.js';
import { SetCursor } from '../../../src/types/set-cursor.js';
import { isInteger, type SetLimits, SetModel } from './set-model.js';

const LIMITS: SetLimits = { intsetEntriesMax: 10, listpackEntriesMax: 7, listpackValueMax: 12 };

const encodings = fc.constantFrom(ENCODING_INTSET, ENCODING_LISTPACK, ENCODING_HASHTABLE);
const limits = fc.constantFrom<SetLimits>(
  LIMITS,
  { intsetEntriesMax: 4, listpackEntriesMax: 20, listpackValueMax: 3 },
  { intsetEntriesMax: 20, listpackEntriesMax: 0, listpackValueMax: 64 },
  { intsetEntriesMax: 0, listpackEntriesMax: 30, listpackValueMax: 300 },
);
const integers = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: -20, max: 20 }).map(String) },
  { weight: 2, arbitrary: fc.integer().map(String) },
  { weight: 2, arbitrary: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String) },
);
const strings = fc.oneof(
  { weight: 6, arbitrary: fc.stringMatching(/^[abc]{0,2}$/) },
  { weight: 1, arbitrary: fc.constantFrom('01', '+1', '-0', '9223372036854775808', '1.0', ' 1') },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 600, size: 'max' }).map(latin1) },
);
const members = fc
  .oneof({ weight: 3, arbitrary: integers }, { weight: 1, arbitrary: strings })
  .map((member) => Buffer.from(member, 'latin1'));
const operations = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('add' as const), member: members }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('remove' as const), member: members }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('removeRandom' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('expect' as const), count: fc.integer({ min: 0, max: 40 }) }),
  },
);
type Operation = typeof operations extends fc.Arbitrary<infer T> ? T : never;

function apply(model: SetModel, operation: Operation): void {
  if (operation.kind === 'add') {
    model.add(operation.member);
  } else if (operation.kind === 'remove') {
    model.remove(operation.member);
  } else if (operation.kind === 'removeRandom') {
    if (model.members.size > 0) model.removeRandom();
  } else {
    model.sets.expect(model.record, operation.count);
    const { intsetEntriesMax, listpackEntriesMax } = model.sets;
    const max = model.encoding === ENCODING_INTSET ? intsetEntriesMax : listpackEntriesMax;
    if (operation.count > max) model.encoding = ENCODING_HASHTABLE;
  }
}

/** Tries an operation with one allocation more each time until it succeeds, checking the set after each failure. */
function failThenApply(model: SetModel, operation: Operation): void {
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

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1');
}

describe('Sets', () => {
  it('equals a Set over all thresholds, in the encoding that Redis chooses', () => {
    fc.assert(
      fc.property(limits, encodings, fc.array(operations, { maxLength: 60, size: 'max' }), (of, as, list) => {
        const model = new SetModel(of, as);
        for (const operation of list) apply(model, operation);
        model.check();
        model.end();
      }),
      { numRuns: 300, interruptAfterTimeLimit: 20000 },
    );
  });

  it('is as it was when memory runs out in the middle', () => {
    fc.assert(
      fc.property(limits, encodings, fc.array(operations, { maxLength: 25, size: 'max' }), (of, as, list) => {
        const model = new SetModel(of, as);
        for (const operation of list) failThenApply(model, operation);
        model.end();
      }),
      { numRuns: 60, interruptAfterTimeLimit: 20000 },
    );
  });

  it('walks, copies, measures and frees large sets in slices', () => {
    const model = new SetModel(LIMITS, ENCODING_HASHTABLE);
    for (let i = 0; i < 20000; i++) model.add(Buffer.from(`member:${i}`));
    model.check();
    const { sets, record, memory } = model;
    const table = sets.records.slot(record);
    const used = memory.usedBytes;
    const copy = model.addRecord('copy', ENCODING_HASHTABLE, sets.duplicate(table, 0, ENCODING_HASHTABLE));
    const copied = memory.usedBytes - used;
    expect(model.walk(copy)).toEqual([...model.members].sort());
    expect(Math.abs(sets.memoryUsage(table, 0, ENCODING_HASHTABLE, 0) / copied - 1)).toBeLessThan(0.01);
    expect(Math.abs(sets.memoryUsage(table, 0, ENCODING_HASHTABLE, 5) / copied - 1)).toBeLessThan(0.1);
    model.removeRecord(copy);
    model.end();
  });

  it.each([
    ['an intset', ENCODING_INTSET],
    ['a listpack', ENCODING_LISTPACK],
    ['a hash table', ENCODING_HASHTABLE],
  ])('picks every member of %s with about the same chance', (_, encoding) => {
    const model = new SetModel({ ...LIMITS, intsetEntriesMax: 50, listpackEntriesMax: 50 }, encoding);
    for (let i = 0; i < 40; i++) model.add(Buffer.from(String(i * 1000)));
    expect(model.encoding).toBe(encoding);
    const counts = new Map<string, number>();
    const picks = 40000;
    for (let i = 0; i < picks; i++) {
      model.cursor.read(model.record, model.sets.random(model.record));
      const member = model.read();
      counts.set(member, (counts.get(member) ?? 0) + 1);
    }
    expect(counts.size).toBe(40);
    let chiSquare = 0;
    for (const count of counts.values()) chiSquare += (count - picks / 40) ** 2 / (picks / 40);
    expect(chiSquare).toBeLessThan(100); // 39 degrees of freedom: about once in 10^6 by chance
    model.end();
  });

  it('moves what is read from one set to others', () => {
    fc.assert(
      fc.property(
        limits,
        encodings,
        encodings,
        fc.uniqueArray(members, { maxLength: 15, selector: latin1 }),
        (of, as, to, list) => {
          const model = new SetModel(of, as);
          const { sets, record } = model;
          for (const member of list) model.add(member);
          const draft = sets.createDraft(to);
          const walk = new SetCursor(sets);
          for (const round of [true, false]) {
            walk.start(record);
            while (walk.next()) {
              expect(sets.hasElement(draft, walk.element)).toBe(!round);
              expect(sets.addElement(draft, walk.element)).toBe(round);
            }
          }
          expect(model.walk(draft)).toEqual([...model.members].sort());
          if (list.every((member) => isInteger(latin1(member)))) {
            sets.compactIntegers(draft);
            if (list.length <= of.intsetEntriesMax)
              expect(sets.records.encoding(draft)).toBe(ENCODING_INTSET);
            expect(model.walk(draft)).toEqual([...model.members].sort());
          }
          walk.start(record);
          for (let i = 0; i < list.length / 2; i++) {
            walk.next();
            expect(sets.removeElement(draft, walk.element)).toBe(true);
            expect(sets.removeElement(draft, walk.element)).toBe(false);
          }
          expect(sets.count(draft)).toBe(Math.floor(list.length / 2));
          model.keyspace.drafts.discard(draft);
          model.end();
        },
      ),
      { numRuns: 200, interruptAfterTimeLimit: 20000 },
    );
  });

  it('chooses the encoding of a new set as Redis does', () => {
    const model = new SetModel(LIMITS, ENCODING_INTSET);
    const encodingFor = (member: string, expected: number) =>
      model.sets.encodingFor(Buffer.from(member), 0, member.length, expected);
    expect(encodingFor('1', 10)).toBe(ENCODING_INTSET);
    expect(encodingFor('1', 11)).toBe(ENCODING_HASHTABLE);
    expect(encodingFor('a', 7)).toBe(ENCODING_LISTPACK);
    expect(encodingFor('a', 8)).toBe(ENCODING_HASHTABLE);
    expect(encodingFor('much too long for a listpack', 1)).toBe(ENCODING_LISTPACK);
    model.end();
  });
});
