import { expect } from 'vitest';
import { Keyspace } from '../../../src/keyspace/keyspace.js';
import {
  ENCODING_HASHTABLE,
  ENCODING_LISTPACK,
  ENCODING_LISTPACK_EX,
  type Encoding,
  type RecordReference,
  TYPE_HASH,
} from '../../../src/keyspace/record.js';
import { NO_DEADLINE } from '../../../src/keyspace/record-store.js';
import { Memory } from '../../../src/memory/memory.js';
import { NULL_REFERENCE } from '../../../src/memory/reference.js';
import { ReferenceList } from '../../../src/memory/reference-list.js';
import { DeadlineHeap } from '../../../src/structures/deadline-heap.js';
import { Listpacks } from '../../../src/structures/listpack.js';
import { Hashes, NO_FIELD } from '../../../src/types/hash.js';
import { HashCursor } from '../../../src/types/hash-cursor.js';
import { checkDeadlineHeap } from '../structures/deadline-heap-invariants.js';

/** A field of the model. */
export interface ModelField {
  readonly field: Buffer;
  value: Buffer;
  deadlineMs: number;
}

const KEY = Buffer.from('key');

/** One hash of a keyspace beside the array that it must equal: in a listpack, in that order. */
export class HashModel {
  readonly memory = new Memory({ debug: true });
  readonly keyspace = new Keyspace({ databases: 2, memory: this.memory, seed: [1, 2], nowMs: 1000 });
  readonly listpacks = new Listpacks(this.memory);
  readonly hashes = new Hashes(this.keyspace, this.listpacks);
  readonly cursor = new HashCursor(this.hashes);
  readonly database = this.keyspace.databases[0];
  encoding: Encoding;
  fields: ModelField[] = [];
  private readonly blocksBefore = this.memory.blockCount;

  constructor(entriesMax = 512, valueMax = 64) {
    this.hashes.listpackEntriesMax = entriesMax;
    this.hashes.listpackValueMax = valueMax;
    this.encoding = this.hashes.encodingFor(0, 0);
    this.addKey();
  }

  /** The record, wherever it is now; NULL_REFERENCE when the key is gone. */
  get record(): RecordReference {
    return this.database.find(this.keyspace.hash(KEY, 0, KEY.length), KEY, 0, KEY.length);
  }

  set(field: Buffer, value: Buffer, keepsDeadline: boolean): void {
    const { hashes } = this;
    const known = this.known(field);
    // Somewhere within larger buffers, as arguments are.
    const source = Buffer.concat([Buffer.from('<'), field]);
    const other = Buffer.concat([Buffer.from('<<'), value]);
    hashes.set(
      this.database,
      this.record,
      hashes.find(this.record, source, 1, field.length),
      source,
      1,
      field.length,
      other,
      2,
      value.length,
      keepsDeadline,
    );
    if (known === undefined) {
      this.fields.push({ field, value, deadlineMs: NO_DEADLINE });
    } else {
      known.value = value;
      if (!keepsDeadline && known.deadlineMs !== NO_DEADLINE) this.place(known, NO_DEADLINE);
    }
    const longest = Math.max(field.length, value.length);
    if (longest > hashes.listpackValueMax || this.fields.length > hashes.listpackEntriesMax) {
      this.encoding = ENCODING_HASHTABLE;
    }
  }

  remove(field: Buffer): void {
    this.hashes.remove(this.database, this.record, this.find(field));
    this.fields = this.fields.filter((candidate) => !candidate.field.equals(field));
  }

  makeExpirable(): void {
    this.hashes.makeExpirable(this.database, this.record);
    if (this.encoding === ENCODING_LISTPACK) this.encoding = ENCODING_LISTPACK_EX;
  }

  /** Gives a field that the hash has a deadline, or NO_DEADLINE. */
  setDeadline(field: Buffer, deadlineMs: number): void {
    this.makeExpirable();
    this.hashes.setDeadline(this.database, this.record, this.find(field), deadlineMs);
    const known = this.known(field);
    if (known !== undefined) this.place(known, deadlineMs);
  }

  /** Lets time pass, and the keyspace see to what expires by it, so many fields at a time. */
  advance(ms: number, limit: number): void {
    this.keyspace.nowMs += ms;
    while (this.keyspace.expireFieldsDue(this.database, limit));
    this.fields = this.fields.filter(({ deadlineMs }) => !this.isPast(deadlineMs));
    if (this.fields.length === 0 && this.record === NULL_REFERENCE) this.addKey();
  }

  /** Gives the key a deadline or takes it away, so that the record moves. */
  toggleKeyDeadline(): void {
    const { keyspace, database, record } = this;
    if (keyspace.deadline(record) === NO_DEADLINE) keyspace.setDeadline(database, record, 2 ** 40);
    else keyspace.clearDeadline(database, record);
  }

  /** Puts a copy of the hash in its place, by way of another database. */
  copyThere(): void {
    const { keyspace, database } = this;
    const other = keyspace.databases[1];
    const hash = keyspace.hash(KEY, 0, KEY.length);
    const copy = keyspace.copy(this.record, other, hash, KEY, 0, KEY.length, NULL_REFERENCE);
    keyspace.relocate(other, copy, database, hash, KEY, 0, KEY.length, this.record);
    expect(other.size).toBe(0);
    expect(other.fieldDeadlines.count).toBe(0);
  }

  find(field: Buffer): number {
    return this.hashes.find(this.record, field, 0, field.length);
  }

  /** Checks everything that can be asked of the hash against the model. */
  check(): void {
    const { hashes, record, fields } = this;
    expect(hashes.records.encoding(record)).toBe(this.encoding);
    expect(hashes.count(record)).toBe(fields.length);
    expect(this.find(Buffer.from('a field that is not there'))).toBe(NO_FIELD);
    for (const { field, value, deadlineMs } of fields) {
      const handle = this.find(field);
      expect(handle).not.toBe(NO_FIELD);
      hashes.read(record, handle);
      expect(this.readHere(hashes)).toBe(value.toString('latin1'));
      hashes.readField(record, handle);
      expect(this.readHere(hashes)).toBe(field.toString('latin1'));
      expect(hashes.deadline(record, handle)).toBe(deadlineMs);
      expect(hashes.isExpired(record, handle)).toBe(this.isPast(deadlineMs));
    }
    this.checkWalks();
    this.checkDeadlines();
  }

  /** Removes the key and checks that no block of it is left. */
  end(): void {
    this.keyspace.remove(this.database, this.record);
    while (this.keyspace.lazyFree.step(5));
    expect(this.database.fieldDeadlines.count).toBe(0);
    expect(this.memory.blockCount).toBe(this.blocksBefore);
  }

  private checkWalks(): void {
    const { cursor, record, fields } = this;
    const expected = fields.map(({ field, value, deadlineMs }) => [
      field.toString('latin1'),
      value.toString('latin1'),
      deadlineMs,
    ]);
    const walked: unknown[] = [];
    cursor.start(record);
    while (cursor.next()) {
      cursor.readField();
      const field = this.readHere(cursor);
      cursor.readValue();
      walked.push([field, this.readHere(cursor), cursor.deadlineMs]);
      expect(cursor.isExpired).toBe(this.isPast(cursor.deadlineMs));
    }
    if (this.encoding === ENCODING_HASHTABLE) expect(walked.sort()).toEqual(expected.sort());
    else expect(walked).toEqual(expected);

    const found = new ReferenceList();
    this.hashes.collect(record, found);
    const handles = Array.from(found.items.subarray(0, found.count));
    expect(handles.sort()).toEqual(fields.map(({ field }) => this.find(field)).sort());
    if (fields.length > 0) expect(handles).toContain(this.hashes.random(record));
  }

  /** The earliest deadline is known to the record, and the database's index has it if there is one. */
  private checkDeadlines(): void {
    const { keyspace, hashes, record } = this;
    const deadlines = this.fields.map(({ deadlineMs }) => deadlineMs).filter((ms) => ms !== NO_DEADLINE);
    const first = deadlines.length === 0 ? NO_DEADLINE : Math.min(...deadlines);
    expect(keyspace.fieldDeadline(record)).toBe(first);
    expect(this.database.fieldDeadlines.count).toBe(first === NO_DEADLINE ? 0 : 1);
    expect(hashes.hasExpired(record)).toBe(this.isPast(first));
    if (this.encoding !== ENCODING_HASHTABLE) return;
    const head = keyspace.hashTable.owner(hashes.records.slot(record));
    expect(head === NULL_REFERENCE).toBe(deadlines.length === 0);
    if (head === NULL_REFERENCE) return;
    const heap = new DeadlineHeap(this.memory);
    expect(checkDeadlineHeap(this.memory, heap, head)).toHaveLength(deadlines.length);
  }

  private addKey(): void {
    this.encoding = this.hashes.encodingFor(0, 0);
    const value = this.hashes.create(this.encoding);
    const hash = this.keyspace.hash(KEY, 0, KEY.length);
    this.keyspace.add(this.database, hash, KEY, 0, KEY.length, TYPE_HASH, this.encoding, value, 0);
  }

  private known(field: Buffer): ModelField | undefined {
    return this.fields.find((candidate) => candidate.field.equals(field));
  }

  /** Puts a field where it belongs among those with deadlines: before the first that is not earlier. */
  private place(known: ModelField, deadlineMs: number): void {
    known.deadlineMs = deadlineMs;
    const others = this.fields.filter((candidate) => candidate !== known);
    const at = others.findIndex(
      (other) => other.deadlineMs === NO_DEADLINE || other.deadlineMs >= deadlineMs,
    );
    others.splice(deadlineMs === NO_DEADLINE || at < 0 ? others.length : at, 0, known);
    this.fields = others;
  }

  private isPast(deadlineMs: number): boolean {
    return deadlineMs !== NO_DEADLINE && deadlineMs <= this.keyspace.nowMs;
  }

  private readHere({ bytes, offset, length }: { bytes: Uint8Array; offset: number; length: number }): string {
    return Buffer.from(bytes.subarray(offset, offset + length)).toString('latin1');
  }
}
