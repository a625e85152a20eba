import type { ByteString } from './byte-string.js';
import type { Directive, DirectiveKind, SpecialValues } from './directive.js';
import type { DirectiveValues } from './directives.js';

/**
 * What a directive is set to: its value for the server's code, and its text as CONFIG GET shows it. The text is exact
 * where a JavaScript number is not: `maxmemory 18446744073709551615` has the value 2^64.
 */
export interface Setting<V = unknown> {
  readonly value: V;
  readonly text: ByteString;
}

/** Why arguments were refused, in Redis's words. */
export interface Rejection {
  readonly rejection: string;
}

/** What the meaning of arguments may depend on. */
export interface ParseContext<V = unknown> {
  /** What the directive was set to until now. */
  readonly previous: Setting<V>;
  readonly values: DirectiveValues;
  /** The absolute path of the configuration file. */
  readonly file: string | undefined;
  /** Whether CONFIG SET sets it, not a line of the file. */
  readonly isCommand: boolean;
  /** Whether an earlier line of the same file (or of the command line) set the same directive. */
  readonly continuesFile: boolean;
}

/** A line that CONFIG REWRITE writes for a directive; a default one only where the file has a line for it already. */
export interface RewrittenLine {
  readonly line: ByteString;
  readonly isDefault: boolean;
}

/** The value of a directive of kind `K`, without the detail that its table entry adds. */
export type ValueOfKind<K extends DirectiveKind> = K extends keyof SpecialValues
  ? SpecialValues[K]
  : K extends 'boolean'
    ? boolean
    : K extends 'integer' | 'memory' | 'memory-or-percent' | 'octal'
      ? number
      : K extends 'enum-set'
        ? readonly string[]
        : string;

/** How directives of one kind are read, shown and written. `D` is the form of their table entries. */
export interface Codec<D extends Directive, V> {
  /** The setting that a server without configuration has. */
  initial(directive: D): Setting<V>;
  /** Reads arguments. Directives without `multiple-arguments` get exactly one. */
  parse(args: readonly ByteString[], directive: D, context: ParseContext<V>): Setting<V> | Rejection;
  /**
   * The lines that set a directive named `name` to `setting`. None: the directive is better left out of the file.
   */
  rewrite(name: ByteString, setting: Setting<V>, directive: D): readonly RewrittenLine[];
  /** Whether setting the same text again counts as a change. */
  readonly alwaysChanges?: boolean;
}

/** The codec of each kind. */
export type Codecs<K extends DirectiveKind> = {
  readonly [K2 in K]: Codec<Extract<Directive, { kind: K2 }>, ValueOfKind<K2>>;
};
