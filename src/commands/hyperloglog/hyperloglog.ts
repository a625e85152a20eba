import type { Command } from '../../server/command.js';
import { countingCommands } from './counting.js';
import { debuggingCommands } from './debugging.js';

/** The commands of the HyperLogLog family. */
export const hyperloglogCommands: readonly Command[] = [...countingCommands, ...debuggingCommands];
