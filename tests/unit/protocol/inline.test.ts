import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { quoteArgument, splitArguments } from '../../../src/protocol/inline.js';

function split(line: string): string[] | undefined {
  return splitArguments(Buffer.from(line, 'latin1'))?.map((argument) =>
    Buffer.from(argument).toString('latin1'),
  );
}

describe('splitArguments', () => {
  test.each([
    ['', []],
    [' \t\r\n\v\f', []],
    ['PING', ['PING']],
    ['  set  a \t b\r\n', ['set', 'a', 'b']],
    ['a\vb \vc', ['a\vb', 'c']],
    ['"a b" \'c d\'', ['a b', 'c d']],
    ['"" \'\'', ['', '']],
    ['a"b c"', ['ab c']],
    ['"a"\v"b"', ['a', 'b']],
    ['"\\n\\r\\t\\b\\a\\q\\\\\\""', ['\n\r\t\b\x07q\\"']],
    ['"\\x00\\xfF\\x4"', ['\0\xffx4']],
    ['"\\xg1 \\x"', ['xg1 x']],
    ["'\\n \\' \\\\ '", ["\\n ' \\\\ "]],
    ['\\x41 \\"a"', ['\\x41', '\\a']],
    ['a\0"b', ['a']],
    ['\xe9 "\xe9"', ['\xe9', '\xe9']],
  ])('%j', (line, expected) => {
    expect(split(line)).toEqual(expected);
  });

  test.each([
    '"',
    "'",
    '"a',
    "'a",
    '"a"b',
    "'a'b",
    'a"b"c',
    '"a\\"',
    "'a\\'",
    '"a\\',
    'a"',
    '"a\0"',
    '"a""b"',
  ])('%j has unbalanced quotes', (line) => {
    expect(split(line)).toBeUndefined();
  });

  test('gives copies', () => {
    const line = Buffer.from('a b');
    const args = splitArguments(line);
    line.fill(0);
    expect(args?.map((argument) => argument[0])).toEqual([0x61, 0x62]);
  });
});

describe('quoteArgument', () => {
  test('prints ASCII only', () => {
    expect(quoteArgument(Buffer.from('a "\\\n\r\t\x07\b\0\x7f\xe9', 'latin1'))).toBe(
      '"a \\"\\\\\\n\\r\\t\\a\\b\\x00\\x7f\\xe9"',
    );
  });

  test('is read back by splitArguments', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array()), (args) => {
        const line = Buffer.from(args.map(quoteArgument).join(' '), 'latin1');
        expect(splitArguments(line)).toEqual(args.map((argument) => new Uint8Array(argument)));
      }),
    );
  });
});
