import { hashes } from './hashes.mjs';
import { lists } from './lists.mjs';
import { messages } from './messages.mjs';
import { sets } from './sets.mjs';
import { sortedSets } from './sorted-sets.mjs';
import { strings } from './strings.mjs';

/**
 * Every family, in the order of the tables.
 * @type {readonly import('./row.mjs').Family[]}
 */
export const families = [strings, hashes, lists, sets, sortedSets, messages];
