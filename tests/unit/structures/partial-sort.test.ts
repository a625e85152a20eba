import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { partialSort } from '../../../src/structures/partial-sort.js';

/** Values that often come again, in arrays on both sides of each of the sort's thresholds. */
const values = fc.oneof(
  fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 12 }),
  fc.array(fc.integer({ min: 0, max: 30 }), { minLength: 30, maxLength: 200, size: 'max' }),
  fc.array(fc.integer(), { maxLength: 300, size: 'max' }),
);

function sortedPart(of: readonly number[], first: number, last: number): Int32Array {
  const items = Int32Array.from(of, (_, index) => index);
  partialSort(items, first, last, (a, b) => of[a] - of[b]);
  expect([...items].sort((a, b) => a - b)).toEqual(of.map((_, index) => index));
  return items;
}

describe('partialSort', () => {
  it('puts in place what belongs into the wanted range', () => {
    fc.assert(
      fc.property(values, fc.nat(300), fc.nat(300), (list, a, b) => {
        const [first, last] = [Math.min(a, b), Math.min(Math.max(a, b), list.length - 1)];
        const items = sortedPart(list, first, last);
        const sorted = [...list].sort((x, y) => x - y);
        for (let i = first; i <= last; i++) expect(list[items[i]]).toBe(sorted[i]);
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    ['ascending', (i: number) => i],
    ['descending', (i: number) => -i],
    ['equal', () => 1],
    ['sawtooth', (i: number) => i % 7],
    ['organ pipes', (i: number) => Math.min(i, 5000 - i)],
  ])('takes few comparisons for a page of 5000 %s elements', (_, elementAt) => {
    const list = Array.from({ length: 5000 }, (_, i) => elementAt(i));
    const items = Int32Array.from(list, (_, index) => index);
    let comparisons = 0;
    partialSort(items, 100, 109, (a, b) => {
      comparisons++;
      return list[a] - list[b];
    });
    const sorted = [...list].sort((x, y) => x - y);
    expect([...items.subarray(100, 110)].map((index) => list[index])).toEqual(sorted.slice(100, 110));
    expect(comparisons).toBeLessThan(40_000);
  });

  it('does nothing for an empty range', () => {
    expect([...sortedPart([], 0, -1)]).toEqual([]);
    sortedPart([3, 1, 2], 0, -1);
  });
});
