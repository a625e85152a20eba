import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Differential } from './differential.js';
import { type Argument, parseReply, type Reply } from './wire.js';

/**
 * SPOP and SRANDMEMBER, next to redis-server 8.0. What is picked differs, so what is compared is all the rest: the shape
 * of replies, the encoding and size of what is left, its deadline, the count of changes; and that it all adds up.
 */

/** `set-max-intset-entries`, `set-max-listpack-entries`, `set-max-listpack-value`. */
const LIMITS = [
  [512, 128, 64],
  [20, 10, 8],
  [512, 0, 64],
];
const SIZES = [1, 2, 5, 6, 11, 12, 60, 128, 130, 700];

/** The members of sets of one size, by what they are. */
const CONTENTS: Readonly<Record<string, (size: number) => string[]>> = {
  integers: (size) => numbered(size, ''),
  'large integers': (size) => numbered(size, '90000000000000000'),
  words: (size) => numbered(size, 'word'),
  'integers and a word': (size) => ['word', ...numbered(size - 1, '')],
  'long words': (size) => numbered(size, 'x'.repeat(300)),
};

describe.each([2, 3])('in RESP%i, next to redis-server 8.0', (version) => {
  let servers: Differential;

  beforeAll(async () => {
    servers = await Differential.start(0);
    await both(['HELLO', version]);
  });

  afterAll(async () => {
    await servers?.stop();
  });

  async function both(...commands: (readonly Argument[])[]): Promise<[ours: Reply[], theirs: Reply[]]> {
    const [ours, theirs] = await Promise.all([servers.ours.send(commands), servers.theirs.send(commands)]);
    return [ours.map(parseReply), theirs.map(parseReply)];
  }

  /** Sends commands to both servers, whose replies must be of the same kind and length. */
  async function inShape(...commands: (readonly Argument[])[]): Promise<string[][]> {
    const [ours, theirs] = await both(...commands);
    expect(ours.map(shape)).toEqual(theirs.map(shape));
    return ours.map(textsOf);
  }

  /** Sends commands to both servers, whose replies must be the same. */
  async function alike(...commands: (readonly Argument[])[]): Promise<void> {
    const [ours, theirs] = await both(...commands);
    expect(ours).toEqual(theirs);
  }

  describe.each(LIMITS)('limits of %i integers, %i elements, %i bytes', (integers, elements, bytes) => {
    beforeAll(() =>
      alike([
        ...['CONFIG', 'SET', 'set-max-intset-entries', integers],
        ...['set-max-listpack-entries', elements, 'set-max-listpack-value', bytes],
      ]),
    );

    it.each(Object.entries(CONTENTS))('SPOP of %s', async (_, contentOf) => {
      for (const size of SIZES) {
        const members = contentOf(size);
        const share = Math.floor(size / 6);
        for (const count of new Set([
          1,
          2,
          share,
          size - share - 1,
          size - share,
          size - 1,
          size,
          size + 1,
        ])) {
          await alike(['FLUSHALL'], ['SADD', 'key', ...members], ['PEXPIREAT', 'key', '99999999999999']);
          const [popped] = await inShape(['SPOP', 'key', count]);
          const [left] = await inShape(['SMEMBERS', 'key']);
          expect([...popped, ...left].sort()).toEqual([...members].sort());
          await alike(['OBJECT', 'ENCODING', 'key'], ['SCARD', 'key'], ['PEXPIRETIME', 'key'], ['DBSIZE']);
        }
      }
    });

    it.each(Object.entries(CONTENTS))('SPOP of %s until none is left', async (_, contentOf) => {
      for (const size of SIZES) {
        const members = contentOf(size);
        await alike(['FLUSHALL'], ['SADD', 'key', ...members]);
        const popped: string[] = [];
        for (let left = size; left > 0; left--) {
          const [one] = await inShape(['SPOP', 'key']);
          popped.push(...one);
          await alike(['OBJECT', 'ENCODING', 'key'], ['SCARD', 'key']);
        }
        expect(popped.sort()).toEqual([...members].sort());
        await alike(['SPOP', 'key'], ['SPOP', 'key', 3], ['EXISTS', 'key']);
      }
    });

    it.each(Object.entries(CONTENTS))('SRANDMEMBER of %s', async (_, contentOf) => {
      for (const size of SIZES) {
        const members = new Set(contentOf(size));
        await alike(['FLUSHALL'], ['SADD', 'key', ...members]);
        for (const count of [1, 2, Math.floor(size / 5), Math.floor(size / 2), size - 1, size, size + 9]) {
          const [different, any, one] = await inShape(
            ['SRANDMEMBER', 'key', count],
            ['SRANDMEMBER', 'key', -count],
            ['SRANDMEMBER', 'key'],
          );
          expect(new Set(different).size).toBe(different.length);
          expect([...different, ...any, ...one].filter((member) => !members.has(member))).toEqual([]);
        }
        await alike(['SCARD', 'key'], ['OBJECT', 'ENCODING', 'key']);
      }
    });
  });

  it('every member that is added or removed counts as a change', async () => {
    const commands: Argument[][] = [
      ['SADD', 'key', ...numbered(500, 'word')],
      ['SADD', 'key', 'word1', 'other'],
      ['SADD', 'key', 'word1'],
      ['SREM', 'key', 'word1', 'word2', 'word3', 'nosuch'],
      ['SPOP', 'key'],
      ['SPOP', 'key', 7],
      ['SPOP', 'key', 450],
      ['SMOVE', 'key', 'key', 'other'],
      ['SADD', 'one', 'x'],
      ['SMOVE', 'one', 'two', 'x'],
      ['SADD', 'one', 'x'],
      ['SMOVE', 'one', 'two', 'x'],
      ['SMOVE', 'one', 'two', 'x'],
      ['SUNIONSTORE', 'stored', 'key', 'two'],
      ['SINTERSTORE', 'stored', 'key', 'two'],
      ['SDIFFSTORE', 'stored', 'nosuch'],
      ['SREM', 'two', 'x'],
      ['SPOP', 'key', 1000],
    ];
    await alike(['FLUSHALL']);
    const [before, theirsBefore] = await changes();
    for (const command of commands) {
      await both(command);
      const [after, theirsAfter] = await changes();
      expect([command, after - before]).toEqual([command, theirsAfter - theirsBefore]);
    }
  });

  async function changes(): Promise<number[]> {
    const replies = await both(['INFO', 'persistence']);
    return replies.map(([info]) => {
      const text = 'text' in info ? info.text : '';
      return Number(/rdb_changes_since_last_save:(\d+)/.exec(text)?.[1]);
    });
  }
});

function numbered(count: number, prefix: string): string[] {
  return Array.from({ length: count }, (_, i) => `${prefix}${i}`);
}

function shape(reply: Reply): unknown {
  return 'items' in reply ? [reply.kind, reply.items.length] : reply.kind;
}

function textsOf(reply: Reply): string[] {
  if (!('items' in reply)) return [reply.text];
  return reply.items.flatMap(textsOf);
}
