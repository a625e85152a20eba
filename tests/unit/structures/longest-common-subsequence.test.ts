import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  LongestCommonSubsequence,
  longestCommonSubsequenceLength,
  type MatchRange,
  transientTableBytes,
} from '../../../src/structures/longest-common-subsequence.js';
import { RealRedis } from '../../support/real-redis.js';

const bytesOf = (text: string) => Buffer.from(text, 'latin1');

/** The length by the textbook's table: the model of the fast one. */
function lengthModel(a: Uint8Array, b: Uint8Array): number {
  let previous = new Uint32Array(b.length + 1);
  for (const byte of a) {
    const row = new Uint32Array(b.length + 1);
    for (let j = 1; j <= b.length; j++) {
      row[j] = byte === b[j - 1] ? previous[j - 1] + 1 : Math.max(previous[j], row[j - 1]);
    }
    previous = row;
  }
  return previous[b.length];
}

/** Strings of few letters, so that they have much in common, with lengths about the word size and its multiples. */
const strings = () =>
  fc
    .tuple(fc.constantFrom(1, 2, 4, 26, 256), fc.constantFrom(3, 31, 33, 65, 150))
    .chain(([letters, maxLength]) => {
      const string = fc.uint8Array({ max: letters - 1, maxLength });
      return fc.tuple(string, string);
    });

describe('longest common subsequence', () => {
  it('has the length of the model', () => {
    fc.assert(
      fc.property(strings(), ([a, b]) => {
        const length = lengthModel(a, b);
        expect(longestCommonSubsequenceLength(a, b)).toBe(length);
        expect(new LongestCommonSubsequence(a, b).length).toBe(length);
      }),
      { numRuns: 1000 },
    );
  });

  it('is a subsequence of both, at the ranges it names', () => {
    fc.assert(
      fc.property(strings(), ([a, b]) => {
        const common = new LongestCommonSubsequence(a, b);
        const matches = common.matches(0);
        const ofA = matches.map(({ aStart, aEnd }) => a.subarray(aStart, aEnd + 1)).reverse();
        const ofB = matches.map(({ bStart, bEnd }) => b.subarray(bStart, bEnd + 1)).reverse();
        expect(Buffer.concat(ofA)).toEqual(Buffer.from(common.bytes()));
        expect(Buffer.concat(ofB)).toEqual(Buffer.from(common.bytes()));
        expect(common.bytes()).toHaveLength(common.length);
        matches.forEach((match, index) => {
          expect(match.aEnd - match.aStart + 1).toBe(match.length);
          if (index > 0) expect(match.aEnd).toBeLessThan(matches[index - 1].aStart);
          if (index > 0) expect(match.bEnd).toBeLessThan(matches[index - 1].bStart);
        });
      }),
      { numRuns: 500 },
    );
  });

  it('drops short matches', () => {
    const common = new LongestCommonSubsequence(bytesOf('ohmytext'), bytesOf('mynewtext'));
    const text = { aStart: 4, aEnd: 7, bStart: 5, bEnd: 8, length: 4 };
    const my = { aStart: 2, aEnd: 3, bStart: 0, bEnd: 1, length: 2 };
    expect(common.matches(0)).toEqual([text, my]);
    expect(common.matches(2)).toEqual([text, my]);
    expect(common.matches(3)).toEqual([text]);
    expect(common.matches(5)).toEqual([]);
    expect(Buffer.from(common.bytes()).toString()).toBe('mytext');
  });

  it('is empty when a string is', () => {
    for (const [a, b] of [
      ['', ''],
      ['a', ''],
      ['', 'a'],
      ['a', 'b'],
    ]) {
      const common = new LongestCommonSubsequence(bytesOf(a), bytesOf(b));
      expect([common.length, common.bytes().length, common.matches(0)]).toEqual([0, 0, []]);
      expect(longestCommonSubsequenceLength(bytesOf(a), bytesOf(b))).toBe(0);
    }
  });
});

describe('against redis-server', () => {
  let redis: RealRedis;
  beforeAll(async () => {
    redis = await RealRedis.start('--proto-max-bulk-len', '1mb');
  });
  afterAll(() => redis?.stop());

  const reply = ({ aStart, aEnd, bStart, bEnd, length }: MatchRange) => [
    [aStart, aEnd],
    [bStart, bEnd],
    length,
  ];

  it('finds the subsequence and the ranges that LCS finds', async () => {
    const samples = fc.sample(fc.tuple(strings(), fc.nat(4)), 500);
    const answers = await redis.answers(
      samples.flatMap(([[a, b], lengthMin]) => [
        ['MSET', 'a', Buffer.from(a), 'b', Buffer.from(b)],
        ['LCS', 'a', 'b', 'LEN'],
        ['LCS', 'a', 'b', 'IDX', 'WITHMATCHLEN', 'MINMATCHLEN', String(lengthMin)],
      ]),
    );
    const texts = await Promise.all(
      samples.map(async ([[a, b]], index) => {
        await redis.client.mset(`a ${index}`, Buffer.from(a), `b ${index}`, Buffer.from(b));
        return redis.client.callBuffer('LCS', `a ${index}`, `b ${index}`);
      }),
    );
    samples.forEach(([[a, b], lengthMin], index) => {
      const common = new LongestCommonSubsequence(a, b);
      expect(answers[3 * index + 1]).toBe(common.length);
      expect(answers[3 * index + 2]).toEqual([
        'matches',
        common.matches(lengthMin).map(reply),
        'len',
        common.length,
      ]);
      expect(Buffer.from(common.bytes())).toEqual(texts[index]);
    });
  });

  it('is refused when Redis would need more memory than allowed', async () => {
    const limit = 1024 * 1024;
    for (const [aLength, bLength] of [
      [511, 511],
      [511, 512],
      [0, 262143],
      [0, 262144],
    ]) {
      await redis.client.mset('a', 'x'.repeat(aLength), 'b', 'x'.repeat(bLength));
      const [answer] = await redis.answers([['LCS', 'a', 'b', 'LEN']]);
      expect(answer).toBe(
        transientTableBytes(aLength, bLength) > limit
          ? 'ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len'
          : Math.min(aLength, bLength),
      );
    }
  });
});
