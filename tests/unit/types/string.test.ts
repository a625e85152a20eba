import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ENCODING_NAMES } from '../../../src/keyspace/record.js';
import { KEEP_DEADLINE, NO_DEADLINE } from '../../../src/keyspace/record-store.js';
import { OutOfMemoryError } from '../../../src/memory/memory.js';
import { StringModel } from './string-model.js';

/** Lengths on both sides of where something changes: embstr, the record's own bytes, size classes, pages. */
const LENGTHS = [
  0, 1, 20, 21, 43, 44, 45, 199, 200, 201, 254, 255, 256, 257, 1000, 32767, 32768, 32769, 70000,
];
const INTEGERS = [0n, 1n, -1n, 9999n, 2n ** 31n, -(2n ** 31n), 2n ** 32n, 2n ** 53n, 2n ** 62n, 2n ** 63n];
const NEARLY_INTEGERS = [
  '',
  '-',
  '-0',
  '+1',
  '01',
  '1.0',
  ' 1',
  '1 ',
  '9223372036854775808',
  '-9223372036854775809',
];

const keys = fc.constantFrom('a', 'b', 'c', '', 'k'.repeat(254), 'k'.repeat(255), 'k'.repeat(300), '\0\xff');
const lengths = fc.oneof(fc.constantFrom(...LENGTHS), fc.integer({ min: 0, max: 300 }));
const integers = fc
  .tuple(fc.constantFrom(...INTEGERS), fc.bigInt({ min: -2n, max: 2n }), fc.boolean())
  .map(([value, difference, isNegative]) => (isNegative ? -value : value) + difference)
  .filter((value) => BigInt.asIntN(64, value) === value);
const contents = fc
  .oneof(
    { weight: 4, arbitrary: lengths.map((length) => Buffer.alloc(length, 'content ')) },
    { weight: 3, arbitrary: integers.map((value) => Buffer.from(String(value))) },
    { weight: 1, arbitrary: fc.constantFrom(...NEARLY_INTEGERS).map((text) => Buffer.from(text)) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)) },
  )
  .map((content) => Buffer.from(content));
const deadlines = fc.constantFrom(NO_DEADLINE, 1000, 1_000_000, 2 ** 53, 2 ** 63);
const operations = fc.oneof(
  fc.tuple(fc.constant('set' as const), keys, contents, deadlines),
  fc.tuple(fc.constant('replace' as const), keys, contents),
  fc.tuple(fc.constant('setBytes' as const), keys, contents),
  fc.tuple(fc.constant('overwrite' as const), keys, contents),
  fc.tuple(fc.constant('resize' as const), keys, lengths),
  fc.tuple(fc.constant('setInteger' as const), keys, integers),
  fc.tuple(fc.constant('setDeadline' as const), keys, deadlines),
  fc.tuple(fc.constant('rename' as const), keys, keys),
  fc.tuple(fc.constant('copy' as const), keys, keys),
  fc.tuple(fc.constant('remove' as const), keys),
);
type Operation = typeof operations extends fc.Arbitrary<infer T> ? T : never;

function apply(model: StringModel, operation: Operation): void {
  const [kind, key] = operation;
  if (kind === 'set') model.set(key, operation[2], operation[3]);
  else if (kind === 'replace')
    model.set(key, operation[2], model.expected.has(key) ? KEEP_DEADLINE : NO_DEADLINE);
  else if (kind === 'setBytes') model.setBytes(key, operation[2]);
  else if (kind === 'overwrite') model.overwrite(key, operation[2]);
  else if (kind === 'resize') model.resize(key, operation[2]);
  else if (kind === 'setInteger') model.setInteger(key, operation[2]);
  else if (kind === 'setDeadline') model.setDeadline(key, operation[2]);
  else if (kind === 'rename') model.rename(key, operation[2]);
  else if (kind === 'copy') model.copy(key, operation[2]);
  else model.remove(key);
}

/** Tries an operation with one allocation more each time until it succeeds, checking everything after each failure. */
function failThenApply(model: StringModel, operation: Operation): void {
  for (let allocations = 0; ; allocations++) {
    const blocks = model.memory.blockCount;
    model.memory.allocationsUntilFailure = allocations;
    try {
      apply(model, operation);
      return;
    } catch (error) {
      if (!(error instanceof OutOfMemoryError)) throw error;
    } finally {
      model.memory.allocationsUntilFailure = Number.POSITIVE_INFINITY;
    }
    model.check();
    expect(model.memory.blockCount).toBe(blocks);
  }
}

describe('Strings', () => {
  it('equal a map of buffers over all encodings, and lose no memory', () => {
    fc.assert(
      fc.property(fc.array(operations, { maxLength: 60, size: 'max' }), (list) => {
        const model = new StringModel();
        for (const operation of list) {
          apply(model, operation);
          model.check();
        }
        model.end();
      }),
      { numRuns: 50 },
    );
  });

  it('are as they were when there is no memory', () => {
    fc.assert(
      fc.property(fc.array(operations, { maxLength: 25, size: 'max' }), (list) => {
        const model = new StringModel();
        for (const operation of list) failThenApply(model, operation);
        model.check();
        model.end();
      }),
      { numRuns: 40 },
    );
  });

  it.each([
    ['0', 'int'],
    ['-9223372036854775808', 'int'],
    ['9223372036854775807', 'int'],
    ['9223372036854775808', 'embstr'],
    ['-0', 'embstr'],
    ['', 'embstr'],
    ['x'.repeat(44), 'embstr'],
    ['x'.repeat(45), 'raw'],
    ['x'.repeat(255), 'raw'],
    ['x'.repeat(256), 'raw'],
  ])('keep %j as %s', (text, encoding) => {
    const model = new StringModel();
    model.set('key', Buffer.from(text), NO_DEADLINE);
    expect(ENCODING_NAMES[model.keyspace.records.encoding(model.find('key'))]).toBe(encoding);
    model.check();
    model.end();
  });

  it('grow byte by byte with few moves', () => {
    const model = new StringModel();
    model.set('key', Buffer.alloc(0), NO_DEADLINE);
    const blocks = new Set<number>();
    for (let length = 1; length <= 20_000; length++) {
      model.resize('key', length);
      const { records } = model.keyspace;
      const record = model.find('key');
      blocks.add(records.hasSlot(record) ? records.slot(record) : record);
    }
    expect(blocks.size).toBeLessThan(40);
    model.check();
    model.end();
  });

  it('stay in the record up to 255 bytes', () => {
    const model = new StringModel();
    model.set('key', Buffer.alloc(255), NO_DEADLINE);
    expect(model.keyspace.records.hasSlot(model.find('key'))).toBe(false);
    model.set('key', Buffer.alloc(256), NO_DEADLINE);
    expect(model.keyspace.records.hasSlot(model.find('key'))).toBe(true);
    model.end();
  });

  it('are not longer than their length can say', () => {
    const model = new StringModel();
    model.set('key', Buffer.from('short'), NO_DEADLINE);
    expect(() => model.strings.resize(model.database, model.find('key'), 2 ** 31)).toThrow(OutOfMemoryError);
    model.check();
    model.end();
  });
});
