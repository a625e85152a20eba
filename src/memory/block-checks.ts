import {
  blockAtPage,
  FREE_BLOCK,
  headerOfPage,
  PAGE_SHIFT,
  type PageNumber,
  pageOfBlock,
  SLAB_PAGE,
} from './page-header.js';
import {
  type ByteLength,
  type ByteOffset,
  byteOffset,
  NULL_REFERENCE,
  PAGE_BYTES,
  PAGES_PER_SEGMENT,
  type Reference,
  SEGMENT_SHIFT,
} from './reference.js';

const POISON = 0xdb;
/** The first word of a free block links it to the next: only the rest stays as it was poisoned. */
const LINK_BYTES = 4;

/**
 * The allocator's debug mode: finds leaks, double frees and writes to freed blocks. What is freed is filled
 * with a pattern, which must still be there when the memory is used again.
 */
export class BlockChecks {
  private readonly bytes: readonly Uint8Array[];
  private readonly words: readonly Int32Array[];
  /** Where each live block was allocated. */
  private readonly live = new Map<Reference, Error>();
  /** The poisoned blocks of slabs, by the page that they start in. */
  private readonly poisonedBlocks = new Map<PageNumber, Set<Reference>>();
  /** The poisoned pages of free runs. */
  private readonly poisonedPages = new Set<PageNumber>();

  constructor(bytes: readonly Uint8Array[], words: readonly Int32Array[]) {
    this.bytes = bytes;
    this.words = words;
  }

  /** The stack traces of where live blocks were allocated. */
  liveBlocks(): ReadonlyMap<Reference, string> {
    const stacks = new Map<Reference, string>();
    for (const [reference, error] of this.live) stacks.set(reference, error.stack ?? '');
    return stacks;
  }

  /** Notes that a block is handed out. @throws Error when it is in use, or was written to while free. */
  allocated(reference: Reference, length: ByteLength): void {
    if (this.live.has(reference)) throw new Error(`block ${reference} is handed out twice`);
    const page = pageOfBlock(reference);
    if (this.poisonedBlocks.get(page)?.delete(reference) === true) {
      this.checkPoison(reference, byteOffset(reference) + LINK_BYTES, byteOffset(reference) + length);
      this.checkFreeBlock(page);
    }
    this.live.set(reference, new Error('allocated'));
  }

  /** Notes that a block is freed, before it is. @throws Error when it is not in use. */
  freed(reference: Reference): void {
    if (!this.live.delete(reference)) {
      throw new Error(`block ${reference} is freed twice, or was never allocated`);
    }
  }

  /** Poisons a block of a slab. */
  poisonBlock(reference: Reference, length: ByteLength): void {
    const start = byteOffset(reference);
    this.bytes[reference >>> SEGMENT_SHIFT].fill(POISON, start, start + length);
    const page = pageOfBlock(reference);
    const blocks = this.poisonedBlocks.get(page);
    if (blocks === undefined) this.poisonedBlocks.set(page, new Set([reference]));
    else blocks.add(reference);
  }

  /** Poisons pages that are given back. */
  poisonPages(first: PageNumber, pages: number): void {
    for (let page = first; page < first + pages; page++) {
      const start = byteOffset(blockAtPage(page));
      this.bytes[page >>> PAGE_SHIFT].fill(POISON, start, start + PAGE_BYTES);
      this.poisonedBlocks.delete(page);
      this.poisonedPages.add(page);
    }
  }

  /** Checks pages that are handed out. @throws Error when one was written to while it was free. */
  takenPages(first: PageNumber, pages: number): void {
    for (let page = first; page < first + pages; page++) {
      if (!this.poisonedPages.delete(page)) continue;
      const start = byteOffset(blockAtPage(page));
      this.checkPoison(blockAtPage(page), start, start + PAGE_BYTES);
    }
  }

  /** Forgets the pages of a segment that no longer exists. */
  removedSegment(segment: number): void {
    const first = segment * PAGES_PER_SEGMENT;
    for (let page = first; page < first + PAGES_PER_SEGMENT; page++) this.poisonedPages.delete(page);
  }

  private checkPoison(reference: Reference, start: ByteOffset, end: ByteOffset): void {
    const view = this.bytes[reference >>> SEGMENT_SHIFT];
    for (let i = start; i < end; i++) {
      if (view[i] !== POISON) throw new Error(`block ${reference} was written after it was freed`);
    }
  }

  /** Checks the block that is next in the free list of a page's slab: a write to a link leads anywhere. */
  private checkFreeBlock(page: PageNumber): void {
    const words = this.words[page >>> PAGE_SHIFT];
    const free = words[headerOfPage(words[headerOfPage(page) + SLAB_PAGE]) + FREE_BLOCK];
    if (free === NULL_REFERENCE || this.poisonedBlocks.get(pageOfBlock(free))?.has(free) === true) return;
    throw new Error(`a block near ${page} was written after it was freed: the free list leads to ${free}`);
  }
}
