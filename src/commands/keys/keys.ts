import type { Command } from '../../server/command.js';
import { existenceCommands } from './existence.js';
import { expiryCommands } from './expiry.js';
import { movingCommands } from './moving.js';
import { objectCommands } from './object.js';
import { walkingCommands } from './walking.js';

/** The commands on keys whatever their values are. */
export const keysCommands: readonly Command[] = [
  ...existenceCommands,
  ...expiryCommands,
  ...movingCommands,
  ...walkingCommands,
  ...objectCommands,
];
