import type { ByteString } from './byte-string.js';

/**
 * What a directive of redis.conf is: the vocabulary of the tables in `directives/`.
 *
 * The tables say of each directive everything that parsing, CONFIG GET, CONFIG SET, CONFIG REWRITE and redis-compat.md
 * need. Names, kinds, limits and defaults are those of Redis 8.0.6 (its config.c); CONFIG GET of a server without
 * configuration answers with the defaults.
 */

/**
 * - `immutable`: settable in the file and on the command line only
 * - `protected`: CONFIG SET needs `enable-protected-configs`
 * - `hidden`: CONFIG GET shows it when named exactly, not by pattern
 * - `sensitive`: its value is not to be seen in SLOWLOG, MONITOR or logs
 * - `multiple-arguments`: takes a list, parted by spaces
 * - `volatile`: setting it to the value it has counts as a change (a file may have other content by now)
 * - `deny-loading`: not settable while the data set is loading
 * - `debug`: printed in a crash report
 */
export type DirectiveFlag =
  | 'immutable'
  | 'protected'
  | 'hidden'
  | 'sensitive'
  | 'multiple-arguments'
  | 'volatile'
  | 'deny-loading'
  | 'debug';

/** What every directive has. */
interface AnyDirective {
  /** A second name with the same value, usually an older one. */
  readonly alias?: string;
  readonly flags?: readonly DirectiveFlag[];
  /** Whether Respite really acts on it yet; without it the directive is accepted and shown, and has no effect. */
  readonly actedOn?: boolean;
}

/** `yes` or `no`. */
export interface BooleanDirective extends AnyDirective {
  readonly kind: 'boolean';
  readonly default: boolean;
}

/** An end of a range of numbers; a bigint where a number is not exact. */
export type Bound = number | bigint;

/**
 * A whole number.
 *
 * - `integer`: decimal digits
 * - `memory`: bytes, with an optional unit (k, kb, m, mb, g, gb; without b 1000-fold, with b 1024-fold)
 * - `memory-or-percent`: as `memory`, or a number of percent, which is kept as a negative number: `5%` is -5
 * - `octal`: octal digits, as for a file's permissions
 */
export interface NumberDirective extends AnyDirective {
  readonly kind: 'integer' | 'memory' | 'memory-or-percent' | 'octal';
  /** Both ends belong to the range; what is outside is an error. */
  readonly range: readonly [Bound, Bound];
  /** A value outside these ends, though in `range`, becomes the nearer end. */
  readonly clamp?: readonly [number, number];
  /** The same for CONFIG SET only; the file may go beyond. */
  readonly clampOnSet?: readonly [number, number];
  readonly default: number;
}

/** One of some words, in any case. */
export interface EnumDirective extends AnyDirective {
  readonly kind: 'enum';
  /** In the order in which the error message lists them. */
  readonly values: readonly string[];
  /** Words that mean another one, which CONFIG GET shows instead. */
  readonly synonyms?: Readonly<Record<string, string>>;
  readonly default: string;
}

/** Any number of some words, or the word that stands for none of them. CONFIG GET shows them in this order. */
export interface EnumSetDirective extends AnyDirective {
  readonly kind: 'enum-set';
  /** The word for the empty set. */
  readonly none: string;
  readonly values: readonly string[];
  /** Two words that exclude each other, and the error for giving both. */
  readonly exclusive?: { readonly values: readonly [string, string]; readonly rejection: string };
  readonly default: readonly string[];
}

/** Tells what is wrong with a text, or undefined when it is fine. */
export type StringCheck = (text: ByteString) => string | undefined;

/**
 * A text. Of a `string` the value is decoded from UTF-8 (it is a path, a host, a name); of `bytes` it is a `ByteString`
 * (a password).
 */
export interface StringDirective extends AnyDirective {
  readonly kind: 'string' | 'bytes';
  readonly default: string;
  /** Whether the empty text means "not set", so that CONFIG REWRITE leaves the line out. */
  readonly emptyIsUnset?: boolean;
  readonly check?: StringCheck;
}

/** One pair of `save`: a snapshot is due `seconds` after the last one when at least `changes` were made since. */
export interface SavePoint {
  readonly seconds: number;
  readonly changes: number;
}

/** Limits of a client's output buffer: over `hardBytes` it is closed at once, over `softBytes` after `softSeconds`. 0 is no limit. */
export interface OutputBufferLimit {
  readonly hardBytes: number;
  readonly softBytes: number;
  readonly softSeconds: number;
}

/** The limits of each class of clients. */
export interface OutputBufferLimits {
  readonly normal: OutputBufferLimit;
  readonly replica: OutputBufferLimit;
  readonly pubsub: OutputBufferLimit;
}

/** Whom this server replicates. */
export interface PrimaryAddress {
  readonly host: string;
  readonly port: number;
}

/** The directives with a syntax of their own, by kind, and what their values are. */
export interface SpecialValues {
  /** Addresses to listen on; a leading `-` means that failing to bind it is no error. None: no TCP port. */
  addresses: readonly string[];
  /** An absolute path without symbolic links. A relative one is resolved against the value before. */
  directory: string;
  'save-points': readonly SavePoint[];
  'output-buffer-limits': OutputBufferLimits;
  /** For the server, for a replica, for a background child. */
  'oom-score-values': readonly [number, number, number];
  /** NOTIFY_ bits of `keyspace/events.ts`. */
  'notification-classes': number;
  /** undefined for a server that replicates nobody. */
  'primary-address': PrimaryAddress | undefined;
  /** Each from 0 to 100. */
  percentiles: readonly number[];
  /** A text with `{variable}` in it, see process-title.ts. */
  'title-template': string;
}

/** A directive with a syntax of its own. */
export type SpecialDirective = {
  [K in keyof SpecialValues]: AnyDirective & { readonly kind: K; readonly default: SpecialValues[K] };
}[keyof SpecialValues];

/** One entry of the tables. */
export type Directive =
  | BooleanDirective
  | NumberDirective
  | EnumDirective
  | EnumSetDirective
  | StringDirective
  | SpecialDirective;

/** What tells the forms of directives apart. */
export type DirectiveKind = Directive['kind'];

/** A part of the table: directives by their name. */
export type DirectiveTable = Readonly<Record<string, Directive>>;

/** The type of a directive's value, from its entry in the table. */
export type ValueOf<D> = D extends { kind: 'boolean' }
  ? boolean
  : D extends { kind: NumberDirective['kind'] }
    ? number
    : D extends { kind: 'enum'; synonyms: infer S; values: readonly (infer V)[] }
      ? Exclude<V, keyof S>
      : D extends { kind: 'enum'; values: readonly (infer V)[] }
        ? V
        : D extends { kind: 'enum-set'; values: readonly (infer V)[] }
          ? readonly V[]
          : D extends { kind: infer K extends keyof SpecialValues }
            ? SpecialValues[K]
            : string;

/** The largest values of C's types, which many ranges end with. */
export const INT_MAX = 2147483647;
export const INT_MIN = -2147483648;
export const UINT_MAX = 4294967295;
export const LONG_MAX = 9223372036854775807n;
export const ULLONG_MAX = 18446744073709551615n;
