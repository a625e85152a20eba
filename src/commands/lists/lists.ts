import type { Command } from '../../server/command.js';
import { blockingCommands } from './blocking.js';
import { editingCommands } from './editing.js';
import { movingCommands } from './moving.js';
import { poppingCommands } from './popping.js';
import { pushingCommands } from './pushing.js';
import { readingCommands } from './reading.js';
import { searchingCommands } from './searching.js';

/** The family of lists. */
export const listsCommands: readonly Command[] = [
  ...pushingCommands,
  ...poppingCommands,
  ...readingCommands,
  ...searchingCommands,
  ...editingCommands,
  ...movingCommands,
  ...blockingCommands,
];
