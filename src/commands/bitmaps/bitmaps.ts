import type { Command } from '../../server/command.js';
import { bitfieldCommands } from './bitfields.js';
import { singleBitCommands } from './bits.js';
import { combiningCommands } from './combining.js';
import { bitRangeCommands } from './ranges.js';

/** The commands of the bitmap family. */
export const bitmapsCommands: readonly Command[] = [
  ...singleBitCommands,
  ...bitRangeCommands,
  ...combiningCommands,
  ...bitfieldCommands,
];
