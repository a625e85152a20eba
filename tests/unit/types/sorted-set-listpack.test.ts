import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ENCODING_LISTPACK } from '../../../src/keyspace/record.js';
import { byteOffset } from '../../../src/memory/memory.js';
import { SEGMENT_SHIFT } from '../../../src/memory/reference.js';
import {
  LEX_EXCLUSIVE,
  LEX_HIGHEST,
  LEX_INCLUSIVE,
  LEX_LOWEST,
  type LexEnd,
  LexRange,
} from '../../../src/structures/sorted-ranges.js';
import { RealRedis } from '../../support/real-redis.js';
import { dumpedString } from '../structures/dump-payload.js';
import { SortedSetModel } from './sorted-set-model.js';

const scores = fc.oneof(
  fc.constantFrom('0', '-0', '1', '-1', '127', '128', '-4097', '8388608', '2147483648', '9007199254740993'),
  fc.constantFrom(
    '4611686018427387904',
    '4611686018427388928',
    '9223372036854775807',
    '-9223372036854775808',
  ),
  fc.constantFrom(
    'inf',
    '-inf',
    '0.1',
    '3.1415926535897931',
    '1e22',
    '1e-7',
    '5e-324',
    '1.7976931348623157e308',
  ),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
  fc.integer().map(String),
);
const members = fc.oneof(
  fc.uint8Array({ minLength: 0, maxLength: 3 }).map((bytes) => Buffer.from(bytes)),
  fc.integer({ min: -300, max: 300 }).map((n) => Buffer.from(String(n))),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n }).map((n) => Buffer.from(String(n))),
  fc.integer({ min: 60, max: 64 }).map((length) => Buffer.alloc(length, 0x78)),
);

/** A score as the command parses it. */
function parsed(score: string): number {
  return Number(score.replace('inf', 'Infinity'));
}

function listpackOf(model: SortedSetModel): Buffer {
  expect(model.sets.isListpack(model.record)).toBe(true);
  const listpack = model.sets.records.slot(model.record);
  const start = byteOffset(listpack);
  const bytes = model.memory.bytes[listpack >>> SEGMENT_SHIFT];
  return Buffer.from(bytes.subarray(start, start + model.listpacks.byteLength(listpack)));
}

describe('a sorted set in a listpack, beside redis-server', () => {
  let redis: RealRedis;

  beforeAll(async () => {
    redis = await RealRedis.start('--rdbcompression', 'no', '--zset-max-listpack-entries', '1000');
  });
  afterAll(() => redis.stop());

  it('has the same bytes, however it came about', async () => {
    const steps = fc.record({ member: members, score: scores, isRemoved: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(fc.array(steps, { minLength: 1, maxLength: 40, size: 'max' }), async (list) => {
        const model = new SortedSetModel(1000, 64, ENCODING_LISTPACK);
        const commands: (string | Buffer)[][] = [['DEL', 'z']];
        for (const { member, score, isRemoved } of list) {
          const rank = model.pairs.findIndex((pair) => pair.member.equals(member));
          if (rank >= 0 && isRemoved) {
            model.removeAt(rank);
            commands.push(['ZREM', 'z', member]);
          } else {
            // ZADD leaves a member alone whose score would stay equal.
            if (rank < 0 || model.pairs[rank].score !== parsed(score)) model.set(member, parsed(score));
            commands.push(['ZADD', 'z', score, member]);
          }
        }
        await redis.answers(commands);
        const payload = await redis.client.dumpBuffer('z');
        if (payload === null) expect(model.pairs).toEqual([]);
        else expect(listpackOf(model).toString('hex')).toBe(dumpedString(payload).bytes.toString('hex'));
        model.check();
        model.end();
      }),
      { numRuns: 150, interruptAfterTimeLimit: 20000 },
    );
  });

  it('has the same ranges of members, even where scores differ', async () => {
    const kinds = fc.constantFrom<LexEnd>(LEX_LOWEST, LEX_INCLUSIVE, LEX_EXCLUSIVE, LEX_HIGHEST);
    const letters = fc.stringMatching(/^[a-d]{0,2}$/).map((text) => Buffer.from(text));
    const ends = fc.record({ min: kinds, max: kinds, from: letters, to: letters });
    const content = fc.uniqueArray(letters, { minLength: 1, maxLength: 12, selector: String });
    await fc.assert(
      fc.asyncProperty(
        content,
        fc.infiniteStream(fc.integer({ min: 0, max: 2 })),
        fc.array(ends, { minLength: 20 }),
        async (list, random, asked) => {
          const model = new SortedSetModel();
          const commands: (string | Buffer)[][] = [['DEL', 'z']];
          for (const member of list) {
            const score = random.next().value ?? 0;
            model.set(member, score);
            commands.push(['ZADD', 'z', String(score), member]);
          }
          await redis.answers(commands);
          for (const { min, max, from, to } of asked) {
            const range = new LexRange();
            range.bytes = Buffer.concat([from, to]);
            Object.assign(range, { min, minOffset: 0, minLength: from.length });
            Object.assign(range, { max, maxOffset: from.length, maxLength: to.length });
            const [low, high] = [lexArgument(min, from), lexArgument(max, to)];
            const [forwards, backwards, count] = await redis.answers([
              ['ZRANGEBYLEX', 'z', low, high],
              ['ZREVRANGEBYLEX', 'z', high, low],
              ['ZLEXCOUNT', 'z', low, high],
            ]);
            model.cursor.selectMembers(model.record, range, true);
            expect(model.read().map(([member]) => member)).toEqual(backwards);
            model.cursor.selectMembers(model.record, range, false);
            expect(model.cursor.remaining).toBe(count);
            expect(model.read().map(([member]) => member)).toEqual(forwards);
          }
          model.end();
        },
      ),
      { numRuns: 30, interruptAfterTimeLimit: 20000 },
    );
  });
});

function lexArgument(kind: LexEnd, bytes: Buffer): string {
  if (kind === LEX_LOWEST) return '-';
  if (kind === LEX_HIGHEST) return '+';
  return (kind === LEX_INCLUSIVE ? '[' : '(') + bytes.toString('latin1');
}
