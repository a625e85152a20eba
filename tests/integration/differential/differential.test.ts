import { afterAll, beforeAll, describe, it } from 'vitest';
import { bitmapsFamily } from './bitmaps.js';
import { connectionFamily } from './connection.js';
import { Differential, type Family } from './differential.js';
import { fewPlacesFamily, geoFamily, nearPlacesFamily } from './geo.js';
import { fieldExpiryFamily, largeFieldExpiryFamily, smallFieldExpiryFamily } from './hash-field-expiry.js';
import { hashesFamily, largeHashesFamily, smallHashesFamily } from './hashes.js';
import { hyperloglogsFamily, plainHyperloglogsFamily } from './hyperloglogs.js';
import { keysFamily } from './keys.js';
import { changingListsFamily, compressedListsFamily, listsFamily, smallListsFamily } from './lists.js';
import { noListpacksFamily, setsFamily, smallSetsFamily, unusualSetsFamily } from './sets.js';
import { sortFamily } from './sort.js';
import {
  skiplistsFamily,
  smallSortedSetsFamily,
  sortedSetsFamily,
  unusualSortedSetsFamily,
} from './sorted-sets.js';
import { stringsFamily } from './strings.js';
import { transactionsFamily } from './transactions.js';

const FAMILIES: readonly Family[] = [
  bitmapsFamily,
  connectionFamily,
  geoFamily,
  nearPlacesFamily,
  fewPlacesFamily,
  hashesFamily,
  smallHashesFamily,
  largeHashesFamily,
  fieldExpiryFamily,
  smallFieldExpiryFamily,
  largeFieldExpiryFamily,
  hyperloglogsFamily,
  plainHyperloglogsFamily,
  keysFamily,
  listsFamily,
  smallListsFamily,
  compressedListsFamily,
  changingListsFamily,
  setsFamily,
  smallSetsFamily,
  unusualSetsFamily,
  noListpacksFamily,
  sortedSetsFamily,
  smallSortedSetsFamily,
  unusualSortedSetsFamily,
  skiplistsFamily,
  sortFamily,
  stringsFamily,
  transactionsFamily,
];

/** Commands of each family. */
const COMMANDS = Number(process.env.RESPITE_DIFFERENTIAL_COMMANDS ?? 3000);
const SEED = Number(process.env.RESPITE_DIFFERENTIAL_SEED ?? 1);
const TIMEOUT_MS = 60_000 + COMMANDS;

describe(`random commands, next to redis-server 8.0 (seed ${SEED})`, () => {
  let servers: Differential;

  beforeAll(async () => {
    servers = await Differential.start(COMMANDS);
  });

  afterAll(async () => {
    await servers?.stop();
  });

  it.each(FAMILIES)('$name', (family) => servers.run(family, COMMANDS, SEED), TIMEOUT_MS);
});
