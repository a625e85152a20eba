import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  addLongDoubles,
  formatLongDouble,
  isNanOrInfinity,
  type LongDouble,
  longDoubleFromInt64,
  parseLongDouble,
} from '../../../src/protocol/long-double.js';
import { RealRedis } from '../../support/real-redis.js';

const NOT_A_FLOAT = 'ERR value is not a valid float';
const NOT_FINITE = 'ERR increment would produce NaN or Infinity';

function parse(text: string): LongDouble | undefined {
  const bytes = Buffer.from(`9${text}9`, 'latin1');
  return parseLongDouble(bytes, 1, bytes.length - 2);
}

/** What INCRBYFLOAT of `increment` replies for a key that holds `value`. */
function incremented(value: string, increment: string): string {
  const a = parse(value);
  const b = parse(increment);
  if (a === undefined || b === undefined) return NOT_A_FLOAT;
  const sum = addLongDoubles(a, b);
  return isNanOrInfinity(sum) ? NOT_FINITE : formatLongDouble(sum);
}

/** Pairs that a table of examples would want: limits, ties, subnormal numbers, every odd way to write a number. */
const PAIRS: readonly (readonly [string, string])[] = [
  ['0.1', '0.2'],
  ['5.0e3', '2.0e2'],
  ['10.50', '0.1'],
  ['3.0', '-3.0'],
  ['0', '-0'],
  ['-0.0', '-0.0'],
  ['1', '1e-17'],
  ['1', '5e-18'],
  ['1', '1e-18'],
  ['0', '-1e-18'],
  ['0', '-5e-18'],
  ['0', '-4.9e-18'],
  ['9223372036854775807', '1'],
  ['-9223372036854775808', '-1'],
  ['18446744073709551615', '1'],
  ['18446744073709551616', '1'],
  ['18446744073709551616', '3'],
  ['36893488147419103232', '2'],
  ['36893488147419103232', '6'],
  ['36893488147419103232', '6.0000001'],
  ['1e4932', '1e4932'],
  ['1.18973149535723176502e4932', '0'],
  ['1.18973149535723176502e4932', '1.18973149535723176502e4932'],
  ['1.18973149535723176509e4932', '0'],
  ['1.1897314953572317651e4932', '0'],
  ['1e4933', '0'],
  ['-1e4933', '0'],
  ['1e-4932', '0'],
  ['3.6e-4951', '0'],
  ['1.9e-4951', '0'],
  ['1.8e-4951', '0'],
  ['1e-4960', '0'],
  ['0e-99999', '0'],
  ['0e99999', '1'],
  ['1e99999999999999999999', '1'],
  ['1e-99999999999999999999', '1'],
  ['inf', '1'],
  ['1', 'inf'],
  ['-inf', 'inf'],
  ['+Infinity', '0'],
  ['infinit', '0'],
  ['nan', '1'],
  ['nan(1)', '1'],
  ['', '1'],
  ['1', ''],
  [' 1', '1'],
  ['1 ', '1'],
  ['1\t', '1'],
  ['\v1', '1'],
  ['1\0', '1'],
  ['1.', '.5'],
  ['.', '1'],
  ['+.5e1', '-.5e+1'],
  ['1e', '1'],
  ['1e+', '1'],
  ['e1', '1'],
  ['0x', '1'],
  ['0x1', '0X.8'],
  ['0x1p', '1'],
  ['0x1p4', '-0x1p-4'],
  ['0x.p1', '1'],
  ['0x1.p1', '1'],
  ['0xffffffffffffffff8', '0'],
  ['0xffffffffffffffffc', '0'],
  ['0x1p16383', '0x1p16383'],
  ['0x1p16384', '0'],
  ['0x1p-16445', '0'],
  ['0x1p-16446', '0'],
  ['0x1.8p-16446', '0'],
  ['0x1p99999999999', '0'],
  ['0x0p99999999999', '0'],
  ['-+1', '1'],
  ['--1', '1'],
  ['1_0', '1'],
  ['0b1', '1'],
  ['1d', '1'],
  ['00012', '1'],
  ['-00.5', '1'],
  ['1,5', '1'],
  ['0.00000000000000001', '0'],
  ['0.000000000000000005', '0'],
  ['0.000000000000000015', '0'],
  ['0.000000000000000025', '0'],
  ['0.5', '0.000000000000000005'],
  ['1'.repeat(5119), '0'],
  ['1'.repeat(5120), '0'],
  [`0.${'0'.repeat(5000)}1e5001`, '1'],
  ['1'.repeat(4930), '1'],
];

const digits = (maxLength: number) => fc.stringMatching(new RegExp(`^[0-9]{1,${maxLength}}$`));
const sign = () => fc.constantFrom('', '', '-', '+');

/** Decimal numbers of every size, exponents mostly near each other so that sums round in the middle of a significand. */
const decimalText = () =>
  fc
    .tuple(
      sign(),
      digits(25),
      fc.option(digits(25), { nil: '' }),
      fc.oneof(
        fc.constant(''),
        fc.integer({ min: -20, max: 20 }).map((exponent) => `e${exponent}`),
        fc.integer({ min: -40, max: 40 }).map((exponent) => `E${exponent}`),
        fc.integer({ min: -4999, max: 4999 }).map((exponent) => `e${exponent}`),
      ),
    )
    .map(([s, whole, fraction, exponent]) => `${s}${whole}${fraction && `.${fraction}`}${exponent}`);

const hexadecimalText = () =>
  fc
    .tuple(
      sign(),
      fc.stringMatching(/^[0-9a-fA-F]{1,20}$/),
      fc.stringMatching(/^[0-9a-fA-F]{0,20}$/),
      fc.oneof(fc.integer({ min: -70, max: 70 }), fc.integer({ min: -16600, max: 16600 })),
    )
    .map(([s, whole, fraction, exponent]) => `${s}0x${whole}.${fraction}p${exponent}`);

const int64Text = () => fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String);
const almostText = () => fc.stringMatching(/^[-+]?[0-9]{0,3}[.ex ]?[0-9a-fp]{0,3}[-+]?[0-9.]{0,3}$/);

const numberText = () =>
  fc.oneof(
    { weight: 6, arbitrary: decimalText() },
    { weight: 2, arbitrary: hexadecimalText() },
    { weight: 2, arbitrary: int64Text() },
    { weight: 1, arbitrary: almostText() },
  );

describe('long doubles', () => {
  it('add as humans expect', () => {
    expect(incremented('0.1', '0.2')).toBe('0.3');
    expect(incremented('5.0e3', '2.0e2')).toBe('5200');
    expect(incremented('1', '-1.00000000000000000')).toBe('0');
  });

  it('hold every int64 exactly', () => {
    fc.assert(
      fc.property(int64Text(), (text) => {
        expect(formatLongDouble(longDoubleFromInt64(BigInt(text)))).toBe(text);
        expect(incremented(text, '0')).toBe(text);
      }),
    );
  });

  it('print what is not finite', () => {
    expect(formatLongDouble(Infinity)).toBe('inf');
    expect(formatLongDouble(-Infinity)).toBe('-inf');
    expect(formatLongDouble(addLongDoubles(Infinity, -Infinity))).toBe('nan');
  });
});

describe('against redis-server', () => {
  let redis: RealRedis;
  beforeAll(async () => {
    redis = await RealRedis.start();
  });
  afterAll(() => redis?.stop());

  async function expectSameSums(pairs: readonly (readonly [string, string])[]): Promise<void> {
    const commands = pairs.flatMap(([value, increment]) => [
      ['SET', 'key', Buffer.from(value, 'latin1')],
      ['INCRBYFLOAT', 'key', Buffer.from(increment, 'latin1')],
    ]);
    const answers = (await redis.answers(commands)).filter((_, index) => index % 2 === 1);
    const differences = pairs
      .map(([value, increment], index) => ({
        value,
        increment,
        redis: answers[index],
        respite: incremented(value, increment),
      }))
      .filter(({ redis: theirs, respite: ours }) => theirs !== ours);
    expect(differences).toEqual([]);
  }

  it('adds the examples as INCRBYFLOAT does', async () => {
    await expectSameSums(PAIRS);
  });

  it('adds anything as INCRBYFLOAT does', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(numberText(), numberText()), { minLength: 100, maxLength: 100 }),
        expectSameSums,
      ),
      { numRuns: 50 },
    );
  });

  it('adds anything as HINCRBYFLOAT does', async () => {
    const pairs = fc.sample(fc.tuple(numberText(), numberText()), 500);
    const answers = await redis.answers(
      pairs.flatMap(([value, increment]) => [
        ['HSET', 'hash', 'field', value],
        ['HINCRBYFLOAT', 'hash', 'field', increment],
      ]),
    );
    pairs.forEach(([value, increment], index) => {
      const ours = incremented(value, increment);
      const theirs = answers[2 * index + 1];
      if (ours === NOT_A_FLOAT || ours === NOT_FINITE) expect(theirs).toMatch(/^ERR /);
      else expect(theirs, `${value} + ${increment}`).toBe(ours);
    });
  });
});
