import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { systemErrorCode, systemErrorText } from '../../../src/config/system-error.js';

test('errors of the system have the words of the C library', () => {
  const errorOf = (path: string): unknown => {
    try {
      return readFileSync(path);
    } catch (error) {
      return error;
    }
  };
  expect(systemErrorText(errorOf('/nowhere'))).toBe('No such file or directory');
  expect(systemErrorText(errorOf('/'))).toBe('Is a directory');
  expect(systemErrorText(Object.assign(new Error(), { code: 'ENOTTY' }))).toBe('ENOTTY');
  expect(systemErrorCode(new Error('mine'))).toBeUndefined();
  expect(() => systemErrorText(new Error('mine'))).toThrow('mine');
});
