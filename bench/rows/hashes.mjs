import { largeValue, numbered, VALUE, words } from './row.mjs';

const MILLION = 1_000_000;
/** Hashes that commands work on, and fields of each. */
const HASHES = 10_000;
const FIELDS = 20;

/**
 * @param {number} hash
 * @param {number} fields
 */
const setHash = (hash, fields) => [
  'HSET',
  numbered('hash:', hash),
  ...words(fields, (i) => [`field:${i}`, VALUE]),
];

/**
 * A thousandth of a hash of a million fields.
 * @param {number} part
 */
const setLarge = (part) => [
  'HSET',
  'large',
  ...words(1000, (i) => [numbered('field:', part * 1000 + i), VALUE]),
];

/** @type {(fields: number) => import('./row.mjs').CommandRow} */
const getAll = (fields) => ({
  name: `HGETALL of ${fields} fields`,
  command: ['HGETALL', 'hash:__rand_int__'],
  keys: HASHES / 10,
  prepare: (load) => load.fill(HASHES / 10, (i) => setHash(i, fields)),
  needs: ['HSET'],
});

/** @type {import('./row.mjs').Family} */
export const hashes = {
  name: 'hashes',
  pipelines: [16],
  cpu: [
    {
      name: 'HSET',
      command: ['HSET', 'hash:__rand_int__', 'field:7', VALUE],
      keys: HASHES,
      prepare: (load) => load.fill(HASHES, (i) => setHash(i, FIELDS)),
    },
    {
      name: 'HGET',
      command: ['HGET', 'hash:__rand_int__', 'field:7'],
      keys: HASHES,
      prepare: (load) => load.fill(HASHES, (i) => setHash(i, FIELDS)),
      needs: ['HSET'],
    },
    getAll(10),
    getAll(100),
  ],
  memory: [
    {
      name: '1 million hashes of 5 fields',
      items: MILLION,
      needs: ['HSET', 'INFO'],
      fill: (load, items) => load.fill(items, (i) => setHash(i, 5)),
    },
  ],
  stalls: [largeValue('a hash of 1 million fields', setLarge, 'HSCAN')],
};
