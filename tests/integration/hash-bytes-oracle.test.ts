import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createServer, type RespiteServer } from '../../src/index.js';
import { ENCODING_LISTPACK_EX } from '../../src/keyspace/record.js';
import { byteOffset } from '../../src/memory/memory.js';
import { NULL_REFERENCE, SEGMENT_SHIFT } from '../../src/memory/reference.js';
import { RealRedis } from '../support/real-redis.js';
import { dumpedString } from '../unit/structures/dump-payload.js';
import { field, fields, pairs } from './differential/hashes.js';
import { Random } from './differential/random.js';
import { type Argument, Wire } from './differential/wire.js';

const KEYS = ['a', 'b', 'c'];
const ROUNDS = 60;
const ROUND_STEPS = 40;
/** RDB's types of the two encodings. */
const TYPE_HASH_LISTPACK = 16;
const TYPE_HASH_LISTPACK_EX = 25;
const MIN_EXPIRE_BYTES = 8;

describe('the bytes of small hashes', () => {
  let respite: RespiteServer;
  let real: RealRedis;
  let ours: Wire;
  let theirs: Wire;

  beforeAll(async () => {
    // Large values too, so that every kind of entry occurs; DUMP gives the bytes as they are.
    const limit = ['--hash-max-listpack-value', '1000000'];
    respite = await createServer({ directives: { 'hash-max-listpack-value': '1000000' } });
    real = await RealRedis.start('--rdbcompression', 'no', ...limit);
    ours = await Wire.open(respite.port);
    theirs = await Wire.open(real.socketPath);
  });

  afterAll(async () => {
    await Promise.all([ours?.close(), theirs?.close()]);
    await Promise.all([respite?.close(), real?.stop()]);
  });

  /** The listpack of a hash of Respite, or undefined when there is no such key. */
  function ourBytes(key: string): { bytes: Buffer; hasDeadlines: boolean } | undefined {
    const { keyspace, types } = respite.server;
    const name = Buffer.from(key);
    const hash = keyspace.hash(name, 0, name.length);
    const record = keyspace.databases[0].find(hash, name, 0, name.length);
    if (record === NULL_REFERENCE) return undefined;
    const listpack = keyspace.records.slot(record);
    const start = byteOffset(listpack);
    const segment = keyspace.memory.bytes[listpack >>> SEGMENT_SHIFT];
    return {
      bytes: Buffer.from(segment.subarray(start, start + types.listpacks.byteLength(listpack))),
      hasDeadlines: keyspace.records.encoding(record) === ENCODING_LISTPACK_EX,
    };
  }

  it('are those of Redis, whatever was done to them', async () => {
    const random = new Random(11);
    for (let round = 0; round < ROUNDS; round++) {
      const steps = [['FLUSHALL'], ...Array.from({ length: ROUND_STEPS }, () => step(random))];
      expect(await ours.send(steps)).toEqual(await theirs.send(steps));
      for (const key of KEYS) {
        const payload = await real.client.dumpBuffer(key);
        const found = ourBytes(key);
        expect(found === undefined).toBe(payload === null);
        if (found === undefined || payload === null) continue;
        expect(payload[0]).toBe(found.hasDeadlines ? TYPE_HASH_LISTPACK_EX : TYPE_HASH_LISTPACK);
        const string = found.hasDeadlines ? payload.subarray(MIN_EXPIRE_BYTES) : payload;
        expect(found.bytes.toString('hex')).toBe(dumpedString(string).bytes.toString('hex'));
      }
    }
  });
});

function step(random: Random): Argument[] {
  const key = random.pick(KEYS);
  const named = fields(random);
  const set = pairs(random);
  return random.weighted<() => Argument[]>([
    [8, () => ['HSET', key, ...set]],
    [4, () => ['HDEL', key, ...named]],
    [3, () => ['HINCRBY', key, field(random), random.integerBetween(-300, 70_000)]],
    [6, () => ['HPEXPIREAT', key, random.unixMilliseconds(), 'FIELDS', named.length, ...named]],
    [3, () => ['HPERSIST', key, 'FIELDS', named.length, ...named]],
    [3, () => ['HSETEX', key, 'PXAT', random.unixMilliseconds(), 'FIELDS', set.length / 2, ...set]],
    [2, () => ['HSETEX', key, 'KEEPTTL', 'FIELDS', set.length / 2, ...set]],
    [1, () => ['HGETDEL', key, 'FIELDS', named.length, ...named]],
  ])();
}
