/**
 * Sorting of which only a range of the result is wanted: quicksort that leaves out the parts outside of that range.
 *
 * The quicksort is that of Bentley and McIlroy, "Engineering a Sort Function" (1993), which qsort of the BSDs is, and
 * from it pqsort of Redis: the median of three or of nine divides, and what equals it gathers at both ends first. The
 * order of its steps matters: elements that compare as equal come out in the order in which Redis gives them.
 *
 *     ┌─────────┬────────┬─────────────┬───────────┬─────────┐
 *     │ = pivot │ < pivot│   not seen  │ > pivot   │ = pivot │      then the equal ones are swapped to the middle
 *     └─────────┴────────┴─────────────┴───────────┴─────────┘
 *     start     equalEnd less          greater     equalStart end
 */

/** Below 0 when `a` comes first, above 0 when `b` does, 0 when they are equal. */
export type Compare = (a: number, b: number) => number;

/** Fewer elements than this are sorted by insertion. */
const INSERTION_COUNT = 7;
/** More than this get the median of nine as their pivot. */
const NINE_COUNT = 40;

/**
 * Sorts `items` so far that those from index `first` to `last`, both included, are the ones that belong there, in order.
 * Elements that compare as equal do not keep their order.
 */
export function partialSort(items: Int32Array, first: number, last: number, compare: Compare): void {
  sortBetween(items, 0, items.length, first, last, compare);
}

/** The same for the elements from `start` to below `end`. */
function sortBetween(
  items: Int32Array,
  from: number,
  end: number,
  first: number,
  last: number,
  compare: Compare,
): void {
  let start = from;
  for (;;) {
    const count = end - start;
    if (count < INSERTION_COUNT) {
      sortByInsertion(items, start, end, compare);
      return;
    }
    swap(items, start, pivotOf(items, start, end, compare));
    let equalEnd = start + 1;
    let less = start + 1;
    let greater = end - 1;
    let equalStart = end - 1;
    for (;;) {
      for (; less <= greater; less++) {
        const order = compare(items[less], items[start]);
        if (order > 0) break;
        if (order === 0) swap(items, equalEnd++, less);
      }
      for (; less <= greater; greater--) {
        const order = compare(items[greater], items[start]);
        if (order < 0) break;
        if (order === 0) swap(items, greater, equalStart--);
      }
      if (less > greater) break;
      swap(items, less++, greater--);
    }
    swapRanges(items, start, less, Math.min(equalEnd - start, less - equalEnd));
    swapRanges(items, less, end, Math.min(equalStart - greater, end - equalStart - 1));
    const lessEnd = start + less - equalEnd;
    const greaterStart = end - (equalStart - greater);
    if (lessEnd - start > 1 && isWanted(start, lessEnd, first, last)) {
      sortBetween(items, start, lessEnd, first, last, compare);
    }
    if (end - greaterStart <= 1 || !isWanted(greaterStart, end, first, last)) return;
    start = greaterStart;
  }
}

/** Whether any of the elements from `start` to below `end` is in the wanted range. */
function isWanted(start: number, end: number, first: number, last: number): boolean {
  return !((first < start && last < start) || (first >= end && last >= end));
}

function sortByInsertion(items: Int32Array, start: number, end: number, compare: Compare): void {
  for (let next = start + 1; next < end; next++) {
    for (let at = next; at > start && compare(items[at - 1], items[at]) > 0; at--) swap(items, at, at - 1);
  }
}

/** The index of the element that divides the others. */
function pivotOf(items: Int32Array, start: number, end: number, compare: Compare): number {
  const count = end - start;
  let low = start;
  let middle = start + (count >> 1);
  let high = end - 1;
  if (count === INSERTION_COUNT) return middle;
  if (count > NINE_COUNT) {
    const step = count >> 3;
    low = medianOfThree(items, low, low + step, low + 2 * step, compare);
    middle = medianOfThree(items, middle - step, middle, middle + step, compare);
    high = medianOfThree(items, high - 2 * step, high - step, high, compare);
  }
  return medianOfThree(items, low, middle, high, compare);
}

function medianOfThree(items: Int32Array, a: number, b: number, c: number, compare: Compare): number {
  if (compare(items[a], items[b]) < 0) {
    if (compare(items[b], items[c]) < 0) return b;
    return compare(items[a], items[c]) < 0 ? c : a;
  }
  if (compare(items[b], items[c]) > 0) return b;
  return compare(items[a], items[c]) < 0 ? a : c;
}

/** Exchanges the `count` elements from `start` with the last `count` before `end`. */
function swapRanges(items: Int32Array, start: number, end: number, count: number): void {
  for (let i = 0; i < count; i++) swap(items, start + i, end - count + i);
}

function swap(items: Int32Array, a: number, b: number): void {
  const item = items[a];
  items[a] = items[b];
  items[b] = item;
}
