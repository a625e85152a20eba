import { compareBytes, copyBytes } from '../memory/bytes.js';
import { byteOffset, type Memory } from '../memory/memory.js';
import {
  type ByteLength,
  type ByteOffset,
  type Reference,
  SEGMENT_SHIFT,
  type WordOffset,
} from '../memory/reference.js';
import { KEY_LENGTH_BYTE, KEY_OFFSET_BYTE, LONG_KEY } from './hashtable.js';

/**
 * The nodes of a skiplist: a member with its score, and links to the nodes behind it.
 *
 * A node is one block, and is at the same time an entry of the hash table that finds it by member (see
 * hashtable.ts for bytes 1 and 2), so that a member is stored once:
 *
 *     byte   0       1        2        3   word 1     word 2, 3   word 4   5           6        7
 *     ┌────────┬────────┬────────┬───┬──────────┬───────────┬────────┬───────────┬────────┬───────────┬ ─ ─
 *     │ levels │ member │ member │ – │ previous │ score     │ parent │ forward 0 │ span 1 │ forward 1 │ …
 *     │ 1..16  │ offset │ length │   │ node     │ (float64) │        │           │        │           │
 *     └────────┴────────┴────────┴───┴──────────┴───────────┴────────┴───────────┴────────┴───────────┴ ─ ─
 *        ┬ ─ ─ ─ ─ ─ ─ ─ ─ ┬──────────────┐
 *        │ u32 length, when │ member bytes │
 *        │ it is over 254   │              │
 *        ┴ ─ ─ ─ ─ ─ ─ ─ ─ ┴──────────────┘
 *
 * A link of level 0 always advances one node, so only the higher ones have a span. The span of the last link of
 * a level, which leads nowhere (NULL_REFERENCE), is the number of nodes behind it.
 *
 * The parent is the nearest node before this one that has more levels, or the list when there is none: from parent to
 * parent lead all links that jump over a node, or lead to it.
 */

/** The block of a node. */
export type NodeReference = Reference;

/** The most levels of a node: enough for 4^16 nodes, as many as there are references; the member offset fits a byte. */
export const LEVELS_MAX = 16;

/** The byte of a node, or a list, that holds its number of levels. */
export const LEVELS_BYTE: ByteOffset = 0;
/** The word of a node that refers to the node before it, NULL_REFERENCE for the first. */
export const PREVIOUS: WordOffset = 1;
/** The position of a node's score, in units of 8 bytes. */
export const SCORE = 1;
/** The word of a node that refers to its parent. */
export const PARENT: WordOffset = 4;
/** The word of the link of level 0. That of level n is 2n words further. */
export const FORWARD: WordOffset = 5;
/** 2n words further is the span of level n, from level 1 on. */
export const SPAN: WordOffset = 4;

const LINK_BYTES: ByteLength = 8;
/** What precedes the member of a node with one level and a short member. */
const SMALLEST_NODE_BYTES: ByteLength = 24;

/** The bytes of a node up to the links of its last level. */
export function linksEnd(levels: number): ByteLength {
  return SMALLEST_NODE_BYTES + (levels - 1) * LINK_BYTES;
}

/** Reading nodes, and making them. */
export class SkiplistNodes {
  protected readonly memory: Memory;

  constructor(memory: Memory) {
    this.memory = memory;
  }

  /** The node behind a node, or NULL_REFERENCE. */
  next(node: NodeReference): NodeReference {
    return this.memory.word(node, FORWARD);
  }

  /** The node before a node, or NULL_REFERENCE. */
  previous(node: NodeReference): NodeReference {
    return this.memory.word(node, PREVIOUS);
  }

  /** The score of a node. */
  score(node: NodeReference): number {
    return this.memory.double(node, SCORE);
  }

  /** The bytes that a node's member is in, from `memberOffset` on. */
  memberBytes(node: NodeReference): Uint8Array {
    return this.memory.bytes[node >>> SEGMENT_SHIFT];
  }

  /** Where a node's member starts in `memberBytes`. */
  memberOffset(node: NodeReference): ByteOffset {
    const start = byteOffset(node);
    return start + this.memory.bytes[node >>> SEGMENT_SHIFT][start + KEY_OFFSET_BYTE];
  }

  /** The length of a node's member. */
  memberLength(node: NodeReference): ByteLength {
    const bytes = this.memory.bytes[node >>> SEGMENT_SHIFT];
    const start = byteOffset(node);
    const length = bytes[start + KEY_LENGTH_BYTE];
    return length === LONG_KEY ? this.memory.word(node, (bytes[start + KEY_OFFSET_BYTE] >> 2) - 1) : length;
  }

  /**
   * A node that is not linked yet.
   * @throws OutOfMemoryError
   */
  protected allocateNode(
    levels: number,
    score: number,
    bytes: Uint8Array,
    offset: ByteOffset,
    length: ByteLength,
  ): NodeReference {
    const { memory } = this;
    let memberOffset = linksEnd(levels);
    if (length >= LONG_KEY) memberOffset += 4;
    const node = memory.allocate(memberOffset + length);
    const target = memory.bytes[node >>> SEGMENT_SHIFT];
    const start = byteOffset(node);
    target[start + LEVELS_BYTE] = levels;
    target[start + KEY_OFFSET_BYTE] = memberOffset;
    target[start + KEY_LENGTH_BYTE] = length < LONG_KEY ? length : LONG_KEY;
    target[start + 3] = 0;
    if (length >= LONG_KEY) memory.setWord(node, (memberOffset >> 2) - 1, length);
    memory.setDouble(node, SCORE, score);
    copyBytes(bytes, offset, target, start + memberOffset, length);
    return node;
  }

  /** Whether a node comes before a score and member in the order of the list. */
  protected isBefore(
    node: NodeReference,
    score: number,
    bytes: Uint8Array,
    offset: ByteOffset,
    length: ByteLength,
  ): boolean {
    const nodeScore = this.memory.double(node, SCORE);
    return nodeScore < score || (nodeScore === score && this.compareMember(node, bytes, offset, length) < 0);
  }

  /** Compares the member of a node with another, as memcmp does. */
  protected compareMember(
    node: NodeReference,
    bytes: Uint8Array,
    offset: ByteOffset,
    length: ByteLength,
  ): number {
    return compareBytes(
      this.memberBytes(node),
      this.memberOffset(node),
      this.memberLength(node),
      bytes,
      offset,
      length,
    );
  }
}
