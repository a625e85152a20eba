import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Keyspace } from '../../../src/keyspace/keyspace.js';
import { ENCODING_EMBSTR, ENCODING_RAW } from '../../../src/keyspace/record.js';
import { NO_DEADLINE } from '../../../src/keyspace/record-store.js';
import { Memory, OutOfMemoryError } from '../../../src/memory/memory.js';
import { NULL_REFERENCE } from '../../../src/memory/reference.js';
import { Arguments } from '../../../src/protocol/arguments.js';
import { DENSE_BYTES } from '../../../src/structures/hyperloglog.js';
import { CORRUPT, HyperLogLogs } from '../../../src/types/hyperloglog.js';
import { Strings } from '../../../src/types/string.js';
import { elementFor } from '../../support/hyperloglog-elements.js';

let memory: Memory;
let keyspace: Keyspace;
let strings: Strings;
let hyperLogLogs: HyperLogLogs;
let blocksBefore: number;

beforeEach(() => {
  memory = new Memory({ debug: true });
  keyspace = new Keyspace({ databases: 1, memory, seed: [1, 2], nowMs: 0 });
  strings = new Strings(keyspace);
  hyperLogLogs = new HyperLogLogs(keyspace.records, strings);
  blocksBefore = memory.blockCount;
});

afterEach(() => {
  keyspace.clear(keyspace.databases[0], false);
  expect(memory.blockCount).toBe(blocksBefore);
});

function call(...words: readonly (string | Uint8Array)[]): Arguments {
  const request = new Arguments();
  request.assign(words.map((word) => Buffer.from(word)));
  return request;
}

function find(key: string): number {
  const bytes = Buffer.from(key);
  const hash = keyspace.hash(bytes, 0, bytes.length);
  return keyspace.lookupWrite(keyspace.databases[0], hash, bytes, 0, bytes.length);
}

function hashOf(key: string): number {
  return keyspace.hash(Buffer.from(key), 0, Buffer.byteLength(key));
}

function add(key: string, ...elements: readonly (string | Uint8Array)[]): number {
  const request = call('PFADD', key, ...elements);
  return hyperLogLogs.add(keyspace.databases[0], find(key), hashOf(key), request);
}

function set(key: string, content: Uint8Array, encoding: number): void {
  const bytes = Buffer.from(key);
  const [database] = keyspace.databases;
  const { length } = content;
  strings.addBytes(database, hashOf(key), bytes, 0, bytes.length, content, 0, length, encoding, NO_DEADLINE);
}

function cardinality(key: string): number {
  expect(hyperLogLogs.count(find(key))).toBe(true);
  return hyperLogLogs.low;
}

function merge(...keys: readonly string[]): void {
  hyperLogLogs.beginUnion();
  for (const key of keys) {
    const record = find(key);
    if (record !== NULL_REFERENCE) expect(hyperLogLogs.addToUnion(record)).toBe(true);
  }
  const [destination] = keys;
  const request = call('PFMERGE', ...keys);
  hyperLogLogs.storeUnion(keyspace.databases[0], find(destination), hashOf(destination), request);
}

function content(key: string): Buffer | undefined {
  const record = find(key);
  return record === NULL_REFERENCE ? undefined : Buffer.from(strings.content(record));
}

/** Tries with one allocation more each time until it succeeds; until then, nothing may change. */
function failThenDo(change: () => void, ...keys: readonly string[]): void {
  const before = keys.map(content);
  for (let allocations = 0; ; allocations++) {
    const blocks = memory.blockCount;
    memory.allocationsUntilFailure = allocations;
    try {
      change();
      return;
    } catch (error) {
      if (!(error instanceof OutOfMemoryError)) throw error;
    } finally {
      memory.allocationsUntilFailure = Number.POSITIVE_INFINITY;
    }
    expect(keys.map(content)).toEqual(before);
    expect(memory.blockCount).toBe(blocks);
  }
}

function numbered(count: number, prefix = ''): string[] {
  return Array.from({ length: count }, (_, i) => `${prefix}${i}`);
}

describe('HyperLogLogs', () => {
  it('grow from the record into a block, become dense, and lose no memory', () => {
    for (let count = 1; count <= 3000; count++) add('key', `element ${count}`);
    expect(content('key')).toHaveLength(DENSE_BYTES);
    expect(hyperLogLogs.isDense(find('key'))).toBe(true);
    expect(Math.abs(cardinality('key') - 3000)).toBeLessThan(100);
  });

  it('take as much memory as their bytes', () => {
    add('key', ...numbered(20_000));
    const block = keyspace.records.slot(find('key'));
    expect(memory.blockBytes(block)).toBe(Memory.roundedLength(DENSE_BYTES));
  });

  it('tell how many registers were raised', () => {
    expect(add('key')).toBe(0);
    expect(add('key', elementFor(1, 1), elementFor(1, 1), elementFor(1, 2), elementFor(2, 1))).toBe(3);
    expect(add('key', elementFor(1, 1), elementFor(2, 1))).toBe(0);
    expect(add('key', elementFor(1, 51), elementFor(3, 1))).toBe(2);
    expect(hyperLogLogs.isDense(find('key'))).toBe(true);
    expect(add('key', elementFor(1, 51), elementFor(4, 1))).toBe(1);
  });

  it('are as they were when there is no memory', () => {
    failThenDo(() => add('a'), 'a');
    failThenDo(() => add('a', 'x', 'y'), 'a');
    failThenDo(() => add('a', ...numbered(200)), 'a');
    failThenDo(() => add('a', ...numbered(1000)), 'a');
    failThenDo(() => add('a', ...numbered(5000)), 'a');
    failThenDo(() => add('b', ...numbered(1000, 'b')), 'b');
    failThenDo(() => merge('c', 'b'), 'b', 'c');
    failThenDo(() => merge('c', 'a', 'b'), 'a', 'b', 'c');
    failThenDo(() => hyperLogLogs.makeDense(keyspace.databases[0], find('b')), 'b');
    expect(cardinality('c')).toBeGreaterThan(cardinality('a'));
    expect([content('b')?.length, content('c')?.length]).toEqual([DENSE_BYTES, DENSE_BYTES]);
  });

  it('are raw from the first look on', () => {
    add('made');
    const bytes = content('made') ?? Buffer.alloc(0);
    set('given', bytes, ENCODING_EMBSTR);
    expect(hyperLogLogs.isRaw(find('made'))).toBe(true);
    expect(hyperLogLogs.isRaw(find('given'))).toBe(false);
    hyperLogLogs.makeRaw(keyspace.databases[0], find('given'));
    expect(hyperLogLogs.isRaw(find('given'))).toBe(true);
    expect(content('given')).toEqual(bytes);
  });

  it('keep what was added before the runs turned out to be corrupt', () => {
    const bytes = Buffer.concat([Buffer.from('HYLL\x01'), Buffer.alloc(11), Buffer.from([0x0f])]);
    set('key', bytes, ENCODING_RAW);
    expect(add('key', elementFor(3, 1), elementFor(16, 1))).toBe(CORRUPT);
    expect(content('key')?.subarray(16)).toEqual(Buffer.from([0x02, 0x80, 0x0b]));
    expect(hyperLogLogs.count(find('key'))).toBe(false);
    expect(hyperLogLogs.addToUnion(find('key'))).toBe(false);
    expect(hyperLogLogs.makeDense(keyspace.databases[0], find('key'))).toBe(NULL_REFERENCE);
  });

  it('keep the cardinality in the header until a register is raised', () => {
    add('key', 'a', 'b', 'c');
    expect(hyperLogLogs.hasCardinality(find('key'))).toBe(false);
    expect(cardinality('key')).toBe(3);
    hyperLogLogs.keepCardinality(find('key'));
    add('key', 'a');
    expect(hyperLogLogs.hasCardinality(find('key'))).toBe(true);
    expect([hyperLogLogs.low, hyperLogLogs.high]).toEqual([3, 0]);
    add('key', 'd');
    expect(hyperLogLogs.hasCardinality(find('key'))).toBe(false);
  });
});
