import type { Command } from '../../server/command.js';
import { addingCommands } from './adding.js';
import { combiningCommands } from './combining.js';
import { poppingCommands } from './popping.js';
import { randomCommands } from './random.js';
import { rangesCommands } from './ranges.js';
import { readingCommands } from './reading.js';
import { removingCommands } from './removing.js';

/** The family of sorted sets. */
export const sortedSetsCommands: readonly Command[] = [
  ...addingCommands,
  ...readingCommands,
  ...rangesCommands,
  ...removingCommands,
  ...poppingCommands,
  ...randomCommands,
  ...combiningCommands,
];
