import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Keyspace } from '../../../src/keyspace/keyspace.js';
import { KeyFilter, type Place, WaitQueue } from '../../../src/server/wait-queue.js';

const [database] = new Keyspace({ databases: 1, nowMs: 0 }).databases;

it('keeps the order in which they came, whoever leaves', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(8), { maxLength: 60 }), (steps) => {
      const queue = new WaitQueue<number>(database, 'key');
      const model: Place<number>[] = [];
      for (const [i, step] of steps.entries()) {
        // A step below the number of those who wait is one who leaves.
        if (step < model.length) {
          const [place] = model.splice(step, 1);
          queue.leave(place);
          expect(place.isLeft).toBe(true);
        } else {
          model.push(queue.join(i));
        }
        expect(queue.length).toBe(model.length);
        const found: Place<number>[] = [];
        for (let place = queue.first; place !== undefined; place = place.next) found.push(place);
        expect(found.map(({ waiter }) => waiter)).toEqual(model.map(({ waiter }) => waiter));
      }
    }),
  );
});

it('knows every key that is waited for, and forgets it again', () => {
  const filter = new KeyFilter();
  const has = (key: string) => {
    const bytes = Buffer.from(`<${key}`, 'latin1');
    return filter.mayHave(bytes, 1, bytes.length - 1);
  };
  const keys = ['', 'a', 'queue', '\xff\x00', 'L'.repeat(300)];
  for (const key of keys) {
    expect(has(key)).toBe(false);
    filter.add(key);
    filter.add(key);
    expect(has(key)).toBe(true);
  }
  for (const key of keys) {
    filter.remove(key);
    expect(has(key)).toBe(true);
    filter.remove(key);
    expect(has(key)).toBe(false);
  }
});

it('tells most other keys from those that are waited for', () => {
  const filter = new KeyFilter();
  for (let i = 0; i < 100; i++) filter.add(`queue:${i}`);
  let taken = 0;
  for (let i = 0; i < 1000; i++) {
    const bytes = Buffer.from(`session:${i}`);
    if (filter.mayHave(bytes, 0, bytes.length)) taken++;
  }
  expect(taken).toBeLessThan(50);
});
