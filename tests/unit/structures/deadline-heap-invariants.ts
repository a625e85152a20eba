import type { Memory } from '../../../src/memory/memory.js';
import type { Reference } from '../../../src/memory/reference.js';
import {
  type DeadlineHeap,
  HEAP_POSITION,
  type HeapReference,
} from '../../../src/structures/deadline-heap.js';

/** Throws unless the entries of a heap are in order and know their positions. Returns them. */
export function checkDeadlineHeap(memory: Memory, heap: DeadlineHeap, head: HeapReference): Reference[] {
  const count = heap.count(head);
  const entries = Array.from({ length: count }, (_, position) => heap.entryAt(head, position));
  for (const [position, entry] of entries.entries()) {
    const known = memory.word(entry, HEAP_POSITION);
    if (known !== position) throw new Error(`the entry at ${position} believes it is at ${known}`);
    const parent = entries[(position - 1) >> 1];
    if (position > 0 && heap.deadline(parent) > heap.deadline(entry)) {
      throw new Error(`the entry at ${position} expires before its parent`);
    }
  }
  return entries;
}
