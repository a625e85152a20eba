import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { byteOffset, Memory, OutOfMemoryError, wordOffset } from '../../../src/memory/memory.js';
import { RUN_PAGES_MAX } from '../../../src/memory/page-runs.js';
import {
  NULL_REFERENCE,
  PAGE_BYTES,
  type Reference,
  SEGMENT_BYTES,
  SEGMENT_SHIFT,
} from '../../../src/memory/reference.js';
import { CLASS_BYTES, SMALL_BYTES_MAX } from '../../../src/memory/size-classes.js';

const MEBIBYTE = 1024 * 1024;
const RUN_BYTES_MAX = RUN_PAGES_MAX * PAGE_BYTES;

/** The figures that must not change when an allocation fails. */
function figures(memory: Memory): readonly number[] {
  return [
    memory.usedBytes,
    memory.usedBytesPeak,
    memory.blockCount,
    memory.segmentBytes,
    memory.occupiedBytes,
    memory.words.length,
  ];
}

/** Marks a block at its start, at its end and here and there in between, so that an overlap shows. */
function mark(memory: Memory, reference: Reference, length: number, seed: number): void {
  for (const offset of markedOffsets(length)) memory.setByte(reference, offset, (seed + offset) & 255);
}

function expectMarks(memory: Memory, reference: Reference, length: number, seed: number): void {
  for (const offset of markedOffsets(length)) {
    if (memory.byte(reference, offset) === ((seed + offset) & 255)) continue;
    throw new Error(`byte ${offset} of a block of ${length} bytes has changed`);
  }
}

function* markedOffsets(length: number): Generator<number> {
  for (let offset = 0; offset < Math.min(length, 64); offset++) yield offset;
  const step = length < MEBIBYTE ? 4096 : MEBIBYTE;
  for (let offset = 64; offset < length; offset += step) yield offset;
  for (let offset = Math.max(64, length - 64); offset < length; offset++) yield offset;
}

describe('Memory', () => {
  it('hands out blocks that are long enough, aligned, and not NULL_REFERENCE', () => {
    const memory = new Memory({ debug: true });
    for (const length of [0, 1, 8, 9, 64, 65, 4096, SMALL_BYTES_MAX, SMALL_BYTES_MAX + 1, RUN_BYTES_MAX]) {
      const reference = memory.allocate(length);
      expect(reference).not.toBe(NULL_REFERENCE);
      expect(memory.blockBytes(reference)).toBeGreaterThanOrEqual(Math.max(length, 8));
      expect(memory.blockBytes(reference)).toBe(Memory.roundedLength(length));
      expect(memory.usedBytes).toBe(memory.blockBytes(reference));
      expect(memory.usedBytesPeak).toBe(memory.usedBytes);
      const view = memory.bytes[reference >>> SEGMENT_SHIFT];
      expect(byteOffset(reference) + length).toBeLessThanOrEqual(view.length);
      memory.free(reference);
    }
    expect(memory.usedBytes).toBe(0);
    expect(memory.blockCount).toBe(0);
  });

  it('puts blocks of 64 bytes on cache lines', () => {
    const memory = new Memory();
    for (let i = 0; i < 300; i++) {
      const reference = memory.allocate(64);
      expect((memory.bytes[0].byteOffset + 16 + byteOffset(reference)) % 64).toBe(0);
    }
  });

  it('shows the same bytes through all accessors', () => {
    const memory = new Memory();
    memory.allocate(40);
    const reference = memory.allocate(40);
    memory.setWord(reference, 3, 0x01020304);
    expect(memory.byte(reference, 12)).toBe(4);
    expect(memory.words[reference >>> SEGMENT_SHIFT][wordOffset(reference) + 3]).toBe(0x01020304);
    memory.setByte(reference, 15, 0x80);
    expect(memory.word(reference, 3)).toBe(0x01020304 - 0x01000000 - 0x80000000);
    memory.setDouble(reference, 2, -1.5);
    expect(memory.double(reference, 2)).toBe(-1.5);
    expect(memory.word(reference, 5)).toBe(0xbff80000 | 0);
  });

  it('copies within a block as if through a copy', () => {
    const memory = new Memory();
    const reference = memory.allocate(300);
    for (let i = 0; i < 300; i++) memory.setByte(reference, i, i & 255);
    memory.copyBlock(reference, 0, reference, 10, 250);
    expect(memory.byte(reference, 10)).toBe(0);
    expect(memory.byte(reference, 259)).toBe(249);
    memory.copyBlock(reference, 10, reference, 0, 250);
    expect(memory.byte(reference, 0)).toBe(0);
    expect(memory.byte(reference, 249)).toBe(249);
  });

  describe('against a model', () => {
    const smallLength = fc.oneof(
      fc.integer({ min: 0, max: 300 }),
      fc.integer({ min: 0, max: SMALL_BYTES_MAX }),
      fc.constantFrom(...CLASS_BYTES),
      fc.constantFrom(...CLASS_BYTES).map((bytes) => bytes + 1),
    );
    const length = fc.oneof(
      { weight: 30, arbitrary: smallLength },
      { weight: 9, arbitrary: fc.integer({ min: SMALL_BYTES_MAX, max: 40 * PAGE_BYTES }) },
      { weight: 1, arbitrary: fc.integer({ min: MEBIBYTE, max: 8 * MEBIBYTE }) },
      { weight: 1, arbitrary: fc.constantFrom(RUN_BYTES_MAX, RUN_BYTES_MAX + 1, SEGMENT_BYTES) },
    );
    const operation = fc.oneof(
      {
        weight: 5,
        arbitrary: fc.record({
          kind: fc.constant('allocate' as const),
          length,
          copies: fc.integer({ min: 1, max: 40 }),
        }),
      },
      {
        weight: 4,
        arbitrary: fc.record({
          kind: fc.constant('free' as const),
          pick: fc.nat(),
          count: fc.integer({ min: 1, max: 60 }),
        }),
      },
      {
        weight: 4,
        arbitrary: fc.record({ kind: fc.constant('reallocate' as const), pick: fc.nat(), length }),
      },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('failNext' as const), length, pick: fc.nat() }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('purge' as const) }) },
    );
    type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never;

    function run(memory: Memory, operations: readonly Operation[]): void {
      const blocks: { reference: Reference; length: number; seed: number }[] = [];
      const references = new Set<Reference>();
      let seed = 0;
      let used = 0;
      /** The result, or undefined when memory was full, which must change nothing. */
      const attempt = (allocation: () => Reference): Reference | undefined => {
        const before = figures(memory);
        try {
          return allocation();
        } catch (error) {
          expect(error).toBeInstanceOf(OutOfMemoryError);
          expect(figures(memory)).toEqual(before);
          return undefined;
        }
      };
      const add = (reference: Reference, length: number) => {
        if (references.has(reference)) throw new Error(`block ${reference} is handed out twice`);
        references.add(reference);
        blocks.push({ reference, length, seed: ++seed });
        used += memory.blockBytes(reference);
        mark(memory, reference, length, seed);
      };
      const take = (pick: number) => {
        const index = pick % blocks.length;
        const block = blocks[index];
        blocks[index] = blocks[blocks.length - 1];
        blocks.pop();
        expectMarks(memory, block.reference, block.length, block.seed);
        references.delete(block.reference);
        used -= memory.blockBytes(block.reference);
        return block;
      };
      for (const step of operations) {
        switch (step.kind) {
          case 'allocate': {
            const copies = step.length > MEBIBYTE ? 1 : step.copies;
            for (let i = 0; i < copies; i++) {
              const reference = attempt(() => memory.allocate(step.length));
              if (reference === undefined) break;
              add(reference, step.length);
            }
            break;
          }
          case 'free':
            for (let i = 0; i < step.count && blocks.length > 0; i++) {
              memory.free(take(step.pick + i * i).reference);
            }
            break;
          case 'reallocate': {
            if (blocks.length === 0) break;
            const block = take(step.pick);
            const { reference } = block;
            const kept = Math.min(block.length, step.length);
            const moved = attempt(() => memory.reallocate(reference, kept, step.length));
            if (moved === undefined) {
              blocks.push(block);
              references.add(reference);
              used += memory.blockBytes(reference);
              break;
            }
            for (const offset of markedOffsets(block.length)) {
              if (offset < kept) expect(memory.byte(moved, offset)).toBe((block.seed + offset) & 255);
            }
            add(moved, step.length);
            break;
          }
          case 'failNext': {
            const before = figures(memory);
            memory.allocationsUntilFailure = 0;
            expect(() => memory.allocate(step.length)).toThrow(OutOfMemoryError);
            memory.allocationsUntilFailure = Number.POSITIVE_INFINITY;
            expect(figures(memory)).toEqual(before);
            break;
          }
          case 'purge':
            memory.purge();
            break;
        }
        expect(memory.usedBytes).toBe(used);
        expect(memory.blockCount).toBe(blocks.length);
        expect(memory.usedBytesPeak).toBeGreaterThanOrEqual(used);
        expect(memory.occupiedBytes).toBeGreaterThanOrEqual(used);
        expect(memory.segmentBytes).toBeGreaterThanOrEqual(memory.occupiedBytes);
        expect(memory.segmentBytes).toBe(memory.bytes.reduce((sum, view) => sum + view.length, 0));
      }
      while (blocks.length > 0) memory.free(take(0).reference);
      expect(memory.usedBytes).toBe(0);
      expect(memory.blockCount).toBe(0);
      memory.purge();
      expect(memory.occupiedBytes).toBe(0);
      expect(memory.segmentBytes).toBe(0);
    }

    const operations = fc.array(operation, { minLength: 20, maxLength: 80, size: 'max' });
    const segmentBytesMax = 4 * SEGMENT_BYTES + MEBIBYTE;

    it('keeps blocks apart and counts exactly, over small blocks, page runs and huge blocks', () => {
      fc.assert(
        fc.property(operations, (steps) => run(new Memory({ segmentBytesMax }), steps)),
        { numRuns: 60 },
      );
    });

    it('does so with checks', () => {
      const property = fc.property(operations, (steps) => {
        const memory = new Memory({ segmentBytesMax, debug: true });
        run(memory, steps);
        expect(memory.liveBlocks().size).toBe(0);
      });
      fc.assert(property, { numRuns: 30 });
    });
  });

  it('gives pages back when everything is freed, in any order', () => {
    for (const order of ['first to last', 'last to first', 'odd and even'] as const) {
      const memory = new Memory();
      const references: Reference[] = [];
      for (let i = 0; i < 20_000; i++) references.push(memory.allocate(8 + ((i * 37) % 2000)));
      if (order === 'last to first') references.reverse();
      if (order === 'odd and even') references.sort((a, b) => (a & 8) - (b & 8));
      for (const reference of references) memory.free(reference);
      expect(memory.usedBytes).toBe(0);
      // One slab of each class stays; they are at most 64 KiB long.
      expect(memory.occupiedBytes).toBeLessThan(CLASS_BYTES.length * 65536);
      memory.purge();
      expect(memory.occupiedBytes).toBe(0);
    }
  });

  it('gives segments back when they are empty, but for one', () => {
    const memory = new Memory();
    const runs: Reference[] = [];
    for (let i = 0; i < 12; i++) runs.push(memory.allocate(SEGMENT_BYTES / 4));
    expect(memory.segmentBytes).toBe(4 * SEGMENT_BYTES); // three fit, next to the page headers
    for (const reference of runs) memory.free(reference);
    expect(memory.segmentBytes).toBe(SEGMENT_BYTES);
    memory.purge();
    expect(memory.segmentBytes).toBe(0);
    const again = memory.allocate(100);
    mark(memory, again, 100, 1);
    expectMarks(memory, again, 100, 1);
  });

  it('fills a segment to the last page, and uses the hole that a freed run leaves', () => {
    const memory = new Memory({ segmentBytesMax: SEGMENT_BYTES });
    const runs: Reference[] = [];
    for (let i = 0; i < RUN_PAGES_MAX / 8; i++) runs.push(memory.allocate(8 * PAGE_BYTES));
    expect(memory.occupiedBytes).toBe(RUN_BYTES_MAX);
    expect(() => memory.allocate(8)).toThrow(OutOfMemoryError);
    memory.free(runs[100]);
    memory.free(runs[102]);
    expect(() => memory.allocate(9 * PAGE_BYTES)).toThrow(OutOfMemoryError);
    memory.free(runs[101]);
    expect(memory.allocate(24 * PAGE_BYTES)).toBe(runs[100]);
  });

  it('resizes a page run in place where there is room', () => {
    const memory = new Memory();
    const first = memory.allocate(8 * PAGE_BYTES);
    const second = memory.allocate(8 * PAGE_BYTES);
    expect(memory.reallocate(second, 8 * PAGE_BYTES, 100 * PAGE_BYTES)).toBe(second);
    expect(memory.usedBytes).toBe(108 * PAGE_BYTES);
    expect(memory.usedBytesPeak).toBe(108 * PAGE_BYTES);
    expect(memory.reallocate(second, 5 * PAGE_BYTES, 5 * PAGE_BYTES)).toBe(second);
    expect(memory.usedBytes).toBe(13 * PAGE_BYTES);
    mark(memory, first, 8 * PAGE_BYTES, 3);
    const moved = memory.reallocate(first, 8 * PAGE_BYTES, 9 * PAGE_BYTES);
    expect(moved).not.toBe(first);
    expect(memory.byte(moved, 63)).toBe((3 + 63) & 255);
    expect(memory.usedBytes).toBe(14 * PAGE_BYTES);
    expect(memory.occupiedBytes).toBe(14 * PAGE_BYTES);
  });

  it('takes a string of 512 MiB', () => {
    const memory = new Memory({ segmentBytesMax: 600 * MEBIBYTE, debug: true });
    const length = 512 * MEBIBYTE;
    const reference = memory.allocate(length);
    expect(memory.usedBytes).toBe(length);
    memory.setByte(reference, length - 1, 7);
    memory.setWord(reference, 0, 42);
    memory.setDouble(reference, length / 8 - 2, 0.5);
    expect(memory.byte(reference, length - 1)).toBe(7);
    expect(() => memory.allocate(100 * MEBIBYTE)).toThrow(OutOfMemoryError);
    const small = memory.allocate(100);
    memory.free(reference);
    expect(memory.segmentBytes).toBe(SEGMENT_BYTES);
    memory.free(small);
  });

  it('survives that the machine has no more memory', () => {
    const memory = new Memory({ segmentBytesMax: 2 ** 60 });
    const before = figures(memory);
    expect(() => memory.allocate(2 ** 50)).toThrow(OutOfMemoryError);
    expect(figures(memory)).toEqual(before);
    memory.free(memory.allocate(100));
  });

  it('counts down to the failure that a test asked for', () => {
    const memory = new Memory();
    memory.allocationsUntilFailure = 2;
    memory.allocate(10);
    const reference = memory.allocate(10);
    expect(() => memory.allocate(10)).toThrow(OutOfMemoryError);
    expect(() => memory.reallocate(reference, 10, 100)).toThrow(OutOfMemoryError);
    expect(memory.reallocate(reference, 10, 16)).toBe(reference);
    expect(memory.blockCount).toBe(2);
  });

  it('notices a block that is freed when it is none, where it costs nothing', () => {
    const memory = new Memory();
    const run = memory.allocate(100_000);
    const huge = memory.allocate(SEGMENT_BYTES);
    memory.free(run);
    memory.free(huge);
    expect(() => memory.free(run)).toThrow(/freed twice/);
    expect(() => memory.free(huge)).toThrow(/freed twice/);
    expect(() => memory.free(NULL_REFERENCE)).toThrow(/never allocated/);
  });

  it('has references of all 512 segments, half of them negative', () => {
    // Segments of 64 MiB are mapped when they are touched: this test only names them.
    const memory = new Memory();
    for (const segment of [0, 1, 255, 256, 511]) {
      const reference = (segment << SEGMENT_SHIFT) | 12_345;
      expect(reference < 0).toBe(segment > 255);
      expect(reference >>> SEGMENT_SHIFT).toBe(segment);
      expect(byteOffset(reference)).toBe(12_345 * 8);
      expect(wordOffset(reference)).toBe(12_345 * 2);
    }
    expect(() => memory.liveBlocks()).toThrow(/debug/);
  });

  it('works with negative references', () => {
    const memory = new Memory({ debug: true });
    // 300 segments: what is not touched is not mapped.
    const runs: Reference[] = [];
    for (let i = 0; i < 300; i++) runs.push(memory.allocate(RUN_BYTES_MAX));
    const last = runs[299];
    expect(last).toBeLessThan(0);
    memory.setByte(last, RUN_BYTES_MAX - 1, 1);
    const blocks: Reference[] = [];
    for (let i = 0; i < 1000; i++) {
      const reference = memory.allocate(24);
      expect(reference).toBeLessThan(0);
      memory.setWord(reference, 5, i);
      blocks.push(reference);
    }
    for (let i = 0; i < 1000; i++) expect(memory.word(blocks[i], 5)).toBe(i);
    for (const reference of blocks) memory.free(reference);
    const moved = memory.reallocate(memory.allocate(16), 16, 5000);
    expect(memory.blockBytes(moved)).toBe(Memory.roundedLength(5000));
  });
});

describe('Memory with checks', () => {
  it('says where live blocks were allocated', () => {
    const memory = new Memory({ debug: true });
    const reference = memory.allocate(10);
    expect([...memory.liveBlocks().keys()]).toEqual([reference]);
    expect(memory.liveBlocks().get(reference)).toContain('memory.test.ts');
    memory.free(reference);
    expect(memory.liveBlocks().size).toBe(0);
  });

  it.each([8, 64, SMALL_BYTES_MAX, 100_000, SEGMENT_BYTES])('finds a double free of %i bytes', (length) => {
    const memory = new Memory({ debug: true });
    const kept = memory.allocate(length);
    const reference = memory.allocate(length);
    memory.free(reference);
    expect(() => memory.free(reference)).toThrow(/freed twice/);
    expect(() => memory.free(kept + 1)).toThrow(/never allocated/);
    expect(memory.blockCount).toBe(1);
    memory.free(kept);
  });

  it.each([16, 64, SMALL_BYTES_MAX, 100_000])('finds a write after a free of %i bytes', (length) => {
    const memory = new Memory({ debug: true });
    const kept = memory.allocate(length);
    const reference = memory.allocate(length);
    memory.free(reference);
    memory.setByte(reference, length - 1, 1);
    expect(() => memory.allocate(length)).toThrow(/written after it was freed/);
    memory.free(kept);
  });

  it('finds a write to the word that links a free block', () => {
    const memory = new Memory({ debug: true });
    const references = [memory.allocate(8), memory.allocate(8), memory.allocate(8)];
    for (const reference of references) memory.free(reference);
    memory.setWord(references[2], 0, 4711);
    expect(() => memory.allocate(8)).toThrow(/written after it was freed/);
  });

  it('finds a write to a slab that was given back', () => {
    const memory = new Memory({ debug: true });
    const references: Reference[] = [];
    for (let i = 0; i < 8200; i++) references.push(memory.allocate(8)); // eight slabs of a page, and a bit
    for (const reference of references) memory.free(reference);
    memory.setWord(references[1500], 0, 1);
    expect(() => memory.allocate(5 * PAGE_BYTES)).toThrow(/written after it was freed/);
  });

  it('moves blocks whose length changes, so that old references are found', () => {
    const memory = new Memory({ debug: true });
    const reference = memory.allocate(100_000);
    const moved = memory.reallocate(reference, 100_000, 200_000);
    expect(moved).not.toBe(reference);
    memory.free(moved);
  });
});
