import { grown, NO_PAGE, type PageNumber, PageRuns } from './page-runs.js';
import {
  type ByteLength,
  type ByteOffset,
  NULL_REFERENCE,
  PAGE_BYTES,
  type Reference,
  SEGMENT_BYTES,
  SEGMENT_COUNT_MAX,
  SEGMENT_SHIFT,
  UNIT_BYTES,
  UNIT_MASK,
  type WordOffset,
} from './reference.js';
import {
  CLASS_BYTES,
  CLASS_COUNT,
  CLASS_SLAB_BLOCKS,
  CLASS_SLAB_PAGES,
  classOf,
  SMALL_BYTES_MAX,
} from './size-classes.js';

/** Thrown when a block cannot be had. The dispatcher turns it into the OOM reply; nothing has changed. */
export class OutOfMemoryError extends Error {
  override name = 'OutOfMemoryError';
}

/** What `Memory` may use, and whether it checks its users. */
export interface MemoryOptions {
  /** The most bytes of segments, huge ones included. Default: all that references can name, 32 GiB. */
  readonly segmentBytesMax?: ByteLength;
  /** Poisons freed blocks and keeps a record of live ones, to find leaks, double frees and late writes. */
  readonly debug?: boolean;
}

/** The `pageClass` of a block of whole pages; slab pages have the number of their class. */
const PAGE_RUN = 255;
const POISON = 0xdb;
const PAGE_SHIFT_FROM_UNIT = 10; // 2^10 units of 8 bytes are a page
/** glibc maps a large buffer at a page plus 16 bytes: starting 48 later puts blocks of 64 on cache lines. */
const ALIGNMENT_BYTES = 48;

/**
 * The memory that clients' data lives in, outside V8's heap: fixed-size segments, divided by an allocator.
 *
 *     segment ─┬─ slab: pages that hold blocks of one size class (up to 32 KiB), free ones linked
 *              ├─ page run: one block of whole pages (up to a segment)
 *              └─ free pages
 *     huge segment: one block longer than a segment, in a buffer of its own
 *
 * `bytes[s]`, `words[s]` and `doubles[s]` are views of segment `s`. The arrays are stable, the views of a
 * huge segment are dropped when its block is freed. A fresh block's content is undefined.
 */
export class Memory {
  readonly bytes: Uint8Array[] = [];
  readonly words: Int32Array[] = [];
  readonly doubles: Float64Array[] = [];

  /** Bytes of all live blocks, rounded up to their size class: what `used_memory` counts. */
  usedBytes = 0;
  /** The most that `usedBytes` ever was since the last reset. */
  usedBytesPeak = 0;
  /** Number of live blocks. */
  blockCount = 0;
  /** Bytes of all segments, used or not. */
  segmentBytes = 0;
  /** How many more allocations succeed; a test sets it to make the next fail. Infinity: no limit. */
  allocationsUntilFailure = Number.POSITIVE_INFINITY;

  private readonly segmentBytesMax: ByteLength;
  private readonly pageRuns = new PageRuns();
  private hugeSegments = 0;
  private readonly freeSegmentIndexes: number[] = [];

  /** Class of the slab that a page is in, or PAGE_RUN. */
  private pageClass: Uint8Array = new Uint8Array(0);
  /** First page of the slab that a page is in. */
  private slabStart: Int32Array = new Int32Array(0);
  // By the first page of a slab:
  private slabFree: Int32Array = new Int32Array(0);
  private slabUsed: Int32Array = new Int32Array(0);
  private slabFresh: Int32Array = new Int32Array(0);
  private slabNext: Int32Array = new Int32Array(0);
  private slabPrevious: Int32Array = new Int32Array(0);
  /** By class, the first slab that has a free block. */
  private readonly partialSlabs = new Int32Array(CLASS_COUNT).fill(NO_PAGE);

  /** In debug mode: where each live block was allocated, and the poisoned blocks by page. */
  private readonly live: Map<Reference, string> | undefined;
  private readonly poisoned = new Map<PageNumber, Set<Reference>>();

  constructor(options: MemoryOptions = {}) {
    this.segmentBytesMax = options.segmentBytesMax ?? SEGMENT_BYTES * SEGMENT_COUNT_MAX;
    this.live = options.debug === true ? new Map() : undefined;
  }

  /**
   * A block of at least `length` bytes.
   * @throws OutOfMemoryError when the limit or the machine has no more; nothing has changed then.
   */
  allocate(length: ByteLength): Reference {
    if (this.allocationsUntilFailure !== Number.POSITIVE_INFINITY) this.countDownToFailure();
    let reference: Reference;
    if (length <= SMALL_BYTES_MAX) {
      const sizeClass = classOf(length);
      reference = this.allocateSmall(sizeClass);
      this.usedBytes += CLASS_BYTES[sizeClass];
    } else {
      reference =
        length <= SEGMENT_BYTES - PAGE_BYTES ? this.allocatePages(length) : this.allocateHuge(length);
      this.usedBytes += this.blockBytes(reference);
    }
    this.blockCount++;
    if (this.usedBytes > this.usedBytesPeak) this.usedBytesPeak = this.usedBytes;
    if (this.live !== undefined) this.recordLive(this.live, reference);
    return reference;
  }

  /** Frees a block. The reference must be exactly one that `allocate` returned and that is still live. */
  free(reference: Reference): void {
    if (this.live !== undefined) this.recordFreed(this.live, reference);
    this.blockCount--;
    const segment = reference >>> SEGMENT_SHIFT;
    if (this.bytes[segment].length !== SEGMENT_BYTES) {
      this.freeHuge(segment);
      return;
    }
    const page = pageOf(reference);
    const sizeClass = this.pageClass[page];
    if (sizeClass === PAGE_RUN) {
      this.usedBytes -= this.pageRuns.runPages[page] * PAGE_BYTES;
      this.releasePages(page);
      return;
    }
    this.usedBytes -= CLASS_BYTES[sizeClass];
    this.freeSmall(reference, this.slabStart[page], sizeClass);
  }

  /** The usable length of a live block: what was asked for, rounded up. */
  blockBytes(reference: Reference): ByteLength {
    const segment = reference >>> SEGMENT_SHIFT;
    const segmentLength = this.bytes[segment].length;
    if (segmentLength !== SEGMENT_BYTES) return segmentLength;
    const page = pageOf(reference);
    const sizeClass = this.pageClass[page];
    return sizeClass === PAGE_RUN ? this.pageRuns.runPages[page] * PAGE_BYTES : CLASS_BYTES[sizeClass];
  }

  /** What `allocate(length)` would use: the length of the block that it returns. */
  static roundedLength(length: ByteLength): ByteLength {
    if (length <= SMALL_BYTES_MAX) return CLASS_BYTES[classOf(length)];
    if (length <= SEGMENT_BYTES - PAGE_BYTES) return Math.ceil(length / PAGE_BYTES) * PAGE_BYTES;
    return Math.ceil(length / UNIT_BYTES) * UNIT_BYTES;
  }

  /**
   * A block of at least `length` bytes that begins with the first `kept` bytes of `reference`, which is no
   * longer valid unless it is what is returned.
   * @throws OutOfMemoryError, and the old block stays as it was.
   */
  reallocate(reference: Reference, kept: ByteLength, length: ByteLength): Reference {
    const have = this.blockBytes(reference);
    if (Memory.roundedLength(length) === have) return reference;
    const moved = this.allocate(length);
    this.copyBlock(reference, 0, moved, 0, Math.min(kept, length));
    this.free(reference);
    return moved;
  }

  /** Copies `length` bytes between blocks, or within one. */
  copyBlock(
    from: Reference,
    fromOffset: ByteOffset,
    to: Reference,
    toOffset: ByteOffset,
    length: ByteLength,
  ): void {
    const source = this.bytes[from >>> SEGMENT_SHIFT];
    const target = this.bytes[to >>> SEGMENT_SHIFT];
    const start = byteOffset(from) + fromOffset;
    if (source === target) source.copyWithin(byteOffset(to) + toOffset, start, start + length);
    else target.set(source.subarray(start, start + length), byteOffset(to) + toOffset);
  }

  /** The 32-bit word at position `word` of a block. */
  word(reference: Reference, word: WordOffset): number {
    return this.words[reference >>> SEGMENT_SHIFT][((reference & UNIT_MASK) << 1) + word];
  }

  /** Sets the 32-bit word at position `word` of a block. */
  setWord(reference: Reference, word: WordOffset, value: number): void {
    this.words[reference >>> SEGMENT_SHIFT][((reference & UNIT_MASK) << 1) + word] = value;
  }

  /** The 64-bit float at position `index`, in units of 8 bytes, of a block. */
  double(reference: Reference, index: number): number {
    return this.doubles[reference >>> SEGMENT_SHIFT][(reference & UNIT_MASK) + index];
  }

  /** Sets the 64-bit float at position `index`, in units of 8 bytes, of a block. */
  setDouble(reference: Reference, index: number, value: number): void {
    this.doubles[reference >>> SEGMENT_SHIFT][(reference & UNIT_MASK) + index] = value;
  }

  /** The byte at position `offset` of a block. */
  byte(reference: Reference, offset: ByteOffset): number {
    return this.bytes[reference >>> SEGMENT_SHIFT][((reference & UNIT_MASK) << 3) + offset];
  }

  /** Sets the byte at position `offset` of a block. */
  setByte(reference: Reference, offset: ByteOffset, value: number): void {
    this.bytes[reference >>> SEGMENT_SHIFT][((reference & UNIT_MASK) << 3) + offset] = value;
  }

  /** Bytes in pages that slabs and page runs hold, with those of huge segments: what is really occupied. */
  get occupiedBytes(): ByteLength {
    let huge = 0;
    if (this.hugeSegments > 0) {
      for (const view of this.bytes) if (view.length !== SEGMENT_BYTES) huge += view.length;
    }
    return this.pageRuns.usedPages * PAGE_BYTES + huge;
  }

  /** In debug mode, where each live block was allocated: what a test that ends prints when it is not empty. */
  liveBlocks(): ReadonlyMap<Reference, string> {
    if (this.live === undefined) throw new Error('live blocks are only recorded in debug mode');
    return this.live;
  }

  private allocateSmall(sizeClass: number): Reference {
    let slab = this.partialSlabs[sizeClass];
    if (slab === NO_PAGE) slab = this.newSlab(sizeClass);
    const used = ++this.slabUsed[slab];
    let reference = this.slabFree[slab];
    if (reference !== NULL_REFERENCE) {
      this.slabFree[slab] = this.word(reference, 0);
    } else {
      reference = this.slabFresh[slab];
      this.slabFresh[slab] = (reference + (CLASS_BYTES[sizeClass] >> 3)) | 0;
    }
    if (used === CLASS_SLAB_BLOCKS[sizeClass]) this.unlinkPartial(slab, sizeClass);
    return reference;
  }

  private freeSmall(reference: Reference, slab: PageNumber, sizeClass: number): void {
    this.setWord(reference, 0, this.slabFree[slab]);
    this.slabFree[slab] = reference;
    const used = --this.slabUsed[slab];
    if (used === CLASS_SLAB_BLOCKS[sizeClass] - 1) this.linkPartial(slab, sizeClass);
    // The last partial slab of a class stays, or one block going to and fro would map pages each time.
    if (used === 0 && (this.partialSlabs[sizeClass] !== slab || this.slabNext[slab] !== NO_PAGE)) {
      this.unlinkPartial(slab, sizeClass);
      this.releasePages(slab);
    }
  }

  private releasePages(page: PageNumber): void {
    if (this.live !== undefined) {
      const end = page + this.pageRuns.runPages[page];
      for (let i = page; i < end; i++) this.poisoned.delete(i);
    }
    this.pageRuns.release(page);
  }

  private newSlab(sizeClass: number): PageNumber {
    const pages = CLASS_SLAB_PAGES[sizeClass];
    const slab = this.takePages(pages);
    for (let page = slab; page < slab + pages; page++) {
      this.pageClass[page] = sizeClass;
      this.slabStart[page] = slab;
    }
    this.slabFree[slab] = NULL_REFERENCE;
    this.slabUsed[slab] = 0;
    this.slabFresh[slab] = pageReference(slab);
    this.linkPartial(slab, sizeClass);
    return slab;
  }

  private linkPartial(slab: PageNumber, sizeClass: number): void {
    const head = this.partialSlabs[sizeClass];
    this.slabNext[slab] = head;
    this.slabPrevious[slab] = NO_PAGE;
    if (head !== NO_PAGE) this.slabPrevious[head] = slab;
    this.partialSlabs[sizeClass] = slab;
  }

  private unlinkPartial(slab: PageNumber, sizeClass: number): void {
    const next = this.slabNext[slab];
    const previous = this.slabPrevious[slab];
    if (previous === NO_PAGE) this.partialSlabs[sizeClass] = next;
    else this.slabNext[previous] = next;
    if (next !== NO_PAGE) this.slabPrevious[next] = previous;
  }

  private allocatePages(length: ByteLength): Reference {
    const page = this.takePages(Math.ceil(length / PAGE_BYTES));
    this.pageClass[page] = PAGE_RUN;
    return pageReference(page);
  }

  private takePages(pages: number): PageNumber {
    const page = this.pageRuns.take(pages);
    if (page !== NO_PAGE) return page;
    const segment = this.newSegment(SEGMENT_BYTES);
    this.pageRuns.resize(this.bytes.length);
    this.resizePageArrays();
    // The first page of all holds no block, so that no reference is NULL_REFERENCE.
    this.pageRuns.addSegment(segment, segment === 0 ? 1 : 0);
    return this.pageRuns.take(pages);
  }

  private allocateHuge(length: ByteLength): Reference {
    // A buffer of exactly a segment's length would be taken for an ordinary segment.
    let rounded = Math.ceil(length / UNIT_BYTES) * UNIT_BYTES;
    if (rounded === SEGMENT_BYTES) rounded += UNIT_BYTES;
    if (this.bytes.length === 0) this.free(this.allocate(UNIT_BYTES)); // segment 0 is never a huge one
    const segment = this.newSegment(rounded);
    this.hugeSegments++;
    return segment << SEGMENT_SHIFT;
  }

  private freeHuge(segment: number): void {
    const length = this.bytes[segment].length;
    this.usedBytes -= length;
    this.segmentBytes -= length;
    this.hugeSegments--;
    this.bytes[segment] = new Uint8Array(0);
    this.words[segment] = new Int32Array(0);
    this.doubles[segment] = new Float64Array(0);
    this.freeSegmentIndexes.push(segment);
  }

  private newSegment(length: ByteLength): number {
    const segment = this.freeSegmentIndexes.at(-1) ?? this.bytes.length;
    if (segment >= SEGMENT_COUNT_MAX || this.segmentBytes + length > this.segmentBytesMax) {
      throw new OutOfMemoryError('the limit of off-heap memory is reached');
    }
    let buffer: ArrayBuffer;
    try {
      buffer = new ArrayBuffer(length + ALIGNMENT_BYTES);
    } catch (error) {
      throw new OutOfMemoryError('the machine has no more memory', { cause: error });
    }
    this.bytes[segment] = new Uint8Array(buffer, ALIGNMENT_BYTES, length);
    this.words[segment] = new Int32Array(buffer, ALIGNMENT_BYTES, length >> 2);
    this.doubles[segment] = new Float64Array(buffer, ALIGNMENT_BYTES, length >> 3);
    this.freeSegmentIndexes.pop();
    this.segmentBytes += length;
    return segment;
  }

  private resizePageArrays(): void {
    const capacity = this.pageRuns.runPages.length;
    if (this.slabStart.length >= capacity) return;
    const pageClass = new Uint8Array(capacity);
    pageClass.set(this.pageClass);
    this.pageClass = pageClass;
    this.slabStart = grown(this.slabStart, capacity);
    this.slabFree = grown(this.slabFree, capacity);
    this.slabUsed = grown(this.slabUsed, capacity);
    this.slabFresh = grown(this.slabFresh, capacity);
    this.slabNext = grown(this.slabNext, capacity);
    this.slabPrevious = grown(this.slabPrevious, capacity);
  }

  private countDownToFailure(): void {
    if (this.allocationsUntilFailure-- <= 0) throw new OutOfMemoryError('a test makes this allocation fail');
  }

  private recordLive(live: Map<Reference, string>, reference: Reference): void {
    if (live.has(reference)) throw new Error(`block ${reference} is handed out twice`);
    if (this.poisoned.get(pageOf(reference))?.delete(reference) === true) {
      const view = this.bytes[reference >>> SEGMENT_SHIFT];
      const start = byteOffset(reference);
      // The first word links free blocks; the rest of a poisoned block must be as it was left.
      for (let i = start + 4; i < start + this.blockBytes(reference); i++) {
        if (view[i] !== POISON) throw new Error(`block ${reference} was written after it was freed`);
      }
    }
    live.set(reference, new Error('allocated').stack ?? '');
  }

  private recordFreed(live: Map<Reference, string>, reference: Reference): void {
    if (!live.delete(reference)) throw new Error(`block ${reference} is freed twice, or was never allocated`);
    const start = byteOffset(reference);
    const length = this.blockBytes(reference);
    this.bytes[reference >>> SEGMENT_SHIFT].fill(POISON, start, start + length);
    if (length > SMALL_BYTES_MAX) return; // its pages go back at once and may be divided differently
    const page = pageOf(reference);
    const poisoned = this.poisoned.get(page);
    if (poisoned === undefined) this.poisoned.set(page, new Set([reference]));
    else poisoned.add(reference);
  }
}

/** The position of a block in its segment, in bytes: an index into `memory.bytes[reference >>> SEGMENT_SHIFT]`. */
export function byteOffset(reference: Reference): ByteOffset {
  return (reference & UNIT_MASK) << 3;
}

/** The position of a block in its segment, in words: an index into `memory.words[reference >>> SEGMENT_SHIFT]`. */
export function wordOffset(reference: Reference): WordOffset {
  return (reference & UNIT_MASK) << 1;
}

function pageOf(reference: Reference): PageNumber {
  return reference >>> PAGE_SHIFT_FROM_UNIT;
}

function pageReference(page: PageNumber): Reference {
  return page << PAGE_SHIFT_FROM_UNIT;
}
