import { resolve } from 'node:path';
import { matchGlob } from '../structures/glob.js';
import { type ByteString, beforeNul, bytesOf, encodeByteString } from './byte-string.js';
import type { Codec, ParseContext, Rejection, Setting } from './codec.js';
import type { Directive, DirectiveFlag } from './directive.js';
import { type DirectiveName, type DirectiveValue, type DirectiveValues, directives } from './directives.js';
import { plainCodecs } from './plain-codecs.js';
import { type RewriteOptions, rewriteConfigurationFile } from './rewrite.js';
import { specialCodecs } from './special-codecs.js';
import { systemErrorText } from './system-error.js';

/**
 * Puts a change into effect, after the new values are in place. Returns what is wrong, as the end of Redis's sentence
 * "CONFIG SET failed (possibly related to argument 'port') - …": then every directive of the command gets its old value
 * back, and the functions are called again to go back to it. May answer later, such as when a port is to be opened.
 */
export type ApplyChange = () => string | undefined | Promise<string | undefined>;

/** The reply to CONFIG SET or CONFIG REWRITE: an error with its code ("ERR …"), or undefined for OK. */
export type Outcome = string | undefined;

/** Who sends CONFIG SET, and when. */
export interface ChangeCircumstances {
  /** Whether the data set is being loaded. */
  readonly isLoading: boolean;
  /** Whether the client is on this machine (loopback or unix socket). */
  readonly isLocalClient: boolean;
}

/** A name that clients may use: a directive's own or its alias. */
interface Entry {
  readonly name: ByteString;
  readonly bytes: Uint8Array;
  readonly directive: DirectiveName;
  readonly isHidden: boolean;
}

/** What is set by one CONFIG SET, kept until it has succeeded. */
interface Change {
  readonly previous: Map<DirectiveName, Setting<DirectiveValue>>;
  /** In the order of the first argument that needs each, with the name of that argument. */
  readonly applications: Map<ApplyChange, ByteString>;
}

const LOADING_ERROR = 'LOADING Redis is loading the dataset in memory';
const GLOB_CHARACTERS = /[[*?]/;

function allEntries(): Map<ByteString, Entry> {
  const entries = new Map<ByteString, Entry>();
  for (const [directive, { alias, flags }] of directives) {
    for (const name of alias === undefined ? [directive] : [directive, alias]) {
      entries.set(name, {
        name,
        bytes: bytesOf(name),
        directive,
        isHidden: flags?.includes('hidden') ?? false,
      });
    }
  }
  return entries;
}

const ENTRIES: ReadonlyMap<ByteString, Entry> = allEntries();

const CODECS = { ...plainCodecs, ...specialCodecs };

/** The entry and the codec of a directive. That the two fit is what the type of `Codecs` says of each kind. */
function describe(name: DirectiveName): { directive: Directive; codec: Codec<Directive, DirectiveValue> } {
  const directive = directives.get(name);
  if (directive === undefined) throw new Error(`no directive ${name}`);
  return { directive, codec: CODECS[directive.kind] as unknown as Codec<Directive, DirectiveValue> };
}

function hasFlag(name: DirectiveName, flag: DirectiveFlag): boolean {
  return describe(name).directive.flags?.includes(flag) ?? false;
}

/** The directive that a client or a file means by a name, in any case; undefined when there is none. */
export function findDirective(name: ByteString): DirectiveName | undefined {
  return ENTRIES.get(name.toLowerCase())?.directive;
}

/**
 * The configuration of one server: what every directive is set to, and CONFIG GET, SET and REWRITE on it.
 *
 * Names, patterns, values and errors that come from clients or go to them are `ByteString`s.
 */
export class Configuration {
  /**
   * The value of each directive. Reading one is a look-up in a hash of V8's (a few nanoseconds); code that needs it for
   * every command keeps a copy of its own and renews it in `onChange`.
   */
  readonly values: DirectiveValues;

  /** The absolute path of the configuration file; undefined when the server was started without one. */
  file: string | undefined;

  private readonly settings = new Map<DirectiveName, Setting<DirectiveValue>>();
  private readonly listeners = new Map<DirectiveName, Set<ApplyChange>>();
  /** The change that waits for an application to answer; later ones queue behind it. */
  private pendingChange: Promise<Outcome> | undefined;

  constructor() {
    for (const name of directives.keys()) {
      const { directive, codec } = describe(name);
      this.settings.set(name, codec.initial(directive));
    }
    const pairs = [...this.settings].map(([name, { value }]) => [name, value]);
    this.values = Object.fromEntries(pairs) as DirectiveValues;
  }

  /** The value of a directive. */
  get<N extends DirectiveName>(name: N): DirectiveValues[N] {
    return this.values[name];
  }

  /** The value of a directive as CONFIG GET shows it. */
  text(name: DirectiveName): ByteString {
    return this.setting(name).text;
  }

  /** A path that a directive gives, relative to `dir`. */
  resolvePath(path: string): string {
    return resolve(this.values.dir, path);
  }

  /** Calls `apply` when CONFIG SET has changed one of some directives; once also when it has changed several. */
  onChange(names: DirectiveName | readonly DirectiveName[], apply: ApplyChange): void {
    for (const name of typeof names === 'string' ? [names] : names) {
      const listeners = this.listeners.get(name) ?? new Set();
      listeners.add(apply);
      this.listeners.set(name, listeners);
    }
  }

  /**
   * Names and values for CONFIG GET. A pattern without glob characters is a name, in any case, answered as it was
   * given; hidden directives must be asked for so. Every name comes once.
   */
  getMatching(patterns: readonly ByteString[]): [name: ByteString, value: ByteString][] {
    const matches = new Map<ByteString, [ByteString, ByteString]>();
    for (const pattern of patterns.map(beforeNul)) {
      const isGlob = GLOB_CHARACTERS.test(pattern);
      const named = ENTRIES.get(pattern.toLowerCase());
      const bytes = bytesOf(pattern);
      for (const entry of isGlob ? ENTRIES.values() : named === undefined ? [] : [named]) {
        if (matches.has(entry.name)) continue;
        if (isGlob && (entry.isHidden || !matchesName(bytes, entry.bytes))) continue;
        matches.set(entry.name, [isGlob ? entry.name : pattern, this.text(entry.directive)]);
      }
    }
    return [...matches.values()];
  }

  /** Whether the value given for a name must not be shown in SLOWLOG, MONITOR or logs. */
  isSensitive(name: ByteString): boolean {
    const directive = findDirective(name);
    return directive !== undefined && hasFlag(directive, 'sensitive');
  }

  /**
   * CONFIG SET: sets all of some names to values, or none of them. Returns a promise when a listener does; then the
   * client's reply has to wait for it.
   */
  set(
    pairs: readonly (readonly [name: ByteString, value: ByteString])[],
    circumstances: ChangeCircumstances,
  ): Outcome | Promise<Outcome> {
    if (this.pendingChange !== undefined) {
      return this.pendingChange.then(() => this.set(pairs, circumstances));
    }
    const refusal = this.refuse(pairs, circumstances);
    if (refusal !== undefined) return refusal;

    const change: Change = { previous: new Map(), applications: new Map() };
    for (const [name, value] of pairs) {
      const rejection = this.change(name, value, change);
      if (rejection !== undefined) {
        this.restore(change);
        return failure(name.toLowerCase(), rejection);
      }
    }
    const outcome = this.apply(change, [...change.applications]);
    if (outcome instanceof Promise) {
      this.pendingChange = outcome.finally(() => {
        this.pendingChange = undefined;
      });
      return this.pendingChange;
    }
    return outcome;
  }

  /**
   * Sets a directive for the server itself, with the arguments that a line of the file would have: whatever its flags,
   * and without calling listeners. Returns what is wrong with the arguments.
   *
   * @param continuesFile see `ParseContext`
   */
  override(name: DirectiveName, args: readonly ByteString[], continuesFile = false): string | undefined {
    if (args.length !== 1 && !hasFlag(name, 'multiple-arguments')) return 'wrong number of arguments';
    const parsed = this.parse(name, args, { isCommand: false, continuesFile });
    if ('rejection' in parsed) return parsed.rejection;
    this.store(name, parsed);
    return undefined;
  }

  /**
   * As `override`, given a name and a value as a program has them: ordinary strings, a list parted by single spaces.
   * Returns what is wrong with either.
   */
  assign(name: string, value: string): string | undefined {
    const directive = findDirective(name);
    if (directive === undefined) return 'no such directive';
    return this.override(directive, splitValue(directive, encodeByteString(value)));
  }

  /** CONFIG REWRITE: writes the configuration to the file it came from. */
  rewrite(options: RewriteOptions = {}): Outcome {
    if (this.file === undefined) return 'ERR The server is running without a config file';
    const lines = [...directives.keys()].map((name) => {
      const { directive, codec } = describe(name);
      return [name, codec.rewrite(name, this.setting(name), directive)] as const;
    });
    try {
      rewriteConfigurationFile(this.file, lines, findDirective, options);
      return undefined;
    } catch (error) {
      return `ERR Rewriting config file: ${systemErrorText(error)}`;
    }
  }

  private setting(name: DirectiveName): Setting<DirectiveValue> {
    const setting = this.settings.get(name);
    if (setting === undefined) throw new Error(`no directive ${name}`);
    return setting;
  }

  private store(name: DirectiveName, setting: Setting<DirectiveValue>): void {
    this.settings.set(name, setting);
    (this.values as Record<DirectiveName, unknown>)[name] = setting.value;
  }

  private parse(
    name: DirectiveName,
    args: readonly ByteString[],
    source: Pick<ParseContext, 'isCommand' | 'continuesFile'>,
  ): Setting<DirectiveValue> | Rejection {
    const { directive, codec } = describe(name);
    const previous = this.setting(name);
    return codec.parse(args, directive, { previous, values: this.values, file: this.file, ...source });
  }

  /** Why the names of a CONFIG SET are refused, before their values are looked at. */
  private refuse(
    pairs: readonly (readonly [ByteString, ByteString])[],
    { isLoading, isLocalClient }: ChangeCircumstances,
  ): Outcome {
    const protectedConfigs = this.values['enable-protected-configs'];
    const allowsProtected = protectedConfigs === 'yes' || (protectedConfigs === 'local' && isLocalClient);
    const seen = new Set<ByteString>();
    for (const [name] of pairs) {
      const entry = ENTRIES.get(name.toLowerCase());
      if (entry === undefined) {
        return `ERR Unknown option or number of arguments for CONFIG SET - '${beforeNul(name)}'`;
      }
      if (hasFlag(entry.directive, 'immutable')) return failure(name, "can't set immutable config");
      if (hasFlag(entry.directive, 'protected') && !allowsProtected) {
        return failure(name, "can't set protected config");
      }
      if (isLoading && hasFlag(entry.directive, 'deny-loading')) return LOADING_ERROR;
      // An alias next to its directive is no duplicate: the last one counts (as in Redis).
      if (seen.has(entry.name)) return failure(name, 'duplicate parameter');
      seen.add(entry.name);
    }
    return undefined;
  }

  /** Sets one name of a CONFIG SET, noting what it was and what is to be called. */
  private change(name: ByteString, value: ByteString, change: Change): string | undefined {
    const directiveName = findDirective(name);
    if (directiveName === undefined) throw new Error(`no directive ${name}`);
    const previous = this.setting(directiveName);
    const parsed = this.parse(directiveName, splitValue(directiveName, value), {
      isCommand: true,
      continuesFile: false,
    });
    if ('rejection' in parsed) return parsed.rejection;

    const isChanged =
      parsed.text !== previous.text ||
      describe(directiveName).codec.alwaysChanges ||
      hasFlag(directiveName, 'volatile');
    if (!isChanged) return undefined;
    if (!change.previous.has(directiveName)) change.previous.set(directiveName, previous);
    this.store(directiveName, parsed);
    for (const apply of this.listeners.get(directiveName) ?? []) {
      if (!change.applications.has(apply)) change.applications.set(apply, name.toLowerCase());
    }
    return undefined;
  }

  /** Calls what is left to be called of a change, in order, and takes the change back when one of them fails. */
  private apply(change: Change, applications: [ApplyChange, ByteString][]): Outcome | Promise<Outcome> {
    for (const [index, [apply, name]] of applications.entries()) {
      const rejection = apply();
      if (rejection instanceof Promise) {
        return rejection.then((text) =>
          text === undefined
            ? this.apply(change, applications.slice(index + 1))
            : this.takeBack(change, name, text),
        );
      }
      if (rejection !== undefined) return this.takeBack(change, name, rejection);
    }
    return undefined;
  }

  /** Restores all values of a change and applies them again, whatever the applications say this time. */
  private takeBack(change: Change, name: ByteString, rejection: string): Outcome | Promise<Outcome> {
    this.restore(change);
    const outcome = failure(name, rejection);
    return this.applyAgain([...change.applications.keys()])?.then(() => outcome) ?? outcome;
  }

  private applyAgain(applications: ApplyChange[]): Promise<void> | undefined {
    for (const [index, apply] of applications.entries()) {
      const rejection = apply();
      if (rejection instanceof Promise) {
        return rejection.then(() => this.applyAgain(applications.slice(index + 1)));
      }
    }
    return undefined;
  }

  private restore(change: Change): void {
    for (const [name, setting] of change.previous) this.store(name, setting);
  }
}

/** The arguments that a value of CONFIG SET stands for. */
function splitValue(name: DirectiveName, value: ByteString): ByteString[] {
  if (!hasFlag(name, 'multiple-arguments')) return [value];
  return value === '' ? [] : value.split(' ');
}

function failure(name: ByteString, rejection: string): string {
  return `ERR CONFIG SET failed (possibly related to argument '${beforeNul(name)}') - ${rejection}`;
}

function matchesName(pattern: Uint8Array, name: Uint8Array): boolean {
  return matchGlob(pattern, 0, pattern.length, name, 0, name.length, true);
}
