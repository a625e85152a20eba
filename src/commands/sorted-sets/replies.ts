import type { CommandContext } from '../../server/context.js';

/**
 * The header of an array of members. With scores, RESP2 has each member and its score in turn, RESP3 a pair for each
 * member.
 */
export function replyArrayHeader({ reply }: CommandContext, members: number, withScores: boolean): void {
  reply.arrayHeader(withScores && reply.resp === 2 ? members * 2 : members);
}

/** The member that the cursor has read, as an item of such an array. */
export function replyCurrent(context: CommandContext, withScore: boolean): void {
  const { reply, types } = context;
  const { sortedSetCursor: cursor } = types;
  if (withScore && reply.resp === 3) reply.arrayHeader(2);
  reply.bulk(cursor.bytes, cursor.offset, cursor.length);
  if (withScore) reply.double(cursor.score);
}

/** Such an array of the members that the cursor has selected. */
export function replySelected(context: CommandContext, withScores: boolean): void {
  const { sortedSetCursor: cursor } = context.types;
  replyArrayHeader(context, cursor.remaining, withScores);
  while (cursor.next()) replyCurrent(context, withScores);
}

/** An array of pairs of the members that the cursor has selected and their scores, in RESP2 too. */
export function replySelectedPairs({ reply, types }: CommandContext): void {
  const { sortedSetCursor: cursor } = types;
  reply.arrayHeader(cursor.remaining);
  while (cursor.next()) {
    reply.arrayHeader(2);
    reply.bulk(cursor.bytes, cursor.offset, cursor.length);
    reply.double(cursor.score);
  }
}

/** The members that the cursor has selected, each with its score behind it, in RESP3 too; no header. */
export function replyMembersAndScores({ reply, types }: CommandContext): void {
  const { sortedSetCursor: cursor } = types;
  while (cursor.next()) {
    reply.bulk(cursor.bytes, cursor.offset, cursor.length);
    reply.double(cursor.score);
  }
}
