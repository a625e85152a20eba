import type { Command, CommandHandler, KeyFinder } from './command.js';
import { type CategoryBits, categoriesOf } from './command-categories.js';
import {
  type CommandFlagBits,
  commandFlagBits,
  FLAG_MOVABLE_KEYS,
  FLAG_READONLY,
  FLAG_WRITE,
} from './command-flags.js';
import { CommandIndex } from './command-index.js';
import { CompiledKeySpec, KEY_INCOMPLETE } from './key-specs.js';
import { argumentCounts, parseSyntax } from './syntax.js';

const COMMAND_NAME = /^[a-z][a-z0-9_-]*$/;
/** Replies are written a byte a character. */
const PLAIN_TEXT = /^[ -~]+$/;
const VERSION = /^\d+\.\d+\.\d+$/;

/**
 * A command of the table: its entry, what follows from it, and its statistics. One class for all, so that the
 * dispatcher meets objects of one shape only.
 */
export class RegisteredCommand {
  /** Unique in the table and dense from 0, containers before their subcommands. Not to be written to a file. */
  readonly id: number;
  readonly entry: Command;
  /** The container of a subcommand. */
  readonly parent: RegisteredCommand | undefined;
  /** `get`, `client|getname`. What `rename-command` does is not seen here. */
  readonly fullName: string;
  readonly arity: number;
  readonly flags: CommandFlagBits;
  readonly categories: CategoryBits;
  /** The keys as COMMAND has always shown them: 0, 0, 0 when they are no plain range. `lastKey` may be negative. */
  readonly firstKey: number;
  readonly lastKey: number;
  readonly keyStep: number;
  readonly keySpecs: readonly CompiledKeySpec[];
  readonly findKeys: KeyFinder | undefined;
  readonly handler: CommandHandler;
  /** The subcommands in the order of the entry; empty when there are none. */
  readonly subcommands: readonly RegisteredCommand[];
  readonly subcommandIndex: CommandIndex<RegisteredCommand> | undefined;

  /** Calls that ran, those that ended in an error included. */
  calls = 0;
  /** The time that they took, in microseconds. */
  microseconds = 0;
  /** Calls that were refused before they ran: wrong arity, no permission, out of memory, … */
  rejectedCalls = 0;
  /** Calls that ran and replied an error. */
  failedCalls = 0;

  /**
   * Registers `entry` and its subcommands, with the ids from `id` on. Throws an Error that names the command when the
   * entry is wrong.
   */
  constructor(entry: Command, parent: RegisteredCommand | undefined, id: number) {
    this.id = id;
    this.entry = entry;
    this.parent = parent;
    this.fullName = parent === undefined ? entry.name : `${parent.fullName}|${entry.name}`;
    try {
      checkEntry(entry, parent);
      const keySpecs = (entry.keys ?? []).map((spec) => new CompiledKeySpec(spec));
      const range = legacyKeyRange(keySpecs);
      this.arity = entry.arity;
      this.flags = commandFlagBits(entry.flags ?? []) | (range.isMovable ? FLAG_MOVABLE_KEYS : 0);
      this.categories = categoriesOf(entry.categories ?? [], this.flags);
      this.firstKey = range.first;
      this.lastKey = range.last;
      this.keyStep = range.step;
      this.keySpecs = keySpecs;
      this.findKeys = entry.findKeys;
    } catch (error) {
      throw new Error(`command '${this.fullName}': ${(error as Error).message}`);
    }
    this.handler = entry.handler ?? runContainer;
    this.subcommands = registerAll(entry.subcommands ?? [], this, id + 1);
    this.subcommandIndex = this.subcommands.length === 0 ? undefined : indexOf(this.subcommands);
  }

  /** Whether the command has any of the flags in `bits`. */
  has(bits: CommandFlagBits): boolean {
    return (this.flags & bits) !== 0;
  }

  /** Whether a call with `count` arguments, all names included, has neither too few nor too many. */
  acceptsCount(count: number): boolean {
    return this.arity > 0 ? count === this.arity : count >= -this.arity;
  }

  /** Sets the statistics back to zero, those of the subcommands too. */
  resetStatistics(): void {
    this.calls = 0;
    this.microseconds = 0;
    this.rejectedCalls = 0;
    this.failedCalls = 0;
    for (const subcommand of this.subcommands) subcommand.resetStatistics();
  }
}

/** Registers entries one behind the other, each taking as many ids as it has subcommands and one. */
export function registerAll(
  entries: readonly Command[],
  parent: RegisteredCommand | undefined,
  firstId: number,
): readonly RegisteredCommand[] {
  let id = firstId;
  return entries.map((entry) => {
    const command = new RegisteredCommand(entry, parent, id);
    id += 1 + command.subcommands.length;
    return command;
  });
}

/** An index by name. Throws an Error when two commands have the same. */
export function indexOf(commands: readonly RegisteredCommand[]): CommandIndex<RegisteredCommand> {
  const byName = new Map<string, RegisteredCommand>();
  for (const command of commands) {
    if (byName.has(command.entry.name)) throw new Error(`command '${command.fullName}' is registered twice`);
    byName.set(command.entry.name, command);
  }
  return new CommandIndex(byName);
}

/** The handler of containers, which the dispatcher never runs: without a subcommand there are too few arguments. */
function runContainer(): never {
  throw new Error('a container of subcommands does nothing by itself');
}

function checkEntry(entry: Command, parent: RegisteredCommand | undefined): void {
  if (!COMMAND_NAME.test(entry.name)) throw new Error('not a command name in lower case');
  if (!VERSION.test(entry.since)) throw new Error(`since '${entry.since}' is no version`);
  for (const text of [entry.summary, entry.complexity ?? '-', ...(entry.history ?? []).flat()]) {
    if (!PLAIN_TEXT.test(text)) throw new Error(`not plain ASCII text: '${text}'`);
  }
  const isContainer = entry.subcommands !== undefined;
  if (isContainer && parent !== undefined) throw new Error('a subcommand has no subcommands');
  if (!isContainer && entry.handler === undefined) throw new Error('it has no handler');
  if (isContainer && entry.handler === undefined && entry.arity !== -2) {
    throw new Error('a container that does nothing by itself has the arity -2');
  }
  const flags = commandFlagBits(entry.flags ?? []);
  if ((flags & FLAG_WRITE) !== 0 && (flags & FLAG_READONLY) !== 0) throw new Error('both write and readonly');
  checkArity(entry, parent === undefined ? 1 : 2);
}

/** An arity must be what the syntax says; without a syntax only its sign is free. */
function checkArity(entry: Command, names: number): void {
  const { arity, syntax } = entry;
  if (!Number.isInteger(arity) || Math.abs(arity) < names) throw new Error(`impossible arity ${arity}`);
  if (syntax === undefined) return;
  const { least, most } = argumentCounts(parseSyntax(syntax));
  if (Math.abs(arity) !== least + names || (arity > 0 && most !== least)) {
    throw new Error(`arity ${arity} contradicts the syntax '${syntax}', ${least} to ${most} arguments`);
  }
}

interface LegacyKeyRange {
  readonly first: number;
  readonly last: number;
  readonly step: number;
  /** There are keys outside the range. */
  readonly isMovable: boolean;
}

/**
 * The one range of keys that old clients know, joined from key specs that are ranges and follow one another. It must
 * equal Redis's, which gives up on steps other than 1 as soon as there are several specs.
 */
function legacyKeyRange(specs: readonly CompiledKeySpec[]): LegacyKeyRange {
  if (specs.length === 1 && specs[0].isRange) {
    const [{ begin, lastKey, step, flags }] = specs;
    const last = lastKey >= 0 ? begin + lastKey : lastKey;
    return { first: begin, last, step, isMovable: (flags & KEY_INCOMPLETE) !== 0 };
  }
  let first = 0;
  let last = 0;
  let isMovable = false;
  for (const spec of specs) {
    const follows = spec.isRange && spec.step === 1 && (last === 0 || last === spec.begin - 1);
    if (!follows || (spec.flags & KEY_INCOMPLETE) !== 0) isMovable = true;
    if (!follows) continue;
    if (first === 0) first = spec.begin;
    last = spec.lastKey >= 0 ? spec.begin + spec.lastKey : spec.lastKey;
  }
  return { first, last, step: first === 0 ? 0 : 1, isMovable };
}
