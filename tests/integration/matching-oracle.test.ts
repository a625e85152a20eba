/**
 * Glob matching and the quoting of inline commands against a real redis-server 8.0. Needs no Respite server.
 */
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { byteStringOf, bytesOf } from '../../src/config/byte-string.js';
import { splitArguments } from '../../src/protocol/inline.js';
import { matchGlob } from '../../src/structures/glob.js';
import { call, RealRedis } from '../support/real-redis.js';

/** A generator of whole numbers below a limit. */
function pseudoRandom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return Math.floor((state / 0x80000000) * below);
  };
}

function randomText(
  random: (below: number) => number,
  alphabet: string,
  lengthMin: number,
  lengthMax: number,
): string {
  const length = lengthMin + random(lengthMax - lengthMin + 1);
  return Array.from({ length }, () => alphabet[random(alphabet.length)]).join('');
}

describe('matching and quoting, next to redis-server 8.0', () => {
  let real: RealRedis;

  beforeAll(async () => {
    real = await RealRedis.startOnPort();
  });

  afterAll(() => real.stop());

  test('matchGlob finds the keys that KEYS finds', async () => {
    const random = pseudoRandom(12345);
    const text = (lengthMin: number, lengthMax: number): string =>
      randomText(random, 'abAB*?[]^-\\\x80\xff', lengthMin, lengthMax);
    const keys = [...new Set(Array.from({ length: 300 }, () => text(1, 6)))];
    await call(real.client, 'mset', ...keys.flatMap((key) => [key, '1']));
    for (let i = 0; i < 3000; i++) {
      const pattern = text(1, 8);
      const found = (await call(real.client, 'keys', pattern)).sort();
      const bytes = bytesOf(pattern);
      const ours = keys
        .filter((key) => matchGlob(bytes, 0, bytes.length, bytesOf(key), 0, key.length, false))
        .sort();
      expect([pattern, ours]).toEqual([pattern, found]);
    }
  });

  test('splitArguments splits what inline commands are split into', async () => {
    const random = pseudoRandom(54321);
    for (let i = 0; i < 400; i++) {
      const line = randomText(random, ' \t\v\'"\\xn40aA\x80', 1, 12);
      const command = `rpush inline-${i} first ${line}`;
      const reply = await sendInline(command);
      const args = splitArguments(bytesOf(command))?.map(byteStringOf);
      if (args === undefined) {
        expect([line, reply]).toEqual([line, '-ERR Protocol error: unbalanced quotes in request\r\n']);
      } else {
        expect([line, reply]).toEqual([line, `:${args.length - 2}\r\n`]);
        expect(await call(real.client, 'lrange', `inline-${i}`, '0', '-1')).toEqual(args.slice(2));
      }
    }
  });

  /** The first reply to a line, over a connection of its own. */
  async function sendInline(line: string): Promise<string> {
    const socket = connect(real.port, '127.0.0.1');
    socket.write(`${line}\r\n`, 'latin1');
    const [chunk] = await once(socket, 'data');
    socket.destroy();
    return byteStringOf(chunk);
  }
});
