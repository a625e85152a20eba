import { type Memory, wordOffset } from '../memory/memory.js';
import { NULL_REFERENCE, type Reference, SEGMENT_SHIFT, UNIT_MASK } from '../memory/reference.js';
import type { Rank, Skiplist, SkiplistReference } from './skiplist.js';
import { FORWARD, LEVELS_BYTE, type NodeReference, SCORE, SPAN } from './skiplist-nodes.js';
import type { LexRange, ScoreRange } from './sorted-ranges.js';

/**
 * Where ranges of scores and of members begin and end in a skiplist, as nodes and as ranks: all in O(log n).
 * Ranges of members are for lists whose nodes all have the same score; else what they find is up to chance.
 */
export class SkiplistRanges {
  private readonly memory: Memory;
  private readonly skiplist: Skiplist;
  /** How many nodes the last search passed: up to and with the one that it returned. */
  private passed = 0;

  constructor(memory: Memory, skiplist: Skiplist) {
    this.memory = memory;
    this.skiplist = skiplist;
  }

  /** The first node in a range of scores, or NULL_REFERENCE. */
  firstInScoreRange(list: SkiplistReference, range: ScoreRange): NodeReference {
    const node = this.skiplist.next(this.lastBelowScore(list, range.min, range.minExclusive));
    return node !== NULL_REFERENCE && range.reachesMax(this.skiplist.score(node)) ? node : NULL_REFERENCE;
  }

  /** The last node in a range of scores, or NULL_REFERENCE. */
  lastInScoreRange(list: SkiplistReference, range: ScoreRange): NodeReference {
    const node = this.lastBelowScore(list, range.max, !range.maxExclusive);
    return node !== list && range.reachesMin(this.skiplist.score(node)) ? node : NULL_REFERENCE;
  }

  /** The rank at which a range of scores starts: the number of nodes below it. */
  scoreRangeStart(list: SkiplistReference, range: ScoreRange): Rank {
    this.lastBelowScore(list, range.min, range.minExclusive);
    return this.passed;
  }

  /** The rank at which a range of scores ends: the number of nodes in and below it. */
  scoreRangeEnd(list: SkiplistReference, range: ScoreRange): Rank {
    this.lastBelowScore(list, range.max, !range.maxExclusive);
    return this.passed;
  }

  /** The first node in a range of members, or NULL_REFERENCE. */
  firstInLexRange(list: SkiplistReference, range: LexRange): NodeReference {
    const node = this.skiplist.next(this.lastBelowLexMin(list, range));
    return node !== NULL_REFERENCE && this.reachesLexMax(node, range) ? node : NULL_REFERENCE;
  }

  /** The last node in a range of members, or NULL_REFERENCE. */
  lastInLexRange(list: SkiplistReference, range: LexRange): NodeReference {
    const node = this.lastUpToLexMax(list, range);
    return node !== list && this.reachesLexMin(node, range) ? node : NULL_REFERENCE;
  }

  /** The rank at which a range of members starts: the number of nodes below it. */
  lexRangeStart(list: SkiplistReference, range: LexRange): Rank {
    this.lastBelowLexMin(list, range);
    return this.passed;
  }

  /** The rank at which a range of members ends: the number of nodes in and below it. */
  lexRangeEnd(list: SkiplistReference, range: LexRange): Rank {
    this.lastUpToLexMax(list, range);
    return this.passed;
  }

  /** Whether a node is not below a range of members. */
  reachesLexMin(node: NodeReference, range: LexRange): boolean {
    const { skiplist } = this;
    return range.reachesMin(
      skiplist.memberBytes(node),
      skiplist.memberOffset(node),
      skiplist.memberLength(node),
    );
  }

  /** Whether a node is not above a range of members. */
  reachesLexMax(node: NodeReference, range: LexRange): boolean {
    const { skiplist } = this;
    return range.reachesMax(
      skiplist.memberBytes(node),
      skiplist.memberOffset(node),
      skiplist.memberLength(node),
    );
  }

  /** The last node whose score is below `score`, or `orEqual` to it; the list when there is none. */
  private lastBelowScore(list: SkiplistReference, score: number, orEqual: boolean): Reference {
    const { words, doubles } = this.memory;
    let node = list;
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
    this.passed = passed;
    return node;
  }

  /** The last node below a range of members; the list when there is none. */
  private lastBelowLexMin(list: SkiplistReference, range: LexRange): Reference {
    return this.lastBelowLexEnd(list, range, false);
  }

  /** The last node in or below a range of members; the list when there is none. */
  private lastUpToLexMax(list: SkiplistReference, range: LexRange): Reference {
    return this.lastBelowLexEnd(list, range, true);
  }

  private lastBelowLexEnd(list: SkiplistReference, range: LexRange, upToMax: boolean): Reference {
    const { memory } = this;
    let node = list;
    let passed = 0;
    for (let level = memory.byte(list, LEVELS_BYTE) - 1; level >= 0; level--) {
      for (;;) {
        const forward = memory.word(node, FORWARD + 2 * level);
        if (forward === NULL_REFERENCE) break;
        if (upToMax ? !this.reachesLexMax(forward, range) : this.reachesLexMin(forward, range)) break;
        passed += level === 0 ? 1 : memory.word(node, SPAN + 2 * level);
        node = forward;
      }
    }
    this.passed = passed;
    return node;
  }
}
