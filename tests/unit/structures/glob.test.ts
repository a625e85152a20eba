import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { matchGlob } from '../../../src/structures/glob.js';

const bytes = (text: string): Uint8Array => Buffer.from(text, 'latin1');

function match(pattern: string, text: string, ignoreCase = false): boolean {
  return matchGlob(bytes(pattern), 0, pattern.length, bytes(text), 0, text.length, ignoreCase);
}

describe('matchGlob', () => {
  test.each([
    ['', '', true],
    ['', 'a', false],
    ['a', '', false],
    ['*', '', false],
    ['*', 'anything', true],
    ['***', 'a', true],
    ['h?llo', 'hello', true],
    ['h?llo', 'hllo', false],
    ['h*llo', 'heeeello', true],
    ['h*llo*', 'hllo', true],
    ['*a*b*c', 'xaxbxbxc', true],
    ['*a*b*c', 'xaxbxbxcx', false],
    ['h[ae]llo', 'hallo', true],
    ['h[ae]llo', 'hillo', false],
    ['h[^e]llo', 'hallo', true],
    ['h[^e]llo', 'hello', false],
    ['h[a-c]llo', 'hbllo', true],
    ['h[c-a]llo', 'hbllo', true],
    ['[a-]', '-', false],
    ['[a-]', '_', true],
    ['[]', 'a', false],
    ['[\\]]', ']', true],
    ['[abc', 'b', true],
    ['[a-', '-', true],
    ['[', 'a', false],
    ['[^', 'a', true],
    ['a\\', 'a\\', true],
    ['\\*', '*', true],
    ['\\*', 'a', false],
    ['\\a', 'a', true],
    ['[a-\xff]', '\x01', true],
    ['[\x80-\xff]', '\x90', true],
    ['[\x80-\xff]', 'a', false],
  ])('%j on %j is %s', (pattern, text, expected) => {
    expect(match(pattern, text)).toBe(expected);
  });

  test.each([
    ['ABC*', 'abcd', true],
    ['[A-C]', 'b', true],
    ['[X]', 'x', true],
    ['[\\X]', 'x', false],
    ['[Z-a]', 'z', false],
    ['\\A', 'a', true],
    ['[', '{', false],
    ['\xe9', '\xc9', false],
  ])('without case, %j on %j is %s', (pattern, text, expected) => {
    expect(match(pattern, text, true)).toBe(expected);
  });

  test('looks at its part of the arrays only', () => {
    expect(matchGlob(bytes('xxa*cxx'), 2, 3, bytes('yyabcyy'), 2, 3, false)).toBe(true);
    expect(matchGlob(bytes('a[bc]'), 0, 3, bytes('ab'), 0, 2, false)).toBe(true);
    expect(matchGlob(bytes('a\\b'), 0, 2, bytes('a\\'), 0, 2, false)).toBe(true);
  });

  test('agrees with the plain recursive definition', () => {
    const text = fc.string({ unit: fc.constantFrom(...'ab*?'), maxLength: 8 });
    const matchPlainly = (pattern: string, subject: string): boolean => {
      if (pattern === '') return subject === '';
      if (pattern[0] === '*') {
        return (
          matchPlainly(pattern.slice(1), subject) ||
          (subject !== '' && matchPlainly(pattern, subject.slice(1)))
        );
      }
      if (subject === '' || (pattern[0] !== '?' && pattern[0] !== subject[0])) return false;
      return matchPlainly(pattern.slice(1), subject.slice(1));
    };
    fc.assert(
      fc.property(text, text, (pattern, subject) => {
        fc.pre(subject !== '');
        expect(match(pattern, subject)).toBe(matchPlainly(pattern, subject));
      }),
      { numRuns: 2000 },
    );
  });

  test('takes polynomial time for patterns that make backtracking explode', () => {
    expect(match(`${'a*'.repeat(500)}b`, 'a'.repeat(5000))).toBe(false);
  });

  test('gives up on more than 1000 runs of asterisks, as Redis does', () => {
    expect(match('*a'.repeat(1000), 'a'.repeat(1000))).toBe(true);
    expect(match(`${'*a'.repeat(1000)}*`, 'a'.repeat(1001))).toBe(true);
    expect(match('*a'.repeat(1001), 'a'.repeat(1001))).toBe(false);
  });
});
