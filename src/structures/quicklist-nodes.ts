import { copyBytes } from '../memory/bytes.js';
import { byteOffset, type Memory, OutOfMemoryError, wordOffset } from '../memory/memory.js';
import {
  type ByteLength,
  type ByteOffset,
  NULL_REFERENCE,
  type Reference,
  SEGMENT_SHIFT,
  type WordOffset,
} from '../memory/reference.js';
import { lzfCompress, lzfDecompress } from './lzf.js';

/**
 * The nodes of quicklists. A node is a block of its own, and another one has what it holds, its entry: a listpack, or
 * one large element as it is (a plain node); either may be compressed.
 *
 *     word 0       1      2       3        4                 5
 *     ┌──────────┬──────┬───────┬────────┬─────────────────┬───────────────────┐
 *     │ previous │ next │ entry │ length │ count │ P (top) │ compressed length │
 *     └──────────┴──────┴───────┴────────┴─────────────────┴───────────────────┘
 *
 * The length is that of the listpack or element, uncompressed, in bytes; the compressed length is 0 if the entry is
 * not compressed. The count is of elements; the top bit of its word, P, is set in a plain node, whose count is 1.
 */

/** The block of a node. */
export type NodeReference = Reference;

const PREVIOUS: WordOffset = 0;
const NEXT: WordOffset = 1;
const ENTRY: WordOffset = 2;
const LENGTH: WordOffset = 3;
const COUNT_AND_PLAIN: WordOffset = 4;
const COMPRESSED_LENGTH: WordOffset = 5;
const NODE_BYTES: ByteLength = 24;

const PLAIN = 1 << 31;

/** What is shorter is not compressed, */
const COMPRESS_BYTES_MIN: ByteLength = 48;
/** nor what would not become shorter by more than this: both as Redis. */
const COMPRESS_GAIN_MIN: ByteLength = 8;
/** What is longer is not compressed either, which Redis does: it would take 10 ms and more. */
const COMPRESS_BYTES_MAX: ByteLength = 2 ** 20;

/** Operations on the nodes of quicklists. */
export class QuicklistNodes {
  private readonly memory: Memory;
  /** What was compressed last. Nodes are rarely longer than 64 KiB. */
  private compressed = new Uint8Array(0);

  constructor(memory: Memory) {
    this.memory = memory;
  }

  /**
   * A node without neighbours and without an entry.
   * @throws OutOfMemoryError
   */
  create(): NodeReference {
    const { memory } = this;
    const node = memory.allocate(NODE_BYTES);
    memory.setWord(node, PREVIOUS, NULL_REFERENCE);
    memory.setWord(node, NEXT, NULL_REFERENCE);
    memory.setWord(node, ENTRY, NULL_REFERENCE);
    memory.setWord(node, COUNT_AND_PLAIN, 0);
    memory.setWord(node, COMPRESSED_LENGTH, 0);
    return node;
  }

  /**
   * A plain node without neighbours, with a copy of an element.
   * @throws OutOfMemoryError
   */
  createPlain(source: Uint8Array, offset: ByteOffset, length: ByteLength): NodeReference {
    const node = this.create();
    try {
      this.setPlain(node, this.copyOf(source, offset, length), length);
    } catch (error) {
      this.memory.free(node);
      throw error;
    }
    return node;
  }

  /**
   * A node without neighbours, with a copy of what the node holds.
   * @throws OutOfMemoryError
   */
  duplicate(node: NodeReference): NodeReference {
    const { memory } = this;
    const copy = memory.allocate(NODE_BYTES);
    const length = this.storedLength(node);
    let entry: Reference;
    try {
      entry = memory.allocate(length);
    } catch (error) {
      memory.free(copy);
      throw error;
    }
    memory.copyBlock(node, 0, copy, 0, NODE_BYTES);
    memory.copyBlock(this.entry(node), 0, entry, 0, length);
    memory.setWord(copy, PREVIOUS, NULL_REFERENCE);
    memory.setWord(copy, NEXT, NULL_REFERENCE);
    memory.setWord(copy, ENTRY, entry);
    return copy;
  }

  /** Frees the node and what it holds. */
  free(node: NodeReference): void {
    const entry = this.entry(node);
    if (entry !== NULL_REFERENCE) this.memory.free(entry);
    this.memory.free(node);
  }

  /** The node before this one. */
  previous(node: NodeReference): NodeReference {
    return this.memory.word(node, PREVIOUS);
  }

  /** The node behind this one. */
  next(node: NodeReference): NodeReference {
    return this.memory.word(node, NEXT);
  }

  /** Makes two nodes neighbours; either may be NULL_REFERENCE. */
  link(first: NodeReference, second: NodeReference): void {
    if (first !== NULL_REFERENCE) this.memory.setWord(first, NEXT, second);
    if (second !== NULL_REFERENCE) this.memory.setWord(second, PREVIOUS, first);
  }

  /** The block of the listpack or large element, as it is stored. */
  entry(node: NodeReference): Reference {
    return this.memory.word(node, ENTRY);
  }

  /** The length of the listpack or large element, uncompressed. */
  byteLength(node: NodeReference): ByteLength {
    return this.memory.word(node, LENGTH) >>> 0;
  }

  /** The length of the entry as it is stored. */
  storedLength(node: NodeReference): ByteLength {
    return this.isCompressed(node) ? this.memory.word(node, COMPRESSED_LENGTH) : this.byteLength(node);
  }

  /** The number of elements. */
  count(node: NodeReference): number {
    return this.memory.word(node, COUNT_AND_PLAIN) & ~PLAIN;
  }

  /** Whether the node holds one large element instead of a listpack. */
  isPlain(node: NodeReference): boolean {
    return this.memory.word(node, COUNT_AND_PLAIN) < 0;
  }

  /** Whether the entry is compressed (LZF). */
  isCompressed(node: NodeReference): boolean {
    return this.memory.word(node, COMPRESSED_LENGTH) !== 0;
  }

  /** The bytes that the node takes with what it holds, as allocated. */
  allocatedBytes(node: NodeReference): ByteLength {
    return this.memory.blockBytes(node) + this.memory.blockBytes(this.entry(node));
  }

  /** Makes the node hold a listpack of so many bytes and elements. It takes no care of what it held. */
  setListpack(node: NodeReference, listpack: Reference, length: ByteLength, count: number): void {
    const { memory } = this;
    memory.setWord(node, ENTRY, listpack);
    memory.setWord(node, LENGTH, length);
    memory.setWord(node, COUNT_AND_PLAIN, count);
    memory.setWord(node, COMPRESSED_LENGTH, 0);
  }

  /** Says that a listpack of the node has so many bytes now, `added` elements more, and may be another block. */
  changeListpack(node: NodeReference, listpack: Reference, length: ByteLength, added: number): void {
    const words = this.memory.words[node >>> SEGMENT_SHIFT];
    const base = wordOffset(node);
    words[base + ENTRY] = listpack;
    words[base + LENGTH] = length;
    words[base + COUNT_AND_PLAIN] += added;
  }

  /** Makes the node hold an element of `length` bytes in a block. It takes no care of what it held. */
  setPlain(node: NodeReference, element: Reference, length: ByteLength): void {
    this.setListpack(node, element, length, 1);
    this.memory.setWord(node, COUNT_AND_PLAIN, PLAIN | 1);
  }

  /** A block with a copy of some bytes. @throws OutOfMemoryError */
  copyOf(source: Uint8Array, offset: ByteOffset, length: ByteLength): Reference {
    const block = this.memory.allocate(length);
    copyBytes(source, offset, this.memory.bytes[block >>> SEGMENT_SHIFT], byteOffset(block), length);
    return block;
  }

  /** Compresses the entry if that is worth while and there is memory to do it. */
  compress(node: NodeReference): void {
    const { memory } = this;
    const length = this.byteLength(node);
    if (this.isCompressed(node) || length < COMPRESS_BYTES_MIN || length > COMPRESS_BYTES_MAX) return;
    if (this.compressed.length < length) this.compressed = new Uint8Array(length);
    const entry = this.entry(node);
    const bytes = memory.bytes[entry >>> SEGMENT_SHIFT];
    const compressedLength = lzfCompress(bytes, byteOffset(entry), length, this.compressed, 0, length);
    if (compressedLength === 0 || compressedLength + COMPRESS_GAIN_MIN >= length) return;
    let block: Reference;
    try {
      block = this.copyOf(this.compressed, 0, compressedLength);
    } catch (error) {
      if (error instanceof OutOfMemoryError) return;
      throw error;
    }
    memory.free(entry);
    memory.setWord(node, ENTRY, block);
    memory.setWord(node, COMPRESSED_LENGTH, compressedLength);
  }

  /**
   * Makes sure that the entry is not compressed.
   * @throws OutOfMemoryError, and the entry stays compressed.
   */
  decompress(node: NodeReference): void {
    if (this.isCompressed(node)) this.replaceCompressed(node, this.decompressed(node));
  }

  /**
   * A block with the uncompressed entry of a compressed node, which stays as it is.
   * @throws OutOfMemoryError
   */
  decompressed(node: NodeReference): Reference {
    const { memory } = this;
    const length = this.byteLength(node);
    const block = memory.allocate(length);
    const entry = this.entry(node);
    const written = lzfDecompress(
      memory.bytes[entry >>> SEGMENT_SHIFT],
      byteOffset(entry),
      memory.word(node, COMPRESSED_LENGTH),
      memory.bytes[block >>> SEGMENT_SHIFT],
      byteOffset(block),
      length,
    );
    if (written !== length) throw new Error(`a list node of ${length} bytes decompresses to ${written}`);
    return block;
  }

  /** Gives a compressed node what `decompressed` returned in place of its compressed entry. */
  replaceCompressed(node: NodeReference, block: Reference): void {
    this.memory.free(this.entry(node));
    this.memory.setWord(node, ENTRY, block);
    this.memory.setWord(node, COMPRESSED_LENGTH, 0);
  }
}
