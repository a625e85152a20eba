/** How many elements HRANDFIELD, SRANDMEMBER and ZRANDMEMBER are asked for. */
import { INT64_MAX, parseInt64 } from '../protocol/integers.js';
import type { CommandContext } from '../server/context.js';

/**
 * The count in argument `index`, negative when elements may come again; NaN when it is wrong and the error is replied.
 * @param isPaired whether values or scores come with the elements, so that the reply has twice as many
 */
export function randomCount(context: CommandContext, index: number, isPaired: boolean): number {
  const count = context.signedCount(index);
  // What a double does not hold exactly was cut to the largest that it does.
  if (!isPaired || Math.abs(count) !== Number.MAX_SAFE_INTEGER) return count;
  const { bytes, offsets, lengths } = context.arguments;
  const exact = parseInt64(bytes, offsets[index], lengths[index]) ?? 0n;
  if (exact < -INT64_MAX / 2n || exact > INT64_MAX / 2n) {
    context.reply.error('ERR value is out of range');
    return NaN;
  }
  return count;
}
