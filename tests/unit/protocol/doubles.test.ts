import { connect } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  DOUBLE_LENGTH_MAX,
  formatDouble,
  formatDoubleSeventeen,
  formatShortestDouble,
  parseDouble,
  parseDoubleLeniently,
  parseLeadingDouble,
  writeDouble,
} from '../../../src/protocol/doubles.js';
import { RealRedis } from '../../support/real-redis.js';

type Parse = (bytes: Uint8Array, offset: number, length: number) => number | undefined;

/** Reads text that stands between two digits, so that reading too far shows. */
function read(parse: Parse, text: string): number | undefined {
  const bytes = Buffer.from(`9${text}9`, 'latin1');
  return parse(bytes, 1, bytes.length - 2);
}

const doubleOfBits = (bits: bigint) => {
  const memory = new DataView(new ArrayBuffer(8));
  memory.setBigUint64(0, bits);
  return memory.getFloat64(0);
};

/** Finite doubles of every kind: any bits, short decimals, integers of every size, neighbours of powers of two. */
const doubles = () =>
  fc.oneof(
    fc
      .bigInt({ min: 0n, max: 2n ** 64n - 1n })
      .map(doubleOfBits)
      .filter(Number.isFinite),
    fc.tuple(fc.maxSafeInteger(), fc.nat(22)).map(([digits, places]) => Number(`${digits}e-${places}`)),
    fc.tuple(fc.integer(), fc.nat(8)).map(([digits, places]) => digits / 10 ** places),
    fc.tuple(fc.maxSafeInteger(), fc.nat(40)).map(([digits, places]) => digits * 2 ** places),
    fc
      .tuple(fc.bigInt({ min: 1n, max: 2045n }), fc.bigInt({ min: -2n, max: 2n }))
      .map(([exponent, difference]) => doubleOfBits((exponent << 52n) + difference)),
    fc.bigInt({ min: 1n, max: 5000n }).map(doubleOfBits),
    fc.double({ noNaN: true, noDefaultInfinity: true, min: -1000, max: 1000 }),
  );

/** Doubles that a table of examples would want. */
const DOUBLES = [
  0,
  -0,
  1,
  -1,
  0.1,
  0.5,
  1.5,
  3.14,
  -17.25,
  100,
  1e15,
  1e16,
  1e17,
  1e18,
  2 ** 53,
  2 ** 53 + 2,
  2 ** 62,
  -(2 ** 62),
  2 ** 62 + 1024,
  2 ** 63,
  -(2 ** 63),
  1e19,
  Number('12345678901234567890'),
  Number('1.2345678901234567e21'),
  1e20,
  1e21,
  1e22,
  1e23,
  1e100,
  1e-1,
  1e-4,
  1e-5,
  1e-6,
  1e-7,
  1e-8,
  1.5e-7,
  1.25e-5,
  123456.789,
  0.001234,
  1.7976931348623157e308,
  5e-324,
  4.94e-322,
  2.2250738585072014e-308,
  2.225073858507201e-308,
  2 ** -25,
  3 * 2 ** -25,
  2 ** -24,
  0.3,
  2 / 3,
  1e5 / 3,
  1e17 / 3,
  2 ** 53 - 1,
  2 ** 62 - 512,
  0.1 + 0.2,
  9.5,
  99.99999999999999,
  123e45,
  -1.234e-200,
];

describe('reading doubles', () => {
  it.each([
    ['0', 0],
    ['-0', -0],
    ['12', 12],
    ['00012', 12],
    ['1.5', 1.5],
    ['1.', 1],
    ['.5', 0.5],
    ['-.5e1', -5],
    ['1e5', 1e5],
    ['1E+05', 1e5],
    ['0e99999', 0],
    ['123456789012345678901234567890', 1.2345678901234568e29],
    ['0.1', 0.1],
    ['179769313486231570e291', 1.7976931348623157e308],
    ['inf', Infinity],
    ['-iNf', -Infinity],
    ['+infinity', Infinity],
    ['0x10', 16],
    ['-0x1.8P+1', -3],
    ['5e-324', 5e-324],
    ['9007199254740993', 9007199254740992],
  ])('reads %s', (text, value) => {
    expect(read(parseDouble, text)).toBe(value);
  });

  it('reads what String prints', () => {
    fc.assert(
      fc.property(doubles(), (value) => {
        expect(read(parseDouble, Object.is(value, -0) ? '-0' : String(value))).toBe(value);
        expect(read(parseDoubleLeniently, formatDouble(value))).toBe(value);
      }),
      { numRuns: 5000 },
    );
  });

  it('reads the number that a text begins with, whatever follows', () => {
    const texts = ['2.5x', '2.%', '-2e', '3e+5x', '.5.5', '', 'x1', '-', '-infinite', 'Inf!'];
    const values = [2.5, 2, -2, 300_000, 0.5, 0, 0, 0, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
    expect(texts.map((text) => read(parseLeadingDouble, text))).toEqual(values);
  });

  it('reads hexadecimal floats up to a length', () => {
    expect(read(parseDouble, `0x1${'0'.repeat(8000)}p-32000`)).toBe(1);
    expect(read(parseDouble, `0x1${'0'.repeat(9000)}`)).toBeUndefined();
  });
});

describe('writing doubles', () => {
  it.each([
    [1e15, '1000000000000000'],
    [2 ** 62, '4611686018427387904'],
    [2 ** 63, '9223372036854776000'],
    [1e19, '1e+19'],
    [1.5, '1.5'],
    [1e-7, '1e-7'],
    [-0, '-0'],
    [Infinity, 'inf'],
    [-Infinity, '-inf'],
    [NaN, 'nan'],
  ])('writes %d as %s', (value, text) => {
    expect(formatDouble(value)).toBe(text);
  });

  it.each([
    [1e15, '1e+15'],
    [2 ** 53, '9007199254740992'],
    [1234500, '1234500'],
    [1e7, '10000000'],
    [1e8, '1e+8'],
    [0, '0'],
    [-0, '-0'],
    [-1e300, '-1e+300'],
    [-Infinity, '-inf'],
  ])('writes %d as %s where integers are nothing special', (value, text) => {
    expect(formatShortestDouble(value)).toBe(text);
  });

  it.each([
    [2 ** -25, '2.9802322387695312e-08'],
    [3 * 2 ** -25, '8.9406967163085938e-08'],
    [0.1, '0.10000000000000001'],
    [1e17, '1e+17'],
    [123456789012345680, '1.2345678901234568e+17'],
    [1.5, '1.5'],
    [-0, '-0'],
    [-Infinity, '-inf'],
    [0.0001, '0.0001'],
    [0.00001, '1.0000000000000001e-05'],
    [5e-324, '4.9406564584124654e-324'],
  ])('writes %d as %s with 17 digits', (value, text) => {
    expect(formatDoubleSeventeen(value)).toBe(text);
  });

  it('writes no more than it says, and what reads back as the same double', () => {
    fc.assert(
      fc.property(doubles(), (value) => {
        const bytes = new Uint8Array(DOUBLE_LENGTH_MAX + 6).fill(0x39);
        const end = writeDouble(bytes, 3, value);
        expect(end - 3).toBeLessThanOrEqual(DOUBLE_LENGTH_MAX);
        expect([...bytes.subarray(0, 3), ...bytes.subarray(end)].every((byte) => byte === 0x39)).toBe(true);
        const text = Buffer.from(bytes.subarray(3, end)).toString('latin1');
        expect(Number(text)).toBe(value);
        expect(Number(formatShortestDouble(value))).toBe(value);
        expect(Number(formatDoubleSeventeen(value))).toBe(value);
      }),
      { numRuns: 5000 },
    );
  });
});

describe('against redis-server', () => {
  let redis: RealRedis;
  beforeAll(async () => {
    // No listpacks: they would keep an integer score, and lose the sign of -0.
    redis = await RealRedis.start('--zset-max-listpack-entries', '0');
  });
  afterAll(() => redis?.stop());

  const TEXTS = [
    '1',
    '+1',
    '-1',
    '+inf',
    'inf',
    '-inf',
    '-+inf',
    '+-inf',
    '++inf',
    '-+1',
    '--1',
    'infinity',
    '+Infinity',
    'INF',
    'infi',
    'infinit',
    'infinityy',
    'nan',
    '-nan',
    'nan(1)',
    '0x10',
    '-0x10',
    '+0x10',
    '0x1p3',
    '0X.8',
    '0x',
    '0x.',
    '0x.p1',
    '0x1.p1',
    '0x1p',
    '0x1p+',
    '-+0x1',
    '1e999',
    '-1e999',
    '1e-999',
    '0e-999',
    '4.9e-324',
    '2.4e-324',
    '2.5e-324',
    '0x1p-1074',
    '0x1p-1075',
    '0x1.8p-1075',
    '0x1p1023',
    '0x1p1024',
    '0x1.fffffffffffff8p1023',
    '0x1.fffffffffffff7p1023',
    '0x1.00000000000008p0',
    '0x1.000000000000080000001p0',
    '1.',
    '.5',
    '.',
    '-.',
    '+.5',
    '',
    '-',
    '+',
    ' 1',
    '1 ',
    '\t1',
    '1\n',
    '1\0',
    '\x001',
    '1e',
    '1e+',
    '1e5',
    '1E5',
    '1e+05',
    'e5',
    '1_0',
    '1d',
    '1f',
    '00012',
    '-0',
    '+0',
    '0x0p99999',
    '0x1p99999999999',
    '0x1p-99999999999',
    '1e0000000000000000000005',
    '1e99999999999999999999',
    '1e-99999999999999999999',
    '0e99999999999999999999',
    '1,5',
    '12345678901234567890',
    '9007199254740993',
    '9007199254740992.5',
    '1.7976931348623158e308',
    '1.7976931348623159e308',
    '0'.repeat(400),
    `${'1'.repeat(308)}`,
    `${'1'.repeat(310)}`,
    `0.${'0'.repeat(400)}1e401`,
    `0.${'0'.repeat(330)}1`,
    '1e23',
    '8.5e22',
  ];

  const almostNumber = () =>
    fc.oneof(
      doubles().map(String),
      fc.stringMatching(/^[-+]?[0-9]{0,20}\.?[0-9]{0,20}(e[-+]?[0-9]{0,3})?$/),
      fc.stringMatching(/^[-+]?0[xX][0-9a-fA-F]{0,16}\.?[0-9a-f]{0,3}([pP][-+]?[0-9]{0,4})?$/),
      fc.stringMatching(/^[-+]?[0-9infaety.+-]{0,6}$/),
    );

  /** What ZADD and then ZSCORE answer for a score, from what was read and how it prints. */
  const scoreAnswers = (text: string) => {
    const value = read(parseDouble, text);
    return value === undefined ? ['ERR value is not a valid float', null] : [1, formatDouble(value)];
  };

  async function expectSameScores(texts: readonly string[]): Promise<void> {
    const answers = await redis.answers(
      texts.flatMap((text) => [
        ['ZADD', 'scores', Buffer.from(text, 'latin1'), 'member'],
        ['ZSCORE', 'scores', 'member'],
        ['DEL', 'scores'],
      ]),
    );
    const theirs = texts.map((text, index) => [text, ...answers.slice(3 * index, 3 * index + 2)]);
    expect(texts.map((text) => [text, ...scoreAnswers(text)])).toEqual(theirs);
  }

  it('reads the examples as ZADD does', () => expectSameScores(TEXTS));

  it('reads anything as ZADD does, and writes it as ZSCORE does', () =>
    fc.assert(
      fc.asyncProperty(fc.array(almostNumber(), { minLength: 200, maxLength: 200 }), expectSameScores),
      { numRuns: 25 },
    ));

  it('writes every double as ZSCORE and ZSCAN do', async () => {
    const values = [...DOUBLES, ...fc.sample(doubles(), 5000)];
    const answers = await redis.answers(
      values.flatMap((value) => [
        ['ZADD', 'scores', Object.is(value, -0) ? '-0' : String(value), 'member'],
        ['ZSCORE', 'scores', 'member'],
        ['ZSCAN', 'scores', '0'],
        ['DEL', 'scores'],
      ]),
    );
    values.forEach((value, index) => {
      expect(formatDouble(value)).toBe(answers[4 * index + 1]);
      expect(['0', ['member', formatDoubleSeventeen(value)]]).toEqual(answers[4 * index + 2]);
    });
  });

  it('writes every double as RESP3 has it', async () => {
    const socket = connect(redis.socketPath);
    const commands = DOUBLES.map(
      (value, index) => `ZADD resp3 ${Object.is(value, -0) ? '-0' : value} ${index}`,
    );
    const scores = DOUBLES.map((_, index) => `ZSCORE resp3 ${index}`);
    socket.write(['HELLO 3', ...commands, ...scores, 'QUIT', ''].join('\r\n'));
    let replies = '';
    for await (const chunk of socket) replies += chunk;
    expect(replies.match(/^,.*(?=\r$)/gm)).toEqual(DOUBLES.map((value) => `,${formatDouble(value)}`));
  });

  it('reads the bounds of score ranges leniently, as ZCOUNT does', async () => {
    const ladder = DOUBLES.filter((value) => value !== 0).sort((a, b) => a - b);
    const scores = [-Infinity, ...ladder, 0, Infinity];
    const texts = [...TEXTS, ...fc.sample(almostNumber(), 2000)];
    await redis.answers(scores.map((score) => ['ZADD', 'ladder', String(score), `member ${score}`]));
    const answers = await redis.answers(
      texts.map((text) => ['ZCOUNT', 'ladder', Buffer.from(text, 'latin1'), '+inf']),
    );
    const members = new Set(scores);
    texts.forEach((text, index) => {
      const bound = read(parseDoubleLeniently, text);
      const count = [...members].filter((score) => bound !== undefined && score >= bound).length;
      expect([text, bound === undefined ? 'ERR min or max is not a float' : count]).toEqual([
        text,
        answers[index],
      ]);
    });
  });
});
