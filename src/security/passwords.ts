import { createHash, timingSafeEqual } from 'node:crypto';

/**
 * Whether two passwords are equal, in a time that says nothing about where they differ.
 * Passwords are byte strings: a byte a character.
 */
export function equalPasswords(a: string, b: string): boolean {
  return timingSafeEqual(digest(a), digest(b));
}

function digest(password: string): Buffer {
  return createHash('sha256').update(password, 'latin1').digest();
}
