import {
  HEADER_PAGES,
  headerOfPage,
  KIND,
  KIND_FREE,
  KIND_RUN,
  NEXT,
  NO_PAGE,
  PAGE_SHIFT,
  type PageNumber,
  PREVIOUS,
  RUN_PAGES,
} from './page-header.js';
import { PAGES_PER_SEGMENT, type WordOffset } from './reference.js';

/** The longest page run: all pages of a segment but those of its headers. */
export const RUN_PAGES_MAX = PAGES_PER_SEGMENT - HEADER_PAGES;

/** Runs shorter than this have a bin for each length, longer ones eight bins a doubling. */
const EXACT_BINS = 16;
const EXACT_BINS_SHIFT = 4;
const BIN_COUNT = binOf(RUN_PAGES_MAX) + 1;
/** How many runs of a request's own bin, which may be a little too short, are looked at. */
const TRIES_MAX = 16;

/**
 * The free pages of all segments, as runs of neighbours that are split and joined again (boundary tags). Runs
 * are kept in bins by length, each a list through the headers of their first pages. All work is bounded.
 */
export class PageRuns {
  /** Pages handed out. */
  usedPages = 0;
  /** Pages in free runs. */
  freePages = 0;

  private readonly segments: readonly Int32Array[];
  private readonly bins = new Int32Array(BIN_COUNT).fill(NO_PAGE);

  /** `segments` are the words of each segment: the array that grows as segments are made. */
  constructor(segments: readonly Int32Array[]) {
    this.segments = segments;
  }

  /** Adds the pages of a new ordinary segment, which is all zeros. */
  addSegment(segment: number): void {
    this.insert(segment * PAGES_PER_SEGMENT + HEADER_PAGES, RUN_PAGES_MAX);
  }

  /** Whether no page of an ordinary segment is used. */
  isSegmentFree(segment: number): boolean {
    const first = segment * PAGES_PER_SEGMENT + HEADER_PAGES;
    return this.get(first, KIND) === KIND_FREE && this.get(first, RUN_PAGES) === RUN_PAGES_MAX;
  }

  /** Takes out the pages of a segment that are all free. */
  removeSegment(segment: number): void {
    this.remove(segment * PAGES_PER_SEGMENT + HEADER_PAGES);
  }

  /**
   * A run of exactly `pages` pages, or NO_PAGE. A run may be missed that is longer by less than an eighth and
   * has many too short ones before it in its bin.
   */
  take(pages: number): PageNumber {
    const bin = binOf(pages);
    let page = this.bins[bin];
    for (let tries = 1; page !== NO_PAGE && this.get(page, RUN_PAGES) < pages; tries++) {
      page = tries < TRIES_MAX ? this.get(page, NEXT) : NO_PAGE;
    }
    for (let longer = bin + 1; page === NO_PAGE && longer < BIN_COUNT; longer++) page = this.bins[longer];
    if (page === NO_PAGE) return NO_PAGE;
    const have = this.get(page, RUN_PAGES);
    this.remove(page);
    if (have > pages) this.insert(page + pages, have - pages);
    this.set(page, KIND, KIND_RUN);
    this.set(page, RUN_PAGES, pages);
    this.usedPages += pages;
    return page;
  }

  /** Gives back the run that starts at `page`, joining it with free neighbours of the same segment. */
  release(page: PageNumber): void {
    let start = page;
    let pages = this.get(page, RUN_PAGES);
    if (this.get(page, KIND) < KIND_RUN) throw new Error(`page run ${page} is freed twice`);
    this.set(page, KIND, 0);
    this.usedPages -= pages;
    const following = page + pages;
    if (isInside(following) && this.get(following, KIND) === KIND_FREE) {
      pages += this.get(following, RUN_PAGES);
      this.remove(following);
    }
    if (isInside(start - 1) && this.get(start - 1, KIND) === KIND_FREE) {
      const before = this.get(start - 1, RUN_PAGES);
      start -= before;
      pages += before;
      this.remove(start);
    }
    this.insert(start, pages);
  }

  /** Makes a used run longer, into free pages behind it, or shorter. False, and no change, when it cannot. */
  resize(page: PageNumber, pages: number): boolean {
    const have = this.get(page, RUN_PAGES);
    let tail = have - pages;
    const following = page + have;
    if (isInside(following) && this.get(following, KIND) === KIND_FREE) {
      tail += this.get(following, RUN_PAGES);
      if (tail < 0) return false;
      this.remove(following);
    } else if (tail < 0) {
      return false;
    }
    if (tail > 0) this.insert(page + pages, tail);
    this.set(page, RUN_PAGES, pages);
    this.usedPages += pages - have;
    return true;
  }

  private insert(page: PageNumber, pages: number): void {
    const last = page + pages - 1;
    this.set(page, KIND, KIND_FREE);
    this.set(last, KIND, KIND_FREE);
    this.set(page, RUN_PAGES, pages);
    this.set(last, RUN_PAGES, pages);
    const bin = binOf(pages);
    const head = this.bins[bin];
    this.set(page, NEXT, head);
    this.set(page, PREVIOUS, NO_PAGE);
    if (head !== NO_PAGE) this.set(head, PREVIOUS, page);
    this.bins[bin] = page;
    this.freePages += pages;
  }

  private remove(page: PageNumber): void {
    const pages = this.get(page, RUN_PAGES);
    const next = this.get(page, NEXT);
    const previous = this.get(page, PREVIOUS);
    if (previous === NO_PAGE) this.bins[binOf(pages)] = next;
    else this.set(previous, NEXT, next);
    if (next !== NO_PAGE) this.set(next, PREVIOUS, previous);
    this.set(page, KIND, 0);
    this.set(page + pages - 1, KIND, 0);
    this.freePages -= pages;
  }

  private get(page: PageNumber, word: WordOffset): number {
    return this.segments[page >>> PAGE_SHIFT][headerOfPage(page) + word];
  }

  private set(page: PageNumber, word: WordOffset, value: number): void {
    this.segments[page >>> PAGE_SHIFT][headerOfPage(page) + word] = value;
  }
}

/** Whether a page next to one that is divided is too, and in the same segment: headers part the segments. */
function isInside(page: PageNumber): boolean {
  return (page & (PAGES_PER_SEGMENT - 1)) >= HEADER_PAGES;
}

function binOf(pages: number): number {
  if (pages < EXACT_BINS) return pages;
  const doubling = 31 - Math.clz32(pages);
  return EXACT_BINS + ((doubling - EXACT_BINS_SHIFT) << 3) + ((pages >> (doubling - 3)) & 7);
}
