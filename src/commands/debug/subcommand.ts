import type { CommandHandler } from '../../server/command.js';

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
