import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  COMMAND,
  type DecoderLimits,
  INCOMPLETE,
  PROTOCOL_ERROR,
  RequestDecoder,
} from '../../../src/protocol/request-decoder.js';

const LIMITS: DecoderLimits = { bulkBytesMax: 512 << 20, isUnauthenticated: false };

/** Bytes behind those that have come: what an earlier read has left there. */
const LEFT_OVER = '$3\r\nold\r\n*1\r\n'.repeat(20);

function encoded(words: readonly string[]): string {
  return `*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join('')}`;
}

/** What a decoder makes of a text that comes up to each of `ends` in turn, and then whole. */
function decodeInPieces(text: string, ends: readonly number[], limits = LIMITS): (string[] | string)[] {
  const bytes = Buffer.from(text + LEFT_OVER, 'latin1');
  const decoder = new RequestDecoder();
  const found: (string[] | string)[] = [];
  for (const end of [...ends, text.length].sort((a, b) => a - b)) {
    for (;;) {
      const status = decoder.decode(bytes, end, limits);
      if (status === INCOMPLETE) break;
      if (status === PROTOCOL_ERROR) return [...found, decoder.error];
      expect(status).toBe(COMMAND);
      const request = decoder.arguments;
      found.push(Array.from({ length: request.count }, (_, i) => request.text(i)));
    }
  }
  return found;
}

const anyWord = fc.oneof(
  fc.string({ maxLength: 12 }),
  // The lengths at which headers get a digit more, and content that looks like a header.
  fc.constantFrom(0, 1, 9, 10, 11, 99, 100, 101, 999, 1000).map((length) => 'x'.repeat(length)),
  fc.constantFrom('$3\r\n', '\r\n', '*1\r\n$4\r\nPING\r\n'),
);
const anyRequest = fc.oneof(
  fc.array(anyWord, { minLength: 1, maxLength: 12 }),
  fc.constantFrom(15, 16, 17, 40).map((count) => Array.from({ length: count }, (_, i) => String(i))),
);

test('requests are decoded as they were encoded, in whatever pieces they come', () => {
  fc.assert(
    fc.property(
      fc.array(anyRequest, { minLength: 1, maxLength: 4 }),
      fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 6 }),
      (requests, cuts) => {
        const text = requests.map(encoded).join('');
        const ends = cuts.map((cut) => Math.floor(cut * text.length));
        expect(decodeInPieces(text, ends)).toEqual(requests);
      },
    ),
  );
});

test('a request that comes byte by byte', () => {
  const request = ['HSET', 'k'.repeat(10), '', 'v'.repeat(100)];
  const text = encoded(request);
  expect(
    decodeInPieces(
      text,
      Array.from({ length: text.length }, (_, i) => i),
    ),
  ).toEqual([request]);
});

const EXPECT_4 = "Protocol error: expected '$', got '4'";
const BULK = 'Protocol error: invalid bulk length';
const MULTIBULK = 'Protocol error: invalid multibulk length';

test.each([
  ['*1\r\n4PING\r\n', EXPECT_4],
  ['*2\r\n$4\r\nPING\r\n4PONG\r\n', EXPECT_4],
  ['*1\r\n$\r\nPING\r\n', BULK],
  ['*1\r\n$x\r\nPING\r\n', BULK],
  ['*1\r\n$-1\r\nPING\r\n', BULK],
  ['*1\r\n$04\r\nPING\r\n', BULK],
  ['*1\r\n$4x\r\nPING\r\n', BULK],
  ['*1\r\n$4 \r\nPING\r\n', BULK],
  ['*1\r\n$4:\r\nPING\r\n', BULK],
  ['*x\r\n$4\r\nPING\r\n', MULTIBULK],
  ['*01\r\n$4\r\nPING\r\n', MULTIBULK],
  ['*1x\r\n$4\r\nPING\r\n', MULTIBULK],
  ['*2147483648\r\n$4\r\nPING\r\n', MULTIBULK],
])('%j breaks the protocol', (text, error) => {
  expect(decodeInPieces(text, [])).toEqual([error]);
});

test.each(['*0\r\n', '*-1\r\n'])('%j is an empty request', (text) => {
  expect(decodeInPieces(`${text}${encoded(['PING'])}`, [])).toEqual([[], ['PING']]);
});

test('who has not authenticated sends ten short arguments at most', () => {
  const limits = { ...LIMITS, isUnauthenticated: true };
  const ten = Array.from({ length: 10 }, (_, i) => String(i));
  expect(decodeInPieces(encoded(ten), [], limits)).toEqual([ten]);
  const error = 'Protocol error: unauthenticated multibulk length';
  expect(decodeInPieces(encoded([...ten, '10']), [], limits)).toEqual([error]);
  const long = ['AUTH', 'x'.repeat(16385)];
  expect(decodeInPieces(encoded(long), [], limits)).toEqual(['Protocol error: unauthenticated bulk length']);
});
