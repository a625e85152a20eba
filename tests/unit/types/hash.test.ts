import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ENCODING_HASHTABLE, ENCODING_LISTPACK, ENCODING_LISTPACK_EX } from '../../../src/keyspace/record.js';
import { NO_DEADLINE } from '../../../src/keyspace/record-store.js';
import { OutOfMemoryError } from '../../../src/memory/memory.js';
import { NULL_REFERENCE } from '../../../src/memory/reference.js';
import { HashModel } from './hash-model.js';

const ENTRIES_MAX = 8;
const VALUE_MAX = 12;

const names = fc
  .oneof(
    { weight: 10, arbitrary: fc.integer({ min: 0, max: 11 }).map((n) => Buffer.from(`f${n}`)) },
    { weight: 4, arbitrary: fc.integer({ min: -200, max: 200 }).map((n) => Buffer.from(String(n))) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 300, size: 'max' }) },
  )
  .map((bytes) => Buffer.from(bytes));
const values = fc
  .oneof(
    { weight: 6, arbitrary: fc.uint8Array({ maxLength: VALUE_MAX }) },
    {
      weight: 4,
      arbitrary: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((n) => Buffer.from(String(n))),
    },
    { weight: 1, arbitrary: fc.uint8Array({ minLength: 250, maxLength: 260, size: 'max' }) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 3000, size: 'max' }) },
  )
  .map((bytes) => Buffer.from(bytes));
const places = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const deadlines = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 1001, max: 1040 }) },
  { weight: 3, arbitrary: fc.integer({ min: 1001, max: 2 ** 46 - 1 }) },
  { weight: 2, arbitrary: fc.constant(NO_DEADLINE) },
);
const operations = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('set' as const),
      field: names,
      value: values,
      keeps: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('remove' as const), at: places }) },
  {
    weight: 8,
    arbitrary: fc.record({ kind: fc.constant('expire' as const), at: places, deadlineMs: deadlines }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('advance' as const),
      ms: fc.integer({ min: 0, max: 12 }),
      limit: fc.integer({ min: 1, max: 5 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('makeExpirable' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('toggleKeyDeadline' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('copy' as const) }) },
);
type Operation = typeof operations extends fc.Arbitrary<infer T> ? T : never;

function apply(model: HashModel, operation: Operation): void {
  const { fields } = model;
  if (operation.kind === 'set') model.set(operation.field, operation.value, operation.keeps);
  else if (operation.kind === 'advance') model.advance(operation.ms, operation.limit);
  else if (operation.kind === 'makeExpirable') model.makeExpirable();
  else if (operation.kind === 'toggleKeyDeadline') model.toggleKeyDeadline();
  else if (operation.kind === 'copy') model.copyThere();
  else if (fields.length > 0) {
    const { field } = fields[Math.floor(operation.at * fields.length)];
    if (operation.kind === 'remove') model.remove(field);
    else model.setDeadline(field, operation.deadlineMs);
  }
}

/** Tries an operation with one allocation more each time until it succeeds, checking the hash after each failure. */
function failThenApply(model: HashModel, operation: Operation): void {
  for (let allocations = 0; ; allocations++) {
    model.memory.allocationsUntilFailure = allocations;
    try {
      apply(model, operation);
      return;
    } catch (error) {
      if (!(error instanceof OutOfMemoryError)) throw error;
    } finally {
      model.memory.allocationsUntilFailure = Number.POSITIVE_INFINITY;
    }
    // The fields are as they were; they may be in the encoding already that the operation called for.
    model.encoding = model.hashes.records.encoding(model.record);
    model.check();
  }
}

/** A key that is relocated to is dropped before memory may run out: the model's way of copying is not for that test. */
function isSafeToFail(operation: Operation): boolean {
  return operation.kind !== 'copy' && operation.kind !== 'advance';
}

describe('Hashes', () => {
  it.each([
    ['on both sides of the limits', ENTRIES_MAX, VALUE_MAX],
    ['in listpacks', 1000, 1e6],
    ['in tables', 0, 64],
  ])('equals an array of fields %s', (_, entriesMax, valueMax) => {
    fc.assert(
      fc.property(fc.array(operations, { maxLength: 80, size: 'max' }), (list) => {
        const model = new HashModel(entriesMax, valueMax);
        for (const operation of list) apply(model, operation);
        model.check();
        model.end();
      }),
      { numRuns: 70, interruptAfterTimeLimit: 20000 },
    );
  });

  it('is right after every single step', () => {
    fc.assert(
      fc.property(fc.array(operations, { maxLength: 40, size: 'max' }), (list) => {
        const model = new HashModel(ENTRIES_MAX, VALUE_MAX);
        for (const operation of list) {
          apply(model, operation);
          model.check();
        }
        model.end();
      }),
      { numRuns: 40, interruptAfterTimeLimit: 20000 },
    );
  });

  it.each([
    ['on both sides of the limits', ENTRIES_MAX, VALUE_MAX],
    ['in tables', 0, 64],
  ])('keeps its fields when memory runs out, %s', (_, entriesMax, valueMax) => {
    fc.assert(
      fc.property(fc.array(operations.filter(isSafeToFail), { maxLength: 25, size: 'max' }), (list) => {
        const model = new HashModel(entriesMax, valueMax);
        for (const operation of list) failThenApply(model, operation);
        model.check();
        model.end();
      }),
      { numRuns: 40, interruptAfterTimeLimit: 20000 },
    );
  });

  it('goes from listpack to listpackex to hashtable, and never back', () => {
    const model = new HashModel(3, 20);
    const [a, b] = [Buffer.from('a'), Buffer.from('b')];
    model.set(a, Buffer.from('1'), false);
    expect(model.encoding).toBe(ENCODING_LISTPACK);
    model.setDeadline(a, 5000);
    expect(model.encoding).toBe(ENCODING_LISTPACK_EX);
    model.setDeadline(a, NO_DEADLINE);
    model.check();
    model.set(b, Buffer.from('x'.repeat(21)), false);
    expect(model.encoding).toBe(ENCODING_HASHTABLE);
    model.remove(b);
    model.check();
    model.end();
  });

  it('goes with its last field', () => {
    const model = new HashModel(ENTRIES_MAX, VALUE_MAX);
    for (let i = 0; i < 20; i++) model.set(Buffer.from(`f${i}`), Buffer.from('v'), false);
    for (let i = 0; i < 20; i++) model.setDeadline(Buffer.from(`f${i}`), 1001 + i);
    const { keyspace, database } = model;
    keyspace.nowMs = 1010;
    while (keyspace.expireFieldsDue(database, 3));
    expect(model.hashes.count(model.record)).toBe(10);
    expect(keyspace.expiredFields).toBe(10);
    keyspace.nowMs = 2000;
    while (keyspace.expireFieldsDue(database, 3));
    expect(model.record).toBe(NULL_REFERENCE);
    expect(keyspace.expiredFields).toBe(20);
    expect(database.fieldDeadlines.count).toBe(0);
    expect(model.memory.blockCount).toBe(new HashModel().memory.blockCount - 2);
  });

  it('follows its database, and is forgotten with it', () => {
    const model = new HashModel(ENTRIES_MAX, VALUE_MAX);
    const { keyspace } = model;
    const [a, b] = keyspace.databases;
    for (let i = 0; i < 20; i++) model.set(Buffer.from(`f${i}`), Buffer.from('v'), false);
    model.setDeadline(Buffer.from('f3'), 1500);
    keyspace.swap(a, b);
    expect([a.fieldDeadlines.count, b.fieldDeadlines.count]).toEqual([0, 1]);
    keyspace.swap(a, b);
    model.check();
    const blocks = model.memory.blockCount;
    keyspace.clear(a, false);
    keyspace.lazyFree.drain();
    expect(model.memory.blockCount).toBeLessThan(blocks);
    keyspace.nowMs = 2000;
    expect(keyspace.expireFieldsDue(a, 100)).toBe(false);
    expect(keyspace.expiredFields).toBe(0);
  });

  it('measures what it takes', () => {
    const model = new HashModel(ENTRIES_MAX, VALUE_MAX);
    const usage = (samples: number) => {
      const { records } = model.hashes;
      const { record } = model;
      return model.hashes.memoryUsage(records.slot(record), 0, records.encoding(record), samples);
    };
    const before = model.memory.usedBytes - usage(0);
    for (let i = 0; i < 300; i++) model.set(Buffer.from(`f${i}`), Buffer.alloc(i * 2), false);
    expect(Math.abs(model.memory.usedBytes - before - usage(0))).toBeLessThan(100);
    for (let i = 0; i < 300; i += 2) model.setDeadline(Buffer.from(`f${i}`), 5000 + i);
    expect(Math.abs(model.memory.usedBytes - before - usage(0))).toBeLessThan(200);
    expect(usage(50)).toBeGreaterThan(usage(0) / 3);
    model.end();
  });
});
