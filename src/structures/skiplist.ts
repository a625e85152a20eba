import { byteOffset, type Memory, wordOffset } from '../memory/memory.js';
import {
  type ByteLength,
  type ByteOffset,
  NULL_REFERENCE,
  type Reference,
  SEGMENT_SHIFT,
  UNIT_MASK,
  type WordOffset,
} from '../memory/reference.js';
import {
  FORWARD,
  LEVELS_BYTE,
  LEVELS_MAX,
  linksEnd,
  type NodeReference,
  PARENT,
  PREVIOUS,
  SCORE,
  SkiplistNodes,
  SPAN,
} from './skiplist-nodes.js';

/**
 * A skiplist outside V8's heap (Pugh, 1990), ordered by score and then by the bytes of the member, with the
 * spans that Redis added: a link knows how many nodes it advances, so a rank takes O(log n) both ways.
 *
 * The nodes are drawn in skiplist-nodes.ts. The list itself is a block that begins as a node with the most levels
 * does, so that a walk may start on it:
 *
 *     byte   0          1..3   word 1      word 2     word 3     word 4   5            6        7
 *     ┌─────────────┬───┬───────────┬──────────┬────────────┬───┬────────────┬────────┬───────────┬ ─ ─
 *     │ levels used │ – │ last node │ count    │ the owner's│ – │ first node │ span 1 │ forward 1 │ …
 *     └─────────────┴───┴───────────┴──────────┴────────────┴───┴────────────┴────────┴───────────┴ ─ ─
 *
 * A node has more than n levels with a probability of 4^-n. Ranks count from 0. Scores are never NaN; 0 and -0 are
 * equal.
 */

/** The block of a skiplist. */
export type SkiplistReference = Reference;

/** How many nodes of a skiplist come before one: 0 to count - 1. */
export type Rank = number;

const LAST: WordOffset = PREVIOUS;
const COUNT: WordOffset = 2;
const OWNER: WordOffset = 3;

/** Operations on the skiplists of one memory. */
export class Skiplist extends SkiplistNodes {
  /** The state of the random level's generator (Marsaglia's xorshift32), never 0. */
  private random: number;

  /** Where the last search went down, by level: the last node before what was sought (or the list) … */
  private readonly path = new Int32Array(LEVELS_MAX);
  /** … and how many nodes are up to and with it. */
  private readonly pathRanks = new Int32Array(LEVELS_MAX);
  /** The same of the end of a range that is being taken out. */
  private readonly endPath = new Int32Array(LEVELS_MAX);
  private readonly endPathRanks = new Int32Array(LEVELS_MAX);

  /** Clients who could predict the levels could make a list slow: `seed` (any 32 bits) should be random. */
  constructor(memory: Memory, seed: number) {
    super(memory);
    this.random = seed | 0 || 1;
  }

  /**
   * A list without nodes.
   * @throws OutOfMemoryError
   */
  create(): SkiplistReference {
    const { memory } = this;
    const list = memory.allocate(linksEnd(LEVELS_MAX));
    const base = wordOffset(list);
    memory.words[list >>> SEGMENT_SHIFT].fill(0, base, base + (linksEnd(LEVELS_MAX) >> 2));
    memory.setByte(list, LEVELS_BYTE, 1);
    return list;
  }

  /** The number of nodes. */
  count(list: SkiplistReference): number {
    return this.memory.word(list, COUNT);
  }

  /** A word that belongs to the list's owner; 0 at first. */
  owner(list: SkiplistReference): number {
    return this.memory.word(list, OWNER);
  }

  /** Sets the word that belongs to the list's owner. */
  setOwner(list: SkiplistReference, value: number): void {
    this.memory.setWord(list, OWNER, value);
  }

  /** The node with the lowest score, or NULL_REFERENCE. */
  first(list: SkiplistReference): NodeReference {
    return this.memory.word(list, FORWARD);
  }

  /** The node with the highest score, or NULL_REFERENCE. */
  last(list: SkiplistReference): NodeReference {
    return this.memory.word(list, LAST);
  }

  /**
   * Adds a node for a member that the list does not have.
   * @throws OutOfMemoryError, and the list is as it was.
   */
  insert(
    list: SkiplistReference,
    score: number,
    bytes: Uint8Array,
    offset: ByteOffset,
    length: ByteLength,
  ): NodeReference {
    assertScore(score);
    const levels = this.randomLevels();
    const node = this.allocateNode(levels, score, bytes, offset, length);
    this.findPath(list, score, bytes, offset, length);
    this.link(list, node, levels);
    return node;
  }

  /** Takes a node out of the list and frees it. */
  remove(list: SkiplistReference, node: NodeReference): void {
    this.climb(list, node);
    this.unlink(list, node);
    this.memory.free(node);
  }

  /** Gives a node another score and its place in the order. Its block stays the same; this never fails. */
  updateScore(list: SkiplistReference, node: NodeReference, score: number): void {
    assertScore(score);
    const { memory } = this;
    const previous = memory.word(node, PREVIOUS);
    const next = memory.word(node, FORWARD);
    const bytes = memory.bytes[node >>> SEGMENT_SHIFT];
    const offset = this.memberOffset(node);
    const length = this.memberLength(node);
    if (
      (previous === NULL_REFERENCE || this.isBefore(previous, score, bytes, offset, length)) &&
      (next === NULL_REFERENCE || !this.isBefore(next, score, bytes, offset, length))
    ) {
      memory.setDouble(node, SCORE, score);
      return;
    }
    this.climb(list, node);
    this.unlink(list, node);
    memory.setDouble(node, SCORE, score);
    this.findPath(list, score, bytes, offset, length);
    this.link(list, node, memory.byte(node, LEVELS_BYTE));
  }

  /**
   * How many nodes come before a node of the list.
   *
   * Going on from each node by its highest link, the spans count the nodes behind it, without a comparison:
   * as many steps as a search from the top takes.
   */
  rank(list: SkiplistReference, node: NodeReference): Rank {
    const { memory } = this;
    const { bytes, words } = memory;
    let behind = 0;
    let current = node;
    do {
      const segment = current >>> SEGMENT_SHIFT;
      const unit = current & UNIT_MASK;
      const level = bytes[segment][(unit << 3) + LEVELS_BYTE] - 1;
      const link = (unit << 1) + (level << 1);
      current = words[segment][link + FORWARD];
      if (level > 0) behind += words[segment][link + SPAN];
      else if (current !== NULL_REFERENCE) behind++;
    } while (current !== NULL_REFERENCE);
    return memory.word(list, COUNT) - 1 - behind;
  }

  /** The node before which there are `rank` others, or NULL_REFERENCE when the list is not so long. */
  nodeAtRank(list: SkiplistReference, rank: Rank): NodeReference {
    if (rank < 0 || rank >= this.count(list)) return NULL_REFERENCE;
    this.findPathToRank(list, rank, this.path, this.pathRanks);
    return this.memory.word(this.path[0], FORWARD);
  }

  /**
   * Takes the nodes from rank `start` to below rank `end` out of the list, in O(log n), and returns the first of
   * them. `next` leads on to the others; the caller frees each with `free` after its `next` is read.
   * @param start from 0
   * @param end above `start`, at most the count
   */
  detachRange(list: SkiplistReference, start: Rank, end: Rank): NodeReference {
    const { memory, path, pathRanks, endPath, endPathRanks } = this;
    const count = this.count(list);
    if (!(start >= 0 && start < end && end <= count)) {
      throw new RangeError(`ranks ${start} to ${end} of a skiplist of ${count} nodes`);
    }
    this.findPathToRank(list, start, path, pathRanks);
    this.findPathToRank(list, end, endPath, endPathRanks);
    const first = memory.word(path[0], FORWARD);
    for (let level = memory.byte(list, LEVELS_BYTE) - 1; level > 0; level--) {
      // What links into the range now links to where the range's last link led.
      const link = level << 1;
      const span = memory.word(endPath[level], SPAN + link);
      memory.setWord(path[level], FORWARD + link, memory.word(endPath[level], FORWARD + link));
      memory.setWord(path[level], SPAN + link, endPathRanks[level] + span - (end - start) - pathRanks[level]);
    }
    this.joinNeighbours(list, path[0], memory.word(endPath[0], FORWARD));
    memory.setWord(endPath[0], FORWARD, NULL_REFERENCE);
    for (let level = memory.byte(list, LEVELS_BYTE) - 1; level > 0; level--) {
      this.adopt(path[level - 1], level, path[level]);
    }
    memory.setWord(list, COUNT, count - (end - start));
    this.dropEmptyLevels(list);
    return first;
  }

  /** Frees a node that `detachRange` took out of its list. */
  free(node: NodeReference): void {
    this.memory.free(node);
  }

  /**
   * Frees up to `nodesMax` nodes of a list that is no longer used, so that a long list is freed in slices, and
   * returns how many. When they are fewer the list itself is freed; only this may be called on it until then.
   */
  freeStep(list: SkiplistReference, nodesMax: number): number {
    const { memory } = this;
    let node = memory.word(list, FORWARD);
    let freed = 0;
    while (freed < nodesMax && node !== NULL_REFERENCE) {
      const next = memory.word(node, FORWARD);
      memory.free(node);
      node = next;
      freed++;
    }
    if (freed < nodesMax) memory.free(list);
    else memory.setWord(list, FORWARD, node);
    return freed;
  }

  /** 1, or as many levels more as the random number begins with pairs of zero bits. */
  private randomLevels(): number {
    let bits = this.random;
    bits ^= bits << 13;
    bits ^= bits >>> 17;
    bits ^= bits << 5;
    this.random = bits;
    return 1 + (Math.clz32(bits) >> 1);
  }

  /** Finds the path to a node of the list, without its ranks, by climbing from parent to parent: nothing is compared. */
  private climb(list: SkiplistReference, node: NodeReference): void {
    const { memory, path } = this;
    const { bytes, words } = memory;
    const levelsUsed = memory.byte(list, LEVELS_BYTE);
    let before = memory.word(node, PREVIOUS);
    let level = 0;
    while (before !== list && before !== NULL_REFERENCE) {
      const segment = before >>> SEGMENT_SHIFT;
      const levels = bytes[segment][byteOffset(before) + LEVELS_BYTE];
      while (level < levels) path[level++] = before;
      before = words[segment][wordOffset(before) + PARENT];
    }
    while (level < levelsUsed) path[level++] = list;
  }

  /** Finds the path to where a score and member, which no node has, would be in the order. */
  private findPath(
    list: SkiplistReference,
    score: number,
    bytes: Uint8Array,
    offset: ByteOffset,
    length: ByteLength,
  ): void {
    const { path, pathRanks } = this;
    const { words, doubles } = this.memory;
    // Most nodes are in the segment of the one before: only where they are not is its view looked up.
    let segment = list >>> SEGMENT_SHIFT;
    let segmentWords = words[segment];
    let segmentDoubles = doubles[segment];
    let node = list;
    let nodeWords = segmentWords;
    let rank = 0;
    let tooFar: NodeReference = NULL_REFERENCE;
    let level = this.memory.byte(list, LEVELS_BYTE) - 1;
    let link = wordOffset(list) + (level << 1);
    for (; level >= 0; level--, link -= 2) {
      for (;;) {
        const forward = nodeWords[link + FORWARD];
        // At the end of the list `tooFar` is still NULL_REFERENCE: below a node that is too far there is no end.
        if (forward === tooFar) break;
        if (forward >>> SEGMENT_SHIFT !== segment) {
          segment = forward >>> SEGMENT_SHIFT;
          segmentWords = words[segment];
          segmentDoubles = doubles[segment];
        }
        const forwardScore = segmentDoubles[(forward & UNIT_MASK) + SCORE];
        if (
          forwardScore >= score &&
          (forwardScore > score || this.compareMember(forward, bytes, offset, length) > 0)
        ) {
          tooFar = forward;
          break;
        }
        rank += level === 0 ? 1 : nodeWords[link + SPAN];
        node = forward;
        nodeWords = segmentWords;
        link = wordOffset(forward) + (level << 1);
      }
      path[level] = node;
      pathRanks[level] = rank;
    }
  }

  /** Finds the path to the node before which there are `rank` others. */
  private findPathToRank(list: SkiplistReference, rank: Rank, path: Int32Array, pathRanks: Int32Array): void {
    const { words } = this.memory;
    let node = list;
    let passed = 0;
    for (let level = this.memory.byte(list, LEVELS_BYTE) - 1; level >= 0; level--) {
      for (;;) {
        const nodeWords = words[node >>> SEGMENT_SHIFT];
        const link = wordOffset(node) + (level << 1);
        const span = level === 0 ? 1 : nodeWords[link + SPAN];
        const forward = nodeWords[link + FORWARD];
        if (passed + span > rank || forward === NULL_REFERENCE) break;
        passed += span;
        node = forward;
      }
      path[level] = node;
      pathRanks[level] = passed;
    }
  }

  /** Links a node where the path that was just found leads. */
  private link(list: SkiplistReference, node: NodeReference, levels: number): void {
    const { memory, path, pathRanks } = this;
    const count = memory.word(list, COUNT);
    const levelsUsed = memory.byte(list, LEVELS_BYTE);
    for (let level = levelsUsed; level < levels; level++) {
      memory.setWord(list, FORWARD + 2 * level, NULL_REFERENCE);
      memory.setWord(list, SPAN + 2 * level, count);
      path[level] = list;
      pathRanks[level] = 0;
    }
    if (levels > levelsUsed) memory.setByte(list, LEVELS_BYTE, levels);
    const next = memory.word(path[0], FORWARD);
    memory.setWord(node, FORWARD, next);
    memory.setWord(node, PREVIOUS, path[0] === list ? NULL_REFERENCE : path[0]);
    memory.setWord(path[0], FORWARD, node);
    memory.setWord(next === NULL_REFERENCE ? list : next, PREVIOUS, node);
    const { words } = memory;
    const nodeWords = words[node >>> SEGMENT_SHIFT];
    for (let level = 1; level < levelsUsed || level < levels; level++) {
      const before = path[level];
      const beforeWords = words[before >>> SEGMENT_SHIFT];
      const beforeLink = wordOffset(before) + (level << 1);
      if (level >= levels) {
        beforeWords[beforeLink + SPAN]++;
        continue;
      }
      const steps = pathRanks[0] - pathRanks[level];
      const nodeLink = wordOffset(node) + (level << 1);
      nodeWords[nodeLink + FORWARD] = beforeWords[beforeLink + FORWARD];
      nodeWords[nodeLink + SPAN] = beforeWords[beforeLink + SPAN] - steps;
      beforeWords[beforeLink + FORWARD] = node;
      beforeWords[beforeLink + SPAN] = steps + 1;
    }
    memory.setWord(node, PARENT, levels < levelsUsed ? path[levels] : list);
    for (let level = 1; level < levels; level++) this.adopt(node, level, node);
    memory.setWord(list, COUNT, count + 1);
  }

  /**
   * Makes `parent` the parent of the nodes with exactly `level` levels that follow a node, or the list, up to the next
   * one with more.
   */
  private adopt(before: Reference, level: number, parent: Reference): void {
    const { memory } = this;
    const link = FORWARD + 2 * (level - 1);
    let node = memory.word(before, link);
    while (node !== NULL_REFERENCE && memory.byte(node, LEVELS_BYTE) === level) {
      memory.setWord(node, PARENT, parent);
      node = memory.word(node, link);
    }
  }

  /** Takes the node out that the path that was just found leads to. */
  private unlink(list: SkiplistReference, node: NodeReference): void {
    const { memory, path } = this;
    if (memory.word(path[0], FORWARD) !== node) throw new Error(`node ${node} is not in skiplist ${list}`);
    const levels = memory.byte(node, LEVELS_BYTE);
    for (let level = 1; level < levels; level++) this.adopt(node, level, path[level]);
    const { words } = memory;
    const nodeWords = words[node >>> SEGMENT_SHIFT];
    for (let level = memory.byte(list, LEVELS_BYTE) - 1; level > 0; level--) {
      const before = path[level];
      const beforeWords = words[before >>> SEGMENT_SHIFT];
      const beforeLink = wordOffset(before) + (level << 1);
      beforeWords[beforeLink + SPAN]--;
      if (level >= levels) continue;
      const nodeLink = wordOffset(node) + (level << 1);
      beforeWords[beforeLink + SPAN] += nodeWords[nodeLink + SPAN];
      beforeWords[beforeLink + FORWARD] = nodeWords[nodeLink + FORWARD];
    }
    this.joinNeighbours(list, path[0], memory.word(node, FORWARD));
    memory.setWord(list, COUNT, memory.word(list, COUNT) - 1);
    this.dropEmptyLevels(list);
  }

  /** Links two nodes on level 0; `before` may be the list and `after` NULL_REFERENCE. */
  private joinNeighbours(list: SkiplistReference, before: Reference, after: NodeReference): void {
    const { memory } = this;
    memory.setWord(before, FORWARD, after);
    const previous = before === list ? NULL_REFERENCE : before;
    memory.setWord(after === NULL_REFERENCE ? list : after, PREVIOUS, previous);
  }

  private dropEmptyLevels(list: SkiplistReference): void {
    const { memory } = this;
    let levels = memory.byte(list, LEVELS_BYTE);
    while (levels > 1 && memory.word(list, FORWARD + 2 * (levels - 1)) === NULL_REFERENCE) levels--;
    memory.setByte(list, LEVELS_BYTE, levels);
  }
}

function assertScore(score: number): void {
  if (Number.isNaN(score)) throw new Error('NaN as a score of a sorted set');
}
