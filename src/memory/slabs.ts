import {
  blockAtPage,
  FREE_BLOCK,
  FRESH_BLOCK,
  headerOfPage,
  KIND,
  KIND_SLAB,
  NEXT,
  NO_PAGE,
  PAGE_SHIFT,
  type PageNumber,
  PREVIOUS,
  SLAB_PAGE,
  USED_BLOCKS,
} from './page-header.js';
import { NULL_REFERENCE, type Reference, UNIT_MASK, type WordOffset } from './reference.js';
import { CLASS_BYTES, CLASS_COUNT, CLASS_SLAB_BLOCKS, CLASS_SLAB_PAGES } from './size-classes.js';

/**
 * Small blocks: page runs divided into blocks of one size class.
 *
 *     slab:  ┌───────┬───────┬───────┬───────┬─ ─ ─ ─ ─┐
 *            │ used  │ free ─┼─▶     │ used  │  fresh   │   A free block's first word is the next free one;
 *            └───────┴───────┴───────┴───────┴─ ─ ─ ─ ─┘   fresh blocks were never handed out.
 *
 * A class lists those of its slabs that have a free or fresh block. A slab that gets empty is given back,
 * unless no other of its class has room: one block going to and fro would cost a page run each time.
 */
export class Slabs {
  private readonly segments: readonly Int32Array[];
  /** By class, the first slab that has room. */
  private readonly partial = new Int32Array(CLASS_COUNT).fill(NO_PAGE);
  /** By class, the slab that was last kept although it was empty. */
  private readonly kept = new Int32Array(CLASS_COUNT).fill(NO_PAGE);

  /** `segments` are the words of each segment: the array that grows as segments are made. */
  constructor(segments: readonly Int32Array[]) {
    this.segments = segments;
  }

  /** A block of the class, or NULL_REFERENCE when it needs another slab. */
  allocate(sizeClass: number): Reference {
    const slab = this.partial[sizeClass];
    if (slab === NO_PAGE) return NULL_REFERENCE;
    const words = this.segments[slab >>> PAGE_SHIFT];
    const header = headerOfPage(slab);
    let block = words[header + FREE_BLOCK];
    if (block !== NULL_REFERENCE) {
      words[header + FREE_BLOCK] = words[(block & UNIT_MASK) << 1];
    } else {
      block = words[header + FRESH_BLOCK];
      words[header + FRESH_BLOCK] = block + (CLASS_BYTES[sizeClass] >> 3);
    }
    const used = words[header + USED_BLOCKS] + 1;
    words[header + USED_BLOCKS] = used;
    if (used === CLASS_SLAB_BLOCKS[sizeClass]) this.unlink(slab, sizeClass);
    return block;
  }

  /**
   * Frees a block of the class, whose page has its header at `header` of its segment's `words`. Returns its
   * slab when it is empty and no longer wanted (the caller gives its pages back), otherwise NO_PAGE.
   */
  free(block: Reference, sizeClass: number, words: Int32Array, header: WordOffset): PageNumber {
    const slab = words[header + SLAB_PAGE];
    const slabHeader = headerOfPage(slab);
    words[(block & UNIT_MASK) << 1] = words[slabHeader + FREE_BLOCK];
    words[slabHeader + FREE_BLOCK] = block;
    const used = words[slabHeader + USED_BLOCKS] - 1;
    words[slabHeader + USED_BLOCKS] = used;
    if (used === CLASS_SLAB_BLOCKS[sizeClass] - 1) this.link(slab, sizeClass);
    return used === 0 ? this.emptied(slab, sizeClass) : NO_PAGE;
  }

  /** Makes a page run of `CLASS_SLAB_PAGES[sizeClass]` pages a slab. */
  add(sizeClass: number, slab: PageNumber): void {
    const words = this.segments[slab >>> PAGE_SHIFT];
    for (let page = slab; page < slab + CLASS_SLAB_PAGES[sizeClass]; page++) {
      words[headerOfPage(page) + KIND] = KIND_SLAB + sizeClass;
      words[headerOfPage(page) + SLAB_PAGE] = slab;
    }
    const header = headerOfPage(slab);
    words[header + FREE_BLOCK] = NULL_REFERENCE;
    words[header + FRESH_BLOCK] = blockAtPage(slab);
    words[header + USED_BLOCKS] = 0;
    this.link(slab, sizeClass);
  }

  /** Takes out the empty slab that a class kept and returns it, or NO_PAGE. */
  takeKept(sizeClass: number): PageNumber {
    const slab = this.kept[sizeClass];
    this.kept[sizeClass] = NO_PAGE;
    if (slab === NO_PAGE) return NO_PAGE;
    if (this.segments[slab >>> PAGE_SHIFT][headerOfPage(slab) + USED_BLOCKS] > 0) return NO_PAGE;
    this.unlink(slab, sizeClass);
    return slab;
  }

  private emptied(slab: PageNumber, sizeClass: number): PageNumber {
    const next = this.segments[slab >>> PAGE_SHIFT][headerOfPage(slab) + NEXT];
    if (this.partial[sizeClass] === slab && next === NO_PAGE) {
      this.kept[sizeClass] = slab;
      return NO_PAGE;
    }
    if (this.kept[sizeClass] === slab) this.kept[sizeClass] = NO_PAGE;
    this.unlink(slab, sizeClass);
    return slab;
  }

  private link(slab: PageNumber, sizeClass: number): void {
    const head = this.partial[sizeClass];
    const words = this.segments[slab >>> PAGE_SHIFT];
    words[headerOfPage(slab) + NEXT] = head;
    words[headerOfPage(slab) + PREVIOUS] = NO_PAGE;
    if (head !== NO_PAGE) this.segments[head >>> PAGE_SHIFT][headerOfPage(head) + PREVIOUS] = slab;
    this.partial[sizeClass] = slab;
  }

  private unlink(slab: PageNumber, sizeClass: number): void {
    const words = this.segments[slab >>> PAGE_SHIFT];
    const next = words[headerOfPage(slab) + NEXT];
    const previous = words[headerOfPage(slab) + PREVIOUS];
    if (previous === NO_PAGE) this.partial[sizeClass] = next;
    else this.segments[previous >>> PAGE_SHIFT][headerOfPage(previous) + NEXT] = next;
    if (next !== NO_PAGE) this.segments[next >>> PAGE_SHIFT][headerOfPage(next) + PREVIOUS] = previous;
  }
}
