import type { CommandContext } from '../../server/context.js';
import type { Rank } from '../../structures/skiplist.js';

/** A range of positions as commands are told: two indexes that both belong to it, negative ones from the end. */
export class RankRange {
  /** The first rank; before `clamp`, an index. */
  start: Rank = 0;
  /** After `clamp`, the rank behind the last; before, the index of the last. */
  end: Rank = 0;

  /** Reads the indexes from two arguments. False when one is no integer and the error is replied. */
  read(context: CommandContext, startIndex: number, stopIndex: number): boolean {
    this.start = context.integer(startIndex);
    if (Number.isNaN(this.start)) return false;
    this.end = context.integer(stopIndex);
    return !Number.isNaN(this.end);
  }

  /** Makes the indexes ranks of a sorted set with `count` members: 0 ≤ start ≤ end ≤ count. */
  clamp(count: number): void {
    const start = this.start < 0 ? Math.max(0, this.start + count) : this.start;
    const stop = this.end < 0 ? this.end + count : Math.min(this.end, count - 1);
    const isEmpty = start > stop;
    this.start = isEmpty ? 0 : start;
    this.end = isEmpty ? 0 : stop + 1;
  }
}
