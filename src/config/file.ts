import { appendFileSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { splitArguments } from '../protocol/inline.js';
import { type ByteString, byteStringOf, bytesOf, decodeByteString, encodeByteString } from './byte-string.js';
import { parseCommandLine } from './command-line.js';
import { Configuration, findDirective } from './configuration.js';
import { ConfigurationError } from './configuration-error.js';
import { type DirectiveName, directives, ignoredDirectives } from './directives.js';
import { findFiles, hasWildcards } from './file-glob.js';
import { trimLine } from './rewrite.js';
import { systemErrorCode, systemErrorText } from './system-error.js';

/** Where a configuration comes from, and what the statements in it that are no directives do. */
export interface LoadOptions {
  /** The path of the configuration file; without it, the first of `argv` that does not start with `-`. */
  readonly file?: string;
  /** The arguments after the program's name. */
  readonly argv?: readonly string[];
  /** What `-` among the arguments reads; without it, the standard input of this process. */
  readonly stdin?: string | Uint8Array;
  /** Handles `rename-command`; the empty new name removes the command. Returns what is wrong with the names. */
  readonly renameCommand?: (name: ByteString, newName: ByteString) => string | undefined;
  /**
   * Handles `user`, given all arguments, `user` the first of them. Returns what is wrong with one, and which.
   */
  readonly declareUser?: (
    args: readonly ByteString[],
  ) => { reason: string; argument: ByteString } | undefined;
  /** Told of what Redis logs as a warning while it reads its configuration. */
  readonly warn?: (message: string) => void;
}

/** How deep files may include each other; Redis has no limit but its stack. */
const INCLUDE_DEPTH_MAX = 100;

/** The reading of one configuration, from all its sources. */
class Loader {
  private readonly configuration: Configuration;
  private readonly options: LoadOptions;
  private readonly seen = new Set<DirectiveName>();
  /** Statements that are no directives, with their arguments, the last one of each name. */
  private readonly unresolved = new Map<ByteString, ByteString>();
  private modulePath: ByteString | undefined;
  private includeDepth = 0;

  constructor(configuration: Configuration, options: LoadOptions) {
    this.configuration = configuration;
    this.options = options;
  }

  /** Reads a file, or the files that a pattern stands for, and further text, as one. */
  load(path: string | undefined, furtherText: ByteString): void {
    this.loadText((path === undefined ? '' : this.readFiles(path)) + furtherText);
  }

  /** Refuses what Redis finds out when everything is read: modules, and what turned out to be no directive. */
  finish(): void {
    if (this.modulePath !== undefined) throw ConfigurationError.cannotLoadModule(this.modulePath);
    if (this.unresolved.size > 0) throw ConfigurationError.unresolved(this.unresolved);
  }

  private readFiles(path: string): ByteString {
    const { dir } = this.configuration.values;
    const paths = hasWildcards(path) ? findFiles(path, dir) : [path];
    return paths.map((found) => readFile(found, resolve(dir, found))).join('');
  }

  private loadText(text: ByteString): void {
    for (const [index, rawLine] of text.split('\n').entries()) {
      const line = trimLine(rawLine);
      if (line === '' || line.startsWith('#')) continue;
      const reason = this.loadLine(line);
      if (reason !== undefined) throw ConfigurationError.inLine({ number: index + 1, text: line }, reason);
    }
    this.checkAsWhole();
  }

  /** Returns what is wrong with the line. */
  private loadLine(line: ByteString): string | undefined {
    const args = splitArguments(bytesOf(line))?.map(byteStringOf);
    if (args === undefined) return 'Unbalanced quotes in configuration line';
    if (args.length === 0) return undefined;
    const name = args[0].toLowerCase();
    const directive = findDirective(name);
    if (directive !== undefined) return this.setDirective(directive, args.slice(1));
    if (ignoredDirectives.has(name) && args.length === 2) return undefined;
    return this.executeStatement(name, args);
  }

  private setDirective(name: DirectiveName, args: readonly ByteString[]): string | undefined {
    const isList = directives.get(name)?.flags?.includes('multiple-arguments') ?? false;
    const continuesFile = this.seen.has(name);
    this.seen.add(name);
    // A list may come as one quoted argument. One with unbalanced quotes is taken for an empty list (as in Redis).
    const list =
      isList && args.length === 1 && args[0] !== '' ? (splitArguments(bytesOf(args[0])) ?? []) : undefined;
    return this.configuration.override(name, list?.map(byteStringOf) ?? args, continuesFile);
  }

  private executeStatement(name: ByteString, args: readonly ByteString[]): string | undefined {
    const { renameCommand, declareUser } = this.options;
    if (name === 'include' && args.length === 2) {
      this.include(decodeByteString(args[1]));
      return undefined;
    }
    if (name === 'rename-command' && args.length === 3) return renameCommand?.(args[1], args[2]);
    if (name === 'user' && args.length >= 2) {
      const error = declareUser?.(args);
      return error && `Error in user declaration '${decodeByteString(error.argument)}': ${error.reason}`;
    }
    if (name === 'loadmodule' && args.length >= 2) {
      this.modulePath ??= args[1];
      return undefined;
    }
    if (name === 'sentinel') {
      return args.length === 1 ? undefined : 'sentinel directive while not in sentinel mode';
    }
    if (args.length < 2) return 'Bad directive or wrong number of arguments';
    this.unresolved.set(name, args.slice(1).join(' '));
    return undefined;
  }

  private include(path: string): void {
    if (this.includeDepth === INCLUDE_DEPTH_MAX)
      throw ConfigurationError.cannotOpen(path, 'Files include each other');
    this.includeDepth++;
    this.load(path, '');
    this.includeDepth--;
  }

  /** Checks what no single line shows, after every file. */
  private checkAsWhole(): void {
    const { values } = this.configuration;
    if (values.logfile !== '') {
      try {
        appendFileSync(this.configuration.resolvePath(values.logfile), '');
      } catch (error) {
        throw ConfigurationError.inLine(undefined, `Can't open the log file: ${systemErrorText(error)}`);
      }
    }
    if (!values['cluster-enabled']) return;
    if (values.replicaof !== undefined) {
      throw ConfigurationError.inLine(undefined, 'replicaof directive not allowed in cluster mode');
    }
    if (values.databases > 1) {
      this.options.warn?.(
        `WARNING: Changing databases number from ${values.databases} to 1 since we are in cluster mode`,
      );
      this.configuration.override('databases', ['1']);
    }
  }
}

/**
 * Reads a server's configuration: the file, then standard input, then the command line; the last word counts.
 *
 * @throws ConfigurationError whose message is the full text that Redis prints
 */
export function loadConfiguration(options: LoadOptions): Configuration {
  const { file, argv = [] } = options;
  const commandLine = parseCommandLine(file === undefined ? argv : [resolve(file), ...argv]);
  const configuration = new Configuration();
  if (commandLine.file !== undefined) configuration.file = resolve(commandLine.file);

  const standardInput = commandLine.readsStandardInput ? readStandardInput(options.stdin) : '';
  const loader = new Loader(configuration, options);
  loader.load(configuration.file, `${standardInput}\n${commandLine.lines}`);
  loader.finish();
  return configuration;
}

function readStandardInput(stdin: string | Uint8Array | undefined): ByteString {
  if (typeof stdin === 'string') return encodeByteString(stdin);
  return stdin === undefined ? readFileSync(0, 'latin1') : byteStringOf(stdin);
}

/** @param name the path as it was given, for the error message */
function readFile(name: string, path: string): ByteString {
  try {
    return readFileSync(path, 'latin1');
  } catch (error) {
    // C's fopen() opens a directory, and then finds nothing in it.
    if (systemErrorCode(error) === 'EISDIR') return '';
    throw ConfigurationError.cannotOpen(name, systemErrorText(error));
  }
}
