import { type ByteLength, type ByteOffset, NULL_REFERENCE } from '../memory/reference.js';
import { FIRST_POSITION, type ListpackPosition, NO_POSITION } from './listpack-reader.js';
import type { QuicklistReference } from './quicklist-chain.js';
import { QuicklistLimits } from './quicklist-limits.js';
import type { NodeReference } from './quicklist-nodes.js';
import { type QuicklistCursor, QuicklistReader } from './quicklist-reader.js';

/** From so many nodes on, a list can afford a node that is mostly empty. */
const LONG_LIST_NODES = 8;

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
   * Adds an element at the start. Returns how many elements there are then.
   * @throws OutOfMemoryError
   */
  pushFirst(list: QuicklistReference, source: Uint8Array, offset: ByteOffset, length: ByteLength): number {
    const head = this.head(list);
    if (this.hasRoom(list, head, length)) return this.prependTo(list, head, source, offset, length);
    return this.addNode(list, head, false, source, offset, length);
  }

  /**
   * Adds an element at the end. Returns how many elements there are then.
   * @throws OutOfMemoryError
   */
  pushLast(list: QuicklistReference, source: Uint8Array, offset: ByteOffset, length: ByteLength): number {
    const tail = this.tail(list);
    if (this.hasRoom(list, tail, length)) return this.appendTo(list, tail, source, offset, length);
    return this.addNode(list, tail, true, source, offset, length);
  }

  /**
   * Removes the first element of a list that is not empty. Returns how many elements are left.
   * @throws OutOfMemoryError, but not after `readFirst`
   */
  removeFirst(list: QuicklistReference): number {
    const head = this.head(list);
    this.nodes.decompress(head);
    return this.removeElement(list, head, FIRST_POSITION);
  }

  /**
   * Removes the last element of a list that is not empty. Returns how many elements are left.
   * @throws OutOfMemoryError, but not after `readLast`
   */
  removeLast(list: QuicklistReference): number {
    const { nodes } = this;
    const tail = this.tail(list);
    if (nodes.count(tail) === 1) return this.removeNode(list, tail);
    nodes.decompress(tail);
    this.changeListpack(tail, this.listpacks.removeLast(nodes.entry(tail)), -1);
    return this.changeLength(list, -1);
  }

  /**
   * Makes the last element the first, as popping and pushing it would.
   * @throws OutOfMemoryError
   */
  rotateLastToFirst(list: QuicklistReference): void {
    const { element, listpacks, nodes } = this;
    if (this.length(list) === 0) return;
    const tail = this.tail(list);
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
    if (this.length(list) === 0) return;
    const head = this.head(list);
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
   * Takes the first element away, or the last if not `isFirst`, and adds it there again, as popping and pushing it would:
   * it goes to another node when its own has no room for it any more, or had only this one.
   * @throws OutOfMemoryError, and nothing has changed.
   */
  repush(list: QuicklistReference, isFirst: boolean): void {
    const { element, listpacks, nodes } = this;
    if (this.length(list) === 0) return;
    const node = isFirst ? this.head(list) : this.tail(list);
    if (nodes.isPlain(node)) return;
    if (isFirst) this.readFirst(list);
    else this.readLast(list);
    element.spell();
    if (nodes.count(node) > 1) {
      const position = isFirst ? FIRST_POSITION : listpacks.last(nodes.entry(node));
      if (this.hasRoomForOwn(list, node, position)) return;
      const created = this.createNode(list, node, element.bytes, element.offset, element.length);
      this.removeElement(list, node, position);
      this.insertNode(list, node, created, !isFirst);
      this.changeLength(list, 1);
      return;
    }
    if (this.limits.isLarge(this.fill(list), element.length)) {
      // It came in when the list was a listpack, whose only element may be a large one.
      this.replacePlain(list, node, element.bytes, element.offset, element.length);
      return;
    }
    const neighbour = isFirst ? nodes.next(node) : nodes.previous(node);
    if (!this.hasRoom(list, neighbour, element.length)) return;
    if (isFirst) this.prependTo(list, neighbour, element.bytes, element.offset, element.length);
    else this.appendTo(list, neighbour, element.bytes, element.offset, element.length);
    this.removeNode(list, node);
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
        this.insertInto(list, node, position, isAfter, source, offset, length);
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

  /**
   * Puts an element in the place of the one at the cursor. The walk is over then.
   * @throws OutOfMemoryError
   */
  replaceAt(cursor: QuicklistCursor, source: Uint8Array, offset: ByteOffset, length: ByteLength): void {
    const { nodes } = this;
    const { list, node, position } = cursor;
    const isLarge = this.limits.isLarge(this.fill(list), length);
    try {
      if (nodes.isPlain(node)) {
        if (isLarge) this.replacePlain(list, node, source, offset, length);
        else {
          this.insertBeside(list, node, true, source, offset, length);
          this.removeNode(list, node);
        }
        return;
      }
      this.openNode(cursor);
      if (isLarge) {
        this.replaceByPlain(list, node, position, source, offset, length);
      } else {
        const listpack = this.listpacks.replace(nodes.entry(node), position, source, offset, length);
        this.changeListpack(node, listpack, 0);
        this.settle(list, node);
      }
    } finally {
      this.release(cursor);
    }
  }

  /**
   * Removes the element at the cursor, which goes on to the next one. False, and the walk is over, if there is none.
   * @throws OutOfMemoryError when the node of the next element cannot be decompressed; the walk is over then.
   */
  removeAt(cursor: QuicklistCursor): boolean {
    const { listpacks, nodes } = this;
    const { list, node, position, isForward } = cursor;
    const following = isForward ? nodes.next(node) : nodes.previous(node);
    if (nodes.count(node) === 1) {
      cursor.hasChangedNode = false;
      this.release(cursor);
      this.removeNode(list, node);
      return this.moveTo(cursor, following);
    }
    this.openNode(cursor);
    cursor.hasChangedNode = true;
    this.removeElement(list, node, position);
    cursor.entry = nodes.entry(node);
    cursor.position = isForward
      ? listpacks.entryAt(cursor.entry, position)
      : listpacks.previous(cursor.entry, position);
    return cursor.position !== NO_POSITION || this.moveTo(cursor, following);
  }

  /**
   * Removes `count` elements from `index` on (see `seek`), or as many as there are.
   * @throws OutOfMemoryError, and nothing has changed.
   */
  removeRange(list: QuicklistReference, index: number, count: number): void {
    const { listpacks, nodes } = this;
    if (count <= 0 || !this.seekNode(list, index)) return;
    let node = this.soughtNode;
    let start = this.soughtIndex;
    let rest = Math.min(count, this.length(list) - (index < 0 ? index + this.length(list) : index));
    if (this.compressDepth(list) > 0) this.openEnds(node, start, rest);
    let firstCut = NULL_REFERENCE;
    let lastCut = NULL_REFERENCE;
    while (rest > 0) {
      const next = nodes.next(node);
      const removed = Math.min(rest, nodes.count(node) - start);
      if (removed === nodes.count(node)) {
        this.discardNode(list, node);
      } else {
        this.changeListpack(node, listpacks.removeRange(nodes.entry(node), start, removed), -removed);
        this.changeLength(list, -removed);
        if (firstCut === NULL_REFERENCE) firstCut = node;
        else lastCut = node;
      }
      rest -= removed;
      start = 0;
      node = next;
    }
    // Only now: settling earlier might compress a node that is still to be cut.
    if (this.compressDepth(list) > 0) {
      this.settleEnds(list, firstCut);
      if (lastCut !== NULL_REFERENCE) this.settleEnds(list, lastCut);
    }
  }

  /** Decompresses those of the nodes from `first` on that lose some but not all of `count` elements from `start`. */
  private openEnds(first: NodeReference, start: number, count: number): void {
    const { nodes } = this;
    let node = first;
    let from = start;
    for (let rest = count; rest > 0; node = nodes.next(node)) {
      const removed = Math.min(rest, nodes.count(node) - from);
      if (removed < nodes.count(node)) nodes.decompress(node);
      rest -= removed;
      from = 0;
    }
  }

  private removeElement(list: QuicklistReference, node: NodeReference, position: ListpackPosition): number {
    const { nodes } = this;
    if (nodes.count(node) === 1) return this.removeNode(list, node);
    this.changeListpack(node, this.listpacks.remove(nodes.entry(node), position), -1);
    return this.changeLength(list, -1);
  }

  /** Whether an element of this length may go into a node, which may be NULL_REFERENCE. */
  private hasRoom(list: QuicklistReference, node: NodeReference, length: ByteLength): boolean {
    const { nodes } = this;
    if (node === NULL_REFERENCE || nodes.isPlain(node)) return false;
    return this.limits.allowsElement(this.fill(list), length, nodes.byteLength(node), nodes.count(node));
  }

  /** Whether the element that was read from `position` of a node may go into it when it is removed there. */
  private hasRoomForOwn(list: QuicklistReference, node: NodeReference, position: ListpackPosition): boolean {
    const { nodes } = this;
    const entryLength = this.listpacks.entryLengthAt(nodes.entry(node), position);
    return this.limits.allowsElement(
      this.fill(list),
      this.element.length,
      nodes.byteLength(node) - entryLength,
      nodes.count(node) - 1,
    );
  }

  private prependTo(
    list: QuicklistReference,
    node: NodeReference,
    source: Uint8Array,
    offset: ByteOffset,
    length: ByteLength,
  ): number {
    this.nodes.decompress(node);
    this.changeListpack(node, this.listpacks.prepend(this.nodes.entry(node), source, offset, length), 1);
    return this.changeLength(list, 1);
  }

  private appendTo(
    list: QuicklistReference,
    node: NodeReference,
    source: Uint8Array,
    offset: ByteOffset,
    length: ByteLength,
  ): number {
    this.nodes.decompress(node);
    this.changeListpack(node, this.listpacks.append(this.nodes.entry(node), source, offset, length), 1);
    return this.changeLength(list, 1);
  }

  /** Adds a node for one element behind a neighbour, or before it if not `isAfter`. */
  private addNode(
    list: QuicklistReference,
    neighbour: NodeReference,
    isAfter: boolean,
    source: Uint8Array,
    offset: ByteOffset,
    length: ByteLength,
  ): number {
    const node = this.createNode(list, neighbour, source, offset, length);
    this.insertNode(list, neighbour, node, isAfter);
    return this.changeLength(list, 1);
  }

  /** A node for one element, which is to be linked beside a neighbour. */
  private createNode(
    list: QuicklistReference,
    neighbour: NodeReference,
    source: Uint8Array,
    offset: ByteOffset,
    length: ByteLength,
  ): NodeReference {
    const { nodes } = this;
    if (this.limits.isLarge(this.fill(list), length)) return nodes.createPlain(source, offset, length);
    const node = nodes.create();
    try {
      const capacity = this.expectedLength(list, neighbour);
      this.changeListpack(node, this.listpacks.createWith(source, offset, length, capacity), 1);
    } catch (error) {
      nodes.free(node);
      throw error;
    }
    return node;
  }

  /** The room to give the listpack of a new node: in a long list it will become as long as the neighbour's. */
  private expectedLength(list: QuicklistReference, neighbour: NodeReference): ByteLength {
    if (this.nodeCount(list) < LONG_LIST_NODES || this.nodes.isPlain(neighbour)) return 0;
    return this.nodes.byteLength(neighbour);
  }

  private insertInto(
    list: QuicklistReference,
    node: NodeReference,
    position: ListpackPosition,
    isAfter: boolean,
    source: Uint8Array,
    offset: ByteOffset,
    length: ByteLength,
  ): void {
    const { listpacks, nodes } = this;
    const before = nodes.entry(node);
    const changed = isAfter
      ? listpacks.insertAfter(before, position, source, offset, length)
      : listpacks.insertBefore(before, position, source, offset, length);
    this.changeListpack(node, changed, 1);
    this.changeLength(list, 1);
    this.settle(list, node);
  }

  /** Adds an element at the near end of the neighbour of a full node, or, if that is full too, between the two. */
  private insertBeside(
    list: QuicklistReference,
    node: NodeReference,
    isAfter: boolean,
    source: Uint8Array,
    offset: ByteOffset,
    length: ByteLength,
  ): void {
    const { nodes } = this;
    const neighbour = isAfter ? nodes.next(node) : nodes.previous(node);
    if (!this.hasRoom(list, neighbour, length)) {
      this.addNode(list, node, isAfter, source, offset, length);
      return;
    }
    if (isAfter) this.prependTo(list, neighbour, source, offset, length);
    else this.appendTo(list, neighbour, source, offset, length);
    this.settle(list, neighbour);
  }

  /** Splits a node, which is not compressed, at the element at `position`, and adds an element in between. */
  private splitAndInsert(
    list: QuicklistReference,
    node: NodeReference,
    position: ListpackPosition,
    isAfter: boolean,
    source: Uint8Array,
    offset: ByteOffset,
    length: ByteLength,
  ): void {
    const { listpacks, nodes } = this;
    if (this.limits.isLarge(this.fill(list), length)) {
      const plain = nodes.createPlain(source, offset, length);
      const part = this.splitFor(plain, node, position, isAfter);
      this.insertNode(list, node, plain, isAfter);
      this.insertNode(list, plain, part, isAfter);
      this.changeLength(list, 1);
      return;
    }
    const spare = listpacks.entryLength(source, offset, length);
    const part = this.splitNode(node, position, isAfter, spare);
    const listpack = nodes.entry(part);
    this.changeListpack(
      part,
      isAfter
        ? listpacks.prepend(listpack, source, offset, length)
        : listpacks.append(listpack, source, offset, length),
      1,
    );
    this.insertNode(list, node, part, isAfter);
    this.changeLength(list, 1);
    this.mergeAround(list, node);
  }

  /** As `splitNode`, for the sake of a new node that is freed if it fails. */
  private splitFor(
    created: NodeReference,
    node: NodeReference,
    position: ListpackPosition,
    isAfter: boolean,
  ): NodeReference {
    try {
      return this.splitNode(node, position, isAfter, 0);
    } catch (error) {
      this.nodes.free(created);
      throw error;
    }
  }

  private replacePlain(
    list: QuicklistReference,
    node: NodeReference,
    source: Uint8Array,
    offset: ByteOffset,
    length: ByteLength,
  ): void {
    const { nodes } = this;
    const element = nodes.copyOf(source, offset, length);
    this.memory.free(nodes.entry(node));
    nodes.setPlain(node, element, length);
    this.settle(list, node);
  }

  /** Puts a large element in the place of the one at `position` of a node that is not compressed: between its halves. */
  private replaceByPlain(
    list: QuicklistReference,
    node: NodeReference,
    position: ListpackPosition,
    source: Uint8Array,
    offset: ByteOffset,
    length: ByteLength,
  ): void {
    const { listpacks, nodes } = this;
    const plain = nodes.createPlain(source, offset, length);
    const isLast = listpacks.next(nodes.entry(node), position) === NO_POSITION;
    const behind = isLast ? NULL_REFERENCE : this.splitFor(plain, node, position, true);
    const isOnly = nodes.count(node) === 1;
    if (!isOnly) this.removeElement(list, node, position);
    this.insertNode(list, node, plain, true);
    if (behind !== NULL_REFERENCE) this.insertNode(list, plain, behind, true);
    this.changeLength(list, 1);
    if (isOnly) this.removeNode(list, node);
    else this.mergeAround(list, plain);
  }
}
