import type { ByteLength, ByteOffset } from '../memory/reference.js';
import { NULL_REFERENCE } from '../memory/reference.js';
import { FIRST_POSITION, type ListpackPosition, type ListpackReference, NO_POSITION } from './listpack-reader.js';
import type { QuicklistReference } from './quicklist-chain.js';
import { QuicklistLimits } from './quicklist-limits.js';
import type { NodeReference } from './quicklist-nodes.js';
import { type QuicklistCursor, QuicklistReader } from './quicklist-reader.js';

/**
 * Operations on the quicklists of one memory. Which node an element goes to, where nodes are split and which are joined
 * is as in quicklist.c of Redis, so that DUMP gives the same bytes.
 *
 * An element that is written must not lie in the list that it is written to. A change ends all walks through the list,
 * but for `removeAt`, which goes on with its own.
 */
export class Quicklists extends QuicklistReader {
  /** Which elements are large. */
  readonly limits = new QuicklistLimits();

  /**
   * Adds an element at the start.
   * @throws OutOfMemoryError
   */
  pushFirst(list: QuicklistReference, source: Uint8Array, offset: ByteOffset, length: ByteLength): void {
    const head = this.head(list);
    if (this.hasRoom(list, head, length)) this.prependTo(list, head, source, offset, length);
    else this.addNode(list, head, false, source, offset, length);
  }

  /**
   * Adds an element at the end.
   * @throws OutOfMemoryError
   */
  pushLast(list: QuicklistReference, source: Uint8Array, offset: ByteOffset, length: ByteLength): void {
    const tail = this.tail(list);
    if (this.hasRoom(list, tail, length)) this.appendTo(list, tail, source, offset, length);
    else this.addNode(list, tail, true, source, offset, length);
  }

  /**
   * Removes the first element of a list that is not empty.
   * @throws OutOfMemoryError, but not after `readFirst`
   */
  removeFirst(list: QuicklistReference): void {
    const head = this.head(list);
    this.nodes.decompress(head);
    this.removeElement(list, head, FIRST_POSITION);
  }

  /**
   * Removes the last element of a list that is not empty.
   * @throws OutOfMemoryError, but not after `readLast`
   */
  removeLast(list: QuicklistReference): void {
    const { nodes } = this;
    const tail = this.tail(list);
    nodes.decompress(tail);
    const last = nodes.isPlain(tail) ? FIRST_POSITION : this.listpacks.last(nodes.entry(tail));
    this.removeElement(list, tail, last);
  }

  /**
   * Makes the last element the first, as popping and pushing it would.
   * @throws OutOfMemoryError
   */
  rotateLastToFirst(list: QuicklistReference): void {
    const { element, listpacks, nodes } = this;
    const tail = this.tail(list);
    if (this.length(list) < 2) return;
    if (nodes.isPlain(tail)) {
      this.rotateNode(list, true);
      return;
    }
    this.readLast(list);
    element.spell();
    const listpack = nodes.entry(tail);
    if (this.head(list) === tail && this.hasRoomForOwn(list, tail, listpacks.last(listpack))) {
      listpacks.rotateLastToFirst(listpack);
    } else {
      this.pushFirst(list, element.bytes, element.offset, element.length);
      this.removeLast(list);
    }
  }

  /**
   * Makes the first element the last, as popping and pushing it would.
   * @throws OutOfMemoryError
   */
  rotateFirstToLast(list: QuicklistReference): void {
    const { element, listpacks, nodes } = this;
    const head = this.head(list);
    if (this.length(list) < 2) return;
    if (nodes.isPlain(head)) {
      this.rotateNode(list, false);
      return;
    }
    this.readFirst(list);
    element.spell();
    if (this.tail(list) === head && this.hasRoomForOwn(list, head, FIRST_POSITION)) {
      listpacks.rotateFirstToLast(nodes.entry(head));
    } else {
      this.pushLast(list, element.bytes, element.offset, element.length);
      this.removeFirst(list);
    }
  }

  /**
   * Adds an element behind the one at the cursor, or before it if not `isAfter`. The walk is over then.
   * @throws OutOfMemoryError
   */
  insertAt(
    cursor: QuicklistCursor,
    isAfter: boolean,
    source: Uint8Array,
    offset: ByteOffset,
    length: ByteLength,
  ): void {
    const { listpacks, nodes } = this;
    const { list, node, entry, position } = cursor;
    const isAtEdge =
      nodes.isPlain(node) ||
      (isAfter ? listpacks.next(entry, position) === NO_POSITION : position === FIRST_POSITION);
    try {
      if (this.hasRoom(list, node, length)) {
        this.openNode(cursor);
        this.insertInto(node, position, isAfter, source, offset, length);
        this.changeLength(list, 1);
        this.settle(list, node);
      } else if (isAtEdge) {
        this.insertBeside(list, node, isAfter, source, offset, length);
      } else {
        this.openNode(cursor);
        this.splitAndInsert(list, node, position, isAfter, source, offset, length);
      }
    } finally {
      this.release(cursor);
    }
  }
