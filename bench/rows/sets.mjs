import { largeValue, numbered, words } from './row.mjs';

const MILLION = 1_000_000;
/** Sets that commands work on, and members of each. */
const SETS = 10_000;
const MEMBERS = 20;

/**
 * A batch of a thousand members.
 * @param {string} key
 * @param {(index: number) => string} member
 */
const addThousands = (key, member) => (/** @type {number} */ part) => [
  'SADD',
  key,
  ...words(1000, (i) => member(part * 1000 + i)),
];

/** @param {number} index */
const member = (index) => numbered('member:', index);

/** @type {import('./row.mjs').Family} */
export const sets = {
  name: 'sets',
  pipelines: [16],
  cpu: [
    { name: 'SADD', command: ['SADD', 'set', 'member:__rand_int__'] },
    {
      name: 'SPOP',
      command: ['SPOP', 'set'],
      prepare: (load, requests) => load.fill(Math.ceil(requests / 1000), addThousands('set', member)),
      consumes: true,
      needs: ['SADD'],
    },
    {
      name: 'SISMEMBER',
      command: ['SISMEMBER', 'set:__rand_int__', member(7)],
      keys: SETS,
      prepare: (load) => load.fill(SETS, (i) => ['SADD', numbered('set:', i), ...words(MEMBERS, member)]),
      needs: ['SADD'],
    },
    {
      name: 'SISMEMBER of 1 million members',
      command: ['SISMEMBER', 'set', 'member:__rand_int__'],
      keys: MILLION,
      prepare: (load) => load.fill(MILLION / 1000, addThousands('set', member)),
      needs: ['SADD'],
    },
  ],
  memory: [
    {
      name: 'a set of 1 million integers',
      items: MILLION,
      needs: ['SADD', 'INFO'],
      fill: (load, items) => load.fill(items / 1000, addThousands('set', String)),
    },
    {
      name: 'a set of 1 million strings',
      items: MILLION,
      needs: ['SADD', 'INFO'],
      fill: (load, items) => load.fill(items / 1000, addThousands('set', member)),
    },
  ],
  stalls: [largeValue('a set of 1 million members', addThousands('large', member), 'SSCAN')],
};
