/** When a key is to expire, as commands are told: `EX seconds`, `PXAT unix-time-milliseconds`, … */
import { keyEvent, NOTIFY_GENERIC } from '../keyspace/events.js';
import { KEEP_DEADLINE, NO_DEADLINE } from '../keyspace/record-store.js';
import { INT64_MAX, INT64_MIN, parseInt64, parseSafeInteger } from '../protocol/integers.js';
import type { OptionReader } from '../protocol/option-reader.js';
import type { CommandContext } from '../server/context.js';
import { ERROR_NOT_INTEGER, invalidExpire } from '../server/errors.js';
import type { TimestampMs } from '../structures/deadlines.js';

export const EVENT_EXPIRE = keyEvent(NOTIFY_GENERIC, 'expire');
export const EVENT_PERSIST = keyEvent(NOTIFY_GENERIC, 'persist');

/** What a time counts, in milliseconds. */
export type TimeUnitMs = 1 | 1000;
/** The unit of PX, PXAT, PEXPIRE, … */
export const MILLISECONDS: TimeUnitMs = 1;
/** The unit of EX, EXAT, EXPIRE, … */
export const SECONDS: TimeUnitMs = 1000;

/** What a time counts from. (A name, not the time itself: V8 would put that on its heap to pass it on.) */
export type TimeBase = 'now' | '1970';

/** The largest double that is an int64: deadlines beyond 2^53 are rounded, but never to more than Redis has. */
const DEADLINE_MS_MAX: TimestampMs = 2 ** 63 - 1024;

type Kind = 'none' | 'EX' | 'PX' | 'EXAT' | 'PXAT' | 'KEEPTTL' | 'PERSIST';

/**
 * The options that say when a key expires, of which a command takes one, however often it is repeated:
 *
 *     EX seconds | PX milliseconds | EXAT unix-time-seconds | PXAT unix-time-milliseconds | KEEPTTL | PERSIST
 *
 * Reused for every call: `reset`, `take…` for each option, then `deadlineMs`.
 */
export class Expiration {
  private kind: Kind = 'none';
  private argument = 0;

  reset(): void {
    this.kind = 'none';
  }

  /** Whether `EXAT` or `PXAT` was taken: only such a deadline can be over already. */
  get isAbsolute(): boolean {
    return this.kind === 'EXAT' || this.kind === 'PXAT';
  }

  /** Whether it is a time that anybody who repeats the command understands in the same way. */
  get isUnixMilliseconds(): boolean {
    return this.kind === 'PXAT';
  }

  get isPersist(): boolean {
    return this.kind === 'PERSIST';
  }

  /** Takes the next option if it says a time, and no other kind of expiration was taken. */
  takeTime(options: OptionReader): boolean {
    return (
      this.takeTimeOf(options, 'EX') ||
      this.takeTimeOf(options, 'PX') ||
      this.takeTimeOf(options, 'EXAT') ||
      this.takeTimeOf(options, 'PXAT')
    );
  }

  /** Takes the next option if it is the word, and no other kind of expiration was taken. */
  takeWord(options: OptionReader, word: 'KEEPTTL' | 'PERSIST'): boolean {
    if (!this.allows(word) || !options.take(word)) return false;
    this.kind = word;
    return true;
  }

  /** The deadline that the options ask for, or KEEP_DEADLINE or NO_DEADLINE; NaN when it is wrong and the error is replied. */
  deadlineMs(context: CommandContext): TimestampMs {
    switch (this.kind) {
      case 'none':
      case 'PERSIST':
        return NO_DEADLINE;
      case 'KEEPTTL':
        return KEEP_DEADLINE;
      case 'EX':
        return futureDeadline(context, this.argument, SECONDS, 'now');
      case 'PX':
        return futureDeadline(context, this.argument, MILLISECONDS, 'now');
      case 'EXAT':
        return futureDeadline(context, this.argument, SECONDS, '1970');
      case 'PXAT':
        return futureDeadline(context, this.argument, MILLISECONDS, '1970');
    }
  }

  private takeTimeOf(options: OptionReader, kind: 'EX' | 'PX' | 'EXAT' | 'PXAT'): boolean {
    if (!this.allows(kind) || !options.takeWithArgument(kind)) return false;
    this.kind = kind;
    this.argument = options.argument;
    return true;
  }

  private allows(kind: Kind): boolean {
    return this.kind === 'none' || this.kind === kind;
  }
}

/** As `deadlineFrom`, of a time that must be positive; it may still be over when it is absolute. */
export function futureDeadline(
  context: CommandContext,
  index: number,
  unitMs: TimeUnitMs,
  base: TimeBase,
): TimestampMs {
  const deadlineMs = deadlineFrom(context, index, unitMs, base);
  if (deadlineMs > (base === 'now' ? context.keyspace.nowMs : 0)) return deadlineMs;
  if (!Number.isNaN(deadlineMs)) context.reply.error(invalidExpire(context.command.fullName));
  return NaN;
}

/**
 * The deadline that is argument `index`, a time counted from `base`; NaN when it is no int64 in milliseconds and
 * the error is replied. Exact up to 2^53.
 */
export function deadlineFrom(
  context: CommandContext,
  index: number,
  unitMs: TimeUnitMs,
  base: TimeBase,
): TimestampMs {
  const { bytes, offsets, lengths } = context.arguments;
  const baseMs = base === 'now' ? context.keyspace.nowMs : 0;
  const time = parseSafeInteger(bytes, offsets[index], lengths[index]);
  // Not even 2^53 seconds from now are beyond 2^63 milliseconds.
  if (!Number.isNaN(time)) return time * unitMs + baseMs;
  const exactTime = parseInt64(bytes, offsets[index], lengths[index]);
  if (exactTime === undefined) {
    context.reply.error(ERROR_NOT_INTEGER);
    return NaN;
  }
  const sinceBase = exactTime * BigInt(unitMs);
  const deadline = sinceBase + BigInt(baseMs);
  if (sinceBase < INT64_MIN || sinceBase > INT64_MAX || deadline > INT64_MAX) {
    context.reply.error(invalidExpire(context.command.fullName));
    return NaN;
  }
  return Math.min(Number(deadline), DEADLINE_MS_MAX);
}
