import { numbered, until, untilFreed, VALUE, words } from './row.mjs';

const MILLION = 1_000_000;
const KEYS = 100_000;
/** How long after the last of them is set the keys expire: long enough for all of them to be set before. */
const EXPIRY_LEAD_MS = 15_000;

/** @param {number} index */
const key = (index) => numbered('key:', index);
/** @param {number} index */
const setKey = (index) => ['SET', key(index), VALUE];

/** @type {import('./row.mjs').Family} */
export const strings = {
  name: 'strings',
  pipelines: [1, 16, 100],
  cpu: [
    { name: 'PING', command: ['PING'] },
    { name: 'SET', command: ['SET', 'key:__rand_int__', VALUE] },
    {
      name: 'GET',
      command: ['GET', 'key:__rand_int__'],
      prepare: (load) => load.fill(KEYS, setKey),
      needs: ['SET'],
    },
    { name: 'INCR', command: ['INCR', 'counter:__rand_int__'] },
    { name: 'MSET of 10 keys', command: ['MSET', ...words(10, () => ['key:__rand_int__', VALUE])] },
  ],
  memory: [1, 5].map((millions) => ({
    name: `${millions} million keys of 16 bytes with values of 32`,
    items: millions * MILLION,
    needs: ['SET', 'INFO'],
    fill: (load, items) => load.fill(items, setKey),
  })),
  stalls: [
    {
      name: '5 million keys',
      needs: ['SET', 'PEXPIREAT', 'FLUSHALL', 'DBSIZE', 'INFO'],
      phases: [
        { name: 'inserted', run: (load) => load.traffic(5 * MILLION, setKey) },
        {
          name: 'deleted by FLUSHALL ASYNC',
          run: async (_, connection) => {
            await connection.ask('FLUSHALL', 'ASYNC');
            await untilFreed(connection);
          },
        },
        {
          name: '1 million of them expire at the same millisecond',
          prepare: async (load) => {
            await load.fill(5 * MILLION, setKey);
            const deadline = String(Date.now() + EXPIRY_LEAD_MS);
            await load.fill(MILLION, (i) => ['PEXPIREAT', key(i * 5), deadline]);
          },
          run: async (_, connection) => {
            if ((await connection.ask('DBSIZE')) !== String(5 * MILLION))
              throw new Error('keys expired too early');
            await until(async () => (await connection.ask('DBSIZE')) === String(4 * MILLION));
          },
        },
      ],
    },
  ],
};
