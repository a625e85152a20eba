import type { Listpacks } from '../structures/listpack.js';
import { type ListpackPosition, type ListpackReference, NO_POSITION } from '../structures/listpack-reader.js';
import type { Rank } from '../structures/skiplist.js';
import type { LexRange, ScoreRange } from '../structures/sorted-ranges.js';
import type { SortedSetListpacks } from './sorted-set-listpack.js';

/** Finds ranges of scores and of members in sorted sets that are listpacks. The result is in the fields. */
export class SortedSetListpackRanges {
  /** The rank of the first member of the range. */
  start: Rank = 0;
  /** The rank behind the last member of the range; `start` when it has none. */
  end: Rank = 0;

  private readonly listpacks: Listpacks;
  private readonly pairs: SortedSetListpacks;

  constructor(listpacks: Listpacks, pairs: SortedSetListpacks) {
    this.listpacks = listpacks;
    this.pairs = pairs;
  }

  /** The first member of the range that was found; meaningless when it has none. */
  get first(): ListpackPosition {
    return this.pairs.positions[this.start];
  }

  /** The last member of the range that was found; meaningless when it has none. */
  get last(): ListpackPosition {
    return this.pairs.positions[this.end - 1];
  }

  /** Finds a range of scores. */
  findScores(listpack: ListpackReference, range: ScoreRange): void {
    const { pairs } = this;
    const count = pairs.index(listpack, NO_POSITION);
    const { positions } = pairs;
    let low = 0;
    let high = count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (range.reachesMin(pairs.score(listpack, positions[middle]))) high = middle;
      else low = middle + 1;
    }
    this.start = low;
    this.end = count;
    if (!range.hasMax) return;
    high = count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (range.reachesMax(pairs.score(listpack, positions[middle]))) low = middle + 1;
      else high = middle;
    }
    this.end = low;
  }

  /**
   * Finds a range of members. Where scores differ, the members are not in order, and what is found is what Redis finds
   * (`zzlFirstInLexRange`, `zzlLastInLexRange` and the walks from there) from the first member on, or, when `reverse`
   * is set, from the last.
   */
  findMembers(listpack: ListpackReference, range: LexRange, reverse: boolean): void {
    const count = this.pairs.index(listpack, NO_POSITION);
    this.start = 0;
    this.end = 0;
    if (count === 0 || range.isEmpty()) return;
    if (!this.reachesMin(listpack, count - 1, range) || !this.reachesMax(listpack, 0, range)) return;
    if (reverse) {
      let rank = count;
      while (rank > 0 && !this.reachesMax(listpack, rank - 1, range)) rank--;
      this.end = rank;
      while (rank > 0 && this.reachesMin(listpack, rank - 1, range)) rank--;
      this.start = rank;
    } else {
      let rank = 0;
      while (rank < count && !this.reachesMin(listpack, rank, range)) rank++;
      this.start = rank;
      while (rank < count && this.reachesMax(listpack, rank, range)) rank++;
      this.end = rank;
    }
  }

  private reachesMin(listpack: ListpackReference, rank: Rank, range: LexRange): boolean {
    this.readMember(listpack, rank);
    const { bytes, offset, length } = this.listpacks.element;
    return range.reachesMin(bytes, offset, length);
  }

  private reachesMax(listpack: ListpackReference, rank: Rank, range: LexRange): boolean {
    this.readMember(listpack, rank);
    const { bytes, offset, length } = this.listpacks.element;
    return range.reachesMax(bytes, offset, length);
  }

  private readMember(listpack: ListpackReference, rank: Rank): void {
    this.listpacks.read(listpack, this.pairs.positions[rank]);
    this.listpacks.element.spell();
  }
}
