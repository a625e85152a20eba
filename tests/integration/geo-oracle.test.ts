/**
 * Distances next to a real redis-server 8.0, as they are stored and as they order members. (All else about geospatial
 * indexes: differential/geo.ts.) C's sine and JavaScript's differ in the last bit now and then, and so may these.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createServer, type RespiteServer } from '../../src/index.js';
import { RawConnection, type RawReply } from '../support/raw-connection.js';
import { RealRedis } from '../support/real-redis.js';
import { Random } from './differential/random.js';

let respite: RespiteServer;
let real: RealRedis;
let ours: RawConnection;
let theirs: RawConnection;
const random = new Random(11);

beforeAll(async () => {
  [respite, real] = await Promise.all([createServer(), RealRedis.start()]);
  [ours, theirs] = await Promise.all([RawConnection.open(respite.port), RawConnection.open(real.socketPath)]);
});

afterAll(async () => {
  await Promise.all([ours?.close(), theirs?.close()]);
  await Promise.all([respite?.close(), real?.stop()]);
});

async function both(...command: readonly string[]): Promise<[RawReply, RawReply]> {
  return await Promise.all([ours.call(...command), theirs.call(...command)]);
}

/** Has both servers reply the same. */
async function alike(...command: readonly string[]): Promise<RawReply> {
  const [own, other] = await both(...command);
  expect([command, own]).toEqual([command, other]);
  return own;
}

/** A map of members and scores. */
function scores(reply: RawReply): Map<string, number> {
  const items = (reply as RawReply[]).map(String);
  return new Map(items.flatMap((item, i) => (i % 2 === 0 ? [[item, Number(items[i + 1])] as const] : [])));
}

function place(): [longitude: string, latitude: string] {
  return [String(random.next() * 360 - 180), String(random.next() * 170 - 85)];
}

describe('distances, next to redis-server 8.0', () => {
  it('are stored with the same digits, but for the last one or two', async () => {
    let stored = 0;
    for (let round = 0; round < 30; round++) {
      await alike('DEL', 'places');
      const count = random.pick([20, 300]);
      await alike(
        'GEOADD',
        'places',
        ...Array.from({ length: count }, (_, i) => [...place(), `m${i}`]).flat(),
      );
      const radius = String(random.next() * 20_000);
      const unit = random.pick(['m', 'km', 'ft', 'mi']);
      const around = ['FROMLONLAT', ...place(), 'BYRADIUS', radius, unit];
      const replied = random.chance(0.5)
        ? await alike('GEOSEARCHSTORE', 'distances', 'places', ...around, 'STOREDIST')
        : await alike('GEORADIUS', 'places', ...place(), radius, unit, 'STOREDIST', 'distances');
      const [own, other] = await both('ZRANGE', 'distances', '0', '-1', 'WITHSCORES');
      const [ownScores, otherScores] = [scores(own), scores(other)];
      expect([...ownScores.keys()]).toEqual([...otherScores.keys()]);
      expect(ownScores.size).toBe(replied);
      for (const [member, score] of otherScores) {
        expect(Math.abs((ownScores.get(member) ?? 0) / score - 1)).toBeLessThan(1e-14);
        stored++;
      }
      await alike('OBJECT', 'ENCODING', 'distances');
    }
    expect(stored).toBeGreaterThan(500);
  });

  it('of places that are opposite to each other are what Redis replies, also when that is no number', async () => {
    await alike('GEOADD', 'opposite', '0', '0', 'a', '180', '0', 'b', '90', '10', 'c', '-90', '-10', 'd');
    for (const pair of ['a b', 'b a', 'c d']) await alike('GEODIST', 'opposite', ...pair.split(' '));
  });
});
