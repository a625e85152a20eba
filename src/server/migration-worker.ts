/** What runs in the thread that MigrationThread starts. */
import { workerData } from 'node:worker_threads';
import { type Migration, MigrationSockets } from './migration-sockets.js';
import {
  ANSWERS,
  CACHED_SOCKETS,
  type MigrationAnswer,
  type MigrationThreadData,
} from './migration-thread.js';

const { port, state }: MigrationThreadData = workerData;
const sockets = new MigrationSockets();

sockets.onCachedCount = (count) => {
  Atomics.store(state, CACHED_SOCKETS, count);
};

function answer(message: MigrationAnswer): void {
  port.postMessage(message);
  Atomics.add(state, ANSWERS, 1);
  Atomics.notify(state, ANSWERS);
}

port.on('message', (migration: Migration) => {
  sockets.run(migration).then(
    (outcome) => answer({ outcome }),
    (error: unknown) =>
      answer({ fault: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
  );
});
