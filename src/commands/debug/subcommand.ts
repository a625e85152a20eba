import type { CommandHandler } from '../../server/command.js';
import type { CommandContext } from '../../server/context.js';

/**
 * One thing that DEBUG does. These are no entries of the command table: they are one command there (as in Redis),
 * with no metadata of their own.
 */
export interface DebugSubcommand {
  /** In lower case. */
  readonly name: string;
  /** What comes after the name, as HELP shows it. */
  readonly syntax: string;
  readonly summary: string;
  /** How many arguments come after the name, at least and at most. */
  readonly least: number;
  readonly most: number;
  readonly handler: CommandHandler;
}

/** The position of the first argument behind `DEBUG <name>`. */
export const FIRST_ARGUMENT = 2;

/** What C's atoi() makes of a word: the number that it starts with, or 0. */
export function leadingNumber(word: string): number {
  return Number.parseInt(word, 10) || 0;
}

/** The error for a subcommand that there is not, or not with such arguments. */
export function wrongSubcommand({ arguments: request }: CommandContext): string {
  const name = request.cString(1).slice(0, NAME_BYTES_MAX);
  return `ERR unknown subcommand or wrong number of arguments for '${name}'. Try DEBUG HELP.`;
}

/** How much of a name an error shows. */
const NAME_BYTES_MAX = 128;
