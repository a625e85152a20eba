import { PAGES_PER_SEGMENT } from './reference.js';

/** A page of any segment: `segment index × PAGES_PER_SEGMENT + page in the segment`. */
export type PageNumber = number;

/** The page number that names none. */
export const NO_PAGE: PageNumber = -1;

const BIN_COUNT = 14;
const FREE = 1;
const USED = 2;

/**
 * The free pages of all segments, as runs of neighbours that are split and joined again (boundary tags).
 *
 * Runs are kept in bins by the power of two of their length, each a doubly linked list through the page
 * arrays. `state` and `runPages` are valid at the first page of every run, and at the last of a free one, so
 * that a freed run finds both neighbours at once.
 */
export class PageRuns {
  /** The length in pages of the run that starts (or, when free, ends) at a page. */
  runPages: Int32Array = new Int32Array(0);
  private state: Uint8Array = new Uint8Array(0);
  private next: Int32Array = new Int32Array(0);
  private previous: Int32Array = new Int32Array(0);
  private readonly bins = new Int32Array(BIN_COUNT).fill(NO_PAGE);
  /** Pages handed out. */
  usedPages = 0;
  /** Pages in free runs. */
  freePages = 0;

  /** Makes room for the pages of `segmentCount` segments. */
  resize(segmentCount: number): void {
    const pages = segmentCount * PAGES_PER_SEGMENT;
    if (pages <= this.state.length) return;
    const capacity = Math.max(pages, this.state.length * 2);
    this.runPages = grown(this.runPages, capacity);
    this.next = grown(this.next, capacity);
    this.previous = grown(this.previous, capacity);
    const state = new Uint8Array(capacity);
    state.set(this.state);
    this.state = state;
  }

  /** Adds the pages of a new segment, all free. `reserved` pages at its start stay out of use. */
  addSegment(segment: number, reserved: number): void {
    this.insert(segment * PAGES_PER_SEGMENT + reserved, PAGES_PER_SEGMENT - reserved);
  }

  /** A run of exactly `pages` pages, or NO_PAGE when no segment has one. */
  take(pages: number): PageNumber {
    for (let bin = binOf(pages); bin < BIN_COUNT; bin++) {
      for (let page = this.bins[bin]; page !== NO_PAGE; page = this.next[page]) {
        const length = this.runPages[page];
        if (length < pages) continue;
        this.remove(page);
        if (length > pages) this.insert(page + pages, length - pages);
        this.markUsed(page, pages);
        return page;
      }
    }
    return NO_PAGE;
  }

  /** Gives back the run at `page`, joining it with free neighbours of the same segment. */
  release(page: PageNumber): void {
    let start = page;
    let pages = this.runPages[page];
    if (this.state[page] !== USED) throw new Error(`page run ${page} is freed twice`);
    this.state[page] = 0;
    this.usedPages -= pages;
    const following = page + pages;
    if (following % PAGES_PER_SEGMENT !== 0 && this.state[following] === FREE) {
      pages += this.runPages[following];
      this.remove(following);
    }
    if (start % PAGES_PER_SEGMENT !== 0 && this.state[start - 1] === FREE) {
      const before = this.runPages[start - 1];
      this.remove(start - before);
      start -= before;
      pages += before;
    }
    this.insert(start, pages);
  }

  private markUsed(page: PageNumber, pages: number): void {
    this.state[page] = USED;
    this.runPages[page] = pages;
    this.usedPages += pages;
  }

  private insert(page: PageNumber, pages: number): void {
    const last = page + pages - 1;
    this.state[page] = FREE;
    this.state[last] = FREE;
    this.runPages[page] = pages;
    this.runPages[last] = pages;
    const bin = binOf(pages);
    const head = this.bins[bin];
    this.next[page] = head;
    this.previous[page] = NO_PAGE;
    if (head !== NO_PAGE) this.previous[head] = page;
    this.bins[bin] = page;
    this.freePages += pages;
  }

  private remove(page: PageNumber): void {
    const pages = this.runPages[page];
    const next = this.next[page];
    const previous = this.previous[page];
    if (previous === NO_PAGE) this.bins[binOf(pages)] = next;
    else this.next[previous] = next;
    if (next !== NO_PAGE) this.previous[next] = previous;
    this.state[page] = 0;
    this.state[page + pages - 1] = 0;
    this.freePages -= pages;
  }
}

function binOf(pages: number): number {
  return 31 - Math.clz32(pages);
}

/** A copy of `array` with room for `capacity` elements. */
export function grown(array: Int32Array, capacity: number): Int32Array {
  const larger = new Int32Array(capacity);
  larger.set(array);
  return larger;
}
