import type { Command } from '../server/command.js';
import { bitmapsCommands } from './bitmaps/bitmaps.js';
import { clientCommands } from './client/client.js';
import { clusterCommands } from './cluster.js';
import { commandCommands } from './command.js';
import { configCommands } from './config.js';
import { connectionCommands } from './connection.js';
import { debugCommands } from './debug/debug.js';
import { geoCommands } from './geo/geo.js';
import { hashesCommands } from './hashes/hashes.js';
import { hyperloglogCommands } from './hyperloglog/hyperloglog.js';
import { keysCommands } from './keys/keys.js';
import { latencyCommands } from './latency/latency.js';
import { listsCommands } from './lists/lists.js';
import { memoryCommands } from './memory/memory.js';
import { migrationCommands } from './migration.js';
import { monitorCommands } from './monitor.js';
import { persistenceCommands } from './persistence.js';
import { pubsubCommands } from './pubsub.js';
import { replicationCommands } from './replication.js';
import { serializationCommands } from './serialization.js';
import { serverCommands } from './server/server.js';
import { setsCommands } from './sets/sets.js';
import { slowlogCommands } from './slowlog.js';
import { sortCommands } from './sort/sort.js';
import { sortedSetsCommands } from './sorted-sets/sorted-sets.js';
import { stringsCommands } from './strings/strings.js';
import { transactionsCommands } from './transactions.js';

/** Every command that the server has. */
export const allCommands: readonly Command[] = [
  ...bitmapsCommands,
  ...clientCommands,
  ...clusterCommands,
  ...commandCommands,
  ...configCommands,
  ...connectionCommands,
  ...debugCommands,
  ...geoCommands,
  ...hashesCommands,
  ...hyperloglogCommands,
  ...keysCommands,
  ...latencyCommands,
  ...listsCommands,
  ...memoryCommands,
  ...migrationCommands,
  ...monitorCommands,
  ...persistenceCommands,
  ...pubsubCommands,
  ...replicationCommands,
  ...serializationCommands,
  ...serverCommands,
  ...setsCommands,
  ...slowlogCommands,
  ...sortedSetsCommands,
  ...sortCommands,
  ...stringsCommands,
  ...transactionsCommands,
];
