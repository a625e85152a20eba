/** How many elements HRANDFIELD, SRANDMEMBER and ZRANDMEMBER are asked for. */
import { OutOfMemoryError } from '../memory/memory.js';
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

/** More picks than this are only made for a client with an output limit, which ends them in time. */
const PICKS_MAX = 1 << 24;
/** Picks between two looks at how much there is to reply by now. */
const PICKS_PER_LOOK = 1024;

/**
 * Refuses picks that would take all memory for the reply. Redis makes any number.
 * @throws OutOfMemoryError
 */
export function checkPicks({ client, server }: CommandContext, count: number): void {
  if (count > PICKS_MAX && !server.outputLimits.isHard(client)) {
    throw new OutOfMemoryError(`a reply of ${count} elements`);
  }
}

/** Whether no further pick has to be replied after `picks`, as the client is closed for too much output. */
export function endsPicks({ server }: CommandContext, picks: number): boolean {
  return picks % PICKS_PER_LOOK === PICKS_PER_LOOK - 1 && server.outbox.isOverLimit();
}
