import { parseDouble } from '../../protocol/doubles.js';
import type { CommandContext } from '../../server/context.js';

/** So many values are kept room for; that of a longer command is let go. */
const CAPACITY_KEPT = 1024;

/** Arguments that are doubles, all of them read before anything is done with the first. Reused for every call. */
export class ScoreArguments {
  /** Only as many are valid as were read last. */
  values = new Float64Array(64);

  /**
   * Reads `count` arguments from argument `first` on, each `step` behind the one before. False when one is no double
   * and `error` is replied.
   */
  read(context: CommandContext, first: number, step: number, count: number, error: string): boolean {
    this.reserve(count);
    const { bytes, offsets, lengths } = context.arguments;
    const { values } = this;
    for (let i = 0, index = first; i < count; i++, index += step) {
      const value = parseDouble(bytes, offsets[index], lengths[index]);
      if (value === undefined) {
        context.reply.error(error);
        return false;
      }
      values[i] = value;
    }
    return true;
  }

  /** Makes room for `count` values. */
  reserve(count: number): void {
    const isTooSmall = count > this.values.length;
    const isTooLarge = this.values.length > CAPACITY_KEPT && count <= CAPACITY_KEPT;
    if (isTooSmall || isTooLarge) this.values = new Float64Array(Math.max(count, 64));
  }
}
