/** Random transactions. (What other clients do to watched keys is in tests/integration/transactions.test.ts.) */
import type { Family } from './differential.js';

export const transactionsFamily: Family = {
  name: 'transactions',
  kinds: [
    [6, () => ['MULTI']],
    [6, () => ['EXEC']],
    [1, () => ['DISCARD']],
    [3, (random) => ['WATCH', ...random.several(1, 3, () => random.key())]],
    [1, () => ['UNWATCH']],
    [0.5, () => ['RESET']],
    [8, (random) => ['SET', random.key(), random.value()]],
    [4, (random) => ['GET', random.key()]],
    [4, (random) => ['INCR', random.key()]],
    [2, (random) => ['DEL', random.key(), random.key()]],
    [2, (random) => random.valueOfOtherType()],
    [2, (random) => ['RENAME', random.key(), random.key()]],
    [1, (random) => ['PEXPIREAT', random.key(), random.unixMilliseconds()]],
    [1, (random) => ['SELECT', random.integerBetween(0, 17)]],
    [1, (random) => ['SWAPDB', random.integerBetween(0, 3), random.integerBetween(0, 3)]],
    [0.5, () => ['FLUSHDB']],
    [0.5, (random) => ['MSET', random.key(), random.value(), random.key()]],
    [0.5, (random) => ['BLPOP', random.key(), '0.001']],
    [0.5, () => ['CLIENT', 'NO-TOUCH', 'OFF']],
    [0.3, (random) => [random.nonsense()]],
    [0.3, (random) => ['CLIENT', random.nonsense()]],
    [0.3, (random) => ['EXEC', random.value()]],
  ],
};
