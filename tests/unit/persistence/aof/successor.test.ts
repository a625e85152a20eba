import { expect, test } from 'vitest';
import { formatSuccessor, parseSuccessor } from '../../../../src/persistence/aof/successor.js';

const SUCCESSOR = { sequence: 2, startOffset: 1234, precedingBytes: 56_789 };
const TEXT = 'increment 2 begins at offset 1234, behind byte 56789 of increment 1\n';

test('what is told of an increment can be read again', () => {
  expect(formatSuccessor(SUCCESSOR)).toBe(TEXT);
  expect(parseSuccessor(TEXT)).toEqual(SUCCESSOR);
});

test('what is not whole tells nothing', () => {
  for (let length = 0; length < TEXT.length; length++) {
    expect(parseSuccessor(TEXT.slice(0, length))).toBeUndefined();
  }
  expect(parseSuccessor(`${TEXT}\n`)).toBeUndefined();
  expect(parseSuccessor('\0'.repeat(TEXT.length))).toBeUndefined();
});
