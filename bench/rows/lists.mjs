import { largeValue, VALUE, words } from './row.mjs';

const MILLION = 1_000_000;

/**
 * A batch of a thousand elements for the end of a list.
 * @param {string} key
 */
const pushThousand = (key) => ['RPUSH', key, ...words(1000, () => VALUE)];

/** @type {(count: number) => import('./row.mjs').CommandRow} */
const range = (count) => ({
  name: `LRANGE_${count}`,
  command: ['LRANGE', 'list', '0', String(count - 1)],
  prepare: (load) => load.fill(1, () => pushThousand('list')),
  needs: ['RPUSH'],
});

/** @type {import('./row.mjs').Family} */
export const lists = {
  name: 'lists',
  pipelines: [16],
  cpu: [
    { name: 'LPUSH', command: ['LPUSH', 'list', VALUE] },
    {
      name: 'RPOP',
      command: ['RPOP', 'list'],
      prepare: (load, requests) => load.fill(Math.ceil(requests / 1000), () => pushThousand('list')),
      consumes: true,
      needs: ['RPUSH'],
    },
    range(100),
    range(600),
  ],
  memory: [
    {
      name: 'a list of 1 million elements',
      items: MILLION,
      needs: ['RPUSH', 'INFO'],
      fill: (load, items) => load.fill(items / 1000, () => pushThousand('list')),
    },
  ],
  stalls: [largeValue('a list of 1 million elements', () => pushThousand('large'), 'LRANGE')],
};
