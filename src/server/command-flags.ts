/**
 * The flags of commands as bits of an int32, so that the dispatcher tests several of them in one operation.
 */
import type { CommandFlag } from './command.js';

/** A set of command flags: the sum of `FLAG_…` constants. */
export type CommandFlagBits = number;

/** Changes the data. */
export const FLAG_WRITE = 1 << 0;
/** Reads keys and changes nothing. */
export const FLAG_READONLY = 1 << 1;
/** May need more memory, so refused when `maxmemory` is reached. */
export const FLAG_DENYOOM = 1 << 2;
/** For administrators. */
export const FLAG_ADMIN = 1 << 3;
/** Has to do with channels. */
export const FLAG_PUBSUB = 1 << 4;
/** Not for scripts. */
export const FLAG_NOSCRIPT = 1 << 5;
/** May make its client wait. */
export const FLAG_BLOCKING = 1 << 6;
/** Runs while the data is being loaded. */
export const FLAG_LOADING = 1 << 7;
/** Runs on a replica that has lost its master and must not serve old data. */
export const FLAG_STALE = 1 << 8;
/** Not shown to MONITOR. */
export const FLAG_SKIP_MONITOR = 1 << 9;
/** Not noted in the slow log. */
export const FLAG_SKIP_SLOWLOG = 1 << 10;
/** As if ASKING came before it. */
export const FLAG_ASKING = 1 << 11;
/** Takes constant or logarithmic time. */
export const FLAG_FAST = 1 << 12;
/** Runs before the client has logged in. */
export const FLAG_NO_AUTH = 1 << 13;
/** May lead to writes that are replicated though it is none itself. */
export const FLAG_MAY_REPLICATE = 1 << 14;
/** Its keys may be left out. */
export const FLAG_NO_MANDATORY_KEYS = 1 << 15;
/** Must be enabled in the configuration (`enable-debug-command` and the like). */
export const FLAG_PROTECTED = 1 << 16;
/** Does not run while a replica loads the data of a new master. */
export const FLAG_NO_ASYNC_LOADING = 1 << 17;
/** Not for transactions. */
export const FLAG_NO_MULTI = 1 << 18;
/** Follows from the key specs: the first, last and step that COMMAND shows do not cover all keys. */
export const FLAG_MOVABLE_KEYS = 1 << 19;
/** Runs while a script holds the server up. */
export const FLAG_ALLOW_BUSY = 1 << 20;
/** May touch keys that its arguments do not name. */
export const FLAG_TOUCHES_ARBITRARY_KEYS = 1 << 21;

/** The names of the flags, the one of bit n at n. COMMAND INFO replies them in this order. */
const FLAG_NAMES: readonly (CommandFlag | 'movablekeys')[] = [
  'write',
  'readonly',
  'denyoom',
  'admin',
  'pubsub',
  'noscript',
  'blocking',
  'loading',
  'stale',
  'skip_monitor',
  'skip_slowlog',
  'asking',
  'fast',
  'no_auth',
  'may_replicate',
  'no_mandatory_keys',
  'protected',
  'no_async_loading',
  'no_multi',
  'movablekeys',
  'allow_busy',
  'touches_arbitrary_keys',
];

/** Flags that Redis does not show. */
const HIDDEN_FLAGS = FLAG_MAY_REPLICATE | FLAG_PROTECTED | FLAG_TOUCHES_ARBITRARY_KEYS;

/** The bits of `flags`. Throws an Error when one is unknown. */
export function commandFlagBits(flags: readonly CommandFlag[]): CommandFlagBits {
  let bits = 0;
  for (const flag of flags) {
    const bit = FLAG_NAMES.indexOf(flag);
    if (bit === -1) throw new Error(`unknown flag '${flag}'`);
    bits |= 1 << bit;
  }
  return bits;
}

/** The names that COMMAND INFO shows of the flags in `bits`. */
export function shownCommandFlags(bits: CommandFlagBits): readonly string[] {
  return FLAG_NAMES.filter((_, bit) => (bits & ~HIDDEN_FLAGS & (1 << bit)) !== 0);
}
