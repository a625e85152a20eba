import { afterEach, beforeEach, expect, test } from 'vitest';
import { createServer, type RespiteServer } from '../../src/index.js';
import { RawConnection } from '../support/raw-connection.js';

/** The latency monitor's events beyond commands: work of the clock that took long. */

let respite: RespiteServer;
let client: RawConnection;

beforeEach(async () => {
  respite = await createServer({ directives: { 'latency-monitor-threshold': '2' } });
  client = await RawConnection.open(respite.port);
});

afterEach(async () => {
  await client.close();
  await respite.close();
});

function spin(milliseconds: number): void {
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
}

async function latestEvents(): Promise<string> {
  return JSON.stringify(await client.call('LATENCY', 'LATEST'));
}

test('expire-cycle: keys that expire', async () => {
  const { keyspace } = respite.server;
  const expireDue = keyspace.expireDue.bind(keyspace);
  keyspace.expireDue = (database, limit) => {
    spin(5);
    return expireDue(database, limit);
  };
  await client.call('SET', 'key', 'value', 'PX', '5');
  await expect.poll(latestEvents).toContain('"expire-cycle"');
  expect(String(await client.call('LATENCY', 'GRAPH', 'expire-cycle'))).toContain('expire-cycle - high');
});

test('eviction-cycle: keys that make room', async () => {
  const { keyspace } = respite.server;
  const removeAndTell = keyspace.removeAndTell.bind(keyspace);
  keyspace.removeAndTell = (database, record, event) => {
    spin(5);
    removeAndTell(database, record, event);
  };
  await client.call('SET', 'key', 'value');
  await client.call('CONFIG', 'SET', 'maxmemory', '1', 'maxmemory-policy', 'allkeys-random');
  await expect.poll(latestEvents).toContain('"eviction-cycle"');
});
