import { BlockChecks } from './block-checks.js';
import {
  blockAtPage,
  headerOfBlock,
  headerOfPage,
  KIND,
  KIND_HUGE,
  KIND_RUN,
  KIND_SLAB,
  NO_PAGE,
  PAGE_SHIFT,
  type PageNumber,
  pageOfBlock,
  RUN_PAGES,
} from './page-header.js';
import { PageRuns, RUN_PAGES_MAX } from './page-runs.js';
import {
  type ByteLength,
  type ByteOffset,
  byteOffset,
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
import { CLASS_BYTES, CLASS_COUNT, CLASS_SLAB_PAGES, classOf, SMALL_BYTES_MAX } from './size-classes.js';
import { Slabs } from './slabs.js';

export { byteOffset, wordOffset } from './reference.js';

/** Thrown when a block cannot be had. The dispatcher turns it into the OOM reply; nothing has changed. */
export class OutOfMemoryError extends Error {
  override name = 'OutOfMemoryError';
}

/** What `Memory` may use, and whether it checks its users. */
export interface MemoryOptions {
  /** The most bytes of segments, huge ones included. Default: all that references can name, 32 GiB. */
  readonly segmentBytesMax?: ByteLength;
  /**
   * Poisons freed blocks and keeps a record of live ones, to find leaks, double frees and late writes.
   * `reallocate` then moves every block whose length changes, to find those who go on with the old reference.
   */
  readonly debug?: boolean;
}

/** The longest block that is a page run; longer ones are huge. */
const RUN_BYTES_MAX = RUN_PAGES_MAX * PAGE_BYTES;
/** Where the block of a huge segment starts: after its page header, on the next cache line. */
const HUGE_START_BYTES = 64;
/** glibc maps a large buffer at a page plus 16 bytes: starting 48 later puts blocks of 64 on cache lines. */
const ALIGNMENT_BYTES = 48;

/** What `requireRoom` adds to twice what is asked for: a slab of every size class, and growing tables. */
const SPARE_BYTES = 1 << 20;

const NO_BYTES = new Uint8Array(0);
const NO_VIEW = new DataView(NO_BYTES.buffer);
const NO_WORDS = new Int32Array(0);
const NO_DOUBLES = new Float64Array(0);

/**
 * The memory that clients' data lives in, outside V8's heap: fixed-size segments, divided by an allocator.
 *
 *     segment ─┬─ page headers (page-header.ts)
 *              ├─ slab: pages that hold blocks of one size class, up to 32 KiB (slabs.ts)
 *              ├─ page run: one block of whole pages, up to a segment (page-runs.ts)
 *              └─ free pages
 *     huge segment: one block that does not fit into a segment, in a buffer of its own
 *
 * `bytes[s]`, `words[s]` and `doubles[s]` are views of segment `s`. The arrays are stable; a segment that is
 * no longer used has empty views. A fresh block's content is undefined.
 */
export class Memory {
  readonly bytes: Uint8Array[] = [];
  readonly words: Int32Array[] = [];
  /** The same as `bytes[s]`, for those who read or write several bytes at a time wherever they are. */
  readonly views: DataView[] = [];
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
  private readonly pageRuns = new PageRuns(this.words);
  private readonly slabs = new Slabs(this.words);
  private readonly checks: BlockChecks | undefined;
  private hugeBytes = 0;
  private readonly freeSegments: number[] = [];

  constructor(options: MemoryOptions = {}) {
    this.segmentBytesMax = options.segmentBytesMax ?? SEGMENT_BYTES * SEGMENT_COUNT_MAX;
    this.checks = options.debug === true ? new BlockChecks(this.bytes, this.words) : undefined;
  }

  /**
   * A block of at least `length` bytes.
   * @throws OutOfMemoryError when the limit or the machine has no more; nothing has changed then.
   */
  allocate(length: ByteLength): Reference {
    if (this.allocationsUntilFailure !== Number.POSITIVE_INFINITY) this.countDownToFailure();
    let reference: Reference;
    let blockBytes: ByteLength;
    if (length <= SMALL_BYTES_MAX) {
      const sizeClass = classOf(length);
      blockBytes = CLASS_BYTES[sizeClass];
      reference = this.slabs.allocate(sizeClass);
      if (reference === NULL_REFERENCE) {
        this.slabs.add(sizeClass, this.takePages(CLASS_SLAB_PAGES[sizeClass]));
        reference = this.slabs.allocate(sizeClass);
      }
    } else {
      blockBytes = Memory.roundedLength(length);
      reference =
        length <= RUN_BYTES_MAX
          ? blockAtPage(this.takePages(blockBytes / PAGE_BYTES))
          : this.allocateHuge(blockBytes);
    }
    this.blockCount++;
    this.countUsed(blockBytes);
    if (this.checks !== undefined) this.checks.allocated(reference, blockBytes);
    return reference;
  }

  /**
   * Frees a block. The reference must be exactly one that `allocate` returned and that is still live; with
   * `debug` that is checked.
   */
  free(reference: Reference): void {
    if (this.checks !== undefined) this.checks.freed(reference);
    const segment = reference >>> SEGMENT_SHIFT;
    const words = this.words[segment];
    const header = headerOfBlock(reference);
    const kind = words[header + KIND];
    if (kind >= KIND_SLAB) {
      const sizeClass = kind - KIND_SLAB;
      this.usedBytes -= CLASS_BYTES[sizeClass];
      if (this.checks !== undefined) this.checks.poisonBlock(reference, CLASS_BYTES[sizeClass]);
      const slab = this.slabs.free(reference, sizeClass, words, header);
      if (slab !== NO_PAGE) this.releasePages(slab);
    } else if (kind === KIND_RUN) {
      this.usedBytes -= words[header + RUN_PAGES] * PAGE_BYTES;
      this.releasePages(pageOfBlock(reference));
    } else if (kind === KIND_HUGE) {
      this.usedBytes -= this.blockBytes(reference);
      this.hugeBytes -= this.blockBytes(reference);
      this.removeSegment(segment);
    } else {
      throw new Error(`block ${reference} is freed twice, or was never allocated`);
    }
    this.blockCount--;
  }

  /** The usable length of a live block: what was asked for, rounded up. */
  blockBytes(reference: Reference): ByteLength {
    const words = this.words[reference >>> SEGMENT_SHIFT];
    const header = headerOfBlock(reference);
    const kind = words[header + KIND];
    if (kind >= KIND_SLAB) return CLASS_BYTES[kind - KIND_SLAB];
    if (kind === KIND_RUN) return words[header + RUN_PAGES] * PAGE_BYTES;
    return words.length * 4 - HUGE_START_BYTES;
  }

  /** What `allocate(length)` would use: the length of the block that it returns. */
  static roundedLength(length: ByteLength): ByteLength {
    if (length <= SMALL_BYTES_MAX) return CLASS_BYTES[classOf(length)];
    const unit = length <= RUN_BYTES_MAX ? PAGE_BYTES : UNIT_BYTES;
    return Math.ceil(length / unit) * unit;
  }

  /**
   * A block of at least `length` bytes that begins with the first `kept` bytes of `reference`, which is no
   * longer valid unless it is what is returned.
   * @throws OutOfMemoryError, and the old block stays as it was.
   */
  reallocate(reference: Reference, kept: ByteLength, length: ByteLength): Reference {
    if (Memory.roundedLength(length) === this.blockBytes(reference)) return reference;
    if (this.checks === undefined && this.resizeRun(reference, length)) return reference;
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
    return this.pageRuns.usedPages * PAGE_BYTES + this.hugeBytes;
  }

  /**
   * Refuses to begin a change of many steps, which nobody could take back in the middle, unless there is surely room
   * for blocks of about `bytes` altogether.
   * @throws OutOfMemoryError; nothing has changed then.
   */
  requireRoom(bytes: ByteLength): void {
    const unmapped = this.segmentBytesMax - this.segmentBytes;
    const usable = unmapped < SEGMENT_BYTES ? 0 : unmapped;
    if (this.pageRuns.freePages * PAGE_BYTES + usable < bytes * 2 + SPARE_BYTES) {
      throw new OutOfMemoryError('there may be too little room for a change of many steps');
    }
  }

  /** Gives all memory that can be given back to the machine: MEMORY PURGE. */
  purge(): void {
    for (let sizeClass = 0; sizeClass < CLASS_COUNT; sizeClass++) {
      const slab = this.slabs.takeKept(sizeClass);
      if (slab !== NO_PAGE) this.releasePages(slab);
    }
    for (let segment = 0; segment < this.words.length; segment++) {
      if (this.words[segment].length * 4 === SEGMENT_BYTES && this.pageRuns.isSegmentFree(segment)) {
        this.removeFreeSegment(segment);
      }
    }
  }

  /** In debug mode, where each live block was allocated: what a test that ends prints when it is not empty. */
  liveBlocks(): ReadonlyMap<Reference, string> {
    if (this.checks === undefined) throw new Error('live blocks are only recorded in debug mode');
    return this.checks.liveBlocks();
  }

  private countUsed(blockBytes: ByteLength): void {
    this.usedBytes += blockBytes;
    if (this.usedBytes > this.usedBytesPeak) this.usedBytesPeak = this.usedBytes;
  }

  private takePages(pages: number): PageNumber {
    let page = this.pageRuns.take(pages);
    if (page === NO_PAGE) {
      this.pageRuns.addSegment(this.newSegment(SEGMENT_BYTES));
      page = this.pageRuns.take(pages);
    }
    if (this.checks !== undefined) this.checks.takenPages(page, pages);
    return page;
  }

  private releasePages(page: PageNumber): void {
    const segment = page >>> PAGE_SHIFT;
    if (this.checks !== undefined) {
      this.checks.poisonPages(page, this.words[segment][headerOfPage(page) + RUN_PAGES]);
    }
    this.pageRuns.release(page);
    // A segment's worth of pages stays, so that use going up and down does not map and unmap all the time.
    if (this.pageRuns.freePages >= 2 * RUN_PAGES_MAX && this.pageRuns.isSegmentFree(segment)) {
      this.removeFreeSegment(segment);
    }
  }

  private resizeRun(reference: Reference, length: ByteLength): boolean {
    if (length <= SMALL_BYTES_MAX || length > RUN_BYTES_MAX) return false;
    if (this.words[reference >>> SEGMENT_SHIFT][headerOfBlock(reference) + KIND] !== KIND_RUN) return false;
    const oldBytes = this.blockBytes(reference);
    const pages = Math.ceil(length / PAGE_BYTES);
    if (!this.pageRuns.resize(pageOfBlock(reference), pages)) return false;
    this.countUsed(pages * PAGE_BYTES - oldBytes);
    return true;
  }

  private allocateHuge(blockBytes: ByteLength): Reference {
    const segment = this.newSegment(HUGE_START_BYTES + blockBytes);
    this.words[segment][KIND] = KIND_HUGE;
    this.hugeBytes += blockBytes;
    return (segment << SEGMENT_SHIFT) | (HUGE_START_BYTES / UNIT_BYTES);
  }

  private newSegment(length: ByteLength): number {
    const segment = this.freeSegments.at(-1) ?? this.bytes.length;
    if (segment >= SEGMENT_COUNT_MAX || this.segmentBytes + length > this.segmentBytesMax) {
      throw new OutOfMemoryError('the limit of off-heap memory is reached');
    }
    let buffer: ArrayBuffer;
    try {
      buffer = new ArrayBuffer(ALIGNMENT_BYTES + length);
    } catch (error) {
      throw new OutOfMemoryError('the machine has no more memory', { cause: error });
    }
    this.bytes[segment] = new Uint8Array(buffer, ALIGNMENT_BYTES, length);
    this.words[segment] = new Int32Array(buffer, ALIGNMENT_BYTES, length / 4);
    this.views[segment] = new DataView(buffer, ALIGNMENT_BYTES, length);
    this.doubles[segment] = new Float64Array(buffer, ALIGNMENT_BYTES, length / 8);
    this.freeSegments.pop();
    this.segmentBytes += length;
    return segment;
  }

  private removeFreeSegment(segment: number): void {
    this.pageRuns.removeSegment(segment);
    if (this.checks !== undefined) this.checks.removedSegment(segment);
    this.removeSegment(segment);
  }

  private removeSegment(segment: number): void {
    this.segmentBytes -= this.bytes[segment].length;
    this.bytes[segment] = NO_BYTES;
    this.words[segment] = NO_WORDS;
    this.views[segment] = NO_VIEW;
    this.doubles[segment] = NO_DOUBLES;
    this.freeSegments.push(segment);
  }

  private countDownToFailure(): void {
    if (this.allocationsUntilFailure-- <= 0) throw new OutOfMemoryError('a test makes this allocation fail');
  }
}
