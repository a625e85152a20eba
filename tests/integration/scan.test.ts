/** SCAN over a changing keyspace: what stays is met, and a call looks at about as many keys as it is told. */
import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createServer, type RespiteServer } from '../../src/index.js';

const STABLE_KEYS = 5000;

describe('SCAN', () => {
  let server: RespiteServer;
  let client: Redis;

  beforeAll(async () => {
    server = await createServer();
    client = new Redis(server.port, '127.0.0.1');
  });

  afterAll(async () => {
    client?.disconnect();
    await server?.close();
  });

  beforeEach(async () => {
    await client.flushall();
    await client.mset(numbered('stable', STABLE_KEYS));
  });

  /** Walks the keyspace; `between` is called after each step. */
  async function walk(options: readonly string[], between = async () => {}): Promise<string[][]> {
    const steps: string[][] = [];
    let cursor = '0';
    do {
      const [next, keys] = (await client.call('SCAN', cursor, ...options)) as [string, string[]];
      steps.push(keys);
      cursor = next;
      await between();
    } while (cursor !== '0');
    return steps;
  }

  it('meets every key once when nothing changes, about COUNT at a time', async () => {
    for (const count of [1, 10, 100, 100_000]) {
      const steps = await walk(['COUNT', String(count)]);
      const keys = steps.flat();
      expect(keys).toHaveLength(STABLE_KEYS);
      expect(new Set(keys).size).toBe(STABLE_KEYS);
      // A step ends with the bucket, or pair of buckets, in which it met the last key that it had to.
      expect(Math.max(...steps.map((step) => step.length))).toBeLessThan(count + 60);
      expect(steps.length).toBeLessThanOrEqual(Math.max(1, STABLE_KEYS / count));
    }
  });

  it.each([
    ['grows', (n: number) => client.mset(numbered(`new${n}:`, 100))],
    ['shrinks', (n: number) => client.del(...Object.keys(numbered('passing', 100, n * 100)))],
    [
      'does both',
      (n: number) =>
        client
          .pipeline()
          .mset(numbered(`new${n}:`, 50))
          .del(`stable-${n}`)
          .exec(),
    ],
  ])('meets every key that stays while the table %s', async (_, change) => {
    await client.mset(numbered('passing', 20_000));
    let steps = 0;
    const found = await walk(['COUNT', '50'], async () => {
      if (steps < 200) await change(steps++);
    });
    const met = new Set(found.flat());
    for (const key of Object.keys(numbered('stable', STABLE_KEYS))) expect(met.has(key)).toBe(true);
  });

  it('filters by pattern and by type', async () => {
    await client.hset('hash1', 'field', 'value');
    await client.hset('stable-hash', 'field', 'value');
    expect((await walk(['MATCH', 'stable1?'])).flat().sort()).toEqual(
      Object.keys(numbered('stable', 10, 10)),
    );
    expect((await walk(['TYPE', 'HASH'])).flat().sort()).toEqual(['hash1', 'stable-hash']);
    expect((await walk(['TYPE', 'hash', 'MATCH', 'stable*'])).flat()).toEqual(['stable-hash']);
    expect((await walk(['TYPE', 'nosuch'])).flat()).toEqual([]);
  });
});

/** Keys and values for MSET: `count` numbered keys from the number `first` on. */
function numbered(prefix: string, count: number, first = 0): Record<string, string> {
  return Object.fromEntries(Array.from({ length: count }, (_, i) => [`${prefix}${first + i}`, 'value']));
}
