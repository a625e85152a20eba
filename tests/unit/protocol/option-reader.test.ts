import { describe, expect, it } from 'vitest';
import { Arguments } from '../../../src/protocol/arguments.js';
import { OptionReader } from '../../../src/protocol/option-reader.js';

function reading(...words: string[]): OptionReader {
  const call = new Arguments();
  call.assign(words.map((word) => Buffer.from(word, 'latin1')));
  const options = new OptionReader();
  options.begin(call, 1);
  return options;
}

describe('OptionReader', () => {
  it('takes words in any case, one after the other', () => {
    const options = reading('SET', 'nx', 'Get', 'other');
    expect(options.take('XX')).toBe(false);
    expect(options.take('NX')).toBe(true);
    expect(options.take('NX')).toBe(false);
    expect(options.take('GET')).toBe(true);
    expect(options.position).toBe(3);
    expect(options.hasMore).toBe(true);
    expect(options.take('GET')).toBe(false);
  });

  it('takes a word with its argument, or neither', () => {
    const options = reading('SET', 'ex', '10', 'EX');
    expect(options.takeWithArgument('PX')).toBe(false);
    expect(options.takeWithArgument('EX')).toBe(true);
    expect(options.argument).toBe(2);
    expect(options.takeWithArgument('EX')).toBe(false);
    expect(options.hasMore).toBe(true);
    expect(options.take('EX')).toBe(true);
    expect(options.hasMore).toBe(false);
  });

  it('sees an argument up to its first NUL byte, as Redis does', () => {
    expect(reading('SET', 'NX\0rest').take('NX')).toBe(true);
    expect(reading('SET', 'NXrest').take('NX')).toBe(false);
    expect(reading('SET', 'N').take('NX')).toBe(false);
    expect(reading('SET', '\0').take('')).toBe(true);
  });
});
