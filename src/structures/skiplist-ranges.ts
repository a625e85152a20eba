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
   * The outermost node of the range that was searched, if it has any: after a search for the start its first node, after
   * one for the end its last.
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
    if (range.hasMax) return this.countBelowScore(list, range.max, !range.maxExclusive);
    this.node = this.skiplist.last(list);
    return this.skiplist.count(list);
  }

  /** The rank at which a range of members starts: the number of nodes below it. */
  lexRangeStart(list: SkiplistReference, range: LexRange): Rank {
    const rank = this.countBelowLexEnd(list, range, false);
    this.node = this.skiplist.next(this.node);
    return rank;
  }

  /** The rank at which a range of members ends: the number of nodes in and below it. */
  lexRangeEnd(list: SkiplistReference, range: LexRange): Rank {
    return this.countBelowLexEnd(list, range, true);
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
        if (forward === NULL_REFERENCE || !this.isBelow(forward, range, upToMax)) break;
        passed += level === 0 ? 1 : memory.word(node, SPAN + 2 * level);
        node = forward;
      }
    }
    this.node = node;
    return passed;
  }

  private isBelow(node: NodeReference, range: LexRange, upToMax: boolean): boolean {
    const { skiplist } = this;
    const bytes = skiplist.memberBytes(node);
    const offset = skiplist.memberOffset(node);
    const length = skiplist.memberLength(node);
    return upToMax ? range.reachesMax(bytes, offset, length) : !range.reachesMin(bytes, offset, length);
  }
}
