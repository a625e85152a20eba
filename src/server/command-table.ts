import type { ByteLength, ByteOffset } from '../memory/reference.js';
import type { Arguments } from '../protocol/arguments.js';
import type { Command } from './command.js';
import { CommandIndex } from './command-index.js';
import { indexOf, type RegisteredCommand, registerAll } from './registered-command.js';

/**
 * All commands of the server. Made from the entries that the families export; a wrong entry throws an Error with its
 * name, so that the server does not start.
 */
export class CommandTable {
  /** Every command, without subcommands. Renamed and disabled ones too. */
  readonly commands: readonly RegisteredCommand[];
  readonly #byName: Map<string, RegisteredCommand>;
  readonly #originalNames: CommandIndex<RegisteredCommand>;
  #names: CommandIndex<RegisteredCommand>;

  constructor(entries: readonly Command[]) {
    this.commands = registerAll(entries, undefined, 0);
    this.#byName = new Map(this.commands.map((command) => [command.fullName, command]));
    this.#originalNames = indexOf(this.commands);
    this.#names = this.#originalNames;
  }

  /** The command that clients call by these bytes, in any case. The hot lookup. */
  find(bytes: Uint8Array, offset: ByteOffset, length: ByteLength): RegisteredCommand | undefined {
    return this.#names.find(bytes, offset, length);
  }

  /** As `find`, by the name that the command had before `rename-command`: for the AOF, replication and ACL rules. */
  findOriginal(bytes: Uint8Array, offset: ByteOffset, length: ByteLength): RegisteredCommand | undefined {
    return this.#originalNames.find(bytes, offset, length);
  }

  /** The subcommand of `parent` that these bytes name, in any case. */
  findSubcommand(
    parent: RegisteredCommand,
    bytes: Uint8Array,
    offset: ByteOffset,
    length: ByteLength,
  ): RegisteredCommand | undefined {
    return parent.subcommandIndex?.find(bytes, offset, length);
  }

  /** The command or subcommand that a call runs; undefined when either name is unknown. */
  resolve(call: Arguments): RegisteredCommand | undefined {
    const command = this.find(call.bytes, call.offsets[0], call.lengths[0]);
    if (command?.subcommandIndex === undefined || call.count === 1) return command;
    return command.subcommandIndex.find(call.bytes, call.offsets[1], call.lengths[1]);
  }

  /** The command called `get`, or the subcommand called `client|getname`, in any case. Cold paths only. */
  findByFullName(fullName: string): RegisteredCommand | undefined {
    const [name, subcommandName, ...rest] = fullName.split('|').map((part) => Buffer.from(part, 'latin1'));
    if (rest.length > 0) return undefined;
    const command = this.find(name, 0, name.length);
    if (command === undefined || subcommandName === undefined) return command;
    return this.findSubcommand(command, subcommandName, 0, subcommandName.length);
  }

  /** The commands that clients can call, in no particular order. */
  callable(): Iterable<RegisteredCommand> {
    return this.#byName.values();
  }

  /**
   * Lets clients call a command by another name, or by none when `newName` is empty. Throws an Error with Redis's text
   * when there is no such command or the new name is taken.
   */
  rename(name: string, newName: string): void {
    const from = lowerCase(name);
    const to = lowerCase(newName);
    const command = this.#byName.get(from);
    if (command === undefined) throw new Error('No such command in rename-command');
    if (to !== '' && to !== from && this.#byName.has(to))
      throw new Error('Target command name already exists');
    this.#byName.delete(from);
    if (to !== '') this.#byName.set(to, command);
    this.#names = new CommandIndex(this.#byName);
  }

  /** Sets the statistics of all commands back to zero (CONFIG RESETSTAT). */
  resetStatistics(): void {
    for (const command of this.commands) command.resetStatistics();
  }
}

/** ASCII letters only: a name from `redis.conf` may hold any bytes. */
function lowerCase(name: string): string {
  return name.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}
