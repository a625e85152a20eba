import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Database } from '../../../src/keyspace/database.js';
import { Keyspace } from '../../../src/keyspace/keyspace.js';
import { ENCODING_LISTPACK, type RecordReference, TYPE_HASH } from '../../../src/keyspace/record.js';
import { NO_DEADLINE } from '../../../src/keyspace/record-store.js';
import { Memory } from '../../../src/memory/memory.js';
import { NULL_REFERENCE } from '../../../src/memory/reference.js';
import { Snapshot, type SnapshotSink } from '../../../src/persistence/snapshot.js';
import { NO_FIELD } from '../../../src/types/hash.js';
import { Types } from '../../../src/types/types.js';

/** What a snapshot passes on at once, in slices and when. A large key is one whose name says so. */

const NOW_MS = 1_790_000_000_000;
/** How long a removal that is postponed may take to be tried again, in ms. */
const RETRY_MS = 100;
const FIELD = Buffer.from('field');

let keyspace: Keyspace;
let types: Types;
let database: Database;
let sink: RecordingSink;

/** Notes the names of the keys that it is given. */
class RecordingSink implements SnapshotSink {
  readonly isOverloaded = false;
  readonly holdsTooMuch = false;
  /** Keys that were written at once, in order, and in slices. */
  readonly atOnce: string[] = [];
  readonly inSlices: string[] = [];

  write(_database: number, record: RecordReference): void {
    this.atOnce.push(nameOf(record));
  }

  isSliceable(record: RecordReference): boolean {
    return this.isLarge(record);
  }

  isLarge(record: RecordReference): boolean {
    return nameOf(record).startsWith('large');
  }

  *writeInSlices(_database: number, record: RecordReference): Generator<undefined, void, undefined> {
    const name = nameOf(record);
    for (let i = 0; i < 3; i++) yield;
    this.inSlices.push(name);
  }
}

function nameOf(record: RecordReference): string {
  return Buffer.from(keyspace.records.key(record)).toString();
}

beforeEach(() => {
  keyspace = new Keyspace({
    databases: 1,
    memory: new Memory({ debug: true }),
    seed: [1, 2],
    nowMs: NOW_MS,
  });
  types = new Types(keyspace);
  [database] = keyspace.databases;
  sink = new RecordingSink();
});

afterEach(() => {
  keyspace.setGuard(undefined);
});

function addString(name: string, deadlineMs = NO_DEADLINE): void {
  const key = Buffer.from(name);
  const hash = keyspace.hash(key, 0, key.length);
  types.strings.add(database, hash, key, 0, key.length, FIELD, 0, FIELD.length, deadlineMs);
}

/** A hash with one field that stays and one that expires. */
function addHash(name: string, fieldDeadlineMs: number): void {
  const { hashes } = types;
  const key = Buffer.from(name);
  const hash = keyspace.hash(key, 0, key.length);
  const value = hashes.create(ENCODING_LISTPACK);
  const added = keyspace.add(database, hash, key, 0, key.length, TYPE_HASH, ENCODING_LISTPACK, value, 0);
  const record = hashes.makeExpirable(database, added);
  for (const field of [FIELD, Buffer.from('other')]) {
    hashes.set(database, record, NO_FIELD, field, 0, field.length, field, 0, field.length, false);
  }
  hashes.setDeadline(database, record, hashes.find(record, FIELD, 0, FIELD.length), fieldDeadlineMs);
}

function find(name: string): RecordReference {
  const key = Buffer.from(name);
  return database.find(keyspace.hash(key, 0, key.length), key, 0, key.length);
}

function lookup(how: 'lookupRead' | 'lookupWrite' | 'peek', name: string): RecordReference {
  const key = Buffer.from(name);
  return keyspace[how](database, keyspace.hash(key, 0, key.length), key, 0, key.length);
}

function walkToEnd(snapshot: Snapshot): void {
  while (snapshot.walk(0, () => false));
}

function pass(ms: number): void {
  keyspace.nowMs += ms;
}

describe('a large value that is not passed on', () => {
  test('is not written at once for the sake of expiry by the clock, which goes on with the others', () => {
    for (const name of ['large a', 'small a', 'large b', 'small b']) addString(name, NOW_MS + 5);
    addString('small c');
    const snapshot = new Snapshot(keyspace, sink, () => {});
    pass(10);
    expect(keyspace.expireDue(database, 100)).toBe(false);
    expect(sink.atOnce.sort()).toEqual(['small a', 'small b']);
    expect(find('large a')).not.toBe(NULL_REFERENCE);
    expect(keyspace.expiredKeys).toBe(2);
    walkToEnd(snapshot);
    expect(sink.inSlices.sort()).toEqual(['large a', 'large b']);
    expect(sink.atOnce.sort()).toEqual(['small a', 'small b', 'small c']);
    pass(RETRY_MS);
    keyspace.expireDue(database, 100);
    expect(keyspace.expiredKeys).toBe(4);
    expect(database.size).toBe(1);
    expect(database.deadlines.count).toBe(0);
  });

  test('is written next when it has expired', () => {
    for (let i = 0; i < 200; i++) addString(`small ${i}`);
    addString('large', NOW_MS + 5);
    const snapshot = new Snapshot(keyspace, sink, () => {});
    pass(10);
    keyspace.expireDue(database, 100);
    for (let i = 0; i < 10; i++) snapshot.walk(0, () => true);
    expect(sink.inSlices).toEqual(['large']);
    expect(sink.atOnce).toEqual([]);
    walkToEnd(snapshot);
  });

  test('stays while it is written in part', () => {
    addString('large', NOW_MS + 5);
    const snapshot = new Snapshot(keyspace, sink, () => {});
    snapshot.walk(0, () => false);
    expect(sink.inSlices).toEqual([]);
    pass(10);
    keyspace.expireDue(database, 100);
    expect(sink.inSlices).toEqual([]);
    walkToEnd(snapshot);
    expect(sink.inSlices).toEqual(['large']);
  });

  test('is not written at once for the sake of fields that expire by the clock', () => {
    addHash('large', NOW_MS + 5);
    addHash('small', NOW_MS + 5);
    const snapshot = new Snapshot(keyspace, sink, () => {});
    pass(10);
    expect(keyspace.expireFieldsDue(database, 100)).toBe(false);
    expect(sink.atOnce).toEqual(['small']);
    expect(keyspace.expiredFields).toBe(1);
    expect(types.hashes.count(find('large'))).toBe(2);
    walkToEnd(snapshot);
    pass(RETRY_MS);
    keyspace.expireFieldsDue(database, 100);
    expect(keyspace.expiredFields).toBe(2);
    expect(types.hashes.count(find('large'))).toBe(1);
  });

  test.each(['lookupRead', 'peek'] as const)('is only hidden from %s when it has expired', (how) => {
    addString('large', NOW_MS + 5);
    addString('small', NOW_MS + 5);
    const snapshot = new Snapshot(keyspace, sink, () => {});
    pass(10);
    expect(lookup(how, 'large')).toBe(NULL_REFERENCE);
    expect(lookup(how, 'small')).toBe(NULL_REFERENCE);
    expect(sink.atOnce).toEqual(['small']);
    expect(find('large')).not.toBe(NULL_REFERENCE);
    walkToEnd(snapshot);
    expect(sink.inSlices).toEqual(['large']);
    expect(lookup(how, 'large')).toBe(NULL_REFERENCE);
    expect(find('large')).toBe(NULL_REFERENCE);
  });

  test('is gone for who may put another in its place', () => {
    addString('large', NOW_MS + 5);
    const snapshot = new Snapshot(keyspace, sink, () => {});
    pass(10);
    lookup('lookupRead', 'large');
    expect(lookup('lookupWrite', 'large')).toBe(NULL_REFERENCE);
    expect(find('large')).toBe(NULL_REFERENCE);
    addString('large');
    walkToEnd(snapshot);
    expect([...sink.atOnce, ...sink.inSlices]).toEqual(['large']);
  });

  test('goes at once when the snapshot is given up', () => {
    addString('large', NOW_MS + 5);
    const snapshot = new Snapshot(keyspace, sink, () => {});
    pass(10);
    keyspace.expireDue(database, 100);
    snapshot.giveUp();
    expect(lookup('lookupRead', 'large')).toBe(NULL_REFERENCE);
    expect(database.size).toBe(0);
    walkToEnd(snapshot);
    expect([...sink.atOnce, ...sink.inSlices]).toEqual([]);
  });
});
