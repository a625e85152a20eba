import type { Command } from '../../server/command.js';
import { countingCommands } from './counting.js';
import { fieldExpiryCommands } from './field-expiry.js';
import { getdelGetexSetexCommands } from './getdel-getex-setex.js';
import { readingCommands } from './reading.js';
import { storingCommands } from './storing.js';
import { walkingCommands } from './walking.js';

/** The commands of the hash family. */
export const hashesCommands: readonly Command[] = [
  ...readingCommands,
  ...storingCommands,
  ...countingCommands,
  ...walkingCommands,
  ...fieldExpiryCommands,
  ...getdelGetexSetexCommands,
];
