import type { Memory } from '../memory/memory.js';
import { NULL_REFERENCE, type Reference, type WordOffset } from '../memory/reference.js';
import type { TimestampMs } from './deadlines.js';

/** The head block of a heap. */
export type HeapReference = Reference;

/** The word of an entry that holds its position in the heap. The heap's to write. */
export const HEAP_POSITION: WordOffset = 1;
/** Where an entry has its deadline, in units of 8 bytes. */
export const ENTRY_DEADLINE = 1;

const COUNT: WordOffset = 0;
const CHUNKS: WordOffset = 1;
const FIRST_CHUNK: WordOffset = 2;

/** Places of the first chunk; every further one has twice as many as the one before. */
const FIRST_CHUNK_PLACES = 8;
const FIRST_CHUNK_SHIFT = 3;

/**
 * A binary heap of off-heap entries by deadline: which of the fields of a hash expires first, for hashes of any size,
 * each of which has its own. (`Deadlines` serves all keys of a database at once, and is too large for that.)
 *
 * An entry is a block of its owner's with room for its position and its deadline:
 *
 *     word   0            1          2, 3
 *     ┌──────────────┬──────────┬────────────────────────┬ ─ ─
 *     │ the owner's  │ position │ deadline: float64, ms  │
 *     └──────────────┴──────────┴────────────────────────┴ ─ ─
 *
 * The places are in chunks of 8, 16, 32, … references, so that growing copies nothing. The head lists the chunks:
 *
 *     word   0       1        2         3
 *     ┌───────┬────────┬─────────┬─────────┬ ─ ─
 *     │ count │ chunks │ chunk 0 │ chunk 1 │
 *     └───────┴────────┴─────────┴─────────┴ ─ ─
 *
 * Invariant: the entry at position p expires no later than those at 2p + 1 and 2p + 2, and knows that it is at p.
 */
export class DeadlineHeap {
  private readonly memory: Memory;

  /** Heaps of entries in `memory`. */
  constructor(memory: Memory) {
    this.memory = memory;
  }

  /** A heap without entries. @throws OutOfMemoryError */
  create(): HeapReference {
    const { memory } = this;
    const heap = memory.allocate(FIRST_CHUNK << 2);
    memory.setWord(heap, COUNT, 0);
    memory.setWord(heap, CHUNKS, 0);
    return heap;
  }

  /** The number of entries. */
  count(heap: HeapReference): number {
    return this.memory.word(heap, COUNT);
  }

  /** The entry with the earliest deadline; NULL_REFERENCE when there is none. */
  first(heap: HeapReference): Reference {
    return this.count(heap) === 0 ? NULL_REFERENCE : this.entryAt(heap, 0);
  }

  /** The entry at a position, from 0 to below the count. */
  entryAt(heap: HeapReference, position: number): Reference {
    const place = position + FIRST_CHUNK_PLACES;
    const doubling = 31 - Math.clz32(place);
    const chunk = this.memory.word(heap, FIRST_CHUNK + doubling - FIRST_CHUNK_SHIFT);
    return this.memory.word(chunk, place - (1 << doubling));
  }

  /** When an entry expires. */
  deadline(entry: Reference): TimestampMs {
    return this.memory.double(entry, ENTRY_DEADLINE);
  }

  /** Bytes that the heap takes besides its entries. */
  byteLength(heap: HeapReference): number {
    const { memory } = this;
    let total = memory.blockBytes(heap);
    for (let i = 0; i < memory.word(heap, CHUNKS); i++) {
      total += memory.blockBytes(memory.word(heap, FIRST_CHUNK + i));
    }
    return total;
  }

  /**
   * Adds an entry with its deadline. Returns the head, perhaps moved.
   * @throws OutOfMemoryError, and the heap is as it was.
   */
  add(heap: HeapReference, entry: Reference, deadlineMs: TimestampMs): HeapReference {
    const { memory } = this;
    const count = memory.word(heap, COUNT);
    const grown = count >= placesOf(memory.word(heap, CHUNKS)) ? this.withChunk(heap) : heap;
    memory.setDouble(entry, ENTRY_DEADLINE, deadlineMs);
    memory.setWord(grown, COUNT, count + 1);
    this.rise(grown, entry, count);
    return grown;
  }

  /** Gives an entry of the heap another deadline. */
  update(heap: HeapReference, entry: Reference, deadlineMs: TimestampMs): void {
    const earlier = deadlineMs < this.deadline(entry);
    this.memory.setDouble(entry, ENTRY_DEADLINE, deadlineMs);
    const position = this.memory.word(entry, HEAP_POSITION);
    if (earlier) this.rise(heap, entry, position);
    else this.sink(heap, entry, position);
  }

  /** Takes an entry out of the heap. */
  remove(heap: HeapReference, entry: Reference): void {
    const { memory } = this;
    const count = memory.word(heap, COUNT) - 1;
    const last = this.entryAt(heap, count);
    memory.setWord(heap, COUNT, count);
    if (last !== entry) {
      const position = memory.word(entry, HEAP_POSITION);
      if (this.deadline(last) < this.deadline(entry)) this.rise(heap, last, position);
      else this.sink(heap, last, position);
    }
    this.freeSpareChunk(heap, count);
  }

  /** An entry is in another block now, to which its bytes were copied. */
  moved(heap: HeapReference, to: Reference): void {
    this.place(heap, to, this.memory.word(to, HEAP_POSITION));
  }

  /** Frees the heap, not the entries. */
  free(heap: HeapReference): void {
    const { memory } = this;
    for (let i = 0; i < memory.word(heap, CHUNKS); i++) memory.free(memory.word(heap, FIRST_CHUNK + i));
    memory.free(heap);
  }

  /** Puts an entry at a position, or as far up from there as its deadline demands. */
  private rise(heap: HeapReference, entry: Reference, from: number): void {
    const deadlineMs = this.deadline(entry);
    let position = from;
    while (position > 0) {
      const parentPosition = (position - 1) >> 1;
      const parent = this.entryAt(heap, parentPosition);
      if (this.deadline(parent) <= deadlineMs) break;
      this.place(heap, parent, position);
      position = parentPosition;
    }
    this.place(heap, entry, position);
  }

  /** Puts an entry at a position, or as far down from there as its deadline demands. */
  private sink(heap: HeapReference, entry: Reference, from: number): void {
    const count = this.memory.word(heap, COUNT);
    const deadlineMs = this.deadline(entry);
    let position = from;
    for (let child = 2 * position + 1; child < count; child = 2 * position + 1) {
      let earliest = this.entryAt(heap, child);
      if (child + 1 < count) {
        const other = this.entryAt(heap, child + 1);
        if (this.deadline(other) < this.deadline(earliest)) {
          earliest = other;
          child++;
        }
      }
      if (deadlineMs <= this.deadline(earliest)) break;
      this.place(heap, earliest, position);
      position = child;
    }
    this.place(heap, entry, position);
  }

  private place(heap: HeapReference, entry: Reference, position: number): void {
    const { memory } = this;
    const place = position + FIRST_CHUNK_PLACES;
    const doubling = 31 - Math.clz32(place);
    const chunk = memory.word(heap, FIRST_CHUNK + doubling - FIRST_CHUNK_SHIFT);
    memory.setWord(chunk, place - (1 << doubling), entry);
    memory.setWord(entry, HEAP_POSITION, position);
  }

  private withChunk(heap: HeapReference): HeapReference {
    const { memory } = this;
    const chunks = memory.word(heap, CHUNKS);
    const chunk = memory.allocate((FIRST_CHUNK_PLACES << chunks) * 4);
    const headBytes = (FIRST_CHUNK + chunks) * 4;
    let grown: HeapReference;
    try {
      grown = memory.reallocate(heap, headBytes, headBytes + 4);
    } catch (error) {
      memory.free(chunk);
      throw error;
    }
    memory.setWord(grown, FIRST_CHUNK + chunks, chunk);
    memory.setWord(grown, CHUNKS, chunks + 1);
    return grown;
  }

  /** Frees the last chunk when it is empty and the one before half empty, so that going up and down is cheap. */
  private freeSpareChunk(heap: HeapReference, count: number): void {
    const { memory } = this;
    const last = memory.word(heap, CHUNKS) - 1;
    if (last === 0 || count > placesOf(last) - ((FIRST_CHUNK_PLACES << last) >> 2)) return;
    memory.free(memory.word(heap, FIRST_CHUNK + last));
    memory.setWord(heap, CHUNKS, last);
  }
}

/** How many places so many chunks have. */
function placesOf(chunks: number): number {
  return (FIRST_CHUNK_PLACES << chunks) - FIRST_CHUNK_PLACES;
}
