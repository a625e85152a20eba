import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { runProgram } from './programs.mjs';
import { preparedDirectory, replaceOnce } from './sources.mjs';
import { runTestsInTurns } from './test-turns.mjs';

/** @typedef {import('./suite.mjs').ClientSuite} ClientSuite */

const VERSION = '9.17.3';

const MODULE = 'github.com/redis/go-redis/v9';

/** Becomes a file of the package under test: it reports what runs. */
const RESULTS_SOURCE = fileURLToPath(new URL('go_redis_results_test.go', import.meta.url));

/**
 * go-redis' own specifications (Ginkgo), from its published module.
 * @type {ClientSuite}
 */
export const goRedis = {
  version: VERSION,
  prepare: () => preparedDirectory(`go-redis-${VERSION}`, build),
  run: ({ directory, startServer, workDirectory, exclusions, secondsMax }) => {
    const leftOut = exclusions.map(({ test }) =>
      test.endsWith('_test.go') ? `-ginkgo.skip-file=${test}` : `-ginkgo.skip=^go-redis ${asPattern(test)}`,
    );
    return runTestsInTurns({
      workDirectory,
      secondsMax,
      async begin() {
        const server = await startServer();
        return {
          program: path.join(directory, 'go-redis.test'),
          programArguments: ['-test.run=^TestGinkgoSuite$', '-ginkgo.no-color', '-ginkgo.seed=1', ...leftOut],
          directory,
          environment: {
            REDIS_PORT: `${server.port}`,
            REDIS_VERSION: '8.0',
            // "Redis Enterprise": one server, without the rings, sentinels and clusters that the suite sets up otherwise.
            RE_CLUSTER: 'true',
          },
          end: server.stop,
        };
      },
    });
  },
};

/** @param {string} directory */
function build(directory) {
  const about = runProgram('go', ['mod', 'download', '-json', `${MODULE}@v${VERSION}`], { directory });
  fs.cpSync(JSON.parse(about).Dir, directory, { recursive: true });
  runProgram('chmod', ['-R', 'u+w', '.'], { directory });
  replaceOnce(
    path.join(directory, 'main_test.go'),
    'redisStackPort = "6379"',
    'redisStackPort = os.Getenv("REDIS_PORT")',
  );
  fs.copyFileSync(RESULTS_SOURCE, path.join(directory, 'respite_results_test.go'));
  runProgram('go', ['test', '-c', '-p', '1', '-o', 'go-redis.test', '.'], { directory });
}

/** @param {string} text  to be found as it is */
function asPattern(text) {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
