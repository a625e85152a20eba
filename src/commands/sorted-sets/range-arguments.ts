/** Ranges of scores and of members, as the arguments of commands give them. */
import { parseDoubleLeniently } from '../../protocol/doubles.js';
import type { CommandContext } from '../../server/context.js';
import {
  LEX_EXCLUSIVE,
  LEX_HIGHEST,
  LEX_INCLUSIVE,
  LEX_LOWEST,
  type LexEnd,
  LexRange,
  ScoreRange,
} from '../../structures/sorted-ranges.js';

const OPEN_PARENTHESIS = 0x28;
const OPEN_BRACKET = 0x5b;
const PLUS = 0x2b;
const MINUS = 0x2d;

/** The range that `readScoreRange` read last. */
export const scoreRange = new ScoreRange();
/** The range that `readLexRange` read last; its ends are bytes of the arguments. */
export const lexRange = new LexRange();

/**
 * Reads `scoreRange` from two arguments such as `1.5` or `(2`. False when one is no score and the error is replied.
 */
export function readScoreRange(context: CommandContext, minIndex: number, maxIndex: number): boolean {
  const min = scoreAt(context, minIndex);
  const max = scoreAt(context, maxIndex);
  if (min === undefined || max === undefined) {
    context.reply.error('ERR min or max is not a float');
    return false;
  }
  scoreRange.min = min;
  scoreRange.minExclusive = isExclusive(context, minIndex);
  scoreRange.max = max;
  scoreRange.maxExclusive = isExclusive(context, maxIndex);
  return true;
}

/**
 * Reads `lexRange` from two arguments such as `[a`, `(b`, `-` or `+`. False when one is none of these and the error is
 * replied.
 */
export function readLexRange(context: CommandContext, minIndex: number, maxIndex: number): boolean {
  const min = lexEndAt(context, minIndex);
  const max = lexEndAt(context, maxIndex);
  if (min === undefined || max === undefined) {
    context.reply.error('ERR min or max not valid string range item');
    return false;
  }
  const { bytes, offsets, lengths } = context.arguments;
  lexRange.bytes = bytes;
  lexRange.min = min;
  lexRange.minOffset = offsets[minIndex] + 1;
  lexRange.minLength = lengths[minIndex] - 1;
  lexRange.max = max;
  lexRange.maxOffset = offsets[maxIndex] + 1;
  lexRange.maxLength = lengths[maxIndex] - 1;
  return true;
}

function isExclusive({ arguments: call }: CommandContext, index: number): boolean {
  return call.lengths[index] > 0 && call.bytes[call.offsets[index]] === OPEN_PARENTHESIS;
}

function scoreAt(context: CommandContext, index: number): number | undefined {
  const { bytes, offsets, lengths } = context.arguments;
  const prefix = isExclusive(context, index) ? 1 : 0;
  return parseDoubleLeniently(bytes, offsets[index] + prefix, lengths[index] - prefix);
}

function lexEndAt({ arguments: call }: CommandContext, index: number): LexEnd | undefined {
  const { bytes } = call;
  const offset = call.offsets[index];
  const length = call.lengths[index];
  if (length === 0) return undefined;
  // As for any C string, a NUL byte is an end.
  const isSingle = length === 1 || bytes[offset + 1] === 0;
  switch (bytes[offset]) {
    case OPEN_BRACKET:
      return LEX_INCLUSIVE;
    case OPEN_PARENTHESIS:
      return LEX_EXCLUSIVE;
    case MINUS:
      return isSingle ? LEX_LOWEST : undefined;
    case PLUS:
      return isSingle ? LEX_HIGHEST : undefined;
    default:
      return undefined;
  }
}
