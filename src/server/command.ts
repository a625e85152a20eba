import type { Configuration } from '../config/configuration.js';
import type { Arguments } from '../protocol/arguments.js';
import type { CommandContext } from './context.js';
import type { KeyList } from './key-specs.js';

/**
 * What a command may do and where it may run. COMMAND INFO replies these names, but for `may_replicate`, `protected`
 * and `touches_arbitrary_keys`, which Redis keeps to itself. (`movablekeys` follows from the key specs.)
 */
export type CommandFlag =
  | 'write'
  | 'readonly'
  | 'denyoom'
  | 'admin'
  | 'pubsub'
  | 'noscript'
  | 'blocking'
  | 'loading'
  | 'stale'
  | 'skip_monitor'
  | 'skip_slowlog'
  | 'asking'
  | 'fast'
  | 'no_auth'
  | 'may_replicate'
  | 'no_mandatory_keys'
  | 'protected'
  | 'no_async_loading'
  | 'no_multi'
  | 'allow_busy'
  | 'touches_arbitrary_keys';

/** The ACL categories that an entry names itself; `@read`, `@fast` and such follow from its flags. */
export type CommandCategory =
  | '@keyspace'
  | '@read'
  | '@write'
  | '@set'
  | '@sortedset'
  | '@list'
  | '@hash'
  | '@string'
  | '@bitmap'
  | '@hyperloglog'
  | '@geo'
  | '@stream'
  | '@pubsub'
  | '@admin'
  | '@fast'
  | '@slow'
  | '@blocking'
  | '@dangerous'
  | '@connection'
  | '@transaction'
  | '@scripting';

/** The chapter of the documentation that a command stands in, as COMMAND DOCS spells it. */
export type CommandGroup =
  | 'generic'
  | 'string'
  | 'list'
  | 'set'
  | 'sorted-set'
  | 'hash'
  | 'pubsub'
  | 'transactions'
  | 'connection'
  | 'server'
  | 'scripting'
  | 'hyperloglog'
  | 'cluster'
  | 'geo'
  | 'stream'
  | 'bitmap';

/**
 * What a command does with a key. One of `RO` (reads), `RW` (changes), `OW` (overwrites) and `RM` (deletes the key)
 * speaks of the value as a whole; `access`, `update`, `insert` and `delete` speak of the user's data in it.
 * `not_key` is routed as a key but is none, `incomplete` misses some keys, `variable_flags` depends on the options.
 */
export type KeyFlag =
  | 'RO'
  | 'RW'
  | 'OW'
  | 'RM'
  | 'access'
  | 'update'
  | 'insert'
  | 'delete'
  | 'not_key'
  | 'incomplete'
  | 'variable_flags';

/** How the first key of a key spec is found. Positions count from the command name at 0; negative ones from the end. */
export type BeginSearch =
  | { readonly index: number }
  | { readonly keyword: string; readonly startFrom: number }
  | { readonly unknown: true };

/**
 * How the further keys follow from the first: up to `lastKey` (relative to the first, or from the end when
 * negative; of the remaining arguments only one in `limit` when that is over 1), or as many as an argument says.
 */
export type FindKeys =
  | { readonly lastKey: number; readonly step: number; readonly limit: number }
  | { readonly keyNumIndex: number; readonly firstKey: number; readonly step: number }
  | { readonly unknown: true };

/** One way that a command names keys, and what it does with them, as COMMAND INFO shows. */
export interface KeySpec {
  readonly flags: readonly KeyFlag[];
  readonly begin: BeginSearch;
  readonly find: FindKeys;
  readonly notes?: string;
}

/** The key at `index` (`GET key`). */
export function keyAt(index: number, ...flags: KeyFlag[]): KeySpec {
  return { flags, begin: { index }, find: { lastKey: 0, step: 1, limit: 0 } };
}

/** Every argument from `index` to the last (`DEL key...`). */
export function keysFrom(index: number, ...flags: KeyFlag[]): KeySpec {
  return { flags, begin: { index }, find: { lastKey: -1, step: 1, limit: 0 } };
}

/** Every other argument from `index` to the last (`MSET {key value}...`). */
export function keyPairsFrom(index: number, ...flags: KeyFlag[]): KeySpec {
  return { flags, begin: { index }, find: { lastKey: -1, step: 2, limit: 0 } };
}

/** The keys from `index` to the last argument but one (`BLPOP key... timeout`). */
export function keysFromButLast(index: number, ...flags: KeyFlag[]): KeySpec {
  return { flags, begin: { index }, find: { lastKey: -2, step: 1, limit: 0 } };
}

/** As many keys as the argument at `index` says, right behind it (`ZUNION numkeys key...`). */
export function keysCountedAt(index: number, ...flags: KeyFlag[]): KeySpec {
  return { flags, begin: { index }, find: { keyNumIndex: 0, firstKey: 1, step: 1 } };
}

/** The key behind the word `keyword`, looked for from the argument `startFrom` on (`GEORADIUS … STORE key`). */
export function keyAfter(keyword: string, startFrom: number, ...flags: KeyFlag[]): KeySpec {
  return { flags, begin: { keyword, startFrom }, find: { lastKey: 0, step: 1, limit: 0 } };
}

/**
 * Runs a command. Its arity is already checked. It writes exactly one reply to `context.reply`
 * and must not touch anything before all of its arguments are found valid.
 */
export type CommandHandler = (context: CommandContext) => void;

/**
 * Adds to `found` the key arguments of a call whose key specs cannot say (`MIGRATE … KEYS`), or whose flags
 * depend on the options (`SET … GET`). Adds nothing when the arguments make no sense.
 */
export type KeyFinder = (call: Arguments, found: KeyList) => void;

/** The indexes of the arguments of a call that hold secrets: SLOWLOG and MONITOR do not show them. */
export type SecretFinder = (call: Arguments, configuration: Configuration) => readonly number[];

/** One command, or one subcommand: everything that anybody needs to know about it. */
export interface Command {
  /** Lower case. A subcommand has its own name alone: `getname`. */
  readonly name: string;
  readonly summary: string;
  /** The arguments in the notation of `syntax.ts`, from which COMMAND DOCS is made. None: the name stands alone. */
  readonly syntax?: string;
  /** The exact count of arguments with the name (both names of a subcommand), or minus the least count. */
  readonly arity: number;
  readonly flags?: readonly CommandFlag[];
  /** ACL categories beyond those which the flags imply. */
  readonly categories?: readonly CommandCategory[];
  readonly keys?: readonly KeySpec[];
  readonly findKeys?: KeyFinder;
  readonly findSecrets?: SecretFinder;
  readonly since: string;
  readonly group: CommandGroup;
  /** None only for what COMMAND DOCS shows without. */
  readonly complexity?: string;
  /** Versions that changed the command, with a sentence each. */
  readonly history?: readonly (readonly [version: string, change: string])[];
  /** Tips for proxies and clients: `nondeterministic_output`, `request_policy:all_shards`, … */
  readonly hints?: readonly string[];
  readonly docFlags?: readonly ('deprecated' | 'syscmd')[];
  readonly deprecatedSince?: string;
  readonly replacedBy?: string;
  readonly subcommands?: readonly Command[];
  /** Absent for a container of subcommands that does nothing alone. */
  readonly handler?: CommandHandler;
}
