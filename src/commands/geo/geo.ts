import type { Command } from '../../server/command.js';
import { addingPlacesCommands } from './adding.js';
import { readingPlacesCommands } from './reading.js';
import { searchingPlacesCommands } from './searching.js';

/** The family of geospatial indexes: sorted sets whose scores are geohashes. */
export const geoCommands: readonly Command[] = [
  ...addingPlacesCommands,
  ...readingPlacesCommands,
  ...searchingPlacesCommands,
];
