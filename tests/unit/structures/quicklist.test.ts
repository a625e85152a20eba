import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Memory, OutOfMemoryError } from '../../../src/memory/memory.js';
import { NULL_REFERENCE } from '../../../src/memory/reference.js';
import { Listpacks } from '../../../src/structures/listpack.js';
import { Quicklists } from '../../../src/structures/quicklist.js';
import type { QuicklistReference } from '../../../src/structures/quicklist-chain.js';
import { exceedsFill, fitsListpack } from '../../../src/structures/quicklist-limits.js';
import { QuicklistCursor } from '../../../src/structures/quicklist-reader.js';
import { blockContent, copyOfElement } from './listpack-invariants.js';
import { elements, modelListpack } from './listpack-model.js';
import { checkQuicklist, nodeContents } from './quicklist-invariants.js';

let memory: Memory;
let listpacks: Listpacks;
let quicklists: Quicklists;
const cursor = new QuicklistCursor();

beforeEach(() => use(new Memory({ debug: true })));

afterEach(() => {
  expect(memory.blockCount).toBe(0);
});

function use(given: Memory): void {
  memory = given;
  listpacks = new Listpacks(memory);
  quicklists = new Quicklists(memory, listpacks);
}

const check = (list: QuicklistReference) => checkQuicklist(memory, listpacks, quicklists, list);

function make(list: readonly Buffer[], fill: number, compressDepth = 0): QuicklistReference {
  const made = quicklists.create(fill, compressDepth);
  for (const element of list) quicklists.pushLast(made, element, 0, element.length);
  return made;
}

function free(list: QuicklistReference): void {
  while (!quicklists.freeStep(list, 3));
}

/** What a walk from an index meets. */
function walk(list: QuicklistReference, index: number, isForward: boolean): Buffer[] {
  const met: Buffer[] = [];
  for (let is = quicklists.seek(cursor, list, index, isForward); is; is = quicklists.advance(cursor)) {
    quicklists.read(cursor);
    met.push(copyOfElement(quicklists.element));
  }
  return met;
}

/** As toEqual, which takes far longer for long elements. */
const isSame = (some: readonly Buffer[], others: readonly Buffer[]) =>
  some.length === others.length && some.every((element, index) => element.equals(others[index]));

const texts = (...list: readonly string[]) => list.map((text) => Buffer.from(text));
const numbered = (count: number) => texts(...Array.from({ length: count }, (_, index) => `element ${index}`));
const choice = () => fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

/** A change of an array and of a list alike. The list has a cursor of its own. */
type Change = (model: Buffer[], list: QuicklistReference) => void;

function pushes(element: fc.Arbitrary<Buffer>): fc.Arbitrary<Change> {
  return fc
    .tuple(element, fc.boolean(), fc.integer({ min: 1, max: 4 }))
    .map(([bytes, isFirst, times]) => (model, list) => {
      for (let i = 0; i < times; i++) {
        if (isFirst) {
          model.unshift(bytes);
          quicklists.pushFirst(list, bytes, 0, bytes.length);
        } else {
          model.push(bytes);
          quicklists.pushLast(list, bytes, 0, bytes.length);
        }
      }
    });
}

function pops(): fc.Arbitrary<Change> {
  return fc.boolean().map((isFirst) => (model, list) => {
    if (model.length === 0) return;
    if (isFirst) {
      quicklists.readFirst(list);
      expect(copyOfElement(quicklists.element)).toEqual(model.shift());
      quicklists.removeFirst(list);
    } else {
      quicklists.readLast(list);
      expect(copyOfElement(quicklists.element)).toEqual(model.pop());
      quicklists.removeLast(list);
    }
  });
}

function edits(element: fc.Arbitrary<Buffer>): fc.Arbitrary<Change> {
  const where = fc.constantFrom('before', 'after', 'replace');
  return fc
    .tuple(element, choice(), where, fc.boolean())
    .map(([bytes, at, edit, isNegative]) => (model, list) => {
      if (model.length === 0) return;
      const index = Math.floor(model.length * at);
      expect(quicklists.seek(cursor, list, isNegative ? index - model.length : index, at < 0.5)).toBe(true);
      quicklists.read(cursor);
      expect(copyOfElement(quicklists.element)).toEqual(model[index]);
      if (edit === 'replace') {
        model.splice(index, 1, bytes);
        quicklists.replaceAt(cursor, bytes, 0, bytes.length);
      } else {
        model.splice(edit === 'after' ? index + 1 : index, 0, bytes);
        quicklists.insertAt(cursor, edit === 'after', bytes, 0, bytes.length);
      }
      expect(cursor.node).toBe(NULL_REFERENCE);
    });
}

function rangeRemovals(): fc.Arbitrary<Change> {
  return fc.tuple(choice(), fc.nat(12), fc.boolean()).map(([at, count, isNegative]) => (model, list) => {
    const index = Math.floor(model.length * at);
    quicklists.removeRange(list, isNegative ? index - model.length : index, count);
    if (model.length > 0) model.splice(index, count);
  });
}

/** As LREM does: walks and removes some of what it meets. */
function removals(): fc.Arbitrary<Change> {
  return fc
    .tuple(fc.array(fc.boolean(), { maxLength: 12 }), choice(), fc.boolean())
    .map(([removed, at, isForward]) => (model, list) => {
      let index = Math.floor(model.length * at);
      let isThere = quicklists.seek(cursor, list, index, isForward);
      expect(isThere).toBe(model.length > 0);
      for (const isRemoved of removed) {
        if (!isThere) break;
        quicklists.read(cursor);
        expect(copyOfElement(quicklists.element)).toEqual(model[index]);
        if (isRemoved) {
          model.splice(index, 1);
          isThere = quicklists.removeAt(cursor);
          if (!isForward) index--;
        } else {
          isThere = quicklists.advance(cursor);
          index += isForward ? 1 : -1;
        }
        expect(isThere).toBe(index >= 0 && index < model.length);
      }
      quicklists.release(cursor);
    });
}

function rotations(): fc.Arbitrary<Change> {
  return fc.tuple(fc.boolean(), fc.boolean()).map(([isLastToFirst, isRepushed]) => (model, list) => {
    if (isRepushed) {
      quicklists.repush(list, isLastToFirst);
    } else if (isLastToFirst) {
      quicklists.rotateLastToFirst(list);
      model.unshift(...model.splice(-1));
    } else {
      quicklists.rotateFirstToLast(list);
      model.push(...model.splice(0, 1));
    }
  });
}

/** Elements of which a node of 4 KiB holds few, among small ones. */
const mixedElements = () =>
  fc.oneof(
    { weight: 3, arbitrary: elements(5000) },
    {
      weight: 1,
      arbitrary: fc.constantFrom(900, 2000, 4097, 9000).map((length) => Buffer.alloc(length, 'large ')),
    },
    {
      weight: 1,
      arbitrary: fc.uint8Array({ minLength: 40, maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
    },
  );

const changes = () =>
  fc.array(
    fc.oneof(
      { weight: 4, arbitrary: pushes(mixedElements()) },
      pops(),
      { weight: 3, arbitrary: edits(mixedElements()) },
      rangeRemovals(),
      removals(),
      rotations(),
    ),
    { maxLength: 60, size: 'max' },
  );

describe('changes', () => {
  it.each([
    { fill: -1, depth: 0, threshold: 0 },
    { fill: -2, depth: 1, threshold: 0 },
    { fill: 3, depth: 0, threshold: 0 },
    { fill: 4, depth: 2, threshold: 0 },
    { fill: 0, depth: 1, threshold: 0 },
    { fill: -1, depth: 1, threshold: 100 },
    { fill: 5, depth: 1, threshold: 1 },
  ])('do what they do to an array, with %o', ({ fill, depth, threshold }) => {
    expect(quicklists.limits.setPackedThreshold(threshold)).toBe(true);
    fc.assert(
      fc.property(changes(), (sequence) => {
        const model: Buffer[] = [];
        const list = quicklists.create(fill, depth);
        for (const change of sequence) {
          change(model, list);
          expect(isSame(check(list), model)).toBe(true);
        }
        free(list);
      }),
      { numRuns: 25 },
    );
  });
});

describe('walks', () => {
  it.each([0, 1, 3])('meet every element from every start, with compress depth %d', (depth) => {
    const model = numbered(40);
    model[17] = Buffer.alloc(9000, 'large');
    const list = make(model, 4, depth);
    for (let index = -41; index <= 41; index++) {
      const start = index < 0 ? index + 40 : index;
      const isThere = start >= 0 && start < 40;
      expect(walk(list, index, true)).toEqual(isThere ? model.slice(start) : []);
      expect(walk(list, index, false)).toEqual(isThere ? model.slice(0, start + 1).reverse() : []);
    }
    check(list);
    free(list);
  });

  it('leave compressed nodes as they are, and hold nothing when they are released', () => {
    const list = make(
      Array.from({ length: 100 }, () => Buffer.alloc(50, 'x')),
      10,
      1,
    );
    const blocks = memory.blockCount;
    const bytes = memory.usedBytes;
    expect(quicklists.seek(cursor, list, 55, true)).toBe(true);
    expect(memory.blockCount).toBe(blocks + 1);
    quicklists.release(cursor);
    quicklists.release(cursor);
    expect([memory.blockCount, memory.usedBytes]).toEqual([blocks, bytes]);
    check(list);
    free(list);
  });
});

describe('limits', () => {
  it.each([
    [-1, 4096],
    [-2, 8192],
    [-3, 16384],
    [-4, 32768],
    [-5, 65536],
    [-100, 65536],
  ])('fill %d is a length of %d bytes', (fill, length) => {
    expect([exceedsFill(fill, length, 1e6), exceedsFill(fill, length + 1, 1)]).toEqual([false, true]);
    expect([fitsListpack(fill, length, 1e6, false), fitsListpack(fill, length + 1, 1, false)]).toEqual([
      true,
      false,
    ]);
    expect(fitsListpack(fill, length / 2, 1, true)).toBe(true);
    expect(fitsListpack(fill, length / 2 + 1, 1, true)).toBe(false);
    expect(quicklists.limits.isLarge(fill, length)).toBe(false);
    expect(quicklists.limits.isLarge(fill, length + 1)).toBe(true);
  });

  it.each([
    [0, 1],
    [1, 1],
    [7, 7],
    [128, 128],
  ])('fill %d is %d elements and 8 KiB', (fill, count) => {
    expect([exceedsFill(fill, 8192, count), exceedsFill(fill, 10, count + 1)]).toEqual([false, true]);
    expect(exceedsFill(fill, 8193, 1)).toBe(true);
    expect([fitsListpack(fill, 1e6, count, false), fitsListpack(fill, 1, count + 1, false)]).toEqual([
      true,
      false,
    ]);
    expect(fitsListpack(fill, 1, Math.floor(count / 2) + 1, true)).toBe(false);
    expect([quicklists.limits.isLarge(fill, 8192), quicklists.limits.isLarge(fill, 8193)]).toEqual([
      false,
      true,
    ]);
  });

  it('refuses a packed threshold near 4 GiB', () => {
    const { limits } = quicklists;
    expect([limits.setPackedThreshold(2 ** 32), limits.setPackedThreshold(10)]).toEqual([false, true]);
    expect([limits.isLarge(-2, 9), limits.isLarge(-2, 10)]).toEqual([false, true]);
  });
});

describe('conversion', () => {
  it('goes from a listpack to a list and back', () => {
    const bytes = modelListpack(numbered(5));
    const listpack = listpacks.createFrom(bytes, 0, bytes.length);
    const list = quicklists.createFromListpack(listpack, -2, 0);
    expect(check(list)).toEqual(numbered(5));
    expect(quicklists.canBecomeListpack(list, 5, false)).toBe(true);
    expect(quicklists.canBecomeListpack(list, 5, true)).toBe(false);
    const back = quicklists.becomeListpack(list);
    expect(blockContent(memory, back, listpacks.byteLength(back))).toEqual(bytes);
    listpacks.free(back);
  });

  it('makes an empty list of an empty listpack', () => {
    const list = quicklists.createFromListpack(listpacks.create(), -2, 0);
    expect([check(list), quicklists.nodeCount(list)]).toEqual([[], 0]);
    expect(quicklists.canBecomeListpack(list, -2, false)).toBe(false);
    free(list);
  });

  it('is not possible for two nodes, or for a plain one', () => {
    const two = make(numbered(4), 2);
    const plain = make([Buffer.alloc(9000)], -2);
    expect([two, plain].map((list) => quicklists.canBecomeListpack(list, -5, false))).toEqual([false, false]);
    free(two);
    free(plain);
  });
});

describe('whole lists', () => {
  it('are copied with compressed and plain nodes', () => {
    const model = numbered(60);
    model[33] = Buffer.alloc(20000, 'large');
    const list = make(model, 5, 1);
    const copy = quicklists.duplicate(list);
    expect(check(copy)).toEqual(model);
    expect(nodeContents(memory, quicklists, copy)).toEqual(nodeContents(memory, quicklists, list));
    free(list);
    expect(check(copy)).toEqual(model);
    free(copy);
  });

  it('are loaded from nodes', () => {
    const list = quicklists.create(2, 1);
    for (const part of [numbered(3), numbered(30)]) {
      const bytes = modelListpack(part);
      quicklists.appendListpack(list, listpacks.createFrom(bytes, 0, bytes.length));
    }
    const large = Buffer.alloc(10000, 'y');
    quicklists.appendPlain(list, quicklists.nodes.copyOf(large, 0, large.length), large.length);
    expect(check(list)).toEqual([...numbered(3), ...numbered(30), large]);
    free(list);
  });

  it('give a new node room for all when they are long, and for what there is when they are short', () => {
    const room = (count: number) => {
      const list = make(numbered(count), 10);
      const tail = quicklists.tail(list);
      const rest = memory.blockBytes(quicklists.nodes.entry(tail)) - quicklists.nodes.byteLength(tail);
      free(list);
      return rest;
    };
    expect(room(61)).toBeLessThan(8);
    expect(room(81)).toBeGreaterThan(90);
  });

  it('are freed in steps', () => {
    const list = make(numbered(100), 10);
    const freed = [quicklists.freeStep(list, 4), quicklists.freeStep(list, 5), quicklists.freeStep(list, 1)];
    expect(freed).toEqual([false, false, true]);
  });

  it('know what they take', () => {
    const list = make(numbered(1000), 10);
    expect(quicklists.allocatedBytes(list, Number.POSITIVE_INFINITY)).toBe(memory.usedBytes);
    expect(Math.abs(quicklists.allocatedBytes(list, 5) / memory.usedBytes - 1)).toBeLessThan(0.1);
    free(list);
    const empty = make([], 10);
    expect(quicklists.allocatedBytes(empty, 5)).toBe(memory.usedBytes);
    free(empty);
  });
});

describe('want of memory', () => {
  const long = Buffer.alloc(60, 'w');
  const large = Buffer.alloc(9000, 'L');
  const at = (list: QuicklistReference, index: number) => {
    if (!quicklists.seek(cursor, list, index, true)) throw new Error('no such element');
  };
  const operations: [string, (list: QuicklistReference) => void][] = [
    ['pushFirst', (list) => quicklists.pushFirst(list, long, 0, long.length)],
    ['pushLast', (list) => quicklists.pushLast(list, long, 0, long.length)],
    ['pushLast of a large element', (list) => quicklists.pushLast(list, large, 0, large.length)],
    ...[0, 3, 12, 13, 14, 15, 20].flatMap((index): [string, (list: QuicklistReference) => void][] =>
      [long, large].flatMap((element): [string, (list: QuicklistReference) => void][] => [
        [
          `insertAt before ${index} of ${element.length} bytes`,
          (list) => {
            at(list, index);
            quicklists.insertAt(cursor, false, element, 0, element.length);
          },
        ],
        [
          `insertAt after ${index} of ${element.length} bytes`,
          (list) => {
            at(list, index);
            quicklists.insertAt(cursor, true, element, 0, element.length);
          },
        ],
        [
          `replaceAt ${index} of ${element.length} bytes`,
          (list) => {
            at(list, index);
            quicklists.replaceAt(cursor, element, 0, element.length);
          },
        ],
      ]),
    ),
    ['removeFirst', (list) => quicklists.removeFirst(list)],
    ['removeLast', (list) => quicklists.removeLast(list)],
    ['removeRange', (list) => quicklists.removeRange(list, 6, 11)],
    ['rotateLastToFirst', (list) => quicklists.rotateLastToFirst(list)],
    ['rotateFirstToLast', (list) => quicklists.rotateFirstToLast(list)],
    ['repush the first', (list) => quicklists.repush(list, true)],
    ['repush the last', (list) => quicklists.repush(list, false)],
    [
      'duplicate',
      (list) => {
        free(quicklists.duplicate(list));
      },
    ],
  ];

  it.each([
    { fill: 4, depth: 0 },
    { fill: 4, depth: 1 },
    { fill: 50, depth: 0 },
  ])('changes nothing or does it all, with %o', ({ fill, depth }) => {
    // Without records of live blocks, which take long.
    use(new Memory());
    const model = numbered(24);
    model[14] = Buffer.alloc(8500, 'large');
    for (const [name, operation] of operations) {
      const expected = make(model, fill, depth);
      operation(expected);
      const after = check(expected);
      free(expected);
      for (let successes = 0; ; successes++) {
        const list = make(model, fill, depth);
        memory.allocationsUntilFailure = successes;
        let hasFailed = false;
        try {
          operation(list);
        } catch (error) {
          expect(error).toBeInstanceOf(OutOfMemoryError);
          hasFailed = true;
        }
        const wasEnough = memory.allocationsUntilFailure >= 0;
        memory.allocationsUntilFailure = Number.POSITIVE_INFINITY;
        const expectedNow = hasFailed ? model : after;
        // A want of memory may have left nodes uncompressed, or not; the elements are all the same there.
        expect([name, isSame(walk(list, 0, true), expectedNow)]).toEqual([name, true]);
        expect([name, isSame(walk(list, -1, false), expectedNow.toReversed())]).toEqual([name, true]);
        free(list);
        if (wasEnough) break;
      }
    }
  });
});
