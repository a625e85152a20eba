import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type PropagatedCommand,
  PropagatingServers,
  streamDifference,
} from '../support/propagated-streams.js';
import { bitmapsFamily } from './differential/bitmaps.js';
import { connectionFamily } from './differential/connection.js';
import { type Family, nextStep } from './differential/differential.js';
import { geoFamily } from './differential/geo.js';
import {
  fieldExpiryFamily,
  largeFieldExpiryFamily,
  smallFieldExpiryFamily,
} from './differential/hash-field-expiry.js';
import { hashesFamily, largeHashesFamily } from './differential/hashes.js';
import { hyperloglogsFamily } from './differential/hyperloglogs.js';
import { keysFamily } from './differential/keys.js';
import { listsFamily, smallListsFamily } from './differential/lists.js';
import { Random } from './differential/random.js';
import { setsFamily, smallSetsFamily } from './differential/sets.js';
import { sortFamily } from './differential/sort.js';
import { skiplistsFamily, sortedSetsFamily } from './differential/sorted-sets.js';
import { stringsFamily } from './differential/strings.js';
import { transactionsFamily } from './differential/transactions.js';
import { type Argument, Wire } from './differential/wire.js';

/**
 * What is propagated, next to what a real redis-server 8.0 writes to its append-only file, command for command: after the
 * same commands, both made by hand and at random.
 */

const FAMILIES: readonly Family[] = [
  bitmapsFamily,
  connectionFamily,
  geoFamily,
  hashesFamily,
  largeHashesFamily,
  fieldExpiryFamily,
  smallFieldExpiryFamily,
  largeFieldExpiryFamily,
  hyperloglogsFamily,
  keysFamily,
  listsFamily,
  smallListsFamily,
  setsFamily,
  smallSetsFamily,
  sortedSetsFamily,
  skiplistsFamily,
  sortFamily,
  stringsFamily,
  transactionsFamily,
];

/** Commands of each family. */
const COMMANDS = Number(process.env.RESPITE_DIFFERENTIAL_COMMANDS ?? 3000);
const SEED = Number(process.env.RESPITE_DIFFERENTIAL_SEED ?? 1);
const ROUND_STEPS = 300;
const BATCH_STEPS = Number(process.env.RESPITE_PROPAGATION_BATCH ?? 50);
const TIMEOUT_MS = 60_000 + COMMANDS * 10;

/** What may meet keys that have expired, and fields of hashes. */
const EXPIRED_FAMILIES = [
  fieldExpiryFamily,
  hashesFamily,
  hyperloglogsFamily,
  keysFamily,
  listsFamily,
  setsFamily,
  sortFamily,
  sortedSetsFamily,
  stringsFamily,
];
const EXPIRED_ROUND_STEPS = 100;
const EXPIRED_KEYS = 12;
/** Time enough for what expires in a millisecond, as both servers count. */
const EXPIRED_AFTER_MS = 10;

/** How they walk a table decides which expired keys or fields these find first. */
const WALKS_AT_RANDOM = new Set(['SCAN', 'RANDOMKEY', 'HRANDFIELD']);

const LAZY_FREE_DIRECTIVES = [
  'lazyfree-lazy-expire',
  'lazyfree-lazy-server-del',
  'lazyfree-lazy-user-del',
  'lazyfree-lazy-eviction',
];

type Commands = readonly (readonly Argument[])[];

let servers: PropagatingServers;
let ours: Wire;
let theirs: Wire;

beforeAll(async () => {
  servers = await PropagatingServers.start({ 'proto-max-bulk-len': '1mb' });
  [ours, theirs] = await Promise.all([Wire.open(servers.respite.port), Wire.open(servers.real.socketPath)]);
});

afterAll(async () => {
  await Promise.all([ours?.close(), theirs?.close()]);
  await servers?.stop();
});

/** Has both servers run commands. Returns what they have propagated since the last time. */
async function propagated(commands: Commands): Promise<[PropagatedCommand[], PropagatedCommand[]]> {
  await Promise.all([ours.send(commands), theirs.send(commands)]);
  return servers.take();
}

/** Begins anew, with the same directives on both. */
async function reset(directives: readonly (readonly [string, string])[] = []): Promise<void> {
  await Promise.all([ours.send([['RESET']]), theirs.send([['RESET']])]);
  const settings = directives.map(([name, value]) => ['CONFIG', 'SET', name, value]);
  await propagated([['FLUSHALL'], ...settings, ['DEBUG', 'SET-ACTIVE-EXPIRE', '0']]);
}

/** Has both servers run random commands, and compares what they propagate. Returns how much that was. */
async function compare(family: Family, random: Random, count: number, context: string): Promise<number> {
  const steps = Array.from({ length: count }, () => nextStep(family, random)).filter(
    ({ args }) => !WALKS_AT_RANDOM.has(String(args[0]).toUpperCase()),
  );
  let commands = 0;
  for (let start = 0; start < steps.length; start += BATCH_STEPS) {
    const [own, others] = await propagated(steps.slice(start, start + BATCH_STEPS).map(({ args }) => args));
    const difference = streamDifference(own, others);
    if (difference !== undefined) throw new Error(`${context}, ${difference}`);
    commands += own.length;
  }
  return commands;
}

function randomSettings(random: Random): (readonly [string, string])[] {
  return LAZY_FREE_DIRECTIVES.map((name) => [name, random.pick(['yes', 'no'])]);
}

describe(`random commands, propagated next to redis-server 8.0 (seed ${SEED})`, () => {
  it.each(FAMILIES)(
    '$name',
    async (family) => {
      const random = new Random(SEED);
      let count = 0;
      for (let round = 0; round * ROUND_STEPS < COMMANDS; round++) {
        await reset(randomSettings(random));
        await propagated(family.before ?? []);
        count += await compare(family, random, ROUND_STEPS, `round ${round}`);
      }
      if (family !== connectionFamily) expect(count).toBeGreaterThan(COMMANDS / 20);
    },
    TIMEOUT_MS,
  );

  it(
    'on keys and fields that have expired',
    async () => {
      const random = new Random(SEED);
      const family: Family = { name: 'all', kinds: EXPIRED_FAMILIES.flatMap(({ kinds }) => kinds) };
      for (let round = 0; round * EXPIRED_ROUND_STEPS < COMMANDS; round++) {
        await reset(randomSettings(random));
        const isTransaction = random.chance(0.3);
        const keys = Array.from({ length: EXPIRED_KEYS }, () => random.key());
        await propagated(keys.flatMap((key) => expiring(key, random)));
        await new Promise((resolve) => setTimeout(resolve, EXPIRED_AFTER_MS));
        if (isTransaction) await propagated([['MULTI']]);
        await compare(family, random, EXPIRED_ROUND_STEPS, `round ${round}`);
        const difference = streamDifference(...(await propagated([['EXEC']])));
        if (difference !== undefined) throw new Error(`round ${round}, EXEC, ${difference}`);
      }
    },
    TIMEOUT_MS,
  );
});

/** Commands that give a key a value which expires at once, or a hash such fields. */
function expiring(key: Argument, random: Random): Argument[][] {
  const value = random.valueOfOtherType(key);
  const made = random.chance(0.3) ? ['SET', key, random.value()] : value;
  if (made[0] !== 'HSET' || random.chance(0.2)) return [['DEL', key], made, ['PEXPIRE', key, '1']];
  const fields = made.filter((_, i) => i >= 2 && i % 2 === 0 && (i < 4 || random.chance(0.5)));
  return [['DEL', key], made, ['HPEXPIRE', key, '1', 'FIELDS', fields.length, ...fields]];
}
