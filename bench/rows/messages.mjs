import { Connection } from '../connection.mjs';
import { numbered, VALUE } from './row.mjs';

const KEYS = 100_000;

/** @param {number} index */
const key = (index) => numbered('key:', index);

/** @type {(subscribers: number) => import('./row.mjs').CommandRow} */
const publish = (subscribers) => {
  /** @type {Connection[]} */
  const connections = [];
  return {
    name: `PUBLISH to ${subscribers} ${subscribers === 1 ? 'subscriber' : 'subscribers'}`,
    command: ['PUBLISH', 'channel', VALUE],
    needs: ['SUBSCRIBE'],
    prepare: async (load) => {
      for (let i = 0; i < subscribers; i++) {
        const connection = await Connection.open(load.port);
        await connection.ask('SUBSCRIBE', 'channel');
        connection.ignore();
        connections.push(connection);
      }
    },
    finish: () => {
      for (const connection of connections.splice(0)) connection.close();
    },
  };
};

/**
 * What clients are told of each other, and transactions.
 * @type {import('./row.mjs').Family}
 */
export const messages = {
  name: 'messages',
  pipelines: [1, 16],
  cpu: [
    publish(1),
    publish(100),
    publish(1000),
    {
      name: 'GET with tracking on',
      command: ['GET', 'key:__rand_int__'],
      options: ['--enable-tracking'],
      prepare: (load) => load.fill(KEYS, (i) => ['SET', key(i), VALUE]),
      needs: ['SET', 'CLIENT'],
    },
    {
      name: 'MULTI of 10 SETs',
      command: ['MULTI'],
      needs: ['SET', 'EXEC'],
      drive: (load, requests) =>
        load.transactions(requests, (i) =>
          Array.from({ length: 10 }, (_, j) => ['SET', key((i * 7919 + j * 104729) % KEYS), VALUE]),
        ),
    },
  ],
  memory: [],
  stalls: [],
};
