import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  formatNotificationClasses,
  parseNotificationClasses,
} from '../../../src/config/notification-classes.js';
import { NOTIFY_EXPIRED, NOTIFY_KEYSPACE, NOTIFY_NEW } from '../../../src/keyspace/events.js';

describe('classes of notifications', () => {
  test('are read and printed as letters', () => {
    expect(parseNotificationClasses('')).toBe(0);
    expect(parseNotificationClasses('Kx')).toBe(NOTIFY_KEYSPACE | NOTIFY_EXPIRED);
    expect(parseNotificationClasses('Kq')).toBeUndefined();
    expect(formatNotificationClasses(parseNotificationClasses('mEKdtexzhsl$g') ?? 0)).toBe('AKEm');
    expect(formatNotificationClasses(parseNotificationClasses('mEKnex') ?? 0)).toBe('xenKEm');
  });

  test('of new keys are set beside A, though not printed', () => {
    const bits = parseNotificationClasses('An') ?? 0;
    expect(bits & NOTIFY_NEW).not.toBe(0);
    expect(formatNotificationClasses(bits)).toBe('A');
  });

  test('print what reads back as the same', () => {
    const letters = fc.string({ unit: fc.constantFrom(...'g$lshzxetdKEm'), maxLength: 20 });
    fc.assert(
      fc.property(letters, (text) => {
        const bits = parseNotificationClasses(text) ?? -1;
        expect(parseNotificationClasses(formatNotificationClasses(bits))).toBe(bits);
      }),
    );
  });
});
