import { byteOffset, type Memory } from '../memory/memory.js';
import { NULL_REFERENCE, type Reference, SEGMENT_SHIFT } from '../memory/reference.js';
import type { Listpacks } from './listpack.js';
import type { ListpackElement } from './listpack-element.js';
import { FIRST_POSITION, type ListpackPosition, NO_POSITION } from './listpack-reader.js';
import { QuicklistChain, type QuicklistReference } from './quicklist-chain.js';
import type { NodeReference } from './quicklist-nodes.js';

/**
 * Where a walk through a quicklist stands. `QuicklistReader` sets it; one instance serves walk after walk. It may hold
 * a block, so every walk that `seek` started must end with `release`, unless it ran off the list.
 */
export class QuicklistCursor {
  /** The list that is walked through. */
  list: QuicklistReference = NULL_REFERENCE;
  /** The node that the walk stands in; NULL_REFERENCE: the walk is over. */
  node: NodeReference = NULL_REFERENCE;
  /** The listpack or large element of the node, uncompressed. */
  entry: Reference = NULL_REFERENCE;
  /** Where the element is in the listpack; FIRST_POSITION in a plain node. */
  position: ListpackPosition = NO_POSITION;
  /** Whether `entry` is a block of the cursor's own, because the node is compressed. */
  ownsEntry = false;
  /** Whether the node was changed, so that the list is to be settled when the cursor leaves it. */
  hasChangedNode = false;
  /** Whether the walk goes from head to tail. */
  isForward = true;
}

/** Walks through the quicklists of one memory and reads their elements. `Quicklists` changes them too. */
export class QuicklistReader extends QuicklistChain {
  /** What `readFirst`, `readLast` and `read` read: the element of the listpacks. */
  readonly element: ListpackElement;

  /** What `seekNode` found: a node, and the index in it. */
  protected soughtNode: NodeReference = NULL_REFERENCE;
  protected soughtIndex = 0;

  constructor(memory: Memory, listpacks: Listpacks) {
    super(memory, listpacks);
    this.element = listpacks.element;
  }

  /**
   * Reads the first element of a list that is not empty.
   * @throws OutOfMemoryError
   */
  readFirst(list: QuicklistReference): void {
    const { nodes } = this;
    const head = this.head(list);
    nodes.decompress(head);
    this.readElement(head, nodes.entry(head), FIRST_POSITION);
  }

  /**
   * Reads the last element of a list that is not empty.
   * @throws OutOfMemoryError
   */
  readLast(list: QuicklistReference): void {
    const { nodes } = this;
    const tail = this.tail(list);
    nodes.decompress(tail);
    const entry = nodes.entry(tail);
    this.readElement(tail, entry, nodes.isPlain(tail) ? FIRST_POSITION : this.listpacks.last(entry));
  }

  /**
   * Starts a walk at element `index`, which counts from 0, or from the end when it is negative, where −1 is the last.
   * False, and there is no walk, if there is no such element.
   * @throws OutOfMemoryError when a node cannot be decompressed; there is no walk then.
   */
  seek(cursor: QuicklistCursor, list: QuicklistReference, index: number, isForward: boolean): boolean {
    this.release(cursor);
    if (!this.seekNode(list, index)) return false;
    cursor.list = list;
    cursor.isForward = isForward;
    this.enter(cursor, this.soughtNode);
    if (!this.nodes.isPlain(cursor.node)) {
      cursor.position = this.listpacks.seek(cursor.entry, this.soughtIndex);
    }
    return true;
  }

  /**
   * Goes on to the next element. False, and the walk is over, if there is none.
   * @throws OutOfMemoryError when a node cannot be decompressed; the walk is over then.
   */
  advance(cursor: QuicklistCursor): boolean {
    const { node, entry, position, isForward } = cursor;
    if (!this.nodes.isPlain(node)) {
      const { listpacks } = this;
      const next = isForward ? listpacks.next(entry, position) : listpacks.previous(entry, position);
      cursor.position = next;
      if (next !== NO_POSITION) return true;
    }
    return this.advanceNode(cursor);
  }

  /**
   * Goes on to the first element of the next node, in the direction of the walk. False, and the walk is over, if there is
   * none.
   * @throws OutOfMemoryError when the node cannot be decompressed; the walk is over then.
   */
  advanceNode(cursor: QuicklistCursor): boolean {
    const { node, isForward } = cursor;
    return this.moveTo(cursor, isForward ? this.nodes.next(node) : this.nodes.previous(node));
  }

  /** Reads the element at the cursor into `element`. */
  read(cursor: QuicklistCursor): void {
    this.readElement(cursor.node, cursor.entry, cursor.position);
  }

  /** Ends a walk; harmless if it is over. */
  release(cursor: QuicklistCursor): void {
    const { node } = cursor;
    if (node === NULL_REFERENCE) return;
    cursor.node = NULL_REFERENCE;
    if (cursor.ownsEntry) {
      cursor.ownsEntry = false;
      this.memory.free(cursor.entry);
    }
    if (cursor.hasChangedNode) {
      cursor.hasChangedNode = false;
      this.settle(cursor.list, node);
    }
  }

  /** Leaves the node of the cursor for the start of another, at the end that the walk comes from. */
  protected moveTo(cursor: QuicklistCursor, node: NodeReference): boolean {
    this.release(cursor);
    if (node === NULL_REFERENCE) return false;
    this.enter(cursor, node);
    return true;
  }

  /** Makes the node of the cursor uncompressed itself, by means of the block that the cursor has. */
  protected openNode(cursor: QuicklistCursor): void {
    if (!cursor.ownsEntry) return;
    this.nodes.replaceCompressed(cursor.node, cursor.entry);
    cursor.ownsEntry = false;
  }

  /** Finds the node of element `index` from the nearer end: `soughtNode` and `soughtIndex`. False if there is none. */
  protected seekNode(list: QuicklistReference, index: number): boolean {
    const { nodes } = this;
    const length = this.length(list);
    const target = index < 0 ? index + length : index;
    if (target < 0 || target >= length) return false;
    if (target < length / 2) {
      let node = this.head(list);
      let start = 0;
      for (let count = nodes.count(node); start + count <= target; count = nodes.count(node)) {
        start += count;
        node = nodes.next(node);
      }
      this.soughtNode = node;
      this.soughtIndex = target - start;
    } else {
      let node = this.tail(list);
      let start = length - nodes.count(node);
      while (start > target) {
        node = nodes.previous(node);
        start -= nodes.count(node);
      }
      this.soughtNode = node;
      this.soughtIndex = target - start;
    }
    return true;
  }

  private enter(cursor: QuicklistCursor, node: NodeReference): void {
    const { nodes } = this;
    if (nodes.isCompressed(node)) {
      cursor.entry = nodes.decompressed(node);
      cursor.ownsEntry = true;
    } else {
      cursor.entry = nodes.entry(node);
    }
    cursor.node = node;
    cursor.position =
      cursor.isForward || nodes.isPlain(node) ? FIRST_POSITION : this.listpacks.last(cursor.entry);
  }

  private readElement(node: NodeReference, entry: Reference, position: ListpackPosition): void {
    if (!this.nodes.isPlain(node)) {
      this.listpacks.read(entry, position);
      return;
    }
    const bytes = this.memory.bytes[entry >>> SEGMENT_SHIFT];
    this.element.setBytes(bytes, byteOffset(entry), this.nodes.byteLength(node));
  }
}
