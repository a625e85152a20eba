/** Random commands on strings. */
import { millisecondsAlike, secondsAlike } from './comparisons.js';
import type { Family } from './differential.js';
import type { Random } from './random.js';
import type { Argument } from './wire.js';

export const stringsFamily: Family = {
  name: 'strings',
  kinds: [
    [10, (random) => ['SET', random.key(), random.value()]],
    [10, (random) => ['SET', random.key(), random.value(), ...setOptions(random)]],
    [8, (random) => ['GET', random.key()]],
    [2, (random) => ['GETDEL', random.key()]],
    [5, (random) => ['GETEX', random.key(), ...getexOptions(random)]],
    [3, (random) => ['GETSET', random.key(), random.value()]],
    [3, (random) => ['MGET', ...random.several(1, 6, () => random.key())]],
    [3, (random) => ['MSET', ...pairs(random)]],
    [3, (random) => ['MSETNX', ...pairs(random)]],
    [3, (random) => ['SETNX', random.key(), random.value()]],
    [2, (random) => ['SETEX', random.key(), random.seconds(), random.value()]],
    [2, (random) => ['PSETEX', random.key(), random.milliseconds(), random.value()]],
    [6, (random) => ['APPEND', random.key(), random.value()]],
    [2, (random) => ['STRLEN', random.key()]],
    [5, (random) => ['SETRANGE', random.key(), offset(random), random.value()]],
    [4, (random) => ['GETRANGE', random.key(), random.index(50), random.index(50)]],
    [2, (random) => ['SUBSTR', random.key(), random.index(300), random.index(300)]],
    [5, (random) => [random.pick(['INCR', 'DECR']), random.key()]],
    [8, (random) => [random.pick(['INCRBY', 'DECRBY']), random.key(), random.integer()]],
    [6, (random) => ['INCRBYFLOAT', random.key(), random.float()]],
    [4, (random) => ['LCS', random.key(), random.key(), ...lcsOptions(random)]],
    [3, (random) => ['OBJECT', 'ENCODING', random.key()]],
    [1, (random) => ({ args: ['TTL', random.key()], alike: secondsAlike })],
    [1, (random) => ({ args: ['PEXPIRETIME', random.key()], alike: millisecondsAlike })],
    [2, (random) => ['DEL', random.key(), random.key()]],
    [2, (random) => random.valueOfOtherType()],
  ],
};

function pairs(random: Random): Argument[] {
  return random.several(1, 4, () => [random.key(), random.value()]).flat();
}

function setOptions(random: Random): Argument[] {
  return random.options(
    () => ['NX'],
    () => ['XX'],
    () => ['GET'],
    () => ['KEEPTTL'],
    () => ['EX', random.seconds()],
    () => ['PX', random.milliseconds()],
    () => ['EXAT', random.unixSeconds()],
    () => ['PXAT', random.unixMilliseconds()],
  );
}

function getexOptions(random: Random): Argument[] {
  return random.options(
    () => ['PERSIST'],
    () => ['EX', random.seconds()],
    () => ['PX', random.milliseconds()],
    () => ['EXAT', random.unixSeconds()],
    () => ['PXAT', random.unixMilliseconds()],
  );
}

function lcsOptions(random: Random): Argument[] {
  return random.options(
    () => ['LEN'],
    () => ['IDX'],
    () => ['WITHMATCHLEN'],
    () => ['MINMATCHLEN', random.integer()],
  );
}

/** Where SETRANGE writes: near the start, about the thresholds of encodings, and about the longest string allowed. */
function offset(random: Random): Argument {
  return random.weighted<() => Argument>([
    [6, () => random.integerBetween(0, 60)],
    [3, () => random.integerBetween(200, 300)],
    [0.1, () => random.integerBetween(1_048_500, 1_048_600)],
    [1, () => random.integer()],
  ])();
}
