import { type Memory, wordOffset } from '../memory/memory.js';
import { NULL_REFERENCE, type Reference, SEGMENT_SHIFT, UNIT_MASK } from '../memory/reference.js';
import type { Rank, Skiplist, SkiplistReference } from './skiplist.js';
import { FORWARD, LEVELS_BYTE, type NodeReference, SCORE, SPAN } from './skiplist-nodes.js';
import type { LexRange, ScoreRange } from './sorted-ranges.js';

/**
 * Where ranges of scores and of members start and end in a skiplist, in O(log n): the nodes of a range are those from
 * the rank of its start to below the rank of its end; there are none when the end is not above the start.
 *
 * Ranges of members are for lists whose nodes all have the same score; else what they find is up to chance.
 */
export class SkiplistRanges {
  /**
   * After a search for the start of a range, the first node that is not below it; after one for the end, the last node
   * that is not above it. NULL_REFERENCE when there is none.
   */
  node: NodeReference = NULL_REFERENCE;

  private readonly memory: Memory;
  private readonly skiplist: Skiplist;

  constructor(memory: Memory, skiplist: Skiplist) {
    this.memory = memory;
    this.skiplist = skiplist;
  }

  /** The rank at which a range of scores starts: the number of nodes below it. */
  scoreRangeStart(list: SkiplistReference, range: ScoreRange): Rank {
    const rank = this.countBelowScore(list, range.min, range.minExclusive);
    this.node = this.skiplist.next(this.node);
    return rank;
  }

  /** The rank at which a range of scores ends: the number of nodes in and below it. */
  scoreRangeEnd(list: SkiplistReference, range: ScoreRange): Rank {
    if (!range.hasMax) {
      this.node = this.skiplist.last(list);
      return this.skiplist.count(list);
    }
    const rank = this.countBelowScore(list, range.max, !range.maxExclusive);
    if (this.node === list) this.node = NULL_REFERENCE;
    return rank;
  }

  /**
   * How many of the nodes from `from` on, which is the node that the last search found, are in a range of scores: up to
   * the first, or backwards with `reverse`, that is not, and no more than `max`.
   */
  countScores(from: NodeReference, range: ScoreRange, reverse: boolean, max: number): number {
    const { skiplist } = this;
    let node = from;
    let count = 0;
    while (count < max && node !== NULL_REFERENCE) {
      const score = skiplist.score(node);
      if (reverse ? !range.reachesMin(score) : !range.reachesMax(score)) break;
      node = reverse ? skiplist.previous(node) : skiplist.next(node);
      count++;
    }
    return count;
  }

  /** The rank at which a range of members starts: the number of nodes below it. */
  lexRangeStart(list: SkiplistReference, range: LexRange): Rank {
    const rank = this.countBelowLexEnd(list, range, false);
    this.node = this.skiplist.next(this.node);
    return rank;
  }

  /** The rank at which a range of members ends: the number of nodes in and below it. */
  lexRangeEnd(list: SkiplistReference, range: LexRange): Rank {
    const rank = this.countBelowLexEnd(list, range, true);
    if (this.node === list) this.node = NULL_REFERENCE;
    return rank;
  }

  /** As `countScores`, in a range of members. */
  countMembers(from: NodeReference, range: LexRange, reverse: boolean, max: number): number {
    const { skiplist } = this;
    let node = from;
    let count = 0;
    while (count < max && node !== NULL_REFERENCE) {
      if (reverse ? !this.reachesMin(node, range) : !this.reachesMax(node, range)) break;
      node = reverse ? skiplist.previous(node) : skiplist.next(node);
      count++;
    }
    return count;
  }

  /** Counts the nodes whose score is below `score`, or `orEqual` to it. The last of them, or the list, is `node`. */
  private countBelowScore(list: SkiplistReference, score: number, orEqual: boolean): number {
    const { words, doubles } = this.memory;
    let node: Reference = list;
    let passed = 0;
    for (let level = this.memory.byte(list, LEVELS_BYTE) - 1; level >= 0; level--) {
      for (;;) {
        const nodeWords = words[node >>> SEGMENT_SHIFT];
        const link = wordOffset(node) + (level << 1);
        const forward = nodeWords[link + FORWARD];
        if (forward === NULL_REFERENCE) break;
        const nodeScore = doubles[forward >>> SEGMENT_SHIFT][(forward & UNIT_MASK) + SCORE];
        if (!(nodeScore < score || (orEqual && nodeScore === score))) break;
        passed += level === 0 ? 1 : nodeWords[link + SPAN];
        node = forward;
      }
    }
    this.node = node;
    return passed;
  }

  /** Counts the nodes below a range of members, or with `upToMax` in it too. The last of them, or the list, is `node`. */
  private countBelowLexEnd(list: SkiplistReference, range: LexRange, upToMax: boolean): number {
    const { memory } = this;
    let node: Reference = list;
    let passed = 0;
    for (let level = memory.byte(list, LEVELS_BYTE) - 1; level >= 0; level--) {
      for (;;) {
        const forward = memory.word(node, FORWARD + 2 * level);
        if (forward === NULL_REFERENCE) break;
        if (upToMax ? !this.reachesMax(forward, range) : this.reachesMin(forward, range)) break;
        passed += level === 0 ? 1 : memory.word(node, SPAN + 2 * level);
        node = forward;
      }
    }
    this.node = node;
    return passed;
  }

  private reachesMin(node: NodeReference, range: LexRange): boolean {
    const { skiplist } = this;
    const offset = skiplist.memberOffset(node);
    return range.reachesMin(skiplist.memberBytes(node), offset, skiplist.memberLength(node));
  }

  private reachesMax(node: NodeReference, range: LexRange): boolean {
    const { skiplist } = this;
    const offset = skiplist.memberOffset(node);
    return range.reachesMax(skiplist.memberBytes(node), offset, skiplist.memberLength(node));
  }
}
