import { once } from 'node:events';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createServer, type RespiteServer } from '../../src/index.js';
import { Memory } from '../../src/memory/memory.js';

const OTHERS = 2000;
const FIELDS = 1000;

/** Nothing but the clock: no command touches a hash between its deadline and the event. */
describe('fields that expire by themselves', () => {
  const memory = new Memory();
  let respite: RespiteServer;
  let client: Redis;
  let subscriber: Redis;
  /** What the subscriber heard and nobody asked for yet. */
  let events: string[];

  beforeEach(async () => {
    respite = await createServer({ memory, directives: { 'notify-keyspace-events': 'KEA' } });
    client = new Redis(respite.port);
    subscriber = new Redis(respite.port);
    events = [];
    subscriber.on('message', (_, event: string) => events.push(event));
    // Many hashes with fields that have time must not keep those waiting that have not.
    const pipeline = client.pipeline();
    for (let i = 0; i < OTHERS; i++) {
      pipeline.call('HSETEX', `other:${i}`, 'EX', 1000 + i, 'FIELDS', 1, 'field', 'value');
    }
    await pipeline.exec();
  });

  afterEach(async () => {
    client.disconnect();
    subscriber.disconnect();
    await respite.close();
  });

  it.each([512, 0])('with %i entries in listpacks: fields go, and the hash with the last', async (limit) => {
    await client.config('SET', 'hash-max-listpack-entries', limit);
    await subscriber.subscribe('__keyspace@0__:k');
    await client.call('HSET', 'k', 'a', 1, 'b', 2, 'c', 3);
    await client.call('HPEXPIRE', 'k', 20, 'FIELDS', 1, 'a');
    expect(await nextEvent('hexpired')).toEqual([]);
    expect(await client.hkeys('k')).toHaveLength(2);
    await client.call('HPEXPIRE', 'k', 20, 'FIELDS', 2, 'b', 'c');
    expect(await nextEvent('del')).toEqual(['hexpired']);
    expect(await client.dbsize()).toBe(OTHERS);
    expect(await client.info('stats')).toContain('expired_subkeys:3\r\n');
    expect(await client.info('keyspace')).toContain(`subexpiry=${OTHERS}`);
  });

  it('a large hash goes in slices', async () => {
    await subscriber.subscribe('__keyspace@0__:large');
    const fields = Array.from({ length: FIELDS }, (_, i) => `field:${i}`);
    await client.hset('large', Object.fromEntries(fields.map((field) => [field, field])));
    await client.call('HPEXPIRE', 'large', 20, 'FIELDS', FIELDS, ...fields);
    const before = await nextEvent('del');
    expect(new Set(before)).toEqual(new Set(['hexpired']));
    expect(await client.exists('large')).toBe(0);
  });

  /** Waits for an event of the key that is subscribed to. Returns those before it since fields were given time. */
  async function nextEvent(name: string): Promise<string[]> {
    const before: string[] = [];
    for (;;) {
      const event = events.shift();
      if (event === name) return before;
      if (event === undefined) await once(subscriber, 'message');
      else if (event !== 'hset' && event !== 'hexpire') before.push(event);
    }
  }
});
