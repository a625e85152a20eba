import type { Command } from '../../server/command.js';
import { changingCommands } from './changing.js';
import { combiningCommands } from './combining.js';
import { randomCommands } from './random.js';
import { readingCommands } from './reading.js';

/** The family of sets. */
export const setsCommands: readonly Command[] = [
  ...changingCommands,
  ...readingCommands,
  ...randomCommands,
  ...combiningCommands,
];
