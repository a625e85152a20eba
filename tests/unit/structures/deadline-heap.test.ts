import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Memory, OutOfMemoryError } from '../../../src/memory/memory.js';
import { NULL_REFERENCE, type Reference } from '../../../src/memory/reference.js';
import { DeadlineHeap } from '../../../src/structures/deadline-heap.js';
import { checkDeadlineHeap } from './deadline-heap-invariants.js';

const ENTRY_BYTES = 16;

const times = fc.oneof(
  fc.integer({ min: 0, max: 20 }),
  fc.integer({ min: 0, max: 2 ** 31 }),
  fc.constant(2 ** 46),
);
const places = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const operations = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('add' as const), at: places, time: times }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('update' as const), at: places, time: times }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('remove' as const), at: places, time: times }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('pop' as const), at: places, time: times }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('move' as const), at: places, time: times }) },
);
type Operation = typeof operations extends fc.Arbitrary<infer T> ? T : never;

/** A heap beside a map from its entries to their deadlines. */
class HeapModel {
  readonly memory = new Memory({ debug: true });
  readonly heap = new DeadlineHeap(this.memory);
  head = this.heap.create();
  readonly deadlines = new Map<Reference, number>();

  apply({ kind, at, time }: Operation): void {
    if (kind === 'add') {
      this.add(time);
      return;
    }
    const entries = [...this.deadlines.keys()];
    if (entries.length === 0) return;
    const entry = kind === 'pop' ? this.heap.first(this.head) : entries[Math.floor(at * entries.length)];
    if (kind === 'update') {
      this.heap.update(this.head, entry, time);
      this.deadlines.set(entry, time);
    } else if (kind === 'move') {
      this.move(entry);
    } else {
      this.heap.remove(this.head, entry);
      this.deadlines.delete(entry);
      this.memory.free(entry);
    }
  }

  add(time: number): void {
    const entry = this.memory.allocate(ENTRY_BYTES);
    try {
      this.head = this.heap.add(this.head, entry, time);
    } catch (error) {
      this.memory.free(entry);
      throw error;
    }
    this.deadlines.set(entry, time);
  }

  move(entry: Reference): void {
    const moved = this.memory.allocate(ENTRY_BYTES);
    this.memory.copyBlock(entry, 0, moved, 0, ENTRY_BYTES);
    this.memory.free(entry);
    this.heap.moved(this.head, moved);
    this.deadlines.set(moved, this.heap.deadline(moved));
    this.deadlines.delete(entry);
  }

  check(): void {
    const { heap, head, deadlines } = this;
    const entries = checkDeadlineHeap(this.memory, heap, head);
    expect(new Map(entries.map((entry) => [entry, heap.deadline(entry)]))).toEqual(deadlines);
    const first = heap.first(head);
    if (deadlines.size === 0) expect(first).toBe(NULL_REFERENCE);
    else expect(deadlines.get(first)).toBe(Math.min(...deadlines.values()));
  }

  end(): void {
    for (const entry of this.deadlines.keys()) this.memory.free(entry);
    this.heap.free(this.head);
    expect(this.memory.blockCount).toBe(0);
  }
}

describe('DeadlineHeap', () => {
  it('equals a map of deadlines', () => {
    fc.assert(
      fc.property(fc.array(operations, { maxLength: 120, size: 'max' }), (list) => {
        const model = new HeapModel();
        for (const operation of list) {
          model.apply(operation);
          model.check();
        }
        model.end();
      }),
      { numRuns: 150, interruptAfterTimeLimit: 20000 },
    );
  });

  it('gives entries in the order of their deadlines, and memory back on the way', () => {
    const model = new HeapModel();
    const count = 3000;
    for (let i = 0; i < count; i++) model.add((i * 7919) % 1009);
    model.check();
    const most = model.heap.byteLength(model.head);
    const given: number[] = [];
    while (model.deadlines.size > 0) {
      given.push(model.heap.deadline(model.heap.first(model.head)));
      model.apply({ kind: 'pop', at: 0, time: 0 });
    }
    expect(given).toEqual([...given].sort((a, b) => a - b));
    expect(given).toHaveLength(count);
    expect(most).toBeGreaterThan(count * 4);
    expect(model.heap.byteLength(model.head)).toBeLessThan(100);
    model.end();
  });

  it('is as it was when memory runs out', () => {
    const model = new HeapModel();
    for (let i = 0; i < 200; i++) {
      for (let allocations = 0; ; allocations++) {
        model.memory.allocationsUntilFailure = allocations;
        const blocks = model.memory.blockCount;
        try {
          model.add(i % 17);
          break;
        } catch (error) {
          if (!(error instanceof OutOfMemoryError)) throw error;
          expect(model.memory.blockCount).toBe(blocks);
        } finally {
          model.memory.allocationsUntilFailure = Number.POSITIVE_INFINITY;
        }
      }
      model.check();
    }
    model.end();
  });
});
