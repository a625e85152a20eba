/**
 * The hot commands leave V8's heap alone: a gate on the bytes that it allocates a command, which unlike a time is the
 * same on every machine.
 */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const PROBE = fileURLToPath(new URL('allocation-probe.mjs', import.meta.url));
const FLAGS = [
  '--expose-gc',
  // Nothing is collected while there is room: 64 MiB.
  '--min-semi-space-size=64',
  '--max-semi-space-size=64',
  // Code is compiled when it is hot, not when a busy machine gets round to it.
  '--no-concurrent-recompilation',
];

/** V8 has nothing smaller than 16 bytes: below that it is not an object a command, only a few a turn. */
const NOTHING = 8;
/** A number that is no small integer takes 16 bytes. */
const ONE_NUMBER = 24;
/** A fraction is an object again for every function that passes it on. */
const FEW_NUMBERS = 88;

/** Bytes a command that V8 may allocate, of 100,000 in pipelines of 500. */
const LIMITS: Readonly<Record<string, number>> = {
  SET: NOTHING,
  GET: NOTHING,
  INCR: NOTHING,
  // The deadline, in milliseconds.
  EXPIRE: ONE_NUMBER,
  // The time: as DEL may be long, each is timed by itself.
  DEL: ONE_NUMBER,
  SETBIT: NOTHING,
  GETBIT: NOTHING,
  // The time: BITFIELD may have many operations.
  BITFIELD: ONE_NUMBER,
  RPUSH: NOTHING,
  LPUSH: NOTHING,
  // The time, too.
  LRANGE: ONE_NUMBER,
  LPOP: NOTHING,
  RPOP: NOTHING,
  HSET: NOTHING,
  HGET: NOTHING,
  // The time, again.
  HGETALL: ONE_NUMBER,
  HINCRBY: NOTHING,
  'HSET in a table': NOTHING,
  'HGET in a table': NOTHING,
  ZADD: NOTHING,
  'ZADD of two': NOTHING,
  ZINCRBY: NOTHING,
  'ZINCRBY of a fraction': FEW_NUMBERS,
  ZSCORE: NOTHING,
  'ZSCORE of a fraction': FEW_NUMBERS,
  ZRANK: NOTHING,
  // The time, as for other ranges.
  ZRANGE: ONE_NUMBER,
  // Some of the scores are fractions.
  ZPOPMIN: ONE_NUMBER,
  'SET, propagated': NOTHING,
  // The deadline is written, too.
  'EXPIRE, propagated': ONE_NUMBER,
  'SET, appended to the file': NOTHING,
};

/** Millions of commands, on a machine that does much else. */
const TIMEOUT_MS = 300_000;

test('the commands that are used most allocate next to nothing in V8', { timeout: TIMEOUT_MS }, () => {
  const output = execFileSync(process.execPath, [...FLAGS, PROBE], { encoding: 'utf8' });
  const results: Record<string, { bytes: number; collections: number }> = JSON.parse(output);
  expect(Object.keys(results)).toEqual(Object.keys(LIMITS));
  for (const [name, { bytes, collections }] of Object.entries(results)) {
    expect(collections, `garbage collections during ${name}, which make the figure too low`).toBe(0);
    expect(bytes, `bytes that a ${name} allocates`).toBeLessThan(LIMITS[name]);
    expect(bytes, `bytes that a ${name} allocates: is it measured?`).toBeGreaterThan(0);
  }
});
