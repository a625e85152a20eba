import { PAGE_BYTES, PAGES_PER_SEGMENT, type Reference, type WordOffset } from './reference.js';

/**
 * What the allocator knows of a page is a header of 8 words in the page's own segment, which starts with the
 * headers of all its pages. So bookkeeping comes and goes with segments, and one cache line has all of it:
 *
 *     segment: ┌──────────┬──────────┬─────┬─────────────┬─────────┬─────┬────────────┐
 *              │ header 0 │ header 1 │  …  │ header 8191 │ page 32 │  …  │ page 8191  │
 *              └──────────┴──────────┴─────┴─────────────┴─────────┴─────┴────────────┘
 *     header:  ┌──────┬─────────────┬───────────┬──────┬──────────┬────────────┬─────────────┬─────────────┐
 *              │ kind │ slab's page │ run pages │ next │ previous │ free block │ fresh block │ used blocks │
 *              └──────┴─────────────┴───────────┴──────┴──────────┴────────────┴─────────────┴─────────────┘
 *
 * A segment that is one huge block starts with one header, of which only the kind is used.
 *
 * | word         | valid at                                                                          |
 * | ------------ | --------------------------------------------------------------------------------- |
 * | kind         | every page that a block starts in, and the first and last page of a free run       |
 * | slab's page  | every page of a slab: the slab's first page                                        |
 * | run pages    | the first page of every run (a slab is one), and the last page of a free run       |
 * | next, prev.  | the first page of a free run (its bin) and of a slab with free blocks (its class)  |
 * | … block(s)   | the first page of a slab                                                           |
 */

/** A page of any segment: `segment × PAGES_PER_SEGMENT + page in the segment`. */
export type PageNumber = number;

/** The page number that names none. */
export const NO_PAGE: PageNumber = -1;

/** `page >>> PAGE_SHIFT` is the index of a page's segment. */
export const PAGE_SHIFT = 13;

/** Words of a page header. */
export const HEADER_WORDS = 8;

/** Pages at the start of a segment that the headers take. */
export const HEADER_PAGES = (PAGES_PER_SEGMENT * HEADER_WORDS * 4) / PAGE_BYTES;

/** The words of a header. */
export const KIND: WordOffset = 0;
export const SLAB_PAGE: WordOffset = 1;
export const RUN_PAGES: WordOffset = 2;
export const NEXT: WordOffset = 3;
export const PREVIOUS: WordOffset = 4;
export const FREE_BLOCK: WordOffset = 5;
export const FRESH_BLOCK: WordOffset = 6;
export const USED_BLOCKS: WordOffset = 7;

/** Kind of the first page of a huge segment. */
export const KIND_HUGE = 1;
/** Kind of the first and last page of a free run. */
export const KIND_FREE = 2;
/** Kind of the first page of a run that is one block. */
export const KIND_RUN = 3;
/** Kind of the pages of a slab of class 0; those of class n have `KIND_SLAB + n`. */
export const KIND_SLAB = 4;

const PAGE_SHIFT_FROM_UNIT = 10; // 2^10 units of 8 bytes are a page
const HEADER_SHIFT = 3;

/** Where the header of a page is in the words of its segment. */
export function headerOfPage(page: PageNumber): WordOffset {
  return (page & (PAGES_PER_SEGMENT - 1)) << HEADER_SHIFT;
}

/** Where the header of the page that a block starts in is in the words of its segment. */
export function headerOfBlock(reference: Reference): WordOffset {
  return ((reference >>> PAGE_SHIFT_FROM_UNIT) & (PAGES_PER_SEGMENT - 1)) << HEADER_SHIFT;
}

/** The page that a block starts in. */
export function pageOfBlock(reference: Reference): PageNumber {
  return reference >>> PAGE_SHIFT_FROM_UNIT;
}

/** The block at the start of a page. */
export function blockAtPage(page: PageNumber): Reference {
  return page << PAGE_SHIFT_FROM_UNIT;
}
