/**
 * What is measured is data: families of rows. A new row needs nothing but its entry in one of the files here.
 *
 * @typedef {import('../load.mjs').Loader} Loader
 * @typedef {import('../connection.mjs').Connection} Connection
 *
 * @typedef {object} CommandRow  CPU per command, and throughput
 * @property {string} name
 * @property {readonly string[]} command  for redis-benchmark: `__rand_int__` is 12 digits below `keys`
 * @property {number} [keys]  default: 100,000
 * @property {(load: Loader, requests: number) => Promise<void>} [prepare]  fills an empty server
 * @property {boolean} [consumes]  what is prepared is used up, one a request: it is prepared again for every run
 * @property {readonly string[]} [needs]  commands that `prepare` uses besides
 * @property {readonly string[]} [options]  for redis-benchmark
 * @property {(load: Loader, requests: number) => Promise<number>} [drive]  puts the load instead of redis-benchmark;
 *     returns requests a second
 * @property {() => void} [finish]  ends what `prepare` has begun
 *
 * @typedef {object} MemoryRow  bytes an item
 * @property {string} name
 * @property {number} items
 * @property {(load: Loader, items: number) => Promise<void>} fill
 * @property {readonly string[]} needs
 *
 * @typedef {object} StallPhase
 * @property {string} name
 * @property {(load: Loader, connection: Connection) => Promise<void>} [prepare]  what is not measured
 * @property {(load: Loader, connection: Connection) => Promise<void>} run  what is
 *
 * @typedef {object} StallScenario  what happens to one server, phase by phase
 * @property {string} name
 * @property {readonly StallPhase[]} phases
 * @property {readonly string[]} needs
 *
 * @typedef {object} Family
 * @property {string} name
 * @property {readonly number[]} pipelines  at which the commands are measured
 * @property {readonly CommandRow[]} cpu
 * @property {readonly MemoryRow[]} memory
 * @property {readonly StallScenario[]} stalls
 */

/** 32 bytes. */
export const VALUE = 'v'.repeat(32);

/**
 * `prefix`, and 12 digits: what redis-benchmark makes of `__rand_int__`.
 * @param {string} prefix
 * @param {number} index
 */
export function numbered(prefix, index) {
  return prefix + String(index).padStart(12, '0');
}

/**
 * The words `make(first)`, … of a command that takes many at a time.
 * @param {number} count
 * @param {(index: number) => string | string[]} make
 */
export function words(count, make) {
  return Array.from({ length: count }, (_, i) => make(i)).flat();
}

/**
 * Waits until the server says so.
 * @param {() => Promise<boolean>} isSo
 */
export async function until(isSo) {
  const end = Date.now() + 120_000;
  while (!(await isSo())) {
    if (Date.now() > end) throw new Error('what the benchmark waits for does not happen');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/**
 * Waits until nothing that was deleted is still being freed.
 * @param {Connection} connection
 */
export async function untilFreed(connection) {
  await until(async () =>
    /lazyfree_pending_objects:0\b/.test(String(await connection.ask('INFO', 'memory'))),
  );
}

/**
 * A value of a million elements, under the key `large`: made by a thousand commands of a thousand elements, gone
 * through, and deleted.
 * @param {string} name
 * @param {(part: number) => string[]} make
 * @param {'HSCAN' | 'SSCAN' | 'ZSCAN' | 'LRANGE'} iterator
 * @returns {StallScenario}
 */
export function largeValue(name, make, iterator) {
  return {
    name,
    needs: [make(0)[0], iterator, 'DEL', 'INFO'],
    phases: [
      { name: 'made', run: (load) => load.fill(1000, make) },
      {
        name: `iterated by ${iterator}`,
        run: (_, connection) => (iterator === 'LRANGE' ? readRanges(connection) : scan(connection, iterator)),
      },
      {
        name: 'deleted by DEL',
        run: async (_, connection) => {
          await connection.ask('DEL', 'large');
          await untilFreed(connection);
        },
      },
    ],
  };
}

/**
 * @param {Connection} connection
 * @param {string} command
 */
async function scan(connection, command) {
  let cursor = '0';
  do {
    const reply = await connection.ask(command, 'large', cursor, 'COUNT', '1000');
    cursor = String(reply[0]);
  } while (cursor !== '0');
}

/** @param {Connection} connection */
async function readRanges(connection) {
  for (let first = 0; first < 1_000_000; first += 1000) {
    await connection.ask('LRANGE', 'large', String(first), String(first + 999));
  }
}
