/**
 * Glob matching with the semantics of Redis's `stringmatchlen`, as used by KEYS, SCAN, PSUBSCRIBE, CONFIG GET and ACLs.
 *
 *     ?        any one byte
 *     *        any run of bytes, the empty one too
 *     [abc]    one of the bytes; [^abc] none of them; [a-z] a range, its ends in either order; \] inside is literal
 *     \x       the byte x itself
 *
 * What is unusual, and kept because clients can see it: an empty text is matched by the empty pattern only (not even by
 * `*`), a bracket that is never closed ends with the pattern, an escaped byte in a bracket is compared with its case,
 * and the bytes of a range are compared as signed (a C `char` on x86).
 */

const ASTERISK = 0x2a;
const DASH = 0x2d;
const QUESTION_MARK = 0x3f;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;
const CARET = 0x5e;

/** A pattern with more runs of `*` than this, not counting a last one that ends it, matches nothing (as in Redis). */
const ASTERISK_COUNT_MAX = 1000;

/**
 * Tells whether a glob pattern matches a text, both given as a part of a byte array.
 *
 * Takes at most patternLength × textLength steps: when a literal fails, only the last `*` is retried, since a longer
 * match of an earlier one would leave the rest even less text.
 *
 * @param ignoreCase compares ASCII letters without case
 */
export function matchGlob(
  pattern: Uint8Array,
  patternOffset: number,
  patternLength: number,
  text: Uint8Array,
  textOffset: number,
  textLength: number,
  ignoreCase: boolean,
): boolean {
  const patternEnd = patternOffset + patternLength;
  const textEnd = textOffset + textLength;
  let patternAt = patternOffset;
  let textAt = textOffset;
  if (textLength === 0) return patternLength === 0;

  let retryPatternAt = -1;
  let retryTextAt = textOffset;
  let asteriskCount = 0;
  for (;;) {
    let nextPatternAt = -1;
    if (patternAt < patternEnd) {
      if (pattern[patternAt] === ASTERISK) {
        patternAt = skipAsterisks(pattern, patternAt, patternEnd);
        if (patternAt === patternEnd) return true;
        if (++asteriskCount > ASTERISK_COUNT_MAX) return false;
        retryPatternAt = patternAt;
        retryTextAt = textAt;
        continue;
      }
      nextPatternAt = matchByte(pattern, patternAt, patternEnd, text[textAt], ignoreCase);
    }
    if (nextPatternAt >= 0) {
      patternAt = nextPatternAt;
      if (++textAt === textEnd) return skipAsterisks(pattern, patternAt, patternEnd) === patternEnd;
    } else {
      if (retryPatternAt < 0 || ++retryTextAt === textEnd) return false;
      patternAt = retryPatternAt;
      textAt = retryTextAt;
    }
  }
}

function skipAsterisks(pattern: Uint8Array, at: number, end: number): number {
  while (at < end && pattern[at] === ASTERISK) at++;
  return at;
}

/** Matches one byte with the pattern element at `at` (not `*`); returns where the next element starts, or -1. */
function matchByte(pattern: Uint8Array, at: number, end: number, byte: number, ignoreCase: boolean): number {
  let wanted = pattern[at];
  if (wanted === QUESTION_MARK) return at + 1;
  if (wanted === OPEN_BRACKET) return matchBracket(pattern, at + 1, end, byte, ignoreCase);
  if (wanted === BACKSLASH && at + 1 < end) wanted = pattern[++at];
  return wanted === byte || (ignoreCase && toLower(wanted) === toLower(byte)) ? at + 1 : -1;
}

/** Matches one byte with the bracket whose first byte after `[` is at `at`; returns as `matchByte`. */
function matchBracket(
  pattern: Uint8Array,
  at: number,
  end: number,
  byte: number,
  ignoreCase: boolean,
): number {
  const isNegated = at < end && pattern[at] === CARET;
  if (isNegated) at++;
  let isMatched = false;
  while (at < end && pattern[at] !== CLOSE_BRACKET) {
    const wanted = pattern[at];
    if (wanted === BACKSLASH && at + 1 < end) {
      if (pattern[++at] === byte) isMatched = true;
    } else if (at + 2 < end && pattern[at + 1] === DASH) {
      if (isInRange(wanted, pattern[at + 2], byte, ignoreCase)) isMatched = true;
      at += 2;
    } else if (wanted === byte || (ignoreCase && toLower(wanted) === toLower(byte))) {
      isMatched = true;
    }
    at++;
  }
  if (isMatched === isNegated) return -1;
  return at < end ? at + 1 : end;
}

/** The ends are put in order before their case is dropped, as Redis does: `[Z-a]` without case holds no letter. */
function isInRange(end1: number, end2: number, byte: number, ignoreCase: boolean): boolean {
  let start = toSigned(end1);
  let stop = toSigned(end2);
  if (start > stop) {
    start = stop;
    stop = toSigned(end1);
  }
  const signedByte = toSigned(byte);
  if (!ignoreCase) return signedByte >= start && signedByte <= stop;
  const lowerByte = toLower(signedByte);
  return lowerByte >= toLower(start) && lowerByte <= toLower(stop);
}

function toSigned(byte: number): number {
  return (byte << 24) >> 24;
}

function toLower(byte: number): number {
  return byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte;
}
