import { beforeEach, describe, expect, test } from 'vitest';
import { Keyspace } from '../../../../src/keyspace/keyspace.js';
import {
  ENCODING_RAW,
  type RecordReference,
  TYPE_HASH,
  TYPE_LIST,
  TYPE_SET,
} from '../../../../src/keyspace/record.js';
import { NO_DEADLINE } from '../../../../src/keyspace/record-store.js';
import { Memory } from '../../../../src/memory/memory.js';
import { NULL_REFERENCE } from '../../../../src/memory/reference.js';
import type { Log } from '../../../../src/observability/log.js';
import { RdbFileReader } from '../../../../src/persistence/rdb/file-reader.js';
import {
  OPCODE_EXPIRETIME_MS,
  RDB_HASH,
  RDB_LIST_QUICKLIST_2,
  RDB_SET,
  RDB_STRING,
  RDB_ZSET_2,
} from '../../../../src/persistence/rdb/format.js';
import { RdbError, RdbInput } from '../../../../src/persistence/rdb/input.js';
import { NO_FIELD } from '../../../../src/types/hash.js';
import { Types } from '../../../../src/types/types.js';
import {
  elementText,
  FIRST_DEADLINE_MS,
  fileOf,
  LARGE_ENCODINGS,
  type LargeEncoding,
  writeLarge,
} from './large-values.js';

/** A large value is read a little at a time, and is there when all of it is. */

const ELEMENTS = 1500;
/** The most bytes that one step may read, and the most elements. */
const STEP_BYTES_MAX = 80 * 1024;
const STEP_ELEMENTS_MAX = 64;

let memory: Memory;
let keyspace: Keyspace;
let types: Types;
let messages: string[];

beforeEach(() => {
  memory = new Memory({ debug: true });
  keyspace = new Keyspace({ databases: 1, memory, seed: [1, 2], nowMs: 1_790_000_000_000 });
  types = new Types(keyspace);
  messages = [];
});

function readerOf(file: Uint8Array): { reader: RdbFileReader; input: RdbInput } {
  const input = RdbInput.over(file, 0, file.length);
  const note = (...words: unknown[]) => messages.push(words.join(' '));
  const log = { info: note, warn: note, debug: note } as unknown as Log;
  const reader = new RdbFileReader(types, input, file.length, log, {
    allowsDuplicates: false,
    checksChecksum: true,
    checksDuplicates: true,
  });
  reader.begin();
  return { reader, input };
}

/** Loads a file. Returns how many bytes each step read. */
function load(file: Uint8Array): number[] {
  const { reader, input } = readerOf(file);
  const steps: number[] = [];
  let position = input.position;
  while (reader.step()) {
    steps.push(input.position - position);
    position = input.position;
  }
  return steps;
}

function find(name: string): RecordReference {
  const key = Buffer.from(name);
  return keyspace.databases[0].find(keyspace.hash(key, 0, key.length), key, 0, key.length);
}

/** The score, value and deadline of each element, or its place in the list; of a member of a set, nothing. */
function contentOf(record: RecordReference, count: number): string[] {
  const { lists, listCursor, sets, sortedSets, hashes } = types;
  if (keyspace.records.type(record) === TYPE_LIST) {
    const elements: string[] = [];
    listCursor.start(record, 0, true);
    while (listCursor.next()) {
      listCursor.read();
      const { element } = lists;
      element.spell();
      const { bytes, offset, length } = element;
      elements.push(Buffer.from(bytes.subarray(offset, offset + length)).toString());
    }
    return elements;
  }
  return Array.from({ length: count }, (_, i) => {
    const name = Buffer.from(elementText(i));
    if (keyspace.records.type(record) === TYPE_SET) return String(sets.has(record, name, 0, name.length));
    if (keyspace.records.type(record) !== TYPE_HASH) {
      return String(sortedSets.score(record, sortedSets.find(record, name, 0, name.length)));
    }
    const handle = hashes.find(record, name, 0, name.length);
    expect(handle).not.toBe(NO_FIELD);
    hashes.read(record, handle);
    const value = Buffer.from(hashes.bytes.subarray(hashes.offset, hashes.offset + hashes.length));
    return `${value} ${hashes.deadline(record, handle)}`;
  });
}

function expectedContent({ name }: LargeEncoding, count: number): string[] {
  return Array.from({ length: count }, (_, i) => {
    if (name === 'set') return 'true';
    if (name.includes('list')) return elementText(i);
    if (name.includes('sorted')) return String(i);
    const hasDeadline = name.includes('deadlines') && i % 3 !== 0;
    return `value ${i} ${hasDeadline ? FIRST_DEADLINE_MS + i : NO_DEADLINE}`;
  });
}

describe.each(LARGE_ENCODINGS)('$name', (encoding) => {
  test.each([1, STEP_ELEMENTS_MAX, STEP_ELEMENTS_MAX + 1, 600, ELEMENTS])('of %i elements', (count) => {
    const steps = load(
      fileOf((output) => {
        writeLarge(output, encoding, count);
        output.byte(RDB_STRING);
        output.text('behind');
        output.text('it');
      }),
    );
    expect(steps).toHaveLength(Math.ceil(count / STEP_ELEMENTS_MAX) + 1);
    expect(Math.max(...steps)).toBeLessThan(STEP_BYTES_MAX);
    expect(contentOf(find(encoding.name), count)).toEqual(expectedContent(encoding, count));
    expect(find('behind')).not.toBe(NULL_REFERENCE);
    expect(keyspace.databases[0].size).toBe(2);
    const hasDeadlines = encoding.name.includes('deadlines') && count > 1;
    expect(keyspace.fieldDeadline(find(encoding.name))).toBe(
      hasDeadlines ? FIRST_DEADLINE_MS + 1 : NO_DEADLINE,
    );
    expect(keyspace.databases[0].fieldDeadlines.count).toBe(hasDeadlines ? 1 : 0);
  });

  test('that is cut off anywhere leaves nothing behind', () => {
    const file = fileOf((output) => writeLarge(output, encoding, ELEMENTS));
    const blocks = memory.blockCount;
    for (let length = 10; length < file.length - 10; length += file.length >> 3) {
      expect(() => load(file.subarray(0, length))).toThrow(
        expect.objectContaining({ name: 'RdbError', isTruncation: true, position: length }),
      );
      keyspace.lazyFree.drain();
      expect(memory.blockCount).toBe(blocks);
      expect(keyspace.databases[0].size).toBe(0);
    }
  });

  test('that holds an element twice is refused, if it may not, and leaves nothing behind', () => {
    if (encoding.name.includes('list')) return;
    const blocks = memory.blockCount;
    const twice = {
      ...encoding,
      element: (output: Parameters<typeof encoding.element>[0], i: number) =>
        encoding.element(output, i === ELEMENTS - 100 ? 3 : i),
    };
    expect(() => load(fileOf((output) => writeLarge(output, twice, ELEMENTS)))).toThrow(RdbError);
    keyspace.lazyFree.drain();
    expect(memory.blockCount).toBe(blocks);
  });

  test('whose key has expired is left out', () => {
    const blocks = memory.blockCount;
    load(
      fileOf((output) => {
        output.byte(OPCODE_EXPIRETIME_MS);
        output.milliseconds(1_000_000);
        writeLarge(output, encoding, ELEMENTS);
      }),
    );
    keyspace.lazyFree.drain();
    expect(memory.blockCount).toBe(blocks);
  });
});

test.each([65_536, 65_537, 1_000_000, 3 << 20])('a string of %i bytes', (length) => {
  const text = Buffer.from(Array.from({ length }, (_, i) => 97 + (i % 25) + (i % 3)));
  const file = fileOf((output) => {
    output.byte(OPCODE_EXPIRETIME_MS);
    output.milliseconds(FIRST_DEADLINE_MS);
    output.byte(RDB_STRING);
    output.text('string');
    output.string(text, 0, length);
    output.byte(RDB_STRING);
    output.text('behind');
    output.text('it');
  });
  const blocks = memory.blockCount;
  expect(() => load(file.subarray(0, length - 10))).toThrow(
    expect.objectContaining({ name: 'RdbError', isTruncation: true, position: length - 10 }),
  );
  expect(memory.blockCount).toBe(blocks);
  const steps = load(file);
  expect(Math.max(...steps)).toBeLessThan(STEP_BYTES_MAX);
  expect(Buffer.compare(types.strings.content(find('string')), text)).toBe(0);
  expect(keyspace.records.encoding(find('string'))).toBe(ENCODING_RAW);
  expect(keyspace.deadline(find('string'))).toBe(FIRST_DEADLINE_MS);
  expect(find('behind')).not.toBe(NULL_REFERENCE);
});

test('a step reads no more long elements than one beyond its bytes', () => {
  const long = Buffer.alloc(20_000, 'x').toString();
  const encoding = {
    name: 'set',
    type: RDB_SET,
    element: (output: { text(text: string): void }, i: number) => output.text(`${i}${long}`),
  };
  const steps = load(fileOf((output) => writeLarge(output, encoding, 100)));
  expect(steps.length).toBeGreaterThanOrEqual(20);
  expect(types.sets.count(find('set'))).toBe(100);
});

test('names of any length are told apart', () => {
  const names = [1, 1023, 1024, 1025, 5000].map((length) => 'abc'.repeat(length).slice(0, length));
  load(
    fileOf((output) => {
      output.byte(RDB_HASH);
      output.text('hash');
      output.length(names.length);
      for (const name of names) {
        output.text(name);
        output.text(`value of ${name}`);
      }
      output.byte(RDB_ZSET_2);
      output.text('zset');
      output.length(names.length);
      for (const name of names) {
        output.text(name);
        output.double(name.length);
      }
      for (const name of names) {
        output.byte(RDB_STRING);
        output.text(`key ${name}`);
        output.text(name);
      }
    }),
  );
  const { hashes, sortedSets, strings } = types;
  for (const name of names) {
    const bytes = Buffer.from(name);
    hashes.read(find('hash'), hashes.find(find('hash'), bytes, 0, bytes.length));
    const value = hashes.bytes.subarray(hashes.offset, hashes.offset + hashes.length);
    expect(Buffer.from(value).toString()).toBe(`value of ${name}`);
    const member = sortedSets.find(find('zset'), bytes, 0, bytes.length);
    expect(sortedSets.score(find('zset'), member)).toBe(name.length);
    expect(Buffer.from(strings.content(find(`key ${name}`))).toString()).toBe(name);
  }
});

test('a list of many nodes without elements is an empty key', () => {
  const empty = Buffer.from([7, 0, 0, 0, 0, 0, 0xff]);
  load(
    fileOf((output) => {
      output.byte(RDB_LIST_QUICKLIST_2);
      output.text('empty');
      output.length(200);
      for (let i = 0; i < 200; i++) {
        output.length(2);
        output.string(empty, 0, empty.length);
      }
      output.byte(RDB_STRING);
      output.text('behind');
      output.text('it');
    }),
  );
  expect(keyspace.databases[0].size).toBe(1);
  expect(messages).toContain('rdbLoadObject skipping empty key: empty');
});
