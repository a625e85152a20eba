import type { Command } from '../../server/command.js';
import { countingCommands } from './counting.js';
import { editingCommands } from './editing.js';
import { lcsCommands } from './lcs.js';
import { readingCommands } from './reading.js';
import { storingCommands } from './storing.js';

/** The commands of the string family. */
export const stringsCommands: readonly Command[] = [
  ...readingCommands,
  ...storingCommands,
  ...editingCommands,
  ...countingCommands,
  ...lcsCommands,
];
