import { Redis } from 'ioredis';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createServer, type RespiteServer } from '../../src/index.js';
import { Memory } from '../../src/memory/memory.js';
import { RandomBytes } from '../support/random-bytes.js';

/** A set command during which memory cannot be had is refused as a whole: no set has changed, and none is lost. */

const KEYS = ['a', 'b', 'c', 'd'];

let memory: Memory;
let respite: RespiteServer;
let redis: Redis;
let emptyBlocks: number;
const random = new RandomBytes(11);
let model = new Map<string, Set<string>>();

beforeEach(async () => {
  memory = new Memory({ debug: true });
  respite = await createServer({
    memory,
    directives: {
      'set-max-intset-entries': '8',
      'set-max-listpack-entries': '6',
      'set-max-listpack-value': '10',
    },
  });
  redis = new Redis(respite.url);
  await redis.ping();
  emptyBlocks = memory.blockCount;
  model = new Map();
});

afterEach(async () => {
  redis.disconnect();
  await respite.close();
});

function member(): string {
  return random.pick([
    String(random.below(30)),
    String(random.below(30)),
    random.pick(['x', 'y', 'z']),
    'long'.repeat(5),
  ]);
}

function members(): string[] {
  return Array.from({ length: 1 + random.below(12) }, member);
}

function membersOf(key: string): Set<string> {
  return new Set(model.get(key));
}

/** A command, and the sets that it leaves when it succeeds, given its reply. */
interface Attempt {
  readonly command: readonly string[];
  readonly after: (reply: unknown) => readonly (readonly [key: string, members: Set<string>])[];
}

function adding(): Attempt {
  const [key, added] = [random.pick(KEYS), members()];
  return { command: ['SADD', key, ...added], after: () => [[key, new Set([...membersOf(key), ...added])]] };
}

function removing(): Attempt {
  const [key, removed] = [random.pick(KEYS), new Set(members())];
  const after = () => [[key, new Set([...membersOf(key)].filter((one) => !removed.has(one)))]] as const;
  return { command: ['SREM', key, ...removed], after };
}

function moving(): Attempt {
  const [from, to] = [random.pick(KEYS), random.pick(KEYS)];
  const moved = random.pick([...membersOf(from), member()]);
  const after = () => {
    const [source, destination] = [membersOf(from), membersOf(to)];
    if (from === to || !source.delete(moved)) return [];
    return [[from, source] as const, [to, destination.add(moved)] as const];
  };
  return { command: ['SMOVE', from, to, moved], after };
}

function popping(): Attempt {
  const key = random.pick(KEYS);
  const after = (reply: unknown) => {
    const popped = new Set(reply as string[]);
    return [[key, new Set([...membersOf(key)].filter((one) => !popped.has(one)))]] as const;
  };
  return { command: ['SPOP', key, String(random.below(12))], after };
}

function combining(): Attempt {
  const [to, one, other] = [random.pick(KEYS), random.pick(KEYS), random.pick(KEYS)];
  const name = random.pick(['SINTERSTORE', 'SUNIONSTORE', 'SDIFFSTORE']);
  const after = () => {
    const [a, b] = [membersOf(one), membersOf(other)];
    if (name === 'SUNIONSTORE') return [[to, new Set([...a, ...b])]] as const;
    return [[to, new Set([...a].filter((each) => b.has(each) === (name === 'SINTERSTORE')))]] as const;
  };
  return { command: [name, to, one, other], after };
}

function reading(): Attempt {
  const name = random.pick(['SUNION', 'SDIFF', 'SINTER', 'SORT']);
  const keys =
    name === 'SORT'
      ? [random.pick(KEYS), 'ALPHA', 'STORE', 'sorted']
      : [random.pick(KEYS), random.pick(KEYS)];
  return { command: [name, ...keys], after: () => [] };
}

test('an allocation that fails anywhere in a command leaves all sets as they were', async () => {
  let failures = 0;
  for (let i = 0; i < 6000; i++) {
    const { command, after } = random.pick([adding, adding, removing, moving, popping, combining, reading])();
    memory.allocationsUntilFailure = random.below(8);
    const reply = await redis.call(command[0], ...command.slice(1)).catch((error: Error) => error);
    memory.allocationsUntilFailure = Number.POSITIVE_INFINITY;
    if (reply instanceof Error) {
      expect(reply.message).toContain('OOM command not allowed');
      failures++;
    } else {
      for (const [key, left] of after(reply)) {
        if (left.size === 0) model.delete(key);
        else model.set(key, left);
      }
    }
    for (const key of KEYS) {
      const now = await redis.smembers(key);
      expect([command, key, now.sort()]).toEqual([command, key, [...membersOf(key)].sort()]);
    }
    if (random.below(40) === 0) {
      await redis.flushall();
      model = new Map();
    }
  }
  expect(failures).toBeGreaterThan(300);
  await redis.flushall('SYNC');
  respite.server.keyspace.lazyFree.drain();
  expect(memory.blockCount).toBe(emptyBlocks);
});
