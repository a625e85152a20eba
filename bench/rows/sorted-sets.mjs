import { largeValue, numbered, words } from './row.mjs';

const MILLION = 1_000_000;

/** @param {number} index */
const member = (index) => numbered('member:', index);
/** A score that has nothing to do with the order of insertion: an odd factor permutes the numbers below 2^20. */
const score = (/** @type {number} */ index) => String((index * 654_321) & 0xfffff);

/**
 * A batch of a thousand members.
 * @param {string} key
 */
const addThousands = (key) => (/** @type {number} */ part) => [
  'ZADD',
  key,
  ...words(1000, (i) => [score(part * 1000 + i), member(part * 1000 + i)]),
];

/** @type {Pick<import('./row.mjs').CommandRow, 'keys' | 'prepare' | 'needs'>} */
const amongAMillion = {
  keys: MILLION,
  prepare: (load) => load.fill(MILLION / 1000, addThousands('sorted')),
  needs: ['ZADD'],
};

/** @type {import('./row.mjs').Family} */
export const sortedSets = {
  name: 'sorted-sets',
  pipelines: [16],
  cpu: [
    { name: 'ZADD', command: ['ZADD', 'sorted', '__rand_int__', 'member:__rand_int__'] },
    {
      name: 'ZPOPMIN',
      command: ['ZPOPMIN', 'sorted'],
      prepare: (load, requests) => load.fill(Math.ceil(requests / 1000), addThousands('sorted')),
      consumes: true,
      needs: ['ZADD'],
    },
    {
      name: 'ZRANGE by score, LIMIT 0 10',
      command: ['ZRANGE', 'sorted', '__rand_int__', '+inf', 'BYSCORE', 'LIMIT', '0', '10'],
      ...amongAMillion,
    },
    {
      name: 'ZRANK among 1 million',
      command: ['ZRANK', 'sorted', 'member:__rand_int__'],
      ...amongAMillion,
    },
  ],
  memory: [
    {
      name: 'a sorted set of 1 million members',
      items: MILLION,
      needs: ['ZADD', 'INFO'],
      fill: (load, items) => load.fill(items / 1000, addThousands('sorted')),
    },
  ],
  stalls: [largeValue('a sorted set of 1 million members', addThousands('large'), 'ZSCAN')],
};
