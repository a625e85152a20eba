import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createServer, type RespiteServer } from '../../src/index.js';
import {
  APPEND_ONLY_ARGUMENTS,
  CommandFile,
  CommandSink,
  type PropagatedCommand,
  streamDifference,
} from '../support/propagated-streams.js';
import { RealRedis } from '../support/real-redis.js';
import { connectionFamily } from './differential/connection.js';
import { type Family, nextStep } from './differential/differential.js';
import {
  fieldExpiryFamily,
  largeFieldExpiryFamily,
  smallFieldExpiryFamily,
} from './differential/hash-field-expiry.js';
import { hashesFamily, largeHashesFamily } from './differential/hashes.js';
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
  connectionFamily,
  hashesFamily,
  largeHashesFamily,
  fieldExpiryFamily,
  smallFieldExpiryFamily,
  largeFieldExpiryFamily,
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

/** How they walk a table decides which expired keys these find first. */
const WALKS_AT_RANDOM = new Set(['SCAN', 'RANDOMKEY']);

const LAZY_FREE_DIRECTIVES = [
  'lazyfree-lazy-expire',
  'lazyfree-lazy-server-del',
  'lazyfree-lazy-user-del',
  'lazyfree-lazy-eviction',
];

type Commands = readonly (readonly Argument[])[];

let respite: RespiteServer;
let real: RealRedis;
let ours: Wire;
let theirs: Wire;
const sink = new CommandSink();
let file: CommandFile;

beforeAll(async () => {
  [respite, real] = await Promise.all([
    createServer({ directives: { 'enable-debug-command': 'yes', 'proto-max-bulk-len': '1mb' } }),
    RealRedis.start(...APPEND_ONLY_ARGUMENTS, '--enable-debug-command', 'yes', '--proto-max-bulk-len', '1mb'),
  ]);
  [ours, theirs] = await Promise.all([Wire.open(respite.port), Wire.open(real.socketPath)]);
  respite.server.propagation.addSink(sink);
  file = new CommandFile(real.directory);
});

afterAll(async () => {
  file?.close();
  await Promise.all([ours?.close(), theirs?.close()]);
  await Promise.all([respite?.close(), real?.stop()]);
});

/** Has both servers run commands. Returns what they have propagated since the last time. */
async function propagated(commands: Commands): Promise<[PropagatedCommand[], PropagatedCommand[]]> {
  await Promise.all([ours.send(commands), theirs.send(commands)]);
  return [sink.take(), file.take()];
}

/** Begins anew, with the same directives on both. */
async function reset(directives: readonly (readonly [string, string])[] = []): Promise<void> {
  await Promise.all([ours.send([['RESET']]), theirs.send([['RESET']])]);
  const settings = directives.map(([name, value]) => ['CONFIG', 'SET', name, value]);
  await propagated([['FLUSHALL'], ...settings, ['DEBUG', 'SET-ACTIVE-EXPIRE', '0']]);
}

describe(`random commands, propagated next to redis-server 8.0 (seed ${SEED})`, () => {
  it.each(FAMILIES)(
    '$name',
    async (family) => {
      const random = new Random(SEED);
      let count = 0;
      for (let round = 0; round * ROUND_STEPS < COMMANDS; round++) {
        await reset(LAZY_FREE_DIRECTIVES.map((name) => [name, random.pick(['yes', 'no'])]));
        await propagated(family.before ?? []);
        const steps = Array.from({ length: ROUND_STEPS }, () => nextStep(family, random)).filter(
          ({ args }) => !WALKS_AT_RANDOM.has(String(args[0]).toUpperCase()),
        );
        for (let start = 0; start < steps.length; start += BATCH_STEPS) {
          const commands = steps.slice(start, start + BATCH_STEPS).map(({ args }) => args);
          const [own, others] = await propagated(commands);
          const difference = streamDifference(own, others);
          if (difference !== undefined) {
            throw new Error(`round ${round}, ${difference}`);
          }
          count += own.length;
        }
      }
      if (family !== connectionFamily) expect(count).toBeGreaterThan(COMMANDS / 20);
    },
    TIMEOUT_MS,
  );
});
