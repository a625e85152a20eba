import { type Memory, OutOfMemoryError } from '../memory/memory.js';
import {
  type ByteLength,
  NULL_REFERENCE,
  type Reference,
  SEGMENT_SHIFT,
  UNIT_MASK,
  type WordOffset,
} from '../memory/reference.js';
import type { Listpacks } from './listpack.js';
import { LISTPACK_EMPTY_BYTES } from './listpack-encoding.js';
import { FIRST_POSITION, type ListpackPosition, type ListpackReference } from './listpack-reader.js';
import {
  type CompressDepth,
  clampCompressDepth,
  clampFill,
  exceedsFill,
  type Fill,
  fitsListpack,
} from './quicklist-limits.js';
import { type NodeReference, QuicklistNodes } from './quicklist-nodes.js';

/**
 * A quicklist is a list of nodes (quicklist-nodes.ts) that hold its elements, several in a listpack or one alone. Its
 * own block:
 *
 *     word 0      1      2       3   4                5              6
 *     ┌──────┬──────┬───────────────┬────────────────┬──────────────┬────────────────┐
 *     │ head │ tail │ count (float) │ number of nodes│ fill         │ compress depth │
 *     └──────┴──────┴───────────────┴────────────────┴──────────────┴────────────────┘
 *
 * The count is that of the elements. Fill and compress depth are those of the configuration when the list was made.
 *
 * Nodes nearer to an end than the compress depth are not compressed, the others are, where it gains anything. Only a
 * want of memory makes exceptions, so whoever opens a node checks. It is restored when a change ends (`settle`).
 */

/** The block of a quicklist. */
export type QuicklistReference = Reference;

const HEAD: WordOffset = 0;
const TAIL: WordOffset = 1;
/** In units of 8 bytes. */
const COUNT_DOUBLE = 1;
const NODE_COUNT: WordOffset = 4;
const FILL: WordOffset = 5;
const COMPRESS_DEPTH: WordOffset = 6;
const HEADER_BYTES: ByteLength = 28;

/** Quicklists as chains of nodes: what loads, saves, converts and frees them. `Quicklists` knows their elements. */
export class QuicklistChain {
  /** The nodes, to read those of a list from `head` on. */
  readonly nodes: QuicklistNodes;

  protected readonly memory: Memory;
  protected readonly listpacks: Listpacks;

  constructor(memory: Memory, listpacks: Listpacks) {
    this.memory = memory;
    this.listpacks = listpacks;
    this.nodes = new QuicklistNodes(memory);
  }

  /**
   * An empty list.
   * @throws OutOfMemoryError
   */
  create(fill: Fill, compressDepth: CompressDepth): QuicklistReference {
    const { memory } = this;
    const list = memory.allocate(HEADER_BYTES);
    memory.setWord(list, HEAD, NULL_REFERENCE);
    memory.setWord(list, TAIL, NULL_REFERENCE);
    memory.setDouble(list, COUNT_DOUBLE, 0);
    memory.setWord(list, NODE_COUNT, 0);
    memory.setWord(list, FILL, clampFill(fill));
    memory.setWord(list, COMPRESS_DEPTH, clampCompressDepth(compressDepth));
    return list;
  }

  /**
   * A list with a listpack for its only node, with none if that is empty; the listpack belongs to the list then.
   * @throws OutOfMemoryError, and the listpack stays its owner's.
   */
  createFromListpack(
    listpack: ListpackReference,
    fill: Fill,
    compressDepth: CompressDepth,
  ): QuicklistReference {
    const list = this.create(fill, compressDepth);
    if (this.listpacks.byteLength(listpack) === LISTPACK_EMPTY_BYTES) {
      this.listpacks.free(listpack);
      return list;
    }
    try {
      this.appendListpack(list, listpack);
    } catch (error) {
      this.memory.free(list);
      throw error;
    }
    return list;
  }

  /** Whether the list is small enough, by the fill, to be a single listpack (see `fitsListpack`). */
  canBecomeListpack(list: QuicklistReference, fill: Fill, isShrinking: boolean): boolean {
    const { nodes } = this;
    if (this.nodeCount(list) !== 1) return false;
    const node = this.head(list);
    return !nodes.isPlain(node) && fitsListpack(fill, nodes.byteLength(node), nodes.count(node), isShrinking);
  }

  /**
   * The listpack of a list that `canBecomeListpack`, and the end of the list.
   * @throws OutOfMemoryError, and the list stays.
   */
  becomeListpack(list: QuicklistReference): ListpackReference {
    const { nodes } = this;
    const node = this.head(list);
    nodes.decompress(node);
    const listpack = nodes.entry(node);
    nodes.setListpack(node, NULL_REFERENCE, 0, 0);
    nodes.free(node);
    this.memory.free(list);
    return listpack;
  }

  /**
   * A list with the same nodes.
   * @throws OutOfMemoryError
   */
  duplicate(list: QuicklistReference): QuicklistReference {
    const { nodes } = this;
    const copy = this.create(this.fill(list), this.compressDepth(list));
    try {
      for (let node = this.head(list); node !== NULL_REFERENCE; node = nodes.next(node)) {
        this.appendNode(copy, nodes.duplicate(node));
      }
    } catch (error) {
      while (!this.freeStep(copy, 1024));
      throw error;
    }
    return copy;
  }

  /** Frees up to `nodesMax` nodes of a list that nobody uses any more. True when it was all, the list included. */
  freeStep(list: QuicklistReference, nodesMax: number): boolean {
    const { nodes } = this;
    let node = this.head(list);
    for (let freed = 0; freed < nodesMax && node !== NULL_REFERENCE; freed++) {
      const next = nodes.next(node);
      nodes.free(node);
      node = next;
    }
    this.memory.setWord(list, HEAD, node);
    if (node !== NULL_REFERENCE) return false;
    this.memory.free(list);
    return true;
  }

  /** The number of elements. */
  length(list: QuicklistReference): number {
    return this.memory.double(list, COUNT_DOUBLE);
  }

  /** The number of nodes. */
  nodeCount(list: QuicklistReference): number {
    return this.memory.word(list, NODE_COUNT);
  }

  /** The first node; NULL_REFERENCE in an empty list. */
  head(list: QuicklistReference): NodeReference {
    return this.memory.word(list, HEAD);
  }

  /** The last node; NULL_REFERENCE in an empty list. */
  tail(list: QuicklistReference): NodeReference {
    return this.memory.word(list, TAIL);
  }

  /** What goes into a node. */
  fill(list: QuicklistReference): Fill {
    return this.memory.word(list, FILL);
  }

  /** How many nodes at each end are not compressed. */
  compressDepth(list: QuicklistReference): CompressDepth {
    return this.memory.word(list, COMPRESS_DEPTH);
  }

  /** The bytes of all listpacks and large elements, as if none were compressed. */
  uncompressedBytes(list: QuicklistReference): ByteLength {
    const { nodes } = this;
    let bytes = 0;
    for (let node = this.head(list); node !== NULL_REFERENCE; node = nodes.next(node)) {
      bytes += nodes.byteLength(node);
    }
    return bytes;
  }

  /**
   * The bytes that the list takes as allocated, estimated from its first `samples` nodes when it has more.
   * `samples` is at least 1.
   */
  allocatedBytes(list: QuicklistReference, samples: number): ByteLength {
    const { nodes } = this;
    let sampled = 0;
    let bytes = 0;
    let node = this.head(list);
    for (; sampled < samples && node !== NULL_REFERENCE; sampled++, node = nodes.next(node)) {
      bytes += nodes.allocatedBytes(node);
    }
    const average = sampled === 0 ? 0 : bytes / sampled;
    return this.memory.blockBytes(list) + Math.round(average * this.nodeCount(list));
  }

  /**
   * Adds a node for a listpack that is not empty; it belongs to the list then.
   * @throws OutOfMemoryError, and the listpack stays its owner's.
   */
  appendListpack(list: QuicklistReference, listpack: ListpackReference): void {
    const { listpacks, nodes } = this;
    const node = nodes.create();
    nodes.setListpack(node, listpack, listpacks.byteLength(listpack), listpacks.length(listpack));
    this.appendNode(list, node);
  }

  /**
   * Adds a plain node for an element of `length` bytes that is a block; the block belongs to the list then.
   * @throws OutOfMemoryError, and the block stays its owner's.
   */
  appendPlain(list: QuicklistReference, element: Reference, length: ByteLength): void {
    const node = this.nodes.create();
    this.nodes.setPlain(node, element, length);
    this.appendNode(list, node);
  }

  private appendNode(list: QuicklistReference, node: NodeReference): void {
    this.insertNode(list, this.tail(list), node, true);
    this.changeLength(list, this.nodes.count(node));
  }

  /** Adds to the number of elements, and returns it. */
  protected changeLength(list: QuicklistReference, change: number): number {
    const doubles = this.memory.doubles[list >>> SEGMENT_SHIFT];
    const index = (list & UNIT_MASK) + COUNT_DOUBLE;
    const length = doubles[index] + change;
    doubles[index] = length;
    return length;
  }

  /**
   * Puts a node behind a neighbour, or before it if not `isAfter`; the neighbour is NULL_REFERENCE in an empty list.
   * Its elements are still to be counted.
   */
  protected insertNode(
    list: QuicklistReference,
    neighbour: NodeReference,
    node: NodeReference,
    isAfter: boolean,
  ): void {
    this.linkNode(list, neighbour, node, isAfter);
    if (neighbour !== NULL_REFERENCE) this.settle(list, neighbour);
    this.settle(list, node);
  }

  /** Takes a node and its elements out of the list, and frees it. Returns how many elements are left. */
  protected removeNode(list: QuicklistReference, node: NodeReference): number {
    const length = this.discardNode(list, node);
    this.settle(list, NULL_REFERENCE);
    return length;
  }

  /** As `removeNode`, but leaves the list to be settled. */
  protected discardNode(list: QuicklistReference, node: NodeReference): number {
    this.unlinkNode(list, node);
    const length = this.changeLength(list, -this.nodes.count(node));
    this.nodes.free(node);
    return length;
  }

  /** Moves the node at one end to the other end. */
  protected rotateNode(list: QuicklistReference, isLastToFirst: boolean): void {
    const node = isLastToFirst ? this.tail(list) : this.head(list);
    this.unlinkNode(list, node);
    this.insertNode(list, isLastToFirst ? this.head(list) : this.tail(list), node, !isLastToFirst);
  }

  private linkNode(
    list: QuicklistReference,
    neighbour: NodeReference,
    node: NodeReference,
    isAfter: boolean,
  ): void {
    const { memory, nodes } = this;
    let before = neighbour;
    let behind = neighbour;
    if (neighbour !== NULL_REFERENCE) {
      if (isAfter) behind = nodes.next(neighbour);
      else before = nodes.previous(neighbour);
    }
    nodes.link(before, node);
    nodes.link(node, behind);
    if (before === NULL_REFERENCE) memory.setWord(list, HEAD, node);
    if (behind === NULL_REFERENCE) memory.setWord(list, TAIL, node);
    memory.setWord(list, NODE_COUNT, this.nodeCount(list) + 1);
  }

  private unlinkNode(list: QuicklistReference, node: NodeReference): void {
    const { memory, nodes } = this;
    const before = nodes.previous(node);
    const behind = nodes.next(node);
    nodes.link(before, behind);
    if (before === NULL_REFERENCE) memory.setWord(list, HEAD, behind);
    if (behind === NULL_REFERENCE) memory.setWord(list, TAIL, before);
    nodes.link(NULL_REFERENCE, node);
    nodes.link(node, NULL_REFERENCE);
    memory.setWord(list, NODE_COUNT, this.nodeCount(list) - 1);
  }

  /**
   * Compresses and decompresses what the compress depth calls for, after a change that added nodes, changed `node`, if
   * it is not NULL_REFERENCE, or removed one node. What there is no memory for stays as it is.
   */
  protected settle(list: QuicklistReference, node: NodeReference): void {
    const depth = this.compressDepth(list);
    // A list so short has no compressed nodes; it had none with one node more either.
    if (depth > 0 && this.nodeCount(list) >= depth * 2) this.settleEnds(list, node);
  }

  /** As `settle`, after any change of a list that has a compress depth. */
  protected settleEnds(list: QuicklistReference, node: NodeReference): void {
    const { nodes } = this;
    const depth = this.compressDepth(list);
    let isInner = node !== NULL_REFERENCE;
    let forward = this.head(list);
    let backward = this.tail(list);
    for (let i = 0; i < depth; i++) {
      if (forward === NULL_REFERENCE) return;
      this.decompressIfPossible(forward);
      this.decompressIfPossible(backward);
      if (forward === node || backward === node) isInner = false;
      const next = nodes.next(forward);
      if (forward === backward || next === backward) return;
      forward = next;
      backward = nodes.previous(backward);
    }
    if (isInner) nodes.compress(node);
    nodes.compress(forward);
    nodes.compress(backward);
  }

  private decompressIfPossible(node: NodeReference): boolean {
    try {
      this.nodes.decompress(node);
      return true;
    } catch (error) {
      if (error instanceof OutOfMemoryError) return false;
      throw error;
    }
  }

  /**
   * Moves the elements behind the one at `position`, or those before it if not `isAfter`, into a node of their own,
   * which is not linked yet. Its listpack has room for `spare` bytes more. The node is not compressed.
   * @throws OutOfMemoryError, and nothing has changed.
   */
  protected splitNode(
    node: NodeReference,
    position: ListpackPosition,
    isAfter: boolean,
    spare: ByteLength,
  ): NodeReference {
    const { listpacks, nodes } = this;
    const listpack = nodes.entry(node);
    const from = isAfter ? position + listpacks.entryLengthAt(listpack, position) : FIRST_POSITION;
    const end = isAfter ? listpacks.endPosition(listpack) : position;
    const created = nodes.create();
    let moved: ListpackReference;
    try {
      moved = listpacks.createFromRange(listpack, from, end, spare);
    } catch (error) {
      nodes.free(created);
      throw error;
    }
    const count = listpacks.length(moved);
    nodes.setListpack(created, moved, listpacks.byteLength(moved), count);
    this.changeListpack(node, listpacks.removeBetween(listpack, from, end, count), -count);
    return created;
  }

  /** Sets the listpack of a node after a change of it, which added so many elements. */
  protected changeListpack(node: NodeReference, listpack: ListpackReference, added: number): void {
    this.nodes.changeListpack(node, listpack, this.listpacks.byteLength(listpack), added);
  }

  /**
   * Joins nodes around `center` whose listpacks fit into one, in Redis's order, as far as there is memory. Returns the
   * node that has the elements of `center` then.
   */
  protected mergeAround(list: QuicklistReference, center: NodeReference): NodeReference {
    const { nodes } = this;
    const before = nodes.previous(center);
    const behind = nodes.next(center);
    if (before !== NULL_REFERENCE) this.mergeWithNext(list, nodes.previous(before));
    if (behind !== NULL_REFERENCE) this.mergeWithNext(list, behind);
    const merged = this.mergeWithNext(list, nodes.previous(center));
    const target = merged === NULL_REFERENCE ? center : merged;
    this.mergeWithNext(list, target);
    return target;
  }

  /** Joins a node with the next one and returns it, or NULL_REFERENCE if that is not possible. */
  private mergeWithNext(list: QuicklistReference, node: NodeReference): NodeReference {
    const { nodes } = this;
    if (node === NULL_REFERENCE) return NULL_REFERENCE;
    const next = nodes.next(node);
    if (next === NULL_REFERENCE || nodes.isPlain(node) || nodes.isPlain(next)) return NULL_REFERENCE;
    const length = nodes.byteLength(node) + nodes.byteLength(next) - LISTPACK_EMPTY_BYTES;
    const count = nodes.count(next);
    if (exceedsFill(this.fill(list), length, nodes.count(node) + count)) return NULL_REFERENCE;
    if (!this.decompressIfPossible(node) || !this.decompressIfPossible(next)) return NULL_REFERENCE;
    let merged: ListpackReference;
    try {
      merged = this.listpacks.merge(nodes.entry(node), nodes.entry(next));
    } catch (error) {
      if (error instanceof OutOfMemoryError) return NULL_REFERENCE;
      throw error;
    }
    this.changeListpack(node, merged, count);
    nodes.setListpack(next, NULL_REFERENCE, 0, 0);
    this.removeNode(list, next);
    this.settle(list, node);
    return node;
  }
}
