/** What SCAN, HSCAN, SSCAN and ZSCAN are told: a cursor, and which elements, how many at a time. */
import { TYPE_NAMES, type ValueType } from '../keyspace/record.js';
import { INT64_MIN, parseSafeInteger } from '../protocol/integers.js';
import type { CommandContext } from '../server/context.js';
import { ERROR_INVALID_CURSOR, ERROR_SYNTAX } from '../server/errors.js';
import { matchGlob } from '../structures/glob.js';
import type { ScanCursor } from '../structures/hashtable.js';

/** What is scanned: TYPE is only for keys, NOVALUES only for hashes. */
export type ScannedKind = 'keys' | 'hash' | 'set' | 'sorted set';

/** Redis looks at about so many elements when it is not told. */
const COUNT_DEFAULT = 10;
/** In `type`: a word that is no type, so that nothing matches. */
const NO_SUCH_TYPE: ValueType = -1;

const ASTERISK = 0x2a;
const CURSOR_MAX = 2n ** 64n - 1n;

/** The cursor and options of one call; reused for all. */
export class ScanOptions {
  cursor: ScanCursor = 0;
  /** About how many elements to look at. */
  count = COUNT_DEFAULT;
  /** The type of keys that are wanted; undefined: all. */
  type: ValueType | undefined;
  /** HSCAN: fields without their values. */
  withoutValues = false;

  /** The argument with the pattern, or 0. */
  private patternIndex = 0;

  /**
   * Reads the cursor from argument `index`; false when it is none and the error is replied. As in Redis it is what
   * C's strtoull takes, and of its 64 bits our cursors use the lower half.
   */
  readCursor(context: CommandContext, index: number): boolean {
    const { bytes, offsets, lengths } = context.arguments;
    const cursor = parseSafeInteger(bytes, offsets[index], lengths[index]);
    if (cursor >= 0) {
      this.cursor = cursor % 2 ** 32;
      return true;
    }
    const unusual = parseUnusualCursor(context.arguments.cString(index));
    if (unusual === undefined) {
      context.reply.error(ERROR_INVALID_CURSOR);
      return false;
    }
    this.cursor = Number(BigInt.asUintN(32, unusual));
    return true;
  }

  /** Reads the options from argument `first` on; false when they are wrong and the error is replied. */
  read(context: CommandContext, first: number, kind: ScannedKind): boolean {
    const { options, reply } = context;
    this.count = COUNT_DEFAULT;
    this.type = undefined;
    this.withoutValues = false;
    this.patternIndex = 0;
    options.begin(context.arguments, first);
    while (options.hasMore) {
      if (options.takeWithArgument('COUNT')) {
        this.count = context.integer(options.argument);
        if (Number.isNaN(this.count)) return false;
        if (this.count < 1) {
          reply.error(ERROR_SYNTAX);
          return false;
        }
      } else if (options.takeWithArgument('MATCH')) {
        this.patternIndex = options.argument;
      } else if (kind === 'keys' && options.takeWithArgument('TYPE')) {
        this.type = typeNamed(context.arguments.cString(options.argument));
      } else if (options.take('NOVALUES')) {
        if (kind !== 'hash') {
          reply.error('ERR NOVALUES option can only be used in HSCAN');
          return false;
        }
        this.withoutValues = true;
      } else {
        reply.error(ERROR_SYNTAX);
        return false;
      }
    }
    this.dropPatternOfAll(context);
    return true;
  }

  /** Whether there is a pattern that does not match everything. */
  get hasPattern(): boolean {
    return this.patternIndex !== 0;
  }

  /** Whether an element matches the pattern, if there is one. */
  matches({ arguments: call }: CommandContext, bytes: Uint8Array, offset: number, length: number): boolean {
    const index = this.patternIndex;
    if (index === 0) return true;
    return matchGlob(call.bytes, call.offsets[index], call.lengths[index], bytes, offset, length, false);
  }

  /** `*` matches even the empty string, which no other pattern but the empty one does. */
  private dropPatternOfAll({ arguments: call }: CommandContext): void {
    const index = this.patternIndex;
    if (call.lengths[index] === 1 && call.bytes[call.offsets[index]] === ASTERISK) this.patternIndex = 0;
  }
}

/**
 * What strtoull makes of a text: leading spaces, zeros and a sign are allowed. Redis asks it only when the text is no
 * int64 as it writes them, and refuses negative ones of those.
 */
function parseUnusualCursor(text: string): bigint | undefined {
  const match = /^[ \t\n\v\f\r]*([+-]?)([0-9]+)$/.exec(text);
  if (match === null) return undefined;
  const magnitude = BigInt(match[2]);
  if (magnitude > CURSOR_MAX) return undefined;
  if (match[1] !== '-') return magnitude;
  const isInt64 = /^-[1-9]/.test(text) && -magnitude >= INT64_MIN;
  return isInt64 ? undefined : -magnitude;
}

function typeNamed(name: string): ValueType {
  const lowerCase = name.toLowerCase();
  const type = TYPE_NAMES.indexOf(lowerCase);
  return lowerCase === 'module' ? NO_SUCH_TYPE : type;
}
